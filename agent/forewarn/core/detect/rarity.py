"""How rare is what a series shows now, against all that it has shown before.

Six views of a series are kept as histograms: the value itself, the value at this time of the day, its distance from a fast
and from a slow level, its distance from the median of the last five, and the spread of the last forty. What matters is
not how far a value lies from an average in units of a spread (heavy tails, steps and two-state series make that lie), but how
often anything like it was seen: the share p of the past that lies in the same place of the histogram, or at least as far
out on the same side. The surprise of a view is -log10 p; beyond all that was seen it goes on growing a little with the distance.

Two things make surprises comparable between series. A rare event of a series that is sampled every minute comes sixty times
as often as that of an hourly one: RATE decades are taken off for each decade of samples an hour. And a long memory knows rarer
things than a short one: DEPTH decades for each decade of samples beyond a thousand. With both, one threshold serves an
hourly crash rate and a five-minute temperature (measured: docs/foresight.md).

The histograms' places are asinh-spaced: fine near the middle, a few places for each factor of ten further out. Their middle and
width come from the first LEARNED samples, and are mended when the series turns out to live elsewhere (`mended`). Counts are halved
when there are FULL of them, so that what was years ago is forgotten. Histograms over views are an old idea (HBOS, Goldstein and
Dengel 2012; SPOT, Siffer et al. 2017, for tails); the choice of views and both corrections are ours.
"""

from __future__ import annotations

from array import array
from math import asinh, log10, sinh, sqrt

VALUE, HOUR, FAST, SLOW, SPIKE, SPREAD = range(6)
VIEWS = ("value", "hour", "fast", "slow", "spike", "spread")
FAST_SHARE, SLOW_SHARE, SPREAD_SHARE = 0.3, 0.003, 0.04
"""Of a new sample in the moving levels; at the start each is the plain mean of what there is."""
LEARNED = 100
"""Samples before the first judgement."""
REACH = 20
PLACES = 2 * REACH + 1
LAST = PLACES - 1
FINE = 3.0
"""Places for each unit of asinh(2 z), where z is the distance from the middle in units of the width."""
SLOT_S = 3 * 3600
SLOTS = {"none": 0, "day": 8, "week": 16}
"""Histograms by time: of three hours each; with `week`, working days and weekends (UTC) apart."""
FULL = 20_000
PRIOR = 1.0
"""What was never seen counts as seen once."""
BEYOND = 0.2
"""Decades for each empty place between what was seen and a value that lies further out."""
COMMON = 0.1
"""A place with more than this share is common: its tail need not be looked at."""
NORM = 8
RATE, DEPTH = 1.1, 0.5
DEEP = 1000.0
WIDER = 8.0

Views = tuple[float, float, float, float, float, float]
Anchor = tuple[tuple[float, float], ...]
"""Middle and width of each view's histogram."""
Levels = tuple[float, float, float, float]
"""Fast level, slow level, level and variance of the last forty or so."""


def levels_of(value: float) -> Levels:
    return (value, value, value, 0.0)


