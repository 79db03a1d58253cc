"""A watch gets to know the past: at a start, after a reload, and at the beginning of a rehearsal. Blocks on the store."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from forewarn.model.series import Counts, SeriesId, Tally, Window
from forewarn.ports import Samples
from forewarn.runtime.line import UP
from forewarn.runtime.recollect import Recollection
from forewarn.runtime.watch import Watch

MEAN_S = 300
MOST_REPLAYED = 50_000
"""Samples of one series that are read at a start, beyond what its rules can't do without: a start must be quick."""


@dataclass(frozen=True, slots=True)
class Before:
    """The watch that is adopted from at a reload: `watch` and, since it goes on meanwhile, a copy of what it `held`."""

    watch: Watch
    held: Mapping[SeriesId, Window]

    @staticmethod
    def of(watch: Watch) -> Before:
        """On the loop's thread."""
        return Before(watch, watch.held())

    def past(self, series: SeriesId, since_s: float) -> Window | None:
        """What it held of a series, where that reaches back so far."""
        held = self.held.get(series)
        if held is None or not held.times_s or held.times_s[0] > since_s:
            return None
        begin = bisect_left(held.times_s, since_s)
        return Window(held.times_s[begin:], held.values[begin:], len(held.times_s) - begin) if begin < len(held.times_s) else None


def warm(watch: Watch, samples: Samples, now_s: float, known: Recollection | None = None, before: Before | None = None) -> None:
    """Hand a fresh watch what its rules want to know of the time before `now_s` (epoch seconds). What was kept of them is `known`:
    then only what came since is looked at. What it will adopt from the watch `before`, or that this one holds, isn't read."""
    known = known or Recollection()
    last: Mapping[SeriesId, tuple[float, float]] = {}
    stored = samples.series(watch.probe.name)
    for series in stored:
        if watch.remembers(series) and (first_s := samples.first(series)) is not None:
            watch.began(series, first_s)
    for series in stored:
        if watch.history_s(series) <= 0 or (before and watch.goes_on(series, before.watch)):
            continue
        since_s = watch.recollect(series, known)
        past = _past(watch, samples, series, now_s, before) if since_s is None else _since(watch, samples, series, since_s, now_s)
        if not past.times_s:  # it rested, or we did: where it stood last is all that is known
            last = last or samples.last(watch.probe.name)
            past = Window.of([last[series]]) if series in last and last[series][0] <= now_s else past
        far = _far(watch, samples, series, past, now_s) if since_s is None else None
        watch.recall(series, lambda tally, series=series: _counted(watch, samples, series, tally, now_s))  # type: ignore[misc]
        watch.warm(series, past, _beside(watch, samples, series, past, now_s), far)
    watch.recollect_rest(known)
    watch.settle()
    if (span_s := watch.awaits_s()) > 0:
        for target in watch.probe.targets:
            ups = samples.read(SeriesId(watch.probe.name, target.name, *UP), now_s - span_s, now_s + 1)
            watch.look_back(target.name, ups, datetime.fromtimestamp(now_s, UTC))


def _since(watch: Watch, samples: Samples, series: SeriesId, since_s: float, now_s: float) -> Window:
    """What came after a moment up to which all is known, and as much before it as the rules look back at every step."""
    return samples.read(series, min(since_s, now_s) - watch.keep_s(series), now_s + 1)


def _beside(watch: Watch, samples: Samples, series: SeriesId, past: Window, now_s: float) -> Mapping[str, Window]:
    """The history of what else the rules of a series look at, as far back as its own."""
    since_s = past.times_s[0] if past.times_s else now_s
    found = {other.metric: samples.read(other, since_s - 1, now_s + 1) for other in watch.beside(series)}
    return {metric: window for metric, window in found.items() if window.times_s}


def _counted(watch: Watch, samples: Samples, series: SeriesId, tally: Tally, now_s: float) -> Counts:
    """Whole slots of the past, up to where the history that is read in full has begun."""
    until_s = ((now_s - watch.history_s(series)) // tally.slot_s + 1) * tally.slot_s
    return samples.tally(series, tally, now_s - tally.span_s, until_s)


def _past(watch: Watch, samples: Samples, series: SeriesId, now_s: float, before: Before | None) -> Window:
    """As much as the rules want; of what is only good to have, not more than MOST_REPLAYED samples."""
    needed, wanted = watch.needed_s(series), watch.history_s(series)
    if before and (held := before.past(series, now_s - wanted)):
        return held
    past = samples.read(series, now_s - needed, now_s + 1)
    if wanted <= needed or len(past.times_s) * wanted / max(needed, 1.0) > MOST_REPLAYED:
        return past
    return samples.read(series, now_s - wanted, now_s + 1)


def _far(watch: Watch, samples: Samples, series: SeriesId, past: Window, now_s: float) -> Window | None:
    """Means of five minutes of what lies before the history that is read sample by sample."""
    span_s = watch.far_s(series)
    until_s = past.times_s[0] if past.times_s else now_s
    if span_s <= 0 or until_s <= now_s - span_s + MEAN_S:
        return None
    slots = samples.rolled(series, now_s - span_s, until_s - MEAN_S, MEAN_S, sketches=False)
    return Window.of([(slot.at_s, slot.mean) for slot in slots]) if slots else None
