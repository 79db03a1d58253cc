"""The simple forecasters that a forecast must beat: yesterday again, and a straight line through the last six hours.

Both give earliest, likely and latest as epoch seconds, with the horizon's end where they see no crossing (which favours them: an
endless interval would score worse). Values are turned so that the limit lies above.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

DAY, WINDOW_S, ERRORS_S = 86400.0, 6 * 3600.0, 7 * 86400.0
STEPS = 288
"""Moments of the horizon at which a line's band is looked at."""
Dates = tuple[float, float, float]


class Past(NamedTuple):
    """A series up to and with row `at`; nothing after it may be read."""

    times: Sequence[float]
    values: Sequence[float]
    at: int
    limit: float
    within_s: float
    coverage: float

    def since(self, at_s: float) -> int:
        return bisect_left(self.times, at_s, 0, self.at)


def seasonal_naive(past: Past) -> Dates:
    """The last day over and over; its doubt is how much each hour of the last week differed from the day before."""
    now = past.times[past.at]
    first = past.since(now - DAY)
    errors = []
    for n in range(past.since(now - ERRORS_S), past.at + 1):
        before = past.since(past.times[n] - DAY)
        if past.times[before] <= past.times[n] - 0.9 * DAY:
            errors.append(past.values[n] - past.values[before])
    errors.sort()
    tail = (1 - past.coverage) / 2
    bands = [_at(errors, 1 - tail), 0.0, _at(errors, tail)]
    day = [(past.times[n] + DAY, past.values[n]) for n in range(first + 1, past.at + 1)]
    return _dates(now, past.within_s, [next((at for at, value in day if value + band >= past.limit), None) for band in bands])


def straight_line(past: Past) -> Dates:
    """Least squares with the usual normal band of a new value."""
    now = past.times[past.at]
    first = min(past.since(now - WINDOW_S), max(0, past.at - 7))
    xs = [at - now for at in past.times[first : past.at + 1]]
    ys = past.values[first : past.at + 1]
    n = len(xs)
    if n < 3:
        return _dates(now, past.within_s, [None, None, None])
    mx, my = sum(xs) / n, sum(ys) / n
    sxx = sum((x - mx) ** 2 for x in xs)
    slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sxx
    rest = sum((y - my - slope * (x - mx)) ** 2 for x, y in zip(xs, ys, strict=True)) / (n - 2)
    z = NormalDist().inv_cdf(0.5 + past.coverage / 2)
    found: list[float | None] = []
    for side in (z, 0.0, -z):
        moments = (past.within_s * k / STEPS for k in range(1, STEPS + 1))
        band = ((h, my + slope * (h - mx) + side * sqrt(rest * (1 + 1 / n + (h - mx) ** 2 / sxx))) for h in moments)
        found.append(next((now + h for h, value in band if value >= past.limit), None))
    return _dates(now, past.within_s, found)


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _dates(now: float, within_s: float, found: Sequence[float | None]) -> Dates:
    earliest, likely, latest = (at if at is not None else now + within_s for at in found)
    return earliest, max(earliest, likely), max(earliest, likely, latest)


RIVALS: Mapping[str, Callable[[Past], Dates]] = {"seasonal naive": seasonal_naive, "straight line": straight_line}
