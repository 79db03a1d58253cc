"""forewarn check: is the configuration right, without touching the daemon."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forewarn.model.errors import ConfigError, Problem
    from forewarn.model.settings import Settings

_HELP = """\
Reads config/, probes/ and playbooks/ and says everything that is wrong with them, each with its
file, line and path, and what would be right. Nothing runs, nothing is sent, nothing is changed.

The folder: FOLDER or --config, else $FOREWARN_CONFIG, else the current folder if it holds config/
and probes/, else /etc/forewarn, else the set that came with Forewarn.

Exit: 0 all is right, 1 problems were found, 2 wrong use (no such folder)."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `check`."""
    parser = subparsers.add_parser(
        "check",
        help="say everything that is wrong with the configuration",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="the folder that holds config/, probes/ and playbooks/")
    parser.add_argument("--config", metavar="FOLDER", default=argparse.SUPPRESS, help="the same")
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check and print; 0, 1 or 2."""
    from forewarn.config.find import folder
    from forewarn.config.load import load
    from forewarn.model.errors import ConfigError, ForewarnError
    from forewarn.probers import PROBERS

    as_json = bool(getattr(args, "json", False))
    try:
        found = folder(args.folder or getattr(args, "config", None), os.environ)
        settings = load(found, PROBERS, datetime.now(UTC))
    except ConfigError as error:
        print(_json_of(error) if as_json else _text_of(error))
        return 1
    except ForewarnError as error:
        print(error, file=sys.stderr)
        return 2
    print(_json_of_good(settings) if as_json else _text_of_good(settings))
    return 0


def _text_of(error: ConfigError) -> str:
    """One line a problem, places in one column."""
    places = [f"{problem.file}:{problem.line}" for problem in error.problems]
    width = min(max(map(len, places), default=0), 48)
    lines = [f"{place:<{width}}  {_sentence(problem)}" for place, problem in zip(places, error.problems, strict=True)]
    count = len(error.problems)
    ending = f"{count} problem{'s' if count != 1 else ''} in {error.files} file{'s' if error.files != 1 else ''}."
    return "\n".join([*lines, f"{ending} The running set stays as it is."])


def _sentence(problem: Problem) -> str:
    path = f"{problem.path}: " if problem.path else ""
    return f"{path}{problem.what}" + (f"; {problem.right}" if problem.right else "")


def _text_of_good(settings: Settings) -> str:
    parts = (
        _count(len(settings.probes), "probe"),
        _count(len(settings.services), "service"),
        _count(len(settings.customers), "customer"),
        _count(len(settings.playbooks), "playbook"),
    )
    return f"{_count(settings.files, 'file')} in {settings.folder}: no problems (configuration {settings.id})\n{', '.join(parts)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _json_of(error: ConfigError) -> str:
    problems = [
        {"file": one.file, "line": one.line, "path": one.path, "what": one.what, "right": one.right} for one in error.problems
    ]
    return json.dumps({"ok": False, "files": error.files, "problems": problems, "config": None}, ensure_ascii=False)


def _json_of_good(settings: Settings) -> str:
    config = {
        "id": settings.id,
        "folder": settings.folder,
        "probes": len(settings.probes),
        "services": len(settings.services),
        "customers": len(settings.customers),
        "playbooks": len(settings.playbooks),
    }
    return json.dumps({"ok": True, "files": settings.files, "problems": [], "config": config}, ensure_ascii=False)
