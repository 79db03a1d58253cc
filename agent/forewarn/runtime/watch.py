"""One probe's windows and detector state. No I/O, no clock: given runs, it answers transitions.

Only transitions leave it: a claim began, changed, or ended. Samples stay here and go to the store. After a restart it is
warmed from history and told which claims are open, so the first evaluations give only differences; after a reload it
adopts what the watch before it knew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from math import isfinite, nan

from forewarn.model.finding import Finding, FindingState, RuleState
from forewarn.model.glance import Learner, Sight, Stand
from forewarn.model.inputs import Moved
from forewarn.model.probe import Probe
from forewarn.model.series import Column, Counts, Outcome, ProbeRun, SeriesId, Tally, Window
from forewarn.ports import RuleView, Sample, SeriesView, TargetView
from forewarn.runtime import awaited
from forewarn.runtime.awaited import Awaited, waits_for
from forewarn.runtime.line import FEWEST_KEPT, Judge, Line, looks_at, unwatched

MOST_SERIES = 1000
UP: Column = ("up", ())
GONE_INTERVALS, GONE_S = 5, 600.0
"""A series that its target's good runs lack for so many intervals, and so long, is gone."""
GONE_EVERY_S = 60.0
"""How often all series are looked through for such."""
COSTLY = 4
"""Costly judgements in one call; more would hold the loop. The rest comes with the next run or tick."""


