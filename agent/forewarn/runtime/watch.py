"""One probe's windows and detector state. No I/O, no clock: given runs, it answers transitions.

Only transitions leave it: a claim began, changed, or ended. Samples stay here and go to the store. After a restart it is
warmed from history and told which claims are open, so the first evaluations give only differences.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from math import isfinite
from typing import Any

from forewarn.core.detect import DETECTORS, Detector
from forewarn.model.finding import Claim, Finding, FindingState, RuleState
from forewarn.model.inputs import Moved
from forewarn.model.probe import Probe, Rule
from forewarn.model.series import Column, Outcome, ProbeRun, SeriesId, Window, unit_of
from forewarn.model.text import Say
from forewarn.ports import RuleView, Sample, SeriesView, TargetView

MOST_SERIES = 1000
UP: Column = ("up", ())
LIKELY_MOVED_S, LIKELY_MOVED = 300.0, 0.10
"""A date that moves by less than both is the same date."""
VALUE_MOVED, VALUE_EVERY_S = 0.10, 60.0


@dataclass(slots=True)
class _Judge:
    """One rule on one series."""

    rule: Rule
    detector: Detector
    state: Any = None
    claim: Claim | None = None
    told: Claim | None = None  # what the owner knows; None: nothing is open
    open: bool = False
    seq: int = 0


@dataclass(slots=True)
class _Line:
    """One series: its newest samples, and the rules that look at it."""

    id: SeriesId
    judges: list[_Judge]
    keep_s: float
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def add(self, at_s: float, value: float) -> bool:
        """False when the sample is not newer than the newest: clocks are set back, and such samples say nothing."""
        if self.times and at_s <= self.times[-1]:
            if self.times[-1] - at_s < 60.0:
                return False
            del self.times[:], self.values[:]
        self.times.append(at_s)
        self.values.append(value)
        if self.times[0] < at_s - 2 * self.keep_s and len(self.times) > 4:
            self._trim(at_s)
        return True

    def _trim(self, at_s: float) -> None:
        cut = next((i for i, at in enumerate(self.times) if at >= at_s - self.keep_s), len(self.times))
        cut = min(cut, len(self.times) - 2)
        del self.times[:cut], self.values[:cut]


class Watch:
    """Of one probe. `take` for each run, `tick` now and then, `view` for people."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.dropped = 0
        self._lines: dict[SeriesId, _Line] = {}
        self._last: dict[str, ProbeRun] = {}
        self._open: dict[tuple[str, str], Finding] = {}
        for target in probe.targets:
            self._line(SeriesId(probe.name, target.name, *UP))

    # --- beginning ---

    def history_s(self, series: SeriesId) -> float:
        """How much of this series' past its rules want; 0: none looks at it."""
        rules = [rule for rule in self.probe.rules if _looks_at(rule, series)]
        return max((DETECTORS[rule.kind].history_s(rule.options) for rule in rules), default=0.0)

    def warm(self, series: SeriesId, window: Window) -> None:
        """Replay history; nothing is told."""
        line = self._line(series)
        if line is None or not window.times_s:
            return
        for at, value in zip(window.times_s, window.values, strict=True):
            line.add(at, value)
        now = datetime.fromtimestamp(window.times_s[-1], UTC)
        past = Window(window.times_s, window.values, len(window.times_s), self.probe.every_s)
        for judge in line.judges:
            judge.state, claim = judge.detector.step(judge.rule.options, judge.state, past, now)
            judge.claim = _with_unit(claim, series.metric)

    def resume(self, findings: Iterable[Finding]) -> None:
        """Claims that the ledger holds (the newest of each series and rule): the open ones are open here too."""
        for finding in findings:
            self._open[finding.rule, finding.series] = finding
        for line in self._lines.values():
            for judge in line.judges:
                self._resume(line, judge)

    def _resume(self, line: _Line, judge: _Judge) -> None:
        finding = self._open.pop((judge.rule.name, str(line.id)), None)
        if finding is None:
            return
        judge.seq = max(judge.seq, finding.seq)
        if finding.state is FindingState.OPEN:
            judge.open = True
            judge.state = judge.detector.resume(judge.rule.options, judge.state)
            judge.told = Claim(
                state=RuleState.FIRING,
                why=finding.why,
                evidence=finding.evidence,
                forecast=finding.forecast,
                confirmed=finding.confirmed,
            )

    # --- running ---

    def take(self, run: ProbeRun, now: datetime) -> list[Moved]:
        """What a run changes."""
        self._last[run.target] = run
        moves: list[Moved] = []
        if run.outcome is not Outcome.UNKNOWN:
            for (metric, labels), value in zip(run.columns, run.values, strict=True):
                if isfinite(value) and (line := self._line(SeriesId(run.probe, run.target, metric, labels))):
                    moves += self._sample(line, run, value, now)
        up = self._lines[SeriesId(run.probe, run.target, *UP)]
        if run.outcome is Outcome.UNKNOWN:
            return moves + self._judged(up, self._window(up, 0, run), now, only_ticking=True)
        return moves + self._sample(up, run, 1.0 if run.outcome is Outcome.UP else 0.0, now)

    def samples(self, run: ProbeRun) -> list[Sample]:
        """What of a run is to be stored."""
        if run.outcome is Outcome.UNKNOWN:
            return []
        up = (SeriesId(run.probe, run.target, *UP), run.at_s, 1.0 if run.outcome is Outcome.UP else 0.0)
        ids = ((SeriesId(run.probe, run.target, *column), value) for column, value in zip(run.columns, run.values, strict=True))
        return [up, *((id, run.at_s, value) for id, value in ids if id in self._lines)]

    def tick(self, now: datetime) -> list[Moved]:
        """What the passing of time alone changes."""
        moves: list[Moved] = []
        for line in self._lines.values():
            if any(judge.detector.ticks for judge in line.judges):
                moves += self._judged(line, self._window(line, 0, self._last.get(line.id.target)), now, only_ticking=True)
        return moves

    def unwatch(self, now: datetime) -> list[Moved]:
        """The probe or a rule is gone: its open claims end as no longer watched."""
        return [
            Moved(probe=self.probe.name, rule=judge.rule.name, series=line.id, seq=_seq(judge, now), claim=None, unwatched=True)
            for line in self._lines.values()
            for judge in line.judges
            if judge.open
        ]

    def _sample(self, line: _Line, run: ProbeRun, value: float, now: datetime) -> list[Moved]:
        if not line.add(run.at_s, value) or not line.judges:
            return []
        return self._judged(line, self._window(line, 1, run), now)

    def _window(self, line: _Line, fresh: int, run: ProbeRun | None) -> Window:
        reason, detail, lines = (run.reason, run.detail, run.lines) if run else (None, None, ())
        return Window(line.times, line.values, fresh, self.probe.every_s, reason, detail, lines)

    def _judged(self, line: _Line, window: Window, now: datetime, only_ticking: bool = False) -> list[Moved]:
        moves = []
        for judge in line.judges:
            if only_ticking and not judge.detector.ticks:
                continue
            judge.state, claim = judge.detector.step(judge.rule.options, judge.state, window, now)
            judge.claim = _with_unit(claim, line.id.metric)
            if moved := self._moved(line, judge, now):
                moves.append(moved)
        return moves

    def _moved(self, line: _Line, judge: _Judge, now: datetime) -> Moved | None:
        claim = judge.claim
        assert claim is not None
        if judge.state.firing and claim.state is RuleState.FIRING:
            if judge.open and judge.told and not _differs(judge.told, claim, now):
                return None
            judge.open, judge.told = True, claim
        elif judge.open and not judge.state.firing:
            judge.open, judge.told, claim = False, None, None
        else:
            return None
        return Moved(probe=self.probe.name, rule=judge.rule.name, series=line.id, seq=_seq(judge, now), claim=claim)

    def _line(self, id: SeriesId) -> _Line | None:
        line = self._lines.get(id)
        if line is not None:
            return line
        if len(self._lines) >= MOST_SERIES:
            self.dropped += 1
            return None
        judges = [_Judge(rule, DETECTORS[rule.kind]) for rule in self.probe.rules if _looks_at(rule, id)]
        keep = max((judge.detector.keep_s(judge.rule.options) for judge in judges), default=0.0)
        line = self._lines[id] = _Line(id, judges, keep)
        for judge in judges:
            self._resume(line, judge)
        return line

    # --- for people ---

    def view(self, now: datetime) -> tuple[TargetView, ...]:
        """What is known of each target now."""
        return tuple(self._target(target.name, first=at == 0) for at, target in enumerate(self.probe.targets))

    def last(self) -> list[ProbeRun]:
        """The newest run of each target."""
        return list(self._last.values())

    def _target(self, name: str, first: bool) -> TargetView:
        run = self._last.get(name)
        return TargetView(
            target=name,
            outcome=str(run.outcome) if run else "unknown",
            reason=run.reason if run else None,
            detail=run.detail if run else None,
            at=datetime.fromtimestamp(run.at_s, UTC) if run else None,
            lateness_ms=run.lateness_s * 1000 if run else None,
            series=tuple(_series(line) for line in self._lines.values() if line.id.target == name and line.times),
            dropped_series=self.dropped if first else 0,
        )


