"""The past in a few dozen medians, however long it is and however often it was looked at.

A bin holds the samples of one span of a grid; when it is over, its median is kept, so that single spikes don't count.
When there are too many bins, neighbours are joined and the span doubles. A young series has fine bins, an old one
coarse ones; both are cheap to fit a line to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

FEWEST = 16
"""So many bins stay even when they are older than the window: a slow probe has no more."""
SKETCH = 16
"""So many samples of the open bin are held; beyond that every second one is let go."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Closed bins (mean time, median value, samples), oldest first, and the samples of the open one."""

    width_s: float
    keep_s: float
    most: int
    times: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    open_times: tuple[float, ...] = ()
    open_values: tuple[float, ...] = ()
    stride: int = 1  # one of so many samples of the open bin is held
    seen: int = 0  # samples that the open bin got

    @staticmethod
    def over(keep_s: float, most: int) -> Bins:
        """Empty bins for a past of `keep_s`; they begin fine and become as coarse as need be."""
        return Bins(keep_s / most / 1024, keep_s, most)

    @property
    def last_s(self) -> float:
        """The time of the newest sample that is held."""
        return self.open_times[-1] if self.open_times else self.times[-1] if self.times else 0.0

    def samples_since(self, start_s: float) -> int:
        """How many samples lie in bins not older than `start_s`."""
        return self.seen + sum(count for at, count in zip(self.times, self.counts, strict=True) if at >= start_s)

    def extended(self, times_s: Sequence[float], values: Sequence[float]) -> Bins:
        """With more samples; times must not go back. Cheap for one sample and for a long history alike."""
        bins, at, end = self, 0, len(times_s)
        if end == 1 and self.seen and times_s[at] // self.width_s == self.open_times[0] // self.width_s:
            return self._held(times_s, values) if self.seen % self.stride == 0 else self._counted()
        while at < end:
            slot = floor(times_s[at] / bins.width_s)
            if bins.seen and slot != floor(bins.open_times[0] / bins.width_s):
                bins = bins.closed(times_s[at])
                slot = floor(times_s[at] / bins.width_s)
            until = at + 1 if at + 1 == end else bisect_left(times_s, (slot + 1) * bins.width_s, at + 1)
            bins = bins._held(times_s[at:until], values[at:until])
            at = until
        return bins

    def _counted(self) -> Bins:
        """With one more sample that is not held."""
        return Bins(
            self.width_s, self.keep_s, self.most, self.times, self.values, self.counts,
            self.open_times, self.open_values, self.stride, self.seen + 1,
        )  # fmt: skip

    def _held(self, times_s: Sequence[float], values: Sequence[float]) -> Bins:
        """With samples that all belong to the open bin."""
        first = -self.seen % self.stride
        times, held, stride = (
            (*self.open_times, *times_s[first :: self.stride]),
            (*self.open_values, *values[first :: self.stride]),
            self.stride,
        )
        while len(times) > SKETCH:
            times, held, stride = times[::2], held[::2], stride * 2
        return Bins(
            self.width_s, self.keep_s, self.most, self.times, self.values, self.counts, times, held, stride, self.seen + len(times_s)
        )  # fmt: skip

    def closed(self, now_s: float) -> Bins:
        """With the open bin closed, and what is too old forgotten."""
        if not self.seen:
            return self
        times = (*self.times, sum(self.open_times) / len(self.open_times))
        values = (*self.values, middle(sorted(self.open_values)))
        counts = (*self.counts, self.seen)
        old = self._old(times, now_s)
        return Bins(self.width_s, self.keep_s, self.most, times[old:], values[old:], counts[old:]).closed_bins()

    def closed_bins(self) -> Bins:
        """Only the closed bins, joined until there are no more than `most`."""
        width, times, values, counts = self.width_s, self.times, self.values, self.counts
        if len(times) > self.most:
            width *= 2
            slots = {floor(at / width) for at in times}
            while len(slots) > self.most:
                width *= 2
                slots = {slot // 2 for slot in slots}
            times, values, counts = _joined(times, values, counts, width)
        return Bins(width, self.keep_s, self.most, times, values, counts)

    def _old(self, times: Sequence[float], now_s: float) -> int:
        """How many bins to forget: those before the window, but a slow series keeps FEWEST for four windows."""
        if not times or now_s - times[0] <= self.keep_s:
            return 0
        ages = [now_s - at for at in times]
        spare = len(times) - FEWEST
        far = max(4 * self.keep_s, 2 * FEWEST * self.width_s)
        return sum(1 for i, age in enumerate(ages) if age > far or (age > self.keep_s and i < spare))

    def points(self) -> tuple[list[float], list[float]]:
        """Times and values of all bins; the open one counts when it is alone or has three samples."""
        times, values = list(self.times), list(self.values)
        if self.open_times and (
            len(self.open_times) >= 3 or self.stride > 1 or not times or times[-1] < self.open_times[0] - self.width_s / 2
        ):
            times.append(sum(self.open_times) / len(self.open_times))
            values.append(middle(sorted(self.open_values)))
        return times, values


def middle(ordered: Sequence[float]) -> float:
    """The median of values in order; raises IndexError when there are none."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _joined(
    times: Sequence[float], values: Sequence[float], counts: Sequence[int], width: float
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[int, ...]]:
    """Bins that fall into the same span of `width` become one, weighed by their samples."""
    t: list[float] = []
    v: list[float] = []
    n: list[int] = []
    slot = None
    for at, value, count in zip(times, values, counts, strict=True):
        if floor(at / width) == slot:
            all_ = n[-1] + count
            t[-1] += (at - t[-1]) * count / all_
            v[-1] += (value - v[-1]) * count / all_
            n[-1] = all_
        else:
            slot = floor(at / width)
            t.append(at)
            v.append(value)
            n.append(count)
    return tuple(t), tuple(v), tuple(n)
