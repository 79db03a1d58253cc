"""Samples of the past through the daemon's own watches: what each rule would have claimed, and when.

Detection asks nothing of what is decided, so each probe is watched from end to end by itself; two configurations that
hold the same probe share what came of it. A run is put together again from the samples that bear its time.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import merge
from itertools import pairwise
from math import nan
from operator import attrgetter
from statistics import median

from forewarn.model.finding import RuleState
from forewarn.model.inputs import Moved
from forewarn.model.probe import Probe
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.ports import Samples
from forewarn.runtime.line import UP
from forewarn.runtime.warming import warm
from forewarn.runtime.watch import Watch

SHORTEST_TICK_S = 60.0
PROBED = 500
"""Gaps between samples that are looked at to learn how often a probe looked."""
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Timed:
    """A transition and when it was seen."""

    at: datetime
    moved: Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What came of one probe: its transitions, how many series and samples there were, at which interval, and for what share
    of the span (0 to 1, of all targets) its targets were looked at."""

    moves: tuple[Timed, ...]
    series: int
    samples: int
    every_s: float
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class _Track:
    """All that was measured of one target: the columns of its runs, and per column times and values."""

    target: str
    columns: tuple[Column, ...]
    times: tuple[array[float], ...]
    values: tuple[array[float], ...]


def watched(probe: Probe, samples: Samples, since_s: float, until_s: float, progress: Progress = lambda _: None) -> Watched:
    """The probe's rules on its samples of since_s <= time < until_s; what lies before is known to them, as at a start.

    `progress` is told which share of the samples is done.
    """
    targets = {target.name for target in probe.targets}
    tracks = [track for name in targets if (track := _track(probe.name, name, samples, since_s, until_s))]
    count = sum(len(times) for track in tracks for times in track.times)
    rules = tuple(rule for rule in probe.rules if rule.kind != "cannot-see")  # what could not be looked at left no samples
    probe = replace(probe, every_s=_interval(probe, tracks), rules=rules)
    series = sum(len(track.columns) for track in tracks)
    if not count:
        return Watched(moves=(), series=series, samples=0, every_s=probe.every_s)
    share = _share(probe, tracks, until_s - since_s)
    since_s = max(since_s, min(times[0] for track in tracks for times in track.times))
    watch = Watch(probe, unhurried=True)
    warm(watch, samples, since_s)
    moves = tuple(_moves(watch, tracks, since_s, until_s, lambda done: progress(done / count)))
    return Watched(moves=moves, series=series, samples=count, every_s=probe.every_s, share=share)


def firings(came: Watched) -> dict[tuple[str, str], int]:
    """How often each (rule, series) began to fire; rules that never did have no entry."""
    counts, standing = Counter[tuple[str, str]](), set[tuple[str, str]]()
    for timed in came.moves:
        key = (timed.moved.rule, str(timed.moved.series))
        firing = timed.moved.claim is not None and timed.moved.claim.state is RuleState.FIRING
        counts[key] += firing and key not in standing
        (standing.add if firing else standing.discard)(key)
    return {key: count for key, count in counts.items() if count}


def fired(
    probe: Probe, samples: Samples, since_s: float, until_s: float, progress: Progress = lambda _: None
) -> dict[str, int] | None:
    """How often each rule began to fire; None where the probe has no samples then."""
    came = watched(probe, samples, since_s, until_s, progress)
    if not came.samples:
        return None
    counts = dict.fromkeys((rule.name for rule in probe.rules), 0)
    for (rule, _), count in firings(came).items():
        counts[rule] += count
    return counts


def _moves(watch: Watch, tracks: list[_Track], since_s: float, until_s: float, progress: Progress) -> Iterator[Timed]:
    """Runs in the order of time, and a tick wherever the daemon would have ticked."""
    tick_s = max(SHORTEST_TICK_S, watch.probe.every_s)
    next_s, done = since_s + tick_s, 0
    for run in merge(*(_runs(watch.probe.name, track) for track in tracks), key=attrgetter("at_s")):
        while next_s < run.at_s:
            yield from _told(watch.tick(_moment(next_s)), next_s)
            next_s += tick_s
        yield from _told(watch.take(run, _moment(run.at_s)), run.at_s)
        done += len(run.columns) + 1
        progress(done)
    while next_s < until_s:
        yield from _told(watch.tick(_moment(next_s)), next_s)
        next_s += tick_s


def _told(moves: list[Moved], at_s: float) -> Iterator[Timed]:
    return (Timed(_moment(at_s), moved) for moved in moves)


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


def _track(probe: str, target: str, samples: Samples, since_s: float, until_s: float) -> _Track | None:
    found = [(one, samples.read(one, since_s, until_s)) for one in samples.series(probe) if one.target == target]
    found = [(series, window) for series, window in found if window.times_s]
    if not found:
        return None
    columns = tuple((series.metric, series.labels) for series, _ in found)
    return _Track(target, columns, tuple(w.times_s for _, w in found), tuple(w.values for _, w in found))


def _interval(probe: Probe, tracks: list[_Track]) -> float:
    """How often was looked: the probe's own interval, or that of the samples where they are further apart."""
    gaps = [
        after - before
        for track in tracks
        if len(times := max(track.times, key=len)) > 1
        for before, after in pairwise(times[:PROBED])
    ]
    return max(probe.every_s, median(gaps)) if gaps else probe.every_s


def _share(probe: Probe, tracks: list[_Track], span_s: float) -> float:
    """Of the runs that there would be if every target had been looked at all the time, how many left samples."""
    runs = sum(max(len(times) for times in track.times) for track in tracks)
    return min(1.0, runs * probe.every_s / (span_s * len(probe.targets)))


def _runs(probe: str, track: _Track) -> Iterator[ProbeRun]:
    """The runs of one target, oldest first. One whose `up` was not kept found its target up: there are figures of it."""
    up = track.columns.index(UP) if UP in track.columns else None
    columns = tuple(column for column in track.columns if column != UP)
    for at_s, row in _rows(track):
        values = row if up is None else row[:up] + row[up + 1 :]
        down = up is not None and row[up] == 0.0
        yield ProbeRun(probe, track.target, at_s, Outcome.DOWN if down else Outcome.UP, columns, values)


def _rows(track: _Track) -> Iterator[tuple[float, tuple[float, ...]]]:
    """Time and a value for each column; not a number where a column has no sample then."""
    first = track.times[0]
    if all(times == first for times in track.times):
        yield from zip(first, zip(*track.values, strict=True), strict=True)
        return
    rows: dict[float, list[float]] = {}
    for at, (times, values) in enumerate(zip(track.times, track.values, strict=True)):
        for at_s, value in zip(times, values, strict=True):
            row = rows.get(at_s)
            if row is None:
                row = rows[at_s] = [nan] * len(track.columns)
            row[at] = value
    for at_s in sorted(rows):
        yield at_s, tuple(rows[at_s])
