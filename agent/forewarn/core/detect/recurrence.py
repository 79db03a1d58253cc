"""Has it risen like this before, and turned back?

A daily wave or a disk that is cleaned every night looks like a trend for hours, day after day. The coarse memory of the
series knows better: when two rises as steep as this one turned back below the limit, a third is no news until it goes
well beyond their peaks. From three peaks on, the peaks themselves are the trend: when they climb, the line through them
says when one of them will pass the limit.

Values are turned so that the limit lies above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from forewarn.core.detect.bins import middle
from forewarn.core.detect.trend import Line

HEIGHT = 0.3
"""A rise counts as a wave from this share of all that the memory spans on."""
BACK = 0.5
"""A rise has turned back when this share of it was lost again."""
ALIKE = 0.6
"""Two rises are alike when one has this share of the other's slope at least."""
BEYOND = 0.25
"""A rise is news again when it goes beyond the old peaks by this share of a wave's height."""
JITTER = 8.0
"""Waves are higher than so many times the scatter around a line; else they are only that scatter."""
TIMES, ONCE = 2, 1
CLIMBING = 3


@dataclass(frozen=True, slots=True)
class Waves:
    """Rises that turned back: when their peaks were, how high, and how high and steep the rises."""

    times: tuple[float, ...] = ()
    peaks: tuple[float, ...] = ()
    height: float = 0.0
    slope: float = 0.0

    def governs(self, line: Line, times: int = TIMES) -> bool:
        """Whether `line` is only one more of these waves, of which there were `times` at least."""
        if len(self.peaks) < times or self.height < JITTER * line.scatter or line.level > max(self.peaks) + BEYOND * self.height:
            return False
        return line.slope * ALIKE <= self.slope and line.slope * (line.at_s - line.from_s) <= 2 * self.height

    def climb(self) -> Line | None:
        """The line through the peaks, with their doubts; None with too few."""
        if len(self.peaks) < CLIMBING:
            return None
        steps = [after - before for before, after in pairwise(self.peaks)]
        n, span = len(steps), self.times[-1] - self.times[0]
        typical = middle(sorted(steps))
        spread = sqrt(sum((step - typical) ** 2 for step in steps) / max(1, n - 1)) + 0.02 * self.height
        slope_sd = spread / sqrt(n) * n / span
        return Line(
            self.times[-1], self.peaks[-1], typical * n / span, slope_sd, spread, spread, 0.0, self.times[0], len(self.peaks)
        )  # fmt: skip


def waves(times: Sequence[float], values: Sequence[float]) -> Waves:
    """The rises in a long past that turned back."""
    if len(values) < 6:
        return Waves()
    least = HEIGHT * (max(values) - min(values))
    found: list[tuple[int, int]] = []
    low = high = 0
    for i, value in enumerate(values):
        if value > values[high]:
            high = i
        elif values[high] - values[low] > least and values[high] - value >= BACK * (values[high] - values[low]):
            found.append((low, high))
            low = high = i
        elif value < values[low]:
            low = high = i
    if not found:
        return Waves()
    heights = sorted(values[top] - values[bottom] for bottom, top in found)
    slopes = sorted(_steepest(times, values, bottom, top) for bottom, top in found)
    tops = [top for _, top in found]
    return Waves(tuple(times[i] for i in tops), tuple(values[i] for i in tops), middle(heights), middle(slopes))


def _steepest(times: Sequence[float], values: Sequence[float], low: int, high: int) -> float:
    """The steepest slope of a rise over a third of it: a wave is flat at both ends."""
    wide = max(1, (high - low) // 3)
    return max((values[i + wide] - values[i]) / (times[i + wide] - times[i]) for i in range(low, high - wide + 1))
