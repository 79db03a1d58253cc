"""Samples in memory: for scenarios and rehearsals, which read what they have just written and keep nothing."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from copy import deepcopy

from forewarn.model.series import Counts, SeriesId, Tally, Window
from forewarn.model.slots import STEPS_S, Slot, slots_of
from forewarn.ports import Sample, SampleRun
from forewarn.store.rollups import DAY_S, LATE_S
from forewarn.store.times import US, micros


class MemorySamples:
    """ports.Samples without a file. For one thread."""

    def __init__(self) -> None:
        self._kept: dict[SeriesId, tuple[array[float], array[float]]] = {}  # times, values; both by time
        self._rolled: dict[tuple[SeriesId, int], list[Slot]] = {}
        self._until: dict[SeriesId, float] = {}  # how far it is summarised
        self._cursors: dict[str, Mapping[str, object]] = {}

    def append(self, samples: Sequence[Sample], cursors: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """Keep samples; a value that is not a finite number is left out, the later of two at one time counts."""
        for series, at, value in samples:
            if math.isfinite(value):
                _insert(*self._kept.setdefault(series, (array("d"), array("d"))), micros(at) / US, value)
        self._cursors.update(deepcopy(dict(cursors or {})))

    def append_runs(self, runs: Sequence[SampleRun], cursors: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """The same for whole runs."""
        samples = [(series, at, value) for plan, at, values in runs for series, value in zip(plan, values, strict=True)]
        self.append(samples, cursors)

    def fill(self, series: SeriesId, pairs: Sequence[tuple[float, float]]) -> None:
        """The whole history of one series at once: (time, value), in any order; the later of two at one time counts."""
        kept = dict(sorted((micros(at) / US, value) for at, value in pairs if math.isfinite(value)))
        self._kept[series] = (array("d", kept), array("d", kept.values()))

    def read(self, series: SeriesId, since_s: float, until_s: float) -> Window:
        """Samples with since_s <= time < until_s, oldest first; all of them count as fresh."""
        times, values = self._kept.get(series, (array("d"), array("d")))
        first, end = bisect_left(times, since_s), bisect_left(times, until_s)
        return Window(times[first:end], values[first:end], max(0, end - first))

    def tally(self, series: SeriesId, tally: Tally, since_s: float, until_s: float) -> Counts:
        """The samples of `read`, only counted."""
        past, found = self.read(series, since_s, until_s), dict[int, tuple[int, int]]()
        for at, value in zip(past.times_s, past.values, strict=True):
            slot = int(at // tally.slot_s)
            n, bad = found.get(slot, (0, 0))
            found[slot] = (n + 1, bad + (not tally.bound.good(value)))
        return [(slot * tally.slot_s, n, bad) for slot, (n, bad) in sorted(found.items())]

    def series(self, probe: str | None = None) -> list[SeriesId]:
        return [series for series in self._kept if probe is None or series.probe == probe]

    def last(self, probe: str | None = None) -> dict[SeriesId, tuple[float, float]]:
        """Time and value of the newest sample of each series."""
        return {series: (self._kept[series][0][-1], self._kept[series][1][-1]) for series in self.series(probe)}

    def first(self, series: SeriesId) -> float | None:
        """Time of the oldest sample that is kept."""
        times, _ = self._kept.get(series, (array("d"), array("d")))
        return times[0] if times else None

    def roll(self, now_s: float, most: int) -> int:
        """Days that are over and not summarised yet."""
        done, end = 0, (now_s - LATE_S) // DAY_S * DAY_S
        for series, (times, values) in self._kept.items():
            begin = bisect_left(times, self._until.get(series, -math.inf))
            if done < most and begin < len(times) and times[begin] < end:
                day = times[begin] // DAY_S * DAY_S
                last, done = bisect_left(times, day + DAY_S), done + 1
                for step in STEPS_S:
                    self._rolled.setdefault((series, step), []).extend(slots_of(times[begin:last], values[begin:last], step))
                self._until[series] = day + DAY_S
        return done

    def rolled(self, series: SeriesId, since_s: float, until_s: float, step_s: int, *, sketches: bool = True) -> list[Slot]:
        """Summaries by slots that begin in there."""
        times, values = self._kept.get(series, (array("d"), array("d")))
        begin = bisect_left(times, self._until.get(series, -math.inf))
        slots = [*self._rolled.get((series, step_s), []), *slots_of(times[begin:], values[begin:], step_s)]
        return [slot for slot in slots if since_s <= slot.at_s < until_s]

    def prune_rolled(self, step_s: int, before_s: float) -> int:
        """Forget summaries of days that ended before that; answers how many summaries."""
        gone = 0
        for (_, step), slots in self._rolled.items():
            end = sum(slot.at_s // DAY_S * DAY_S + DAY_S <= before_s for slot in slots) if step == step_s else 0
            del slots[:end]
            gone += end
        return gone

    def cursor(self, probe: str) -> Mapping[str, object] | None:
        return self._cursors.get(probe)

    def prune(self, before_s: float) -> int:
        """Forget samples older than that, and series that have none left; answers how many samples."""
        gone = 0
        for series, (times, values) in list(self._kept.items()):
            end = bisect_left(times, before_s)
            del times[:end], values[:end]
            gone += end
            if not times:
                del self._kept[series]
        return gone

    def close(self) -> None:
        self._kept.clear()
        self._cursors.clear()


def _insert(times: array[float], values: array[float], at: float, value: float) -> None:
    if not times or at > times[-1]:  # nearly always
        times.append(at)
        values.append(value)
        return
    place = bisect_left(times, at)
    if times[place] == at:
        values[place] = value
    else:
        times.insert(place, at)
        values.insert(place, value)
