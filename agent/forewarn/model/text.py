"""Sentences kept as a key and facts, so that each reader gets them in their own language.

A decision never stores English. It stores `Say("why.full-soon", {"value": 0.912, ...})`, and the catalogue
(config/phrases/en.yaml and zh.yaml) holds the words. Times among the facts are epoch seconds, spans are seconds;
the catalogue's placeholders say how each is shown: `{value:ratio}`, `{likely:time}`, `{window_s:span}`.
"""

from __future__ import annotations

import re
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


_COMMANDING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    """A text that others may have written, for people to see: signs that command a terminal, turn the direction of what
    follows (Unicode Technical Report 36 section 2.7) or can't be written as UTF-8 become U+FFFD; line ends and tabs stay."""
    return _COMMANDING.sub("\ufffd", text)
