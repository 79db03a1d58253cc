"""forewarn lab smart: what saved answers of smartctl say of their disks, and the risk model on histories of many drives."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forewarn.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forewarn.app.lab.smart import Judged

EXAMPLES = """\
  smartctl --json -a /dev/sda > sda.json
  forewarn lab smart sda.json                                  ok, watch, failing or unknown, and why
  forewarn lab smart *.json --json                             [{file, serial, model, verdict, reasons}, ...]
  forewarn lab smart --history series --out alarms.csv         drive,hours,score: the daemon's risk of drives over their life

A history is a folder with drives.csv.gz (drive,serial,model,maker,size_tb,first_hours) and changes.csv.gz (drive,hours,smart_5,
smart_187 ...: a row for each hour at which a value changed). At each row only the rows before it are known."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `lab smart`."""
    parser = options.command(subparsers, "smart", "judge disks by saved answers of smartctl", EXAMPLES)
    parser.add_argument("files", metavar="FILE.json", nargs="*", help="what smartctl --json -a printed")
    parser.add_argument("--history", metavar="DIR", help="histories of many drives instead: how likely each fails, over its life")
    parser.add_argument("--out", metavar="ALARMS.csv", help="with --history: where the rows drive,hours,score go")
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge and tell: 1 when a disk fails or is to be watched, 2 for what can't be used."""
    import sys

    if bool(args.files) == bool(args.history) or bool(args.history) != bool(args.out):
        print("forewarn lab smart: name files, or --history DIR with --out ALARMS.csv; see --help", file=sys.stderr)
        return 2
    return _history(args) if args.history else _files(args)


def _files(args: argparse.Namespace) -> int:
    import sys
    from pathlib import Path

    from forewarn.app.lab.smart import judge
    from forewarn.cli.progress import tracked
    from forewarn.model.errors import ForewarnError

    judged, wrong = [], False
    for file in tracked("reading", args.files):
        try:
            judged.append(judge(Path(file)))
        except ForewarnError as error:
            print(error, file=sys.stderr)
            wrong = True
    if args.json:
        _print_json(args.lang, judged)
    elif judged:
        _tell(args.lang, judged)
    return 2 if wrong else int(any(one.verdict.word in ("failing", "watch") for one in judged))


def _print_json(language: str, judged: Sequence[Judged]) -> None:
    import json

    items = [
        {
            "file": one.file, "serial": one.serial, "model": one.model,
            "verdict": str(one.verdict.word), "reasons": _reasons(language, one),
        }
        for one in judged
    ]  # fmt: skip
    print(json.dumps(items, ensure_ascii=False, indent=2))


def _tell(language: str, judged: Sequence[Judged]) -> None:
    from collections import Counter
    from os.path import relpath
    from pathlib import Path

    from forewarn.cli.screen import Screen

    screen = Screen(language)
    folders = [str(Path(one.file).parent) for one in judged]
    folder = folders[0] if len(set(folders)) == 1 else "."
    colours = {"failing": "red", "watch": "accent", "unknown": "grey"}
    found = Counter(str(one.verdict.word) for one in judged)
    screen.say(screen.t("smart.lab.head", n=len(judged), **{word: found[word] for word in ("failing", "watch", "ok", "unknown")}))
    for word in ("failing", "watch", "unknown", "ok"):
        rows = []
        for one in judged:
            if one.verdict.word == word:
                name = relpath(one.file, folder) if folder != "." else one.file
                who = " ".join(part for part in (one.model, one.serial) if part)
                rows.append([screen.t(f"smart.word.{word}"), name, who or "-", screen.listed(_reasons(language, one))])
        screen.columns(rows, colours=(colours.get(word),))


def _reasons(language: str, one: Judged) -> list[str]:
    from datetime import UTC, datetime

    from forewarn.cli.words import phrases
    from forewarn.core.tell.words import render
    from forewarn.model.text import harmless

    now = datetime.now(UTC)
    return [harmless(render(reason, phrases(language), UTC, now)) for reason in one.verdict.reasons]


def _history(args: argparse.Namespace) -> int:
    import sys
    from pathlib import Path

    from forewarn.app.lab.smart_history import read, write
    from forewarn.cli.progress import Progress
    from forewarn.cli.screen import Screen
    from forewarn.model.errors import ForewarnError

    try:
        drives, size = read(Path(args.history))
        with Progress(args.history, size) as bar:
            rows = write(drives, Path(args.history), Path(args.out), bar)
    except ForewarnError as error:
        print(error, file=sys.stderr)
        return 2
    screen = Screen(args.lang)
    screen.say(screen.t("smart.lab.history", drives=len(drives), rows=rows, out=args.out))
    return 0
