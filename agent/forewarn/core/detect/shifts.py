"""Jumps in a series: what is an event and must not pass for a trend.

A fall that stays (a clean-up, a bigger disk) begins a new history: the line is fitted to what came after it. Three falls
or more in sight are the series' nature (a saw-tooth) and stay in. A rise that stays and that alone makes up much of the
whole rise (a copy, a boot) is taken out, and the history before it is lifted, so that a step on flat ground is flat.

Values are turned so that the limit lies above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import sub

from forewarn.core.detect.bins import middle

FALL = 0.2
"""A fall counts when it is more than this share of all that the bins span, and far beyond the usual moves."""
ONE_OFF = 0.4
"""A single move that makes up more than this share of the whole rise is an event and no trend."""
SAW = 3
"""So many falls are the series' nature."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a line may be fitted to. `cut_s` is when the last fall ended the history before it."""

    times: list[float]
    values: list[float]
    cut_s: float | None
    falls: int


def newest_stretch(times: Sequence[float], values: Sequence[float], recent: Sequence[float]) -> Stretch:
    """The bins since the last fall, without one-off rises. `recent` are the newest single samples."""
    if len(times) < 3:
        return Stretch(list(times), list(values), None, 0)
    usual, scale = _moves(values)
    deepest = min(usual - 8 * scale, -FALL * (max(values) - min(values)))
    falls = [i for i, move in enumerate(map(sub, values[1:], values)) if move <= deepest and _stays_down(values, i, recent)]
    apart = [i for n, i in enumerate(falls) if n == 0 or i - falls[n - 1] > 1]  # a fall may take two bins
    if not falls:
        return Stretch(list(times), without_events(values), None, 0)
    if len(apart) >= SAW:
        return Stretch(list(times), list(values), None, len(apart))
    at = falls[-1] + 1
    return Stretch(list(times[at:]), without_events(values[at:]), times[at], len(apart))


def without_events(values: Sequence[float], both_ways: bool = False) -> list[float]:
    """The values with one-off rises (up to three) taken out by lifting what came before; `both_ways`: falls as well."""
    found = list(values)
    for _ in range(3):
        if len(found) < 4:
            break
        moves = [after - before for before, after in pairwise(found)]
        at = max(range(len(moves)), key=lambda i: abs(moves[i]) if both_ways else moves[i])
        usual, scale = _moves(found)
        whole = abs(found[-1] - found[0])
        if not (abs(moves[at] - usual) > 6 * scale and abs(moves[at]) > ONE_OFF * whole and _stays(found, at)):
            break
        found = [value + moves[at] - usual if i <= at else value for i, value in enumerate(found)]
    return found


def _moves(values: Sequence[float]) -> tuple[float, float]:
    """The usual move from bin to bin, and how much moves differ (both medians)."""
    moves = sorted(map(sub, values[1:], values))
    usual = middle(moves)
    return usual, 1.4826 * middle(sorted([abs(move - usual) for move in moves]))


def _stays_down(values: Sequence[float], i: int, recent: Sequence[float]) -> bool:
    half = (values[i] + values[i + 1]) / 2
    after = values[i + 1 : i + 4]
    return max(after) < half and (len(after) == 3 or max(recent[-3:], default=half) < half)


def _stays(values: Sequence[float], at: int) -> bool:
    """A move of which at least half is still there in the next bins; a spike is left to the median of slopes."""
    after, half = values[at + 1 : at + 4], (values[at] + values[at + 1]) / 2
    if len(after) < 2:
        return False
    return min(after) > half if values[at + 1] > values[at] else max(after) < half
