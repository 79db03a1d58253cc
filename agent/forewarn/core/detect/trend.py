"""The robust line through a series' bins, and how sure of it one may be.

The slope is Theil-Sen's: the median of the slopes between bins that lie at least half of the whole apart (Sen 1968,
JASA 63:1379; the far pairs carry nearly all of the information). Around it two kinds of doubt are told apart by how the
differences between bins grow with their distance (the structure function, or variogram: Cressie 1993, section 2.4):

- *scatter*: each bin is off by itself (latencies, ratios that jitter); it averages out, the line gets sure quickly;
- *wander*: what was gained stays (disk use, queues); it adds up with time, and no amount of bins makes the line sure.

Values are turned so that the limit lies above: `rise` means towards the limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from operator import mul, sub, truediv

from forewarn.core.detect.bins import middle

FEWEST = 8
"""Bins that a line needs."""
SLOWER = 0.75
"""A growth slows down when its newer half has less than this share of the older half's slope."""


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line. `level` is its value at `at_s`; `slope` per second; `scatter` and `level_sd` in the series' unit,
    `wander` is variance per second; `from_s` is where the stretch that it describes begins. `to_come` is how much of a rise
    is left where the growth slows down (None: it does not)."""

    at_s: float
    level: float
    slope: float
    slope_sd: float
    level_sd: float
    scatter: float
    wander: float
    from_s: float
    n: int
    to_come: float | None = None

    def sure(self) -> float:
        """How many standard deviations the slope is away from level."""
        return self.slope / self.slope_sd if self.slope_sd > 0 else (0.0 if self.slope == 0 else self.slope * float("inf"))

    @property
    def grown(self) -> float:
        """By how much the line rose over its stretch."""
        return self.slope * (self.at_s - self.from_s)

    def value(self, at_s: float) -> float:
        return self.level + self.slope * (at_s - self.at_s)


def fit(times: Sequence[float], values: Sequence[float]) -> Line | None:
    """The line through the newest stretch that one line describes; None with fewer than FEWEST bins."""
    if len(times) < FEWEST:
        return None
    line, to_come = None, None
    for _ in range(3):
        half = len(times) // 2
        if half < FEWEST:
            break
        before, after = _line(times[:half], values[:half]), _line(times[half:], values[half:])
        left = _to_come(before, after)
        to_come = left if to_come is None or (left is not None and left < to_come) else to_come
        if abs(after.slope - before.slope) <= 3 * sqrt(after.slope_sd**2 + before.slope_sd**2):
            line = None
            break
        times, values, line = times[half:], values[half:], after
    return replace(line or _line(times, values), to_come=to_come)


def _to_come(before: Line, after: Line) -> float | None:
    """How much a growth that slows down by the same share in each half has still to rise: slope / decay."""
    slower = before.slope - after.slope > 1.5 * (before.slope_sd + after.slope_sd)
    if not (slower and 0 < after.slope < SLOWER * before.slope):
        return None
    decay = log(before.slope / after.slope) / ((after.at_s - before.from_s) / 2)
    return after.slope * sqrt(after.slope / before.slope) / decay


def _line(times: Sequence[float], values: Sequence[float]) -> Line:
    n, span = len(times), times[-1] - times[0]
    slope = _slope(times, values)
    rests = [value - slope * (at - times[-1]) for at, value in zip(times, values, strict=True)]
    base = middle(sorted(rests))
    rests = [rest - base for rest in rests]
    scatter2, wander = _doubt(rests, span / (n - 1))
    level, level_var = _level(rests, scatter2, wander * span / (n - 1))
    slope_var = 13 * scatter2 / (n * span**2) + 1.2 * wander / span
    return Line(
        times[-1], base + level, slope, sqrt(slope_var), sqrt(level_var), sqrt(scatter2), wander, times[0], n
    )  # fmt: skip


def _slope(times: Sequence[float], values: Sequence[float]) -> float:
    slopes: list[float] = []
    for lag in range(max(1, len(times) // 2), len(times)):
        slopes.extend(map(truediv, map(sub, values[lag:], values), map(sub, times[lag:], times)))
    slopes.sort()
    return middle(slopes)


def _doubt(rests: Sequence[float], step_s: float) -> tuple[float, float]:
    """Variance of the scatter, and of the wander per second.

    The mean square of differences at a distance of m bins is 2 scatter² + wander * m * step: fitted over m = 1 to 12
    bins, each weighed by how well it is known; neither may be negative.
    """
    n = len(rests)
    weights, xs, ys = [], [], []
    for m in (1, 2, 4, 8, 12):
        if m > max(2, n // 4):
            break
        moves = list(map(sub, rests[m:], rests))
        xs.append(float(m))
        ys.append(sum(map(mul, moves, moves)) * n / (n - m) ** 2)
        weights.append(1.0 / m)
    total = sum(weights)
    mx = sum(w * x for w, x in zip(weights, xs, strict=True)) / total
    my = sum(w * y for w, y in zip(weights, ys, strict=True)) / total
    per = sum(w * (x - mx) * (y - my) for w, x, y in zip(weights, xs, ys, strict=True)) / sum(
        w * (x - mx) ** 2 for w, x in zip(weights, xs, strict=True)
    )
    if per <= 0:
        return my / 2, 0.0
    still = my - per * mx
    if still < 0:
        return 0.0, my / mx / step_s
    return still / 2, per / step_s


def _level(rests: Sequence[float], scatter2: float, wander_step: float) -> tuple[float, float]:
    """Where the series stands against its line now, and how unsure that is (steady gain of a local-level filter)."""
    if scatter2 <= 0:
        return (rests[-1], 0.0) if wander_step > 0 else (0.0, 0.0)
    ratio = wander_step / scatter2
    gain = max((sqrt(ratio * ratio + 4 * ratio) - ratio) / 2, 2 / (len(rests) + 1))
    level = 0.0
    for rest in rests:
        level += gain * (rest - level)
    return level, gain * scatter2
