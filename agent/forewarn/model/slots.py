"""Summaries of samples: how many, mean, least and most of a span of time, and a sketch that answers quantiles.

The sketch counts values in bins whose borders grow by a constant factor, so that every value of a bin lies within ERROR of its
middle, however long the tail. Sketches of several spans add up. Source: Masson, Rim, Lee 2019, PVLDB 12:2195 (DDSketch).
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

ERROR = 0.05
_GROWTH = (1 + ERROR) / (1 - ERROR)
_LOG = math.log(_GROWTH)
_ZERO = 10_000
"""Added to a bin's number, so that those of positive values are positive: float64 needs 7,500 to either side."""
STEPS_S = (300, 3600)
"""The spans that are summarised."""

Bins = Mapping[int, int]
"""Bin -> values in it; positive bins hold positive values, 0 zeros, negative ones negative values."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The samples of one series from `at_s` (epoch seconds) on. `mean` is good to six digits, `least` and `most` are exact.

    `inner` are the bins of all but one `least` and one `most`; empty where these are all there is.
    """

    at_s: float
    count: int
    mean: float
    least: float
    most: float
    inner: Bins = field(default_factory=dict)

    def quantile(self, q: float) -> float:
        """The value of rank q (0 to 1), within ERROR of it; exact for the least and the most."""
        rank = math.ceil(q * self.count)
        if rank <= 1:
            return self.least
        if rank >= self.count or self.least == self.most:
            return self.most
        seen = 1
        for number in sorted(self.inner):
            seen += self.inner[number]
            if seen >= rank:
                return min(self.most, max(self.least, middle(number)))
        return self.most


def middle(number: int) -> float:
    """The value of a bin from which all in it differ by ERROR at most."""
    if number == 0:
        return 0.0
    size: float = math.exp((abs(number) - _ZERO) * _LOG) * 2 / (1 + _GROWTH)
    return math.copysign(size, number)


def bin_of(value: float) -> int:
    if value == 0:
        return 0
    number = math.ceil(math.log(abs(value)) / _LOG) + _ZERO
    return number if value > 0 else -number


def slot_of(at_s: float, values: Sequence[float], sketch: bool = True) -> Slot:
    """The summary of at least one value; without a sketch it answers no quantiles."""
    n, least, most = len(values), min(values), max(values)
    if least == most:
        return Slot(at_s, n, least, least, most)
    mean = float(f"{math.fsum(value / n for value in values):.6g}")
    if not sketch:
        return Slot(at_s, n, mean, least, most)
    bins = Counter(map(bin_of, values))
    bins.subtract((bin_of(least), bin_of(most)))
    return Slot(at_s, n, mean, least, most, {number: some for number, some in bins.items() if some})


def slots_of(times_s: array[float], values: array[float], step_s: float, sketches: bool = True) -> list[Slot]:
    """Summaries by slots of `step_s` since the epoch; slots without samples are left out. Times ascend."""
    found, begin = [], 0
    while begin < len(times_s):
        slot = math.floor(times_s[begin] / step_s)
        end = max(begin + 1, bisect_left(times_s, (slot + 1) * step_s, begin))
        found.append(slot_of(slot * step_s, values[begin:end], sketches))
        begin = end
    return found


def together(at_s: float, slots: Iterable[Slot]) -> Slot:
    """One summary of several."""
    some = list(slots)
    least, most = min(one.least for one in some), max(one.most for one in some)
    count = sum(one.count for one in some)
    mean = math.fsum(one.mean * (one.count / count) for one in some)
    bins = Counter[int]()
    for one in some:
        bins.update(one.inner)
        bins[bin_of(one.least)] += one.count if one.least == one.most else 1
        if one.least != one.most:
            bins[bin_of(one.most)] += 1
    bins.subtract((bin_of(least), bin_of(most)))
    if least == most:
        return Slot(at_s, count, least, least, most)
    return Slot(at_s, count, float(f"{mean:.6g}"), least, most, {number: n for number, n in bins.items() if n > 0})
