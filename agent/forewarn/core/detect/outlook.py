"""What a series' past says about a limit ahead: too short yet, level, or a line with dates.

Values are turned so that the limit lies above; times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf

from forewarn.core.detect.bins import Bins
from forewarn.core.detect.crossing import Crossing, crossing
from forewarn.core.detect.recurrence import ONCE, TIMES, Waves, waves
from forewarn.core.detect.shifts import Stretch, newest_stretch, without_events
from forewarn.core.detect.trend import FEWEST, Line, fit

SURE, STILL_SURE, HELD_SURE = 5.0, 2.0, 1.0
"""Standard deviations by which a slope must differ from level: to be believed, to be believed further, and while firing."""
REACH = 12.0
"""A line is believed for so many times the span that it was seen for: 6 h of history speak for 3 days."""
LEAST_SAMPLES = 30
FAR = 1.3
"""Times the horizon: beyond it a date is clearly away."""
MOST_LONG = 48
LOST = 0.1
"""A long line is over when a fall took more than this share of what it had grown, and more than twice its scatter."""
DOUBTED = 1.5
"""From so many doubts on, one wave in the past is enough for a rise like it to be no news."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the coarse long memory knows: rises that turned back, and a line for growth that comes in rare steps. `closed_s` is its
    newest bin."""

    at_s: float = -inf
    waves: Waves = field(default_factory=Waves)
    line: Line | None = None
    stretch: Stretch | None = None
    closed_s: float = -inf


def long_past(memory: Bins, window_s: float, at_s: float) -> Past:
    """Read off the memory's closed bins."""
    coarse = replace(memory, most=MOST_LONG).closed_bins()
    found = waves(memory.times, memory.values)
    closed_s = memory.times[-1] if memory.times else -inf
    if len(coarse.times) < 2 or coarse.times[-1] - coarse.times[0] < 2 * window_s:
        return Past(at_s, found, closed_s=closed_s)
    stretch = newest_stretch(coarse.times, coarse.values, coarse.values[-1:])
    if stretch.times[-1] - stretch.times[0] < 2 * window_s:
        return Past(at_s, found, closed_s=closed_s)
    return Past(at_s, found, fit(stretch.times, stretch.values), stretch, closed_s)


@dataclass(frozen=True, slots=True)
class Outlook:
    """`ready_s` is set while the history is too short to say. `line` is None while learning.

    `near` is the newest line, even where another one speaks (that of the peaks, or of the long past). `rises`: the line
    may be believed. `fell_s` is when the last fall ended the history before it. `too_far`: the line is too young for the
    date that it gives. `turns_back` and `levels_off`: it rises, but will not come to the limit so.
    """

    line: Line | None = None
    dates: Crossing | None = None
    near: Line | None = None
    rises: bool = False
    ready_s: float | None = None
    fell_s: float | None = None
    too_far: bool = False
    turns_back: bool = False
    levels_off: bool = False

    @property
    def holds(self) -> bool:
        """Enough to go on believing. A growth that only slows down is not over."""
        return self.rises and not self.turns_back

    @property
    def certain(self) -> bool:
        """Nothing speaks against the dates."""
        return self.holds and not (self.too_far or self.levels_off)

    def within(self, span_s: float) -> bool:
        return self.dates is not None and self.dates.likely_s is not None and self.dates.likely_s <= span_s


def look_ahead(
    bins: Bins,
    past: Past,
    recent: Sequence[float],
    limit: float,
    within_s: float,
    coverage: float,
    sure: float,
    doubts: float = 1.0,
) -> Outlook:
    """The outlook at the end of `bins`. `recent` are the newest single samples, `past` is what the long memory knows;
    `sure`: what is asked of a slope (SURE, or less where a line was believed before), and `doubts` times as much of the newest
    line, which is above 1 where such lines came to nothing."""
    times, values = bins.points()
    stretch = newest_stretch(times, values, recent)
    ready = _ready_s(bins, stretch.times)
    if ready is not None:
        if stretch.cut_s is not None and _level(times, values):
            return Outlook(fell_s=stretch.cut_s)  # flat before the fall and since: nothing to learn
        return Outlook(ready_s=ready, fell_s=stretch.cut_s)
    line = fit(stretch.times, stretch.values)
    if line is None:
        return Outlook(fell_s=stretch.cut_s)

    def outlook(seen: Line, stretch: Stretch) -> Outlook:
        least = sure * doubts if seen is line else sure
        return replace(_outlook(seen, stretch, limit, within_s, coverage, least), near=line)

    if past.waves.governs(line, ONCE if doubts > DOUBTED else TIMES):
        peaks = past.waves.climb()
        return outlook(peaks, stretch) if peaks else replace(outlook(line, stretch), turns_back=True)
    near = outlook(line, stretch)
    if past.line is None or past.stretch is None or (near.rises and near.within(FAR * within_s)):
        return near
    if stretch.cut_s is not None and _fell_off(past.line, line):
        return near  # cleaned up: the coarse memory sees that only bins later
    long = outlook(past.line, past.stretch)
    steps_on = long.certain and long.within(FAR * within_s) and not _paused(past.stretch, past.line, bins.last_s, sure)
    return long if steps_on else near


def _outlook(line: Line, stretch: Stretch, limit: float, within_s: float, coverage: float, sure: float) -> Outlook:
    dates = crossing(line, limit, within_s, coverage)
    reach = REACH * (line.at_s - line.from_s)
    far = dates.likely_s is not None and reach < dates.likely_s <= within_s
    return Outlook(
        line=line,
        dates=dates,
        rises=line.slope > 0 and line.sure() >= sure,
        ready_s=line.from_s + (dates.likely_s or 0.0) / REACH if far else None,
        fell_s=stretch.cut_s,
        too_far=far,
        levels_off=line.to_come is not None and line.level + line.to_come < limit,
    )


def _fell_off(long: Line, near: Line) -> bool:
    """Whether the newest line lies well under where the long one would be by now."""
    return long.value(near.at_s) - near.level > max(LOST * long.grown, 2 * long.scatter)


def _paused(stretch: Stretch, line: Line, now_s: float, sure: float) -> bool:
    """Whether the growth has paused for longer than it ever did in its stretch."""
    gain = 0.05 * line.grown
    base, since, longest = stretch.values[0], stretch.times[0], 0.0
    for at, value in zip(stretch.times, stretch.values, strict=True):
        if value > base + gain:
            longest = max(longest, at - since)
            base, since = value, at
    return now_s - since > (1.5 if sure < SURE else 1.0) * longest


def _level(times: list[float], values: list[float]) -> bool:
    line = fit(times, without_events(values, both_ways=True))
    return line is not None and line.sure() < STILL_SURE


def _ready_s(bins: Bins, times: Sequence[float]) -> float | None:
    """When enough will have been seen for a first line; None if it is enough now.

    Enough is a quarter of the window, or a tenth with LEAST_SAMPLES samples; and FEWEST bins in any case.
    """
    if not times:
        return inf
    start, end = times[0], bins.last_s
    n = max(1, bins.samples_since(start))
    step = (end - start) / (n - 1) if n > 1 else bins.width_s
    wanted = min(bins.keep_s / 4, max(bins.keep_s / 10, LEAST_SAMPLES * step))
    span = max(wanted, (FEWEST - len(times)) * max(step, bins.width_s) + end - start if len(times) < FEWEST else 0.0)
    return start + span if end - start < span * 0.999 else None