def looked(levels: Levels, last: tuple[float, ...], n: int, value: float) -> tuple[Levels, tuple[float, ...], Views]:
    """What the views show of a new value, and the levels after it. `n` samples came before; `last` are the newest, four at most."""
    fast, slow, level, variance = levels
    share = 1.0 / (n + 1)
    recent = (*last, value)
    spike = value - sorted(recent)[len(recent) // 2]
    from_fast, from_slow, off = value - fast, value - slow, value - level
    part = share if share > SPREAD_SHARE else SPREAD_SHARE
    level += part * off
    variance = (1.0 - part) * (variance + part * off * off)
    after = (
        fast + (share if share > FAST_SHARE else FAST_SHARE) * from_fast,
        slow + (share if share > SLOW_SHARE else SLOW_SHARE) * from_slow,
        level,
        variance,
    )
    return after, recent[-4:], (value, value, from_fast, from_slow, spike, sqrt(variance))


def anchored(seen: list[Views]) -> Anchor:
    """Middle and width of each view, from the samples of the learning time: median, and the span from 10 to 90 %."""
    anchors = []
    for view in zip(*seen, strict=True):
        ordered = sorted(view)
        n = len(ordered)
        middle, width = ordered[n // 2], ordered[int(0.9 * n)] - ordered[int(0.1 * n)]
        anchors.append((middle, width or ordered[-1] - ordered[0] or 0.05 * abs(middle) or 1e-6))
    return tuple(anchors)


def place(anchor: tuple[float, float], value: float) -> int:
    """In which place of its histogram a value lies, 0..PLACES-1."""
    at = round(FINE * asinh(2.0 * (value - anchor[0]) / anchor[1]))
    return REACH + (-REACH if at < -REACH else REACH if at > REACH else at)


def value_at(anchor: tuple[float, float], at: int) -> float:
    """The middle of a place, in the view's unit."""
    return anchor[0] + anchor[1] * sinh((at - REACH) / FINE) / 2.0


def empty(season: str) -> array[int]:
    """Histograms of all views but `hour`, then those by time."""
    return array("H", bytes(2 * PLACES * (5 + SLOTS[season])))


def bases(season: str, at_s: float) -> tuple[int, ...]:
    """Where each view's histogram begins; -1 for one that is not kept."""
    slots = SLOTS[season]
    if not slots:
        return (0, -1, PLACES, 2 * PLACES, 3 * PLACES, 4 * PLACES)
    slot = int(at_s // SLOT_S) % 8
    if slots == 16 and int(at_s // 86400 + 3) % 7 >= 5:  # the epoch began on a Thursday
        slot += 8
    return (0, (5 + slot) * PLACES, PLACES, 2 * PLACES, 3 * PLACES, 4 * PLACES)


def counted(counts: array[int], anchors: Anchor, views: Views, bases: tuple[int, ...], kept: int) -> tuple[float, int]:
    """How rare a sample's views are, together, and which of them is the rarest; counts them in. `kept` samples stand in `counts`.

    Written out in one loop: it runs for every sample of every series that has a baseline.
    """
    most, rarest, found, at = 0.0, VALUE, [], 0
    for view, base in enumerate(bases):
        if base < 0:
            continue
        if view != HOUR:  # it has the places of VALUE, which came just before
            middle, width = anchors[view]
            at = round(FINE * asinh(2.0 * (views[view] - middle) / width))
            at = 0 if at < -REACH else LAST if at > REACH else REACH + at
        here = base + at
        seen = sum(counts[base : base + PLACES]) if view == HOUR else kept
        count = counts[here]
        counts[here] = count + 1
        common = COMMON * seen
        if count > common:
            continue
        near = count + 0.5 * ((counts[here - 1] if at else 0) + (counts[here + 1] if at < LAST else 0))
        if near > common:
            continue
        above = seen - sum(counts[base:here]) if at < REACH else sum(counts[here : base + PLACES]) - 1
        below = seen - above + count
        tail = 2 * (above if above < below else below)
        one = log10((seen + 2 * PRIOR) / ((near if near < tail else tail) + PRIOR))
        if tail <= 0:
            counts[here] = count
            one += BEYOND * _empty(counts, base, at, outwards=above <= 0)
            counts[here] = count + 1
        if seen < LEARNED:
            one *= seen / LEARNED
        found.append(one)
        if one > most:
            most, rarest = one, view
    if len(found) < 2:
        return most, rarest
    return most * float(sum([(one / most) ** NORM for one in found])) ** (1.0 / NORM) if most else 0.0, rarest


def _empty(counts: array[int], base: int, at: int, *, outwards: bool) -> int:
    """How many empty places lie between this one, the outermost, and what was seen."""
    steps = range(at - 1, -1, -1) if outwards else range(at + 1, PLACES)
    return next((n for n, one in enumerate(steps) if counts[base + one]), 0)


def comparable(found: float, per_hour: float, n: int) -> float:
    """A surprise that means the same on every series."""
    return found - RATE * log10(per_hour) - (DEPTH * log10(n / DEEP) if n > DEEP else 0.0)


def halved(counts: array[int]) -> array[int]:
    return array("H", [count >> 1 for count in counts])


def mended(counts: array[int], anchors: Anchor, season: str) -> tuple[array[int], Anchor]:
    """Where a histogram says little, since a fifth lies in its outermost places, or nine tenths in one in the middle: the same counts
    over places that are eight times as wide or narrow."""
    changed, after = counts[:], list(anchors)
    for view, base in enumerate(bases("none", 0.0)):
        if view == HOUR:
            continue
        seen = counts[base : base + PLACES]
        total, ends = sum(seen), seen[0] + seen[-1]
        wide = ends > 0.2 * total
        if not wide and seen[REACH] <= 0.9 * total:
            continue
        old = anchors[view]
        after[view] = (old[0], old[1] * (WIDER if wide else 1.0 / WIDER))
        also = [(5 + slot) * PLACES for slot in range(SLOTS[season])] if view == VALUE else []
        for begin in (base, *also):
            _moved(counts, changed, begin, old, after[view])
    after[HOUR] = after[VALUE]
    return changed, tuple(after)


def _moved(counts: array[int], changed: array[int], base: int, old: tuple[float, float], new: tuple[float, float]) -> None:
    """One histogram's counts, put where their values now belong."""
    changed[base : base + PLACES] = array("H", bytes(2 * PLACES))
    for at in range(PLACES):
        if count := counts[base + at]:
            there = base + place(new, value_at(old, at))
            changed[there] = min(65535, changed[there] + count)
