"""How the runs of one target are taken while they have the same columns: compiled once, walked for every run.

Most runs change nothing: every value stands where its judges need not look (Line.low, Line.high). Such a run is only kept,
at a tenth of what judging it costs, and the judges catch up when somebody asks. All others go the long way (watch.py), and
what comes of them is the same either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite

from forewarn.model.series import Column, Outcome, ProbeRun, SeriesId
from forewarn.ports import SampleRun
from forewarn.runtime.line import Line, Watched


@dataclass(slots=True)
class Plan:
    """`lines[i]` is that of `columns[i]`, None beyond the most that a probe may have; `up` is the target's own.

    `judged` are the places of lines that have rules, `kept` of those that have none; targets that are alike share them.
    `newest_s`: of the newest run taken.
    """

    columns: tuple[Column, ...]
    lines: tuple[Line | None, ...]
    up: Watched
    judged: tuple[int, ...]
    kept: tuple[int, ...]
    series: tuple[SeriesId, ...] | None
    newest_s: float = 0.0

    @staticmethod
    def of(columns: tuple[Column, ...], lines: tuple[Line | None, ...], up: Watched) -> Plan:
        judged = _shared(tuple(place for place, line in enumerate(lines) if line is not None and line.judges))
        kept = _shared(tuple(place for place, line in enumerate(lines) if line is not None and not line.judges))
        series = (up.id, *(line.id for line in lines if line is not None)) if None not in lines else None
        return Plan(columns, lines, up, judged, kept, series)

    def keeps(self, run: ProbeRun) -> bool:
        """Take a run that changes nothing; False, and nothing has happened, when it may change something."""
        at_s, values, up, lines = run.at_s, run.values, self.up, self.lines
        if run.outcome is not Outcome.UP or at_s <= self.newest_s or not up.low < 1.0 < up.high:
            return False
        for place in self.judged:
            line: Watched = lines[place]  # type: ignore[assignment]
            if not line.low < values[place] < line.high:
                return False
        self.newest_s = at_s
        for place in self.judged:
            line = lines[place]  # type: ignore[assignment]
            line.keep(at_s, values[place])
            line.behind = True
        up.keep(at_s, 1.0)
        up.behind = True
        for place in self.kept:
            value = values[place]
            if value - value == 0.0:  # a finite number
                lines[place].keep(at_s, value)  # type: ignore[union-attr]
        return True

    def settle(self, every_s: float) -> None:
        """After a run that went the long way."""
        self.newest_s = max(line.times[-1] for line in (self.up, *self.lines) if line is not None and line.times)
        self.up.settle(every_s)
        for place in self.judged:
            self.lines[place].settle(every_s)  # type: ignore[union-attr]

    def row(self, run: ProbeRun) -> SampleRun | None:
        """What of a run is to be stored; None of one that could not look."""
        if run.outcome is Outcome.UNKNOWN:
            return None
        up = 1.0 if run.outcome is Outcome.UP else 0.0
        if self.series is not None:
            return self.series, run.at_s, (up, *run.values)
        pairs = [(line.id, value) for line, value in zip(self.lines, run.values, strict=True) if line and isfinite(value)]
        return (self.up.id, *(id for id, _ in pairs)), run.at_s, (up, *(value for _, value in pairs))


@lru_cache(maxsize=1024)
def _shared(places: tuple[int, ...]) -> tuple[int, ...]:
    """The same object for the same places."""
    return places
