"""forewarn init: write a configuration to begin with, and with --detect propose probes for what runs here."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forewarn.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from forewarn.app.detect.proposals import Proposal
    from forewarn.app.detect.starter import Written
    from forewarn.cli.screen import Screen

OWN_PORT = 8420
"""Forewarn's own console has its probe already."""
EXAMPLES = """\
  forewarn init                            into the current folder: config/, probes/, playbooks/
  forewarn init /etc/forewarn --detect     and probes for what listens on this machine
  forewarn init --detect --ports 80,443    look at these ports only

Nothing is overwritten: a file that is there stays as it is, and is named. --detect makes a few short connections to this
machine's own ports to see what is spoken there; as root it also sees which program listens. Its probes go into
probes/found-*.yaml, each with the reason for it; throw away what you don't want.

exit: 0 written (or all was there), 1 a file could not be written, or what is there now has problems, 2 wrong use"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `init`."""
    parser = options.command(subparsers, "init", "write a configuration to begin with; --detect: for what runs here", EXAMPLES)
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="where; the current folder if left out")
    parser.add_argument("--detect", action="store_true", help="propose probes for what listens on this machine")
    parser.add_argument("--ports", type=_ports, default=(), metavar="80,443", help="with --detect: look at these ports only")
    parser.set_defaults(run=run)


def _ports(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = (0,)
    if not all(0 < port < 65536 for port in found):
        raise argparse.ArgumentTypeError(f'"{text}" are no ports; write 80,443')
    return found


def run(args: argparse.Namespace) -> int:
    """Write and say what was written; 0 or 1."""
    import sys
    from pathlib import Path

    from forewarn.app.detect import starter
    from forewarn.cli.screen import Screen
    from forewarn.probers import PROBERS

    screen, folder = Screen(args.lang), Path(args.folder)
    try:
        written = starter.write(folder, PROBERS)
        proposed = _detected(folder, args.ports, written, screen) if args.detect else None
    except OSError as error:
        print(screen.t("cli.init.cannot", path=str(error.filename or folder), error=error.strerror or str(error)), file=sys.stderr)
        return 1
    _say_written(written, folder, screen)
    if proposed is not None:
        _say_proposed(proposed, written, folder, screen)
    return _checked(folder, screen)


def _detected(folder: Path, only: tuple[int, ...], written: Written, screen: Screen) -> list[Proposal]:
    import asyncio

    from forewarn.app.detect import proposals, survey

    found = asyncio.run(survey.ports(only, {OWN_PORT}))
    made = proposals.proposals(found, lambda text: screen.t(text.key, **text.facts))
    for one in made:
        written.put(folder / "probes" / one.file, one.text)
    return made


def _say_written(written: Written, folder: Path, screen: Screen) -> None:
    screen.say(screen.t("cli.init.written", count=len(written.new), folder=str(folder.resolve())))
    if written.kept:
        names = screen.listed(str(path.relative_to(folder)) for path in written.kept)
        screen.say(screen.t("cli.init.kept", files=names), "grey")


def _say_proposed(proposed: list[Proposal], written: Written, folder: Path, screen: Screen) -> None:
    from forewarn.app.detect.proposals import disks_seen
    from forewarn.app.detect.survey import disks

    screen.say()
    if not proposed:
        screen.say(screen.t("cli.init.nothing"))
    for one in proposed:
        mark = "" if folder / "probes" / one.file in written.new else f"  ({screen.t('cli.init.stays')})"
        screen.say(f"probes/{one.file}{mark}", "bold")
        for why in one.why:
            screen.say(f"  {screen.t(why.key, **why.facts)}")
        screen.say(f"  forewarn --config {folder} try {folder / 'probes' / one.file}", "grey")
    if seen := disks_seen(disks()):
        screen.say(screen.t(seen.key, **seen.facts))


def _checked(folder: Path, screen: Screen) -> int:
    """What `forewarn check` says of it now."""
    import os
    from datetime import UTC, datetime

    from forewarn.config.load import load
    from forewarn.model.errors import ConfigError
    from forewarn.probers import PROBERS

    screen.say()
    try:
        settings = load(folder, PROBERS, datetime.now(UTC), os.environ)
    except ConfigError as error:
        for problem in error.problems:
            screen.say(str(problem), "red")
        return 1
    screen.say(screen.t("cli.init.fine", probes=len(settings.probes), folder=str(folder)))
    return 0
