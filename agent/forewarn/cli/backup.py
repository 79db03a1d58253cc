"""forewarn backup: one copy of everything that is remembered, while the daemon runs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.store.backup import Progress

EXAMPLES = """\
  forewarn backup /srv/backup/forewarn.tar           copy ledger and samples, each from one moment, and look whether the copy is whole
  forewarn backup --check /srv/backup/forewarn.tar   look whether an earlier copy is whole

The daemon goes on meanwhile. Configuration and secrets are not in it: they are your own files.
To restore: stop forewarn, empty its state folder, `tar -xf FILE -C FOLDER`, start it again.

exit: 0 the copy is there and whole, 1 it is not"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `backup`."""
    parser = options.command(subparsers, "backup", "copy everything that is remembered into one file", EXAMPLES)
    parser.add_argument("file", metavar="FILE", help="the copy, a tar; one that is there is replaced when the new one is whole")
    parser.add_argument("--check", action="store_true", help="only look whether FILE is whole")
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Copy or check, and print; 0 or 1."""
    from forewarn.cli.client import print_json
    from forewarn.cli.screen import Screen
    from forewarn.model.errors import StoreError
    from forewarn.runtime.state_folder import StateFolder
    from forewarn.store import backup

    file, screen = Path(args.file), Screen(args.lang)
    place = StateFolder(Path(args.state)) if args.state else StateFolder.named(os.environ)
    try:
        size = 0 if args.check else backup.back_up(place.path, file, _bar())
        sizes = backup.check(file)
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1
    if args.json:
        print_json({"file": str(file), "databases": sizes})
    elif args.check:
        screen.say(screen.t("cli.backup.whole", file=str(file), size=_megabytes(sum(sizes.values()))))
    else:
        screen.say(screen.t("cli.backup.made", file=str(file), size=_megabytes(size)))
        screen.say(screen.t("cli.backup.restore", file=str(file), folder=str(place.path)))
    return 0


def _bar() -> Progress:
    """A bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda name, done, pages: None

    def show(name: str, done: int, pages: int) -> None:
        filled = 30 * done // max(1, pages)
        sys.stderr.write(f"\r{name:12}[{'=' * filled}{' ' * (30 - filled)}] {100 * done // max(1, pages):3} %")
        sys.stderr.write("\n" if done == pages else "")
        sys.stderr.flush()

    return show


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
