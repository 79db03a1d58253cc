"""Sentences kept as a key and facts, so that each reader gets them in their own language.

A decision never stores English. It stores `Say("why.full-soon", {"value": 0.912, ...})`, and the catalogue
(config/phrases/en.yaml and zh.yaml) holds the words. Times among the facts are epoch seconds, spans are seconds;
the catalogue's placeholders say how each is shown: `{value:ratio}`, `{likely:time}`, `{window_s:span}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Fact = str | int | float | None


@dataclass(frozen=True, slots=True)
class Say:
    """One sentence of the catalogue with its facts. Facts may name further keys (`"@why.x"`) for nested words."""

    key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


def say(key: str, **facts: Fact) -> Say:
    """Short for Say(key, facts)."""
    return Say(key, facts)
