"""From what is stored of a series to the few hundred columns that a picture draws: samples for hours, summaries for weeks.

Summaries are read at a fraction of the cost, and reach back further than samples are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from math import isfinite

from forewarn.model.series import SeriesId, Window
from forewarn.model.slots import STEPS_S, Slot
from forewarn.ports import Samples

COLUMNS = 300
FINE_S = 2 * 86_400.0
"""Up to this span samples are read one by one."""
ENOUGH = 2 * COLUMNS
"""Summaries of a span: the longest slots of which there are that many."""
Past = Window | list[Slot]
"""Samples of a series, or summaries of them."""
Column = tuple[float, float, float, float]
"""Epoch seconds of the middle, least, mean and greatest value."""
_Part = tuple[float, float, float, float, int]
"""A column of so many samples."""


def step_for(span_s: float, retention_s: float, kept_s: Mapping[int, float]) -> int:
    """Which summaries to read for a span: the length of their slots in seconds, 0 for the samples themselves.

    `retention_s` is how long samples are kept, `kept_s` how long summaries are. Where what fits best does not reach back
    so far, what reaches furthest is taken.
    """
    fitting = [step for step in sorted(STEPS_S, reverse=True) if span_s / step >= ENOUGH]
    wanted = [0] if span_s <= FINE_S else [*fitting, *(step for step in STEPS_S if step not in fitting), 0]
    reach = {0: retention_s, **kept_s}
    enough = [step for step in wanted if reach.get(step, 0.0) >= span_s]
    return enough[0] if enough else max(wanted, key=lambda step: reach.get(step, 0.0))


def stored(samples: Samples, series: SeriesId, since_s: float, until_s: float, step_s: int) -> Past:
    """What is stored of a series: its samples for a step of 0, otherwise summaries of that step. Blocks on the store."""
    if not step_s:
        return samples.read(series, since_s, until_s)
    return samples.rolled(series, since_s, until_s, step_s, sketches=False)


def columns(past: Past, begin_s: float, end_s: float) -> list[Column]:
    """At most COLUMNS columns of what lies between the two moments; a sample that is no number is left out."""
    parts = _samples(past) if isinstance(past, Window) else _slots(past, end_s)
    width = max((end_s - begin_s) / COLUMNS, 1e-9)
    found: list[Column] = []
    held: list[_Part] = []
    place = -1
    for part in parts:
        here = int((part[0] - begin_s) / width)
        if here != place and held:
            found.append(_column(held))
            held = []
        place = here
        held.append(part)
    return [*found, _column(held)] if held else found


def _samples(window: Window) -> Iterator[_Part]:
    for at, value in zip(window.times_s, window.values, strict=True):
        if isfinite(value):
            yield at, value, value, value, 1


def _slots(slots: Iterable[Slot], end_s: float) -> Iterator[_Part]:
    """Each at its middle; the last may not be over yet."""
    some = list(slots)
    gaps = [after.at_s - before.at_s for before, after in pairwise(some)]
    half = min(gaps, default=0.0) / 2
    for slot in some:
        yield min(slot.at_s + half, end_s), slot.least, slot.mean, slot.most, slot.count


def _column(held: list[_Part]) -> Column:
    if len(held) == 1:
        return held[0][:4]
    count = sum(part[4] for part in held)
    return (
        sum(part[0] for part in held) / len(held),
        min(part[1] for part in held),
        sum(part[2] * (part[4] / count) for part in held),
        max(part[3] for part in held),
    )