def _series(line: _Line) -> SeriesView:
    rules = tuple(
        RuleView(rule=judge.rule.name, state=judge.claim.state, why=judge.claim.why, ready_at=judge.claim.ready_at)
        for judge in line.judges
        if judge.claim
    )
    return SeriesView(series=line.id, value=line.values[-1], at=datetime.fromtimestamp(line.times[-1], UTC), rules=rules)


def _with_unit(claim: Claim, metric: str) -> Claim:
    """Detectors know no units; whoever reads the sentence does."""
    return replace(claim, why=Say(claim.why.key, {**claim.why.facts, "unit": unit_of(metric)}))


def _looks_at(rule: Rule, id: SeriesId) -> bool:
    if rule.metric != id.metric:
        return False
    return all(fnmatchcase(id.label(name) or "", glob) for name, glob in rule.labels)


def _seq(judge: _Judge, now: datetime) -> int:
    """Grows with every transition, also across restarts: the time in ms, one more where that is not enough."""
    judge.seq = max(int(now.timestamp() * 1000), judge.seq + 1)
    return judge.seq


def _differs(told: Claim, claim: Claim, now: datetime) -> bool:
    """Whether a claim that goes on is worth telling again."""
    if claim.confirmed and not told.confirmed:
        return True
    if claim.forecast and told.forecast:
        return _date_moved(told, claim, now)
    value, before, limit = claim.evidence.value, told.evidence.value, claim.evidence.limit
    since, last = told.evidence.last_at, claim.evidence.last_at
    if value is None or before is None or limit is None or not since or not last or (last - since).total_seconds() < VALUE_EVERY_S:
        return False
    return abs(value - before) >= VALUE_MOVED * max(abs(limit), abs(before)) > 0


def _date_moved(told: Claim, claim: Claim, now: datetime) -> bool:
    before, after = told.forecast, claim.forecast
    if before is None or after is None or before.crossed != after.crossed:
        return True
    if after.crossed or before.likely is None or after.likely is None:
        return False
    moved = abs((after.likely - before.likely).total_seconds())
    if before.earliest and after.earliest:
        moved = max(moved, abs((after.earliest - before.earliest).total_seconds()))
    return moved > max(LIKELY_MOVED_S, LIKELY_MOVED * (before.likely - now).total_seconds())
