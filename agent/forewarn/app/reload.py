"""What a reload changed, in names: for the person who asked, and for the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forewarn.model.errors import ConfigError
from forewarn.model.settings import Settings

TABLES = ("probes", "hosts", "services", "customers", "people", "rotas", "escalations", "calendars", "ladder", "playbooks")
OTHERS = ("impact", "policy", "phrases", "daemon")
AT_START = ("host", "port")
"""Keys of forewarn.yaml that only a restart applies: the socket is bound once."""

Body = dict[str, Any]


def applied(before: Settings, after: Settings) -> Body:
    """The answer to a reload that was applied: what was added, removed and changed in each table, by name."""
    tables = {name: _changed(getattr(before, name), getattr(after, name)) for name in TABLES}
    others = [name for name in OTHERS if getattr(before, name) != getattr(after, name)]
    return {
        "ok": True,
        "config": after.id,
        "was": before.id,
        "files": after.files,
        "changes": {name: changes for name, changes in tables.items() if changes},
        "others": others,
        "anew": _anew(before, after),
        "needs_restart": [key for key in AT_START if getattr(before.daemon, key) != getattr(after.daemon, key)],
        "problems": [],
    }


def refused(running: Settings, error: ConfigError) -> Body:
    """The answer to a reload that was refused: every problem, in the form of `forewarn check --json`."""
    problems = [
        {"file": one.file, "line": one.line, "path": one.path, "what": one.what, "right": one.right} for one in error.problems
    ]
    return {"ok": False, "config": running.id, "was": running.id, "files": error.files, "problems": problems}


def _anew(before: Settings, after: Settings) -> list[str]:
    """`probe/rule` of the rules that say something else than before: what they had learnt was of the old text."""
    return [
        f"{name}/{rule.name}"
        for name, probe in after.probes.items()
        if name in before.probes
        for rule in probe.rules
        if (was := before.probes[name].rule(rule.name)) and was.says != rule.says
    ]


def _changed(before: Mapping[Any, object], after: Mapping[Any, object]) -> dict[str, list[str]]:
    found = {
        "added": [str(name) for name in after if name not in before],
        "removed": [str(name) for name in before if name not in after],
        "changed": [str(name) for name, one in after.items() if name in before and before[name] != one],
    }
    return {how: names for how, names in found.items() if names}
