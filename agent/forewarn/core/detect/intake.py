"""What a forecast keeps of its samples: the binned past, the newest few, and whether the limit is crossed.

Values are turned so that the limit lies above; times are epoch seconds and only grow. What is no number, or older than
what was seen, is left out; a clock that was set back begins a new past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

from forewarn.core.detect.bins import Bins
from forewarn.core.detect.returns import Returns
from forewarn.core.detect.trend import Line
from forewarn.model.series import Window

RECENT = 5
SMOOTHING = 0.05
APART = 24
"""What is under the limit for less than the window's part of this size is jitter of one spell beyond it."""
JUMP_BACK_S = 60.0
"""A clock that goes back by more than this (and three intervals) was set; less is jitter, and such samples are left out."""


@dataclass(frozen=True, slots=True)
class Intake:
    """`recent` holds (time, value) of the newest samples; `noise` is the mean move from one to the next, either way;
    `under` counts the newest samples in a row below the limit; `crossed_s` is since when it is crossed; `returns`: its spells there."""

    bins: Bins
    memory: Bins | None
    recent: tuple[tuple[float, float], ...] = ()
    noise: float = 0.0
    under: int = 0
    crossed_s: float | None = None
    returns: Returns = field(default_factory=Returns)

    @property
    def last_s(self) -> float:
        return self.recent[-1][0]

    @property
    def value(self) -> float:
        return self.recent[-1][1]

    @property
    def closed_s(self) -> float:
        """When the newest closed bin was."""
        return self.bins.times[-1] if self.bins.times else 0.0


def take(before: Intake, empty: Intake, window: Window, sign: float, limit: float, near: Line | None) -> Intake:
    """With the window's fresh samples. `empty` is what a new past begins with; `near` is the line that was fitted last."""
    times, values = _fresh(window, sign)
    if not times:
        return before
    if before.recent and times[-1] < before.last_s - max(JUMP_BACK_S, 3 * window.every_s):
        before = empty
    if before.recent and times[0] <= before.last_s:
        keep = next((i for i, at in enumerate(times) if at > before.last_s), len(times))
        times, values = times[keep:], values[keep:]
        if not times:
            return before
    recent = (*before.recent, *zip(times[-RECENT:], values[-RECENT:], strict=True))[-RECENT:]
    noise = before.noise
    if len(recent) > 1:
        noise += SMOOTHING * (abs(recent[-1][1] - recent[-2][1]) - noise)
    under = _under(values, limit)
    after = Intake(
        before.bins.extended(times, values),
        before.memory.extended(times, values) if before.memory else None,
        recent,
        noise,
        before.under + under if under == len(values) else under,
        before.crossed_s,
        before.returns.extended(times, values, limit, before.bins.keep_s / APART),
    )
    crossed = _crossed_s(after, limit, near)
    if crossed == after.crossed_s:
        return after
    return replace(after, crossed_s=crossed)


def _fresh(window: Window, sign: float) -> tuple[list[float], list[float]]:
    if window.fresh == 1:
        value = window.values[-1]
        return ([window.times_s[-1]], [sign * value]) if isfinite(value) else ([], [])
    start = len(window.times_s) - window.fresh
    times: list[float] = []
    values: list[float] = []
    for at, value in zip(window.times_s[start:], window.values[start:], strict=True):
        if times and at < times[-1] - JUMP_BACK_S:
            times, values = [], []
        if isfinite(value) and (not times or at > times[-1]):
            times.append(at)
            values.append(sign * value)
    return times, values


def _under(values: Sequence[float], limit: float) -> int:
    """How many of the newest values in a row lie below the limit."""
    return next((n for n, value in enumerate(reversed(values)) if value >= limit), len(values))


def _crossed_s(seen: Intake, limit: float, near: Line | None) -> float | None:
    """Since when the value stands at or beyond the limit.

    Jitter beyond it is no crossing: the middle of the recent samples must be there too, unless the line leads there. It
    is over after three samples that lie under it by more than jitter, or a whole bin that does.
    """
    if seen.crossed_s is not None:
        return None if seen.under >= 3 and _well_under(seen, limit) else seen.crossed_s
    if seen.under:
        return None
    middle = sorted(value for _, value in seen.recent)[len(seen.recent) // 2]
    led = near is not None and near.value(seen.last_s) + 2 * near.scatter >= limit
    if middle < limit and not led:
        return None
    last_under = max((at for at, value in seen.recent if value < limit), default=-1.0)
    return next(at for at, value in seen.recent if at > last_under)


def _well_under(seen: Intake, limit: float) -> bool:
    last = [value for _, value in seen.recent[-3:]]
    if limit - max(last) > max(3 * (max(last) - min(last)), 4 * seen.noise):
        return True
    bins = seen.bins
    begun = bins.times[-1] - bins.width_s if bins.times else 0.0
    return begun > (seen.crossed_s or 0.0) and limit - bins.values[-1] > 1.5 * seen.noise
