"""forewarn lab logs: the templates of log files, and what is new, bursting, vanished or together for the first time."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forewarn.cli import options
from forewarn.cli.lab import told

if TYPE_CHECKING:
    from pathlib import Path

    from forewarn.app.lab.logs import Logs
    from forewarn.core.detect.templates.change import Change

EXAMPLES = """\
  forewarn lab logs app.log                                 what is different in its second half
  forewarn lab logs *.log --around "2026-11-23 10:00"       what is different since then, in all files together
  forewarn lab logs app.log.1.gz app.log --around 10:00     at ten on the last day of these files
  forewarn lab logs app.log --templates templates.csv       EventId,EventTemplate for each line
  forewarn lab logs messages.txt --messages                 lines without time, host or level in front

A template is what a line says without what varies in it. Lines without a time where others have one (stack traces) belong to
the line before. Trouble by its level or its words comes first."""
SHOWN = 30


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `lab logs`."""
    parser = options.command(subparsers, "logs", "say what is new, bursting or gone in log files", EXAMPLES)
    parser.add_argument("files", metavar="FILE", nargs="+", help="logs, older ones first; .gz too")
    parser.add_argument("--messages", action="store_true", help="the lines have no header: all of a line is its message")
    parser.add_argument("--templates", metavar="OUT.csv", help="write EventId,EventTemplate for each line, in order")
    parser.add_argument("--around", metavar="TIME", help="compare what came before this time with the rest (else the two halves)")
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read and tell; 2 for a file that can't be read or a time that isn't one."""
    import sys
    import time

    from forewarn.app.lab.logs import Logs

    if args.messages and args.around:
        print("forewarn lab logs: lines without a header have no time; leave --messages or --around out", file=sys.stderr)
        return 2
    logs = Logs(args.messages, bool(args.around), time.time())
    mined = told.done(lambda: _mined(args, logs))
    if mined is None:
        return 2
    changes, split, order = mined
    if args.json:
        _print_json(args, logs, changes, split, order)
    else:
        _tell(args, logs, changes, split, order)
    return 0


def _mined(args: argparse.Namespace, logs: Logs) -> tuple[list[Change], int, list[int]]:
    """What is different in the files, from which line on, and their lines' order; the templates are written as asked."""
    from pathlib import Path

    from forewarn.cli.progress import Progress

    for name in args.files:
        with Progress(name, Path(name).stat().st_size) as bar:
            logs.read(Path(name), bar)
    logs.settle()
    if args.templates:
        _write(Path(args.templates), logs)
    return logs.changes(logs.moment(args.around) if args.around else None)


def _write(path: Path, logs: Logs) -> None:
    """Event ids count templates in the order in which they first appear."""
    ids: dict[int, tuple[str, str]] = {}
    for number in logs.numbers():
        if number not in ids:
            ids[number] = (f"E{len(ids) + 1}", logs.text(number))
    told.write(path, ("EventId", "EventTemplate"), (ids[number] for number in logs.numbers()))


def _tell(args: argparse.Namespace, logs: Logs, changes: list[Change], split: int, order: list[int]) -> None:
    from forewarn.cli.screen import Screen

    screen = Screen(args.lang)
    templates = len(set(logs.numbers()))
    screen.say(screen.t("lab.logs.head", lines=logs.lines, templates=templates, before=split, after=len(order) - split))
    if not changes:
        screen.say(screen.t("lab.logs.none"))
        return
    trouble, rows = logs.trouble(), []
    for one in changes[:SHOWN]:
        bad = max(trouble.get(template, 0) for template in one.templates)
        rows.append(
            (
                screen.t(f"lab.logs.{one.kind}"),
                screen.t("lab.logs.counts", before=one.before, after=one.after),
                screen.t(f"lab.logs.trouble_{bad}") if bad else "",
                " + ".join(logs.text(template)[:160] for template in one.templates),
            )
        )
    screen.columns(rows, colours=("accent", None, "red"))
    if len(changes) > SHOWN:
        screen.say(screen.t("lab.logs.more", n=len(changes) - SHOWN))
    screen.say()
    screen.say(screen.t("lab.logs.first"), "grey")
    for one in changes[:3]:
        example = logs.example(order[one.first])
        screen.say(f"  {example.file}:{example.line}: {_masked(example.text)[:240]}")


def _masked(text: str) -> str:
    from forewarn.reach.mask import mask

    return mask(text)


def _print_json(args: argparse.Namespace, logs: Logs, changes: list[Change], split: int, order: list[int]) -> None:
    import json

    ids: dict[int, str] = {}
    for number in logs.numbers():
        ids.setdefault(number, f"E{len(ids) + 1}")
    trouble = logs.trouble()
    items = list[dict[str, object]]()
    for one in changes:
        example = logs.example(order[one.first]) if len(items) < SHOWN else None
        items.append(
            {
                "kind": str(one.kind), "templates": [{"id": ids[each], "template": logs.text(each)} for each in one.templates],
                "before": one.before, "after": one.after, "expected": round(one.expected, 3), "surprise": round(one.surprise, 3),
                "trouble": max(trouble.get(each, 0) for each in one.templates),
                "first": {"file": example.file, "line": example.line, "text": _masked(example.text)} if example else None,
            }
        )  # fmt: skip
    body = {"files": args.files, "lines": logs.lines, "templates": len(ids), "before": split, "after": len(order) - split}
    print(json.dumps({**body, "items": items}, ensure_ascii=False, indent=2))
