"""forewarn doctor: what is wrong around Forewarn, each finding with the command that mends it."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from forewarn.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forewarn.app.doctor.check import Check
    from forewarn.cli.screen import Screen

EXAMPLES = """\
  forewarn doctor           rights, tools, sensors, clock, disk, channels, configuration, the daemon
  forewarn doctor --send    the same, and a test message to every person (never to a customer)
  forewarn doctor --json    for machines: {"ok": ..., "checks": [{"area", "state", "what", "mend"}]}

Looks only at what the loaded configuration needs, changes nothing, and needs no running daemon.

exit: 0 nothing is wrong, 1 problems, 2 wrong use"""
COLOURS = {"fine": "grey", "note": "accent", "problem": "red"}
INDENT = 4


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `doctor`."""
    parser = options.command(subparsers, "doctor", "say what is wrong around Forewarn, and the command that mends it", EXAMPLES)
    parser.add_argument("--send", action="store_true", help="send a test message to every address of every person")
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look and print; 1 if anything is a problem, 2 where there is no configuration to look at."""
    from datetime import UTC, datetime
    from pathlib import Path

    from forewarn.app.doctor import LOOKS, patient
    from forewarn.cli.screen import Screen
    from forewarn.config.find import folder
    from forewarn.model.errors import ForewarnError
    from forewarn.runtime.state_folder import StateFolder

    place = StateFolder(Path(args.state)) if args.state else StateFolder.named(os.environ)
    screen = Screen(args.lang)
    try:
        one = patient(folder(args.config, os.environ), place, datetime.now(UTC), send=args.send, language=screen.language)
    except ForewarnError as error:
        print(error, file=sys.stderr)
        return 2
    areas = ((area, look(one)) for area, look in LOOKS.items())
    return _as_json(screen, areas) if args.json else _as_text(screen, areas)


def _as_text(screen: Screen, areas: Iterator[tuple[str, Iterator[Check]]]) -> int:
    """Line after line, as it is found: a resolver that is slow shows as an area that is still being looked at."""
    counts = {"fine": 0, "note": 0, "problem": 0}
    for area, checks in areas:
        _progress(screen, area)
        for check in checks:
            _progress(screen, None)
            counts[check.state] += 1
            _one(screen, check)
        _progress(screen, None)
    screen.say()
    screen.say(screen.t("doctor.end", **counts))
    return 1 if counts["problem"] else 0


def _one(screen: Screen, check: Check) -> None:
    from forewarn.cli.screen import width

    names = [screen.t(f"doctor.area.{check.area}"), screen.t(f"doctor.state.{check.state}")]
    cells = [name + " " * max(0, wide - width(name)) for name, wide in zip(names, (14, 8), strict=True)]
    print(f"{cells[0]}  {screen.colour(cells[1], COLOURS[check.state])}  {_clean(screen.t(check.what.key, **check.what.facts))}")
    if check.mend:
        print(" " * INDENT + screen.colour(_clean(check.mend), "bold"))
    sys.stdout.flush()


def _clean(text: str) -> str:
    from forewarn.cli.screen import clean

    return clean(text).replace("\n", " ")


def _progress(screen: Screen, area: str | None) -> None:
    """What is being looked at, on a terminal only, and gone when its first line comes."""
    if sys.stderr.isatty():
        text = screen.t("doctor.looking", area=screen.t(f"doctor.area.{area}")) if area else ""
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _as_json(screen: Screen, areas: Iterator[tuple[str, Iterator[Check]]]) -> int:
    from forewarn.cli.client import print_json

    checks = [
        {"area": one.area, "state": one.state, "what": screen.t(one.what.key, **one.what.facts), "mend": one.mend}
        for _, found in areas
        for one in found
    ]
    ok = all(one["state"] != "problem" for one in checks)
    print_json({"ok": ok, "checks": checks})
    return 0 if ok else 1
