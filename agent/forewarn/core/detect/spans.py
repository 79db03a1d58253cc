"""What a series did within a span, in a few dozen slots: cheap to add to, however often the series is looked at.

A slot holds how much was measured in it (growth of a counter, or values of a gauge), how often, and for how long somebody
looked. Time in which nobody looked (the probe was unknown, the machine slept, Forewarn was stopped) counts as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import floor

from forewarn.model.series import Window

AT_ONCE = 2.0
"""Intervals that lie between two samples at most; more is a time in which nobody looked."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some slots: what was measured, how many samples, and seconds of looking."""

    total: float = 0.0
    n: int = 0
    looked_s: float = 0.0

    def plus(self, total: float, n: int, looked_s: float) -> Sums:
        return Sums(self.total + total, self.n + n, self.looked_s + looked_s)


@dataclass(frozen=True, slots=True)
class Spans:
    """`size` slots of `width_s` seconds; `slots` end with the open one, which is number `at` since the epoch."""

    width_s: float
    size: int
    at: int = 0
    slots: tuple[Sums, ...] = ()

    def added(self, at_s: float, total: float, looked_s: float) -> Spans:
        """With one sample more; one that lies before the open slot (a clock that was set back) begins anew."""
        at = floor(at_s / self.width_s)
        if not self.slots or at < self.at:
            return replace(self, at=at, slots=(Sums(total, 1, looked_s),))
        if at == self.at:
            return replace(self, slots=(*self.slots[:-1], self.slots[-1].plus(total, 1, looked_s)))
        skipped = (Sums(),) * min(at - self.at - 1, self.size)
        return replace(self, at=at, slots=(*self.slots, *skipped, Sums(total, 1, looked_s))[-self.size :])

    def newest(self, slots: int, before: int = 0) -> Sums:
        """The sums of so many slots, ending `before` slots before the open one's end."""
        end = len(self.slots) - before
        chosen = self.slots[max(0, end - slots) : max(0, end)]
        return Sums(sum(one.total for one in chosen), sum(one.n for one in chosen), sum(one.looked_s for one in chosen))


Sample = tuple[float, float]
"""Epoch seconds, and the value."""


def known(window: Window) -> Sample | None:
    """The newest sample that was seen before this window's fresh ones; None without any."""
    place = len(window.times_s) - window.fresh - 1
    return (window.times_s[place], window.values[place]) if place >= 0 else None


def fresh(window: Window) -> Iterator[Sample]:
    """The window's fresh samples, oldest first."""
    for place in range(len(window.times_s) - window.fresh, len(window.times_s)):
        yield window.times_s[place], window.values[place]


@dataclass(frozen=True, slots=True)
class Step:
    """From one sample to the next: by how much it grew and for how long somebody looked; `anew`: time went back."""

    grown: float
    looked_s: float
    anew: bool = False


def between(before: Sample | None, at_s: float, value: float, every_s: float, counter: bool) -> Step:
    """The step from `before` (time, value) to a sample. A counter without a past came from zero, as did one that fell."""
    if before is None:
        return Step(value if counter else 0.0, 0.0)
    passed = at_s - before[0]
    rise = value - before[1]
    if counter and rise < 0:
        rise = value
    return Step(rise, min(max(0.0, passed), AT_ONCE * every_s if every_s else passed), passed < 0)
