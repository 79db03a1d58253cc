"""What the ages of files say about how fast a file system grows. Pure.

What was written in a week and is still there, week by week, is how much that week added for good. Of what is deleted after a
while (rotated logs, caches, old backups) nothing is left that is older: so a date is given only where the weeks of half a year
left something nearly all, the oldest ones too. The pace is that of the last quarter. The last two days are left out: a
database's files always look new.

What it can't see: files that were changed in place count at their newest change; copies that keep the time of the original
count when that was written; what was deleted is gone. Therefore weeks are taken as they vary, not as a line: the middle one
is the pace, and a tenth of them lies above and below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

DAY_S = 86400.0
WEEK_S = 7 * DAY_S
FRESH_S = 2 * DAY_S
WEEKS, LATELY = 26, 13
FEWEST_WEEKS = 4
OLDEST = 2
"""Weeks at the far end that must both have left something."""
LASTING = 0.9
"""The share of all weeks that must have."""
MOST_S = 3650 * DAY_S
SEEN = 0.5
"""Where less of what is used could be seen, nothing is said."""


@dataclass(slots=True)
class Ages:
    """Bytes on the disk by the age of their files: `weeks[k]` are those of FRESH_S + k..k+1 weeks. `seen`: all that was met,
    whatever its age; `first_s`: since when there are files (epoch seconds, by the oldest change of an inode, which nobody can
    set back). `cut`: not all could be looked at."""

    weeks: list[float] = field(default_factory=lambda: [0.0] * WEEKS)
    seen: float = 0.0
    first_s: float = float("inf")
    files: int = 0
    cut: bool = False

    def add(self, size: float, age_s: float) -> None:
        week = int((age_s - FRESH_S) // WEEK_S)
        if age_s >= FRESH_S and week < WEEKS:
            self.weeks[week] += size


@dataclass(frozen=True, slots=True)
class Pace:
    """Bytes a day that stay, of a quiet, a usual and a busy week."""

    low: float
    usual: float
    high: float


@dataclass(frozen=True, slots=True)
class Fill:
    """Seconds until it is full: at the earliest, likely, at the latest; MOST_S where it isn't to be told. `a_day` in bytes."""

    earliest_s: float
    likely_s: float
    latest_s: float
    a_day: float


NEVER = Fill(MOST_S, MOST_S, MOST_S, 0.0)


def pace(ages: Ages, now_s: float) -> Pace | None:
    """How much a day adds; None where that isn't to be told, as on a file system that is younger than a month."""
    whole = int(min(WEEKS, max(0.0, now_s - ages.first_s - FRESH_S) // WEEK_S))
    known = ages.weeks[:whole]
    if whole < FEWEST_WEEKS or not all(known[-OLDEST:]) or sum(map(bool, known)) < LASTING * whole:
        return None
    weeks = sorted(known[:LATELY])
    return Pace(*(_quantile(weeks, share) / 7 for share in (0.1, 0.5, 0.9)))


def fill(found: Pace | None, free: float, seen: float) -> Fill:
    """When `free` bytes will be used up. `seen` is the share of what is used that was looked at: what is hidden may grow
    likewise, which makes the earliest date earlier and no other date later."""
    if found is None or found.low <= 0:
        return NEVER
    days = (free / (found.high / max(seen, SEEN)), free / found.usual, free / found.low)
    earliest, likely, latest = (min(MOST_S, max(0.0, one * DAY_S)) for one in days)
    return Fill(earliest, likely, latest, found.usual)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
