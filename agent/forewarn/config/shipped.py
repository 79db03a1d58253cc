"""Which rules are as they came with Forewarn, whether read from the shipped folder or copied from it unchanged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from forewarn.config.files import Document, read
from forewarn.model.errors import Problem
from forewarn.model.probe import Probe, Rule


def read_shipped(folder: Path, names: Collection[str]) -> list[Document]:
    """The shipped probe files that could hold probes of these names; one that can't be read is not compared with."""
    docs: list[Document] = []
    broken: list[Problem] = []
    for path in sorted((folder / "probes").glob("*.yaml")):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        if any(name.encode() in data for name in names):
            docs += read(data, str(path), broken)
    return docs


def marked(own: Mapping[str, Probe], shipped: Mapping[str, Probe]) -> dict[str, Probe]:
    """`own` with each rule named shipped that a shipped probe of the same name and kind has just so."""
    found = {}
    for name, probe in own.items():
        theirs = shipped.get(name)
        if theirs is None or theirs.kind != probe.kind:
            found[name] = probe
            continue
        rules = tuple(replace(rule, shipped=_same(rule, theirs.rule(rule.name))) for rule in probe.rules)
        found[name] = replace(probe, rules=rules)
    return found


def _same(rule: Rule, other: Rule | None) -> bool:
    return other is not None and all(
        getattr(rule, field) == getattr(other, field) for field in ("kind", "metric", "labels", "options", "colour", "effect")
    )
