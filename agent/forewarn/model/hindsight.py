"""How often a probe's rules would have fired: the running rules played over the samples that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Progress(StrEnum):
    COUNTING = "counting"
    COUNTED = "counted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """What became of the count over `since` to `until`. `fired` holds (rule, series) -> how often it would have begun to fire;
    what would never have is left out. `share` (0 to 1): of the runs that there should have been, how many left samples.
    `why` says what went wrong where it failed."""

    progress: Progress
    since: datetime | None = None
    until: datetime | None = None
    fired: Mapping[tuple[str, str], int] = field(default_factory=dict)
    samples: int = 0
    share: float = 0.0
    why: str = ""


UNCOUNTED = ("cannot-see",)
"""Kinds of rules about which samples say nothing: what could not be looked at left none."""
