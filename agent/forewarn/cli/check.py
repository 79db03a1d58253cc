"""forewarn check: is the configuration right, without touching the daemon."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forewarn.model.errors import ConfigError, Problem
    from forewarn.model.probe import Added
    from forewarn.model.settings import Settings

_HELP = """\
Reads config/, probes/ and playbooks/ and says everything that is wrong with them, each with its
file, line and path, and what would be right. Nothing runs, nothing is sent, nothing is changed.

The folder: FOLDER or --config, else $FOREWARN_CONFIG, else the current folder if it holds config/
and probes/, else /etc/forewarn, else the set that came with Forewarn.

Kinds of probes that other packages bring are loaded and listed; one that can't be loaded is a problem as soon as a probe is
of it, and stops nothing else.

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
    added = PROBERS.added(everything=True)
    broken = _broken(settings, added)
    print(_json_of_good(settings, added, broken) if as_json else _text_of_good(settings, added, broken))
    return 1 if broken else 0


def _broken(settings: Settings, added: tuple[Added, ...]) -> list[Problem]:
    """Probes of a kind that another package brings and that can't be loaded: they load, and can't see."""
    from forewarn.model.errors import Problem

    troubles = {one.kind: one for one in added if one.trouble and one.used}
    right = "mend or remove the package; until then the probe can't see"
    return [
        Problem(
            at.file,
            at.line,
            "kind",
            f'"{probe.kind}" of {_package(kind)} can\'t be loaded: {kind.trouble}',
            right,
        )
        for probe in settings.probes.values()
        if (kind := troubles.get(probe.kind)) and (at := probe.kind_source or probe.source)
    ]


def _text_of(error: ConfigError) -> str:
    """One line a problem, places in one column."""
    count = len(error.problems)
    ending = f"{count} problem{'s' if count != 1 else ''} in {error.files} file{'s' if error.files != 1 else ''}."
    return "\n".join([*_lines(error.problems), f"{ending} The running set stays as it is."])


def _lines(problems: Sequence[Problem]) -> list[str]:
    places = [f"{problem.file}:{problem.line}" for problem in problems]
    width = min(max(map(len, places), default=0), 48)
    return [f"{place:<{width}}  {_sentence(problem)}" for place, problem in zip(places, problems, strict=True)]


def _sentence(problem: Problem) -> str:
    path = f"{problem.path}: " if problem.path else ""
    return f"{path}{problem.what}" + (f"; {problem.right}" if problem.right else "")


def _package(one: Added) -> str:
    return f"the package {one.package} {one.version}"


def _told(one: Added) -> str:
    what = f"kind {one.kind} of {_package(one)}"
    return f"{what} can't be used: {one.trouble}" if one.trouble else what


def _text_of_good(settings: Settings, added: tuple[Added, ...], broken: list[Problem]) -> str:
    parts = (
        _count(len(settings.probes), "probe"),
        _count(len(settings.services), "service"),
        _count(len(settings.customers), "customer"),
        _count(len(settings.playbooks), "playbook"),
    )
    found = _count(len(broken), "problem") if broken else "no problems"
    head = f"{_count(settings.files, 'file')} in {settings.folder}: {found} (configuration {settings.id})"
    return "\n".join([*_lines(broken), head, ", ".join(parts), *map(_told, added)])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _json_of(error: ConfigError) -> str:
    body = {"ok": False, "files": error.files, "problems": _bodies(error.problems), "config": None}
    return json.dumps(body, ensure_ascii=False)


def _bodies(problems: Sequence[Problem]) -> list[dict[str, object]]:
    return [{"file": one.file, "line": one.line, "path": one.path, "what": one.what, "right": one.right} for one in problems]


def _json_of_good(settings: Settings, added: tuple[Added, ...], broken: list[Problem]) -> str:
    config = {
        "id": settings.id,
        "folder": settings.folder,
        "probes": len(settings.probes),
        "services": len(settings.services),
        "customers": len(settings.customers),
        "playbooks": len(settings.playbooks),
        "added": [{"kind": one.kind, "package": one.package, "version": one.version, "trouble": one.trouble} for one in added],
    }
    body = {"ok": not broken, "files": settings.files, "problems": _bodies(broken), "config": config}
    return json.dumps(body, ensure_ascii=False)