class Watch:
    """Of one probe. `take` for each run, `tick` at least once an interval, `view` for people."""

    def __init__(self, probe: Probe, unhurried: bool = False) -> None:
        """`unhurried`: nobody waits for the answers, so samples may be judged several at one step, where a detector allows it."""
        self.probe, self._unhurried = probe, unhurried
        self._lines: dict[SeriesId, Line] = {}
        self._plans: dict[str, tuple[tuple[Column, ...], list[Line | None]]] = {}  # by target: a line for each column
        self._last: dict[str, ProbeRun] = {}
        self._open: dict[tuple[str, str], Finding] = {}  # of the ledger, for series that were not seen yet
        self._left = COSTLY
        self._awaited = Awaited(probe)
        self._timed: list[Line] | None = None  # what a tick must look at; None: lines have come or gone
        self._learners: list[Line] | None = None  # those with a rule that has to learn; None as above
        self._stand: Stand | None = None  # None: something has changed since
        self._swept_s = 0.0
        self._ups: dict[str, Line] = {}
        for target in probe.targets:
            if up := self._line(SeriesId(probe.name, target.name, *UP)):
                self._ups[target.name] = up

    # --- beginning ---

    def history_s(self, series: SeriesId) -> float:
        """How much of this series' past its rules want; 0: none looks at it."""
        line = Line.of(series, self.probe.rules)
        return max((judge.detector.history_s(judge.rule.options) for judge in line.judges), default=0.0)

    def needed_s(self, series: SeriesId) -> float:
        """How much of that its rules can't do without."""
        line = Line.of(series, self.probe.rules)
        return max((judge.detector.needed_s(judge.rule.options) for judge in line.judges), default=0.0)

    def beside(self, series: SeriesId) -> list[SeriesId]:
        """The series of the same thing that this one's rules look at too."""
        metrics = {name: None for judge in Line.of(series, self.probe.rules).judges for name in judge.detector.beside}
        return [replace(series, metric=metric) for metric in metrics]

    def warm(self, series: SeriesId, window: Window, beside: Mapping[str, Window] | None = None) -> None:
        """Replay history; nothing is told. Its first sample only tells detectors where the series stood.

        `beside` is the history of those series, by metric.
        """
        line = self._line(series)
        if line is None or not window.times_s:
            return
        now = datetime.fromtimestamp(window.times_s[-1], UTC)
        past = Window(window.times_s, window.values, len(window.times_s) - 1, self.probe.every_s, beside=beside or {})
        line.warm(window)
        for judge in line.judges:
            judge.step(past, now, series.metric)

    def recall(self, series: SeriesId, ask: Callable[[Tally], Counts]) -> None:
        """Before `warm`: let rules know by counts what lies before the history that they want in full."""
        known: dict[Tally, Counts] = {}
        line = self._line(series)
        for judge in line.judges if line else ():
            if judge.detector.tally and judge.detector.recall:
                tally = judge.detector.tally(judge.rule.options)
                if tally not in known:
                    known[tally] = ask(tally)
                judge.state = judge.detector.recall(judge.rule.options, known[tally])

    def awaits_s(self) -> float:
        """How much of the past of `up` is wanted for `look_back`; 0: no rule waits for anything."""
        return awaited.history_s([*self._lines.values(), *self._awaited])

    def look_back(self, target: str, ups: Window, now: datetime) -> None:
        """After `warm`: for how long has what rules wait for been missing already?"""
        lines = [line for line in [*self._lines.values(), *self._awaited] if line.id.target == target]
        awaited.look_back(lines, ups, self.probe.every_s, now)

    def resume(self, findings: Iterable[Finding]) -> None:
        """What the ledger holds (the newest of each series and rule): the open claims are open here too."""
        for finding in findings:
            self._open[finding.rule, finding.series] = finding
        for line in (*self._lines.values(), *self._awaited):
            for judge in line.judges:
                self._resume(line, judge)

    def adopt(self, before: Watch, now: datetime) -> list[Moved]:
        """Take over from the watch before a reload: rules that did not change go on. What is gone ends as unwatched."""
        targets = {target.name for target in self.probe.targets}
        moves: list[Moved] = []
        waited = [(line, self._awaited.get(line.id) or self._lines.get(line.id)) for line in before._awaited]
        lines = [(line, self._line(id) if id.target in targets else None) for id, line in before._lines.items()]
        for old, line in [*lines, *waited]:
            for judge in old.judges:
                same = line.judge(judge.rule.name) if line else None
                if line and same and _alike(same, judge):
                    if not line.times:
                        line.times, line.values = old.times, old.values
                    same.adopt(judge)
                    continue
                if judge.open:
                    moves.append(judge.unwatched(old.id, now))
                if same:
                    same.seq = max(same.seq, judge.seq)
        self._last = {name: run for name, run in before._last.items() if name in targets}
        self._open.update(before._open)
        return moves + self.forget_strangers(now)

    def forget_strangers(self, now: datetime) -> list[Moved]:
        """End the ledger's open claims of rules and targets that this probe has no more."""
        targets = {target.name for target in self.probe.targets}
        moves = []
        for key, finding in list(self._open.items()):
            id, rule = SeriesId.parse(finding.series), self.probe.rule(finding.rule)
            if id.target not in targets or rule is None or not (looks_at(rule, id) or waits_for(rule, id)):
                del self._open[key]
                if finding.state is FindingState.OPEN:
                    moves.append(unwatched(finding, now))
        return moves

    def _resume(self, line: Line, judge: Judge) -> None:
        if finding := self._open.pop((judge.rule.name, str(line.id)), None):
            judge.resume(finding)

    # --- running ---

    def take(self, run: ProbeRun, now: datetime) -> list[Moved]:
        """What a run changes."""
        self._last[run.target] = run
        self._left, self._stand = COSTLY, None
        up = self._ups[run.target]
        if run.outcome is Outcome.UNKNOWN:
            return self._ticked(up, now)
        moves: list[Moved] = []
        for line, value in zip(self._plan(run), run.values, strict=True):
            if line is not None and isfinite(value) and line.add(run.at_s, value) and line.judges:
                moves += self._judged(line, run, now)
        if up.add(run.at_s, 1.0 if run.outcome is Outcome.UP else 0.0):
            moves += self._judged(up, run, now)
        return moves + self._missed(run, now)

    def samples(self, run: ProbeRun) -> list[Sample]:
        """What of a run is to be stored."""
        if run.outcome is Outcome.UNKNOWN:
            return []
        up = (self._ups[run.target].id, run.at_s, 1.0 if run.outcome is Outcome.UP else 0.0)
        pairs = zip(self._plan(run), run.values, strict=True)
        return [up, *((line.id, run.at_s, value) for line, value in pairs if line is not None and isfinite(value))]

    def tick(self, now: datetime) -> list[Moved]:
        """What the passing of time alone changes; also catches up on costly judgements."""
        self._left = COSTLY
        if self._learners is None or self._learners:
            self._stand = None
        moves = self._awaited.others_came(self._lines.values(), now)
        if self._timed is None:
            self._timed = [line for line in self._lines.values() if line.ticks or line.costly]
        for line in self._timed:
            if line.ticks:
                moves += self._ticked(line, now)
            if any(judge.late for judge in line.judges):
                moves += self._caught_up(line, self._last.get(line.id.target), now)
        return moves + self._swept(now) + self._never_came(now)

    def _swept(self, now: datetime) -> list[Moved]:
        """Let go of the series that are gone."""
        if 0 <= now.timestamp() - self._swept_s < (GONE_S if self._unhurried else GONE_EVERY_S):
            return []
        self._swept_s = now.timestamp()
        moves: list[Moved] = []
        for line in list(self._lines.values()):
            run = self._last.get(line.id.target)
            if run is not None and self._gone(line, run):
                moves += [judge.unwatched(line.id, now) for judge in line.judges if judge.open]
                del self._lines[line.id]
                self._plans.clear()
                self._timed = self._learners = None
        return moves

    def unwatch(self, now: datetime) -> list[Moved]:
        """The probe is gone: its open claims end as no longer watched."""
        lines = [*self._lines.values(), *self._awaited]
        moves = [judge.unwatched(line.id, now) for line in lines for judge in line.judges if judge.open]
        moves += [unwatched(finding, now) for finding in self._open.values() if finding.state is FindingState.OPEN]
        self._open.clear()
        return moves

    def _judged(self, line: Line, run: ProbeRun, now: datetime) -> list[Moved]:
        moves: list[Moved] = []
        window: Window | None = None
        for judge in line.judges:
            judge.late += 1
            if self._unhurried and self._can_wait(line, judge):
                continue
            if judge.late > 1 or judge.detector.beside or judge.detector.costly:
                self._step(line, judge, run, now, moves)
                continue
            window = window or line.window(1, run, self.probe.every_s)
            self._saw(line, judge, window, now, moves)
        return moves

    def _caught_up(self, line: Line, run: ProbeRun | None, now: datetime) -> list[Moved]:
        moves: list[Moved] = []
        for judge in line.judges:
            if judge.late and not (self._unhurried and self._can_wait(line, judge)):
                self._step(line, judge, run, now, moves)
        return moves

    def _can_wait(self, line: Line, judge: Judge) -> bool:
        """Whether the newest samples may be judged later, together with those that follow. A line keeps FEWEST_KEPT of them."""
        together_s, options = judge.detector.together_s, judge.rule.options
        if together_s is None or judge.late * self.probe.every_s >= together_s(options) or judge.late >= FEWEST_KEPT:
            return False
        return not judge.detector.urgent(options, judge.state, line.values[-1])

    def _step(self, line: Line, judge: Judge, run: ProbeRun | None, now: datetime, moves: list[Moved]) -> None:
        if judge.detector.costly and self._left <= 0 and not self._unhurried:
            return
        beside = self._beside(line, judge) if judge.detector.beside else None
        self._saw(line, judge, line.window(judge.late, run, self.probe.every_s, beside), now, moves)

    def _saw(self, line: Line, judge: Judge, window: Window, now: datetime, moves: list[Moved]) -> None:
        anew = judge.step(window, now, line.id.metric)
        judge.late = 0
        self._left -= anew and judge.detector.costly
        if (anew or judge.untold) and (moved := judge.moved(line.id, now)):
            moves.append(moved)

    def _beside(self, line: Line, judge: Judge) -> dict[str, Window]:
        """The newest samples of what else this rule looks at."""
        near = ((metric, self._lines.get(replace(line.id, metric=metric))) for metric in judge.detector.beside)
        return {metric: other.window(0, None, self.probe.every_s) for metric, other in near if other and other.times}

    def _ticked(self, line: Line, now: datetime) -> list[Moved]:
        window = line.window(0, self._last.get(line.id.target), self.probe.every_s)
        moves: list[Moved] = []
        for judge in line.judges:
            if judge.detector.ticks and judge.step(window, now, line.id.metric) and (moved := judge.moved(line.id, now)):
                moves.append(moved)
        return moves

    def _missed(self, run: ProbeRun, now: datetime) -> list[Moved]:
        """Let rules that wait know of a run, whether or not it had what they wait for."""
        if not self._awaited.any or run.outcome is not Outcome.UP:
            return []
        waiting = [line for line in self._lines.values() if any(judge.detector.awaits for judge in line.judges)]
        return [moved for line in (*waiting, *self._awaited) if line.id.target == run.target for moved in self._ticked(line, now)]

    def _gone(self, line: Line, run: ProbeRun) -> bool:
        """A file system that was unmounted, a label that comes no more. A counter that rests is not gone: it is shown. Nor is
        what a rule waits for."""
        if line.id.metric == UP[0] or not line.times or run.outcome is not Outcome.UP or _hidden(run, line.id):
            return False
        if any(judge.detector.awaits for judge in line.judges):
            return False
        return run.at_s - line.times[-1] > max(GONE_S, GONE_INTERVALS * self.probe.every_s)

    def _never_came(self, now: datetime) -> list[Moved]:
        """Open claims of the ledger whose series has not come since the start, though its target answers."""
        moves = []
        for key, finding in list(self._open.items()):
            run, up = self._last.get(finding.target), self._lines.get(SeriesId(self.probe.name, finding.target, *UP))
            if run is None or up is None or run.outcome is not Outcome.UP or _hidden(run, SeriesId.parse(finding.series)):
                continue
            if up.times[-1] - up.times[0] > max(GONE_S, GONE_INTERVALS * self.probe.every_s):
                del self._open[key]
                if finding.state is FindingState.OPEN:
                    moves.append(unwatched(finding, now))
        return moves

    def _plan(self, run: ProbeRun) -> list[Line | None]:
        """The line of each of a run's columns; probers hand in the same columns run after run."""
        known = self._plans.get(run.target)
        if known is None or (known[0] is not run.columns and known[0] != run.columns):
            known = (run.columns, [self._line(SeriesId(run.probe, run.target, *column)) for column in run.columns])
            self._plans[run.target] = known
        return known[1]

    def _line(self, id: SeriesId) -> Line | None:
        """The line of a series; None beyond the most that a probe may have."""
        line = self._lines.get(id)
        if line is None and (len(self._lines) < MOST_SERIES or id.metric == UP[0]):
            line = self._lines[id] = Line.of(id, self.probe.rules)
            self._timed = self._learners = None
            self._awaited.came(line)
            for judge in line.judges:
                self._resume(line, judge)
        return line

    # --- for people ---

    @property
    def dropped(self) -> int:
        """How many series of the newest runs are left out, because the probe has too many."""
        return sum(lines.count(None) for _, lines in self._plans.values())

    def view(self, now: datetime) -> tuple[TargetView, ...]:
        """What is known of each target now."""
        lines: dict[str, list[Line]] = {}
        for line in (*self._lines.values(), *self._awaited):
            if line.times or any(judge.claim for judge in line.judges if judge.detector.awaits):
                lines.setdefault(line.id.target, []).append(line)
        return tuple(
            self._target(target.name, lines.get(target.name, []), self.dropped if at == 0 else 0, now)
            for at, target in enumerate(self.probe.targets)
        )

    def stand(self) -> Stand:
        """The probe at a glance."""
        if self._stand is None:
            if self._learners is None:
                lines = (*self._lines.values(), *self._awaited)
                self._learners = [line for line in lines if any(judge.detector.learns for judge in line.judges)]
            learning = tuple(Learner(line.id, ready[0]) for line in self._learners if (ready := _ready(line)))
            self._stand = Stand(self.probe, tuple(self._seen(target.name) for target in self.probe.targets), learning)
        return self._stand

    def _seen(self, target: str) -> Sight:
        run = self._last.get(target)
        if run is None:
            return Sight(target, "unknown", None, None, None)
        return Sight(target, str(run.outcome), run.reason, run.detail, datetime.fromtimestamp(run.at_s, UTC))

    def last(self) -> list[ProbeRun]:
        """The newest run of each target."""
        return list(self._last.values())

    def _target(self, name: str, lines: list[Line], dropped: int, now: datetime) -> TargetView:
        run = self._last.get(name)
        return TargetView(
            target=name,
            outcome=str(run.outcome) if run else "unknown",
            reason=run.reason if run else None,
            detail=run.detail if run else None,
            at=datetime.fromtimestamp(run.at_s, UTC) if run else None,
            lateness_ms=run.lateness_s * 1000 if run else None,
            series=tuple(self._series(line, now) for line in lines),
            dropped_series=dropped,
        )

    def _series(self, line: Line, now: datetime) -> SeriesView:
        window = line.window(0, self._last.get(line.id.target), self.probe.every_s)
        claims = ((judge.rule.name, judge.look(window, now, line.id.metric)) for judge in line.judges)
        rules = tuple(RuleView(rule=name, state=it.state, why=it.why, ready_at=it.ready_at) for name, it in claims if it)
        if not line.times:
            return SeriesView(series=line.id, value=nan, at=None, rules=rules)
        return SeriesView(series=line.id, value=line.values[-1], at=datetime.fromtimestamp(line.times[-1], UTC), rules=rules)


def _ready(line: Line) -> list[datetime | None]:
    """Whether a rule of this series learns: when the first answer is expected, nothing where none does."""
    claims = [judge.claim for judge in line.judges if judge.detector.learns]
    dates = [claim.ready_at for claim in claims if claim and claim.state is RuleState.LEARNING]
    return [min((at for at in dates if at), default=None)] if dates else []


def _alike(judge: Judge, before: Judge) -> bool:
    """The same rule, wherever in its file it stands now."""
    a, b = judge.rule, before.rule
    return (a.kind, a.metric, a.labels, a.options) == (b.kind, b.metric, b.labels, b.options)


def _hidden(run: ProbeRun, id: SeriesId) -> bool:
    """Whether the run says that this series' thing is there, though it could not be looked at."""
    return any(fnmatchcase(id.label(name) or "", glob) for name, glob in run.hidden)
