"""What comes back: a limit that a series reached before, at what hours and after how long.

Load at noon, a queue on Mondays, a disk that every backup fills: no line leads there, but the series' own past does. Each *spell*
at or beyond the limit is kept by its two ends. How long it takes from now until the next one is read off moments of the past that
were like this one: the same hour of each day before (more when it was as long after a spell as now, and of the same weekday), and
each earlier time between two spells, at the same distance from its beginning. A moment that no spell followed yet counts as long
as it has lasted: the share of moments that are still waiting after a time is Kaplan and Meier's (1958, JASA 53:457), with one
moment in which nothing comes added. The dates are quantiles of it: they are right as often as the past was like this.

Values are turned so that the limit lies above.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

HOUR, DAY, WEEK = 3600.0, 86400.0, 7
SPELLS = 48
KEPT_S = 28 * DAY
FEWEST = 3
"""From so many spells on the limit is one that comes back."""
LEAST_WEIGHT = 1.5
"""So many moments like this one must have been followed by a spell."""
STILL = 1.0
"""The weight of a moment in which nothing ever comes."""
ALIKE_LEAST, WEEKDAY = 0.05, 2.0
APART_PER_HOUR = 0.3
TAIL = 0.8
"""The dates leave out so much less than was asked, and still less after few spells: what comes is never quite like what was."""
FURTHEST, LONGER = 10.0, 2.0
"""Where too few moments end to give the latest date: so many times the likely span, and the longest one that was seen."""

Moment = tuple[float, bool, float]
"""A moment of the past: how long it then took, whether a spell ended it, and how much it counts."""


@dataclass(frozen=True, slots=True)
class Returns:
    """When the series was first seen, and its newest spells (begin, end), oldest first."""

    first_s: float | None = None
    spells: tuple[tuple[float, float], ...] = ()

    @property
    def comings(self) -> int:
        """How many spells there were, those of one hour taken as one: jitter at the limit does not make a past."""
        return sum(1 for at, (begin, _) in enumerate(self.spells) if not at or begin - self.spells[at - 1][1] > HOUR)

    def extended(self, times_s: Sequence[float], values: Sequence[float], limit: float, apart_s: float) -> Returns:
        """With more samples. What is under the limit for no more than `apart_s` is one spell."""
        if max(values) < limit:
            return self if self.first_s is not None else Returns(times_s[0])
        spells = list(self.spells)
        for at, value in zip(times_s, values, strict=True):
            if value < limit:
                continue
            if spells and at - spells[-1][1] <= apart_s:
                spells[-1] = (spells[-1][0], at)
            else:
                spells.append((at, at))
        kept = [spell for spell in spells[-SPELLS:] if spell[1] >= times_s[-1] - KEPT_S]
        return Returns(times_s[0] if self.first_s is None else self.first_s, tuple(kept))


@dataclass(frozen=True, slots=True)
class Coming:
    """Seconds from now until the limit is reached again; `p` is the probability of that within the horizon."""

    earliest_s: float
    likely_s: float
    latest_s: float
    p: float


def coming(returns: Returns, now_s: float, horizon_s: float, coverage: float) -> Coming | None:
    """None for a series that reaches its limit for the first times, or has nothing like this moment in its past."""
    if returns.first_s is None or returns.comings < FEWEST:
        return None
    moments = sorted(_moments(returns, now_s))
    if sum(weight for _, ended, weight in moments if ended) < LEAST_WEIGHT:
        return None
    curve = _ended(moments)
    tail = TAIL * returns.comings / (returns.comings + FEWEST) * (1 - coverage) / 2
    earliest, likely, latest = (_quantile(curve, share) for share in (tail, 0.5, 1 - tail))
    if earliest is None or likely is None:
        return None  # in most moments like this one it did not come at all
    if latest is None:
        latest = max(likely, min(FURTHEST * likely, LONGER * curve[-1][0]))
    return Coming(earliest, likely, latest, _share(curve, horizon_s))


def _moments(returns: Returns, now_s: float) -> list[Moment]:
    spells, first = returns.spells, returns.first_s or now_s
    begins = [begin for begin, _ in spells]
    clear = spells[-1][1]
    age = max(0.0, now_s - clear)
    found: list[Moment] = []
    for days in range(1, int(KEPT_S // DAY) + 1):
        then = now_s - days * DAY
        if then < first:
            break
        after = bisect_right(begins, then)
        if after and spells[after - 1][1] >= then:
            continue  # it stood beyond the limit
        was = then - (spells[after - 1][1] if after else first)
        weight = max(ALIKE_LEAST, exp(-abs(log((was + HOUR) / (age + HOUR))))) * (1.0 if days % WEEK else WEEKDAY)
        found.append((begins[after] - then, True, weight) if after < len(spells) else (days * DAY, False, weight))
    for (_, end), (begin, _) in pairwise(spells):
        if begin - end > age:
            apart = abs((end - clear + DAY / 2) % DAY - DAY / 2) / HOUR  # of the two hours of the day
            found.append((begin - end - age, True, exp(-APART_PER_HOUR * apart) + ALIKE_LEAST))
    return found


def _ended(moments: Sequence[Moment]) -> list[tuple[float, float]]:
    """After how long which share of the moments has ended, oldest first."""
    left, waiting = 1.0, STILL + sum(weight for _, _, weight in moments)
    curve = []
    for took, ended, weight in moments:
        if ended:
            left *= 1 - weight / waiting
            curve.append((took, 1 - left))
        waiting -= weight
    return curve


def _quantile(curve: Sequence[tuple[float, float]], share: float) -> float | None:
    return next((took for took, ended in curve if ended >= share), None)


def _share(curve: Sequence[tuple[float, float]], span_s: float) -> float:
    return max((ended for took, ended in curve if took <= span_s), default=0.0)
