"""The series of one probe: their lines, what is remembered of them, and how both begin and outlive a reload.

After a restart they are warmed from history and told which claims are open; after a reload they adopt what was known before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from forewarn.core.detect import DETECTORS
from forewarn.model.finding import Finding, FindingState
from forewarn.model.glance import Stand
from forewarn.model.inputs import Moved
from forewarn.model.probe import Probe
from forewarn.model.series import Counts, ProbeRun, SeriesId, Tally, Window
from forewarn.ports import TargetView
from forewarn.runtime import awaited
from forewarn.runtime.awaited import Awaited, waits_for
from forewarn.runtime.groups import Groups, gathered
from forewarn.runtime.judge import Judge
from forewarn.runtime.line import UP, Line, Watched, looks_at
from forewarn.runtime.plan import Plan
from forewarn.runtime.recollect import Recollection

MOST_SERIES = 1000
COSTLY = 4
"""Costly judgements in one call; more would hold the loop. The rest comes with the next run or tick."""


class Lines:
    """Of one probe; a Watch is these lines at work."""

    def __init__(self, probe: Probe, unhurried: bool = False) -> None:
        """`unhurried`: nobody waits for the answers, so samples may be judged several at one step, where a detector allows it."""
        self.probe, self._unhurried = probe, unhurried
        self._lines: dict[SeriesId, Line] = {}
        self._plans: dict[str, Plan] = {}  # by target
        self._began_s: dict[str, float] = {}  # by target: its first good run in this life
        self._last: dict[str, ProbeRun] = {}
        self._open: dict[tuple[str, str], Finding] = {}  # of the ledger, for series that were not seen yet
        self._left = COSTLY
        self._awaited = Awaited(probe)
        self._groups = Groups(probe)
        self._since: dict[tuple[str, str], float] = {}  # by target and remembered metric: when its first series came
        self._remembered = frozenset(rule.metric for rule in probe.rules if DETECTORS[rule.kind].remembers)
        self._timed: list[Watched] | None = None  # what a tick must look at; None: lines have come or gone
        self._learners: list[Line] | None = None  # those with a rule that has to learn; None as above
        self._certificates: list[Line] = []  # those of what is left of a certificate; as old as the learners
        self.standing: Stand | None = None
        """The probe at a glance; None: something that it shows has changed since, and `Watch.stand` makes it anew."""
        self._view: tuple[TargetView, ...] | None = None  # None: there was a run or a judgement since
        self._swept_s = 0.0
        self._ups: dict[str, Watched] = {}
        for target in probe.targets:
            up = self._line(SeriesId(probe.name, target.name, *UP))
            assert isinstance(up, Watched)
            self._ups[target.name] = up

    def history_s(self, series: SeriesId) -> float:
        """How much of this series' past its rules want; 0: none looks at it."""
        line = Line.of(series, self.probe.rules)
        own = max((judge.detector.history_s(judge.rule.options) for judge in line.judges), default=0.0)
        return max(own, self._groups.history_s(series))

    def needed_s(self, series: SeriesId) -> float:
        """How much of that its rules can't do without."""
        line = Line.of(series, self.probe.rules)
        own = max((judge.detector.needed_s(judge.rule.options) for judge in line.judges), default=0.0)
        return max(own, self._groups.history_s(series))

    def keep_s(self, series: SeriesId) -> float:
        """How far its rules look back at every step."""
        return Line.of(series, self.probe.rules).keep_s

    def remembers(self, series: SeriesId) -> bool:
        """Whether its rules want to know when the first series of its metric came."""
        return any(judge.detector.remembers for judge in Line.of(series, self.probe.rules).judges)

    def began(self, series: SeriesId, first_s: float) -> None:
        """Before `warm`: this series is known since then."""
        key = (series.target, series.metric)
        self._since[key] = min(first_s, self._since.get(key, first_s))

    def held(self) -> dict[SeriesId, Window]:
        """A copy of the samples that are kept here for rules to look at."""
        watched = [line for line in self._lines.values() if isinstance(line, Watched) and line.judges]
        return {line.id: Window(line.times[:], line.values[:], len(line.times)) for line in watched}

    def goes_on(self, series: SeriesId, before: Lines) -> bool:
        """Whether `adopt` will bring all that is known of a series: each rule that looks at it did so before, in the same words."""
        line, old = self._line(series), before._lines.get(series)
        if line is None or old is None or self._groups.history_s(series) or line.keep_s > old.keep_s:
            return False
        known = {judge.rule.name: judge.rule.says for judge in old.judges}
        return all(known.get(judge.rule.name) == judge.rule.says for judge in line.judges)

    def beside(self, series: SeriesId) -> list[SeriesId]:
        """The series of the same thing that this one's rules look at too."""
        metrics = {name: None for judge in Line.of(series, self.probe.rules).judges for name in judge.detector.beside}
        return [replace(series, metric=metric) for metric in metrics]

    def warm(self, series: SeriesId, window: Window, beside: Mapping[str, Window] | None = None, far: Window | None = None) -> None:
        """Replay history; nothing is told. Its first sample only tells detectors where the series stood.

        `beside` is the history of those series, by metric; `far` are means of what lies before `window`, for the rules that
        take them.
        """
        line = self._line(series)
        if line is None or not window.times_s:
            return
        now = datetime.fromtimestamp(window.times_s[-1], UTC)
        fresh = len(window.times_s) - 1
        past = Window(window.times_s, window.values, fresh, self.probe.every_s, beside=beside or {}, labels=series.labels)
        line.hold(window.times_s, window.values)
        if self._groups.history_s(series):
            self._groups.warm(series, window)
        for judge in line.judges:
            if judge.kept_s is not None:
                newer = len(window.times_s) - bisect_right(window.times_s, judge.kept_s)
                judge.step(replace(past, fresh=newer), now, series.metric)
                continue
            if far and judge.detector.coarse:
                judge.step(far, now, series.metric)
            judge.step(past, now, series.metric)

    def recollect(self, series: SeriesId, known: Recollection) -> float | None:
        """Before `warm`: take up what is kept of a series. Answers from when on its samples are still news to all of its rules; None:
        some of them begin anew."""
        line = self._line(series)
        if line is None:
            return None
        known.into(line)
        since = [judge.kept_s for judge in line.judges if judge.detector.kept]
        return None if None in since or self._groups.history_s(series) else min(filter(None, since), default=None)

    def recollect_rest(self, known: Recollection) -> None:
        """The same for lines without samples: what never came, and the rules that look at several series."""
        for series in known.series:
            for rule in self.probe.rules:
                self._groups.of(rule, series)
        for line in (*self._awaited, *self._groups):
            known.into(line)

    def lines(self) -> Iterator[Line]:
        """All of them, also those without samples. They may come and go meanwhile."""
        yield from list(self._lines.values())
        yield from self._awaited
        yield from self._groups

    def run_of(self, target: str) -> ProbeRun | None:
        """The newest run of a target in this life."""
        return self._last.get(target)

    def far_s(self, series: SeriesId) -> float:
        """How far back the means of its past are wanted."""
        judges = Line.of(series, self.probe.rules).judges
        return max((judge.detector.history_s(judge.rule.options) for judge in judges if judge.detector.coarse), default=0.0)

    def recall(self, series: SeriesId, ask: Callable[[Tally], Counts]) -> None:
        """Before `warm`: let rules know by counts what lies before the history that they want in full."""
        known: dict[Tally, Counts] = {}
        line = self._line(series)
        for judge in line.judges if line else ():
            if judge.detector.tally and judge.detector.recall and judge.kept_s is None:
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

    def settle(self) -> None:
        """After all history: let the rules that look at several series judge it."""
        self._shows_other()
        self._groups.settle()

    def resume(self, findings: Iterable[Finding]) -> None:
        """What the ledger holds (the newest of each series and rule): the open claims are open here too."""
        self._shows_other()
        for finding in findings:
            self._open[finding.rule, finding.series] = finding
            if rule := self.probe.rule(finding.rule):
                self._groups.of(rule, SeriesId.parse(finding.series))
        for line in (*self._lines.values(), *self._awaited, *self._groups):
            for judge in line.judges:
                self._resume(line, judge)

    def adopt(self, before: Lines, now: datetime) -> list[Moved]:
        """Take over from the watch before a reload: rules that did not change go on. What is gone ends as unwatched."""
        self._shows_other()
        targets = {target.name for target in self.probe.targets}
        moves: list[Moved] = []
        waited = [(line, self._awaited.get(line.id) or self._lines.get(line.id)) for line in before._awaited]
        lines = [(line, self._line(id) if id.target in targets else None) for id, line in before._lines.items()]
        self._since = {**before._since, **self._since}
        for old, line in [*lines, *waited, *self._groups.paired(before._groups)]:
            if old.behind:
                old.catch_up(before._last.get(old.id.target), before.probe.every_s)
            for judge in old.judges:
                same = line.judge(judge.rule.name) if line else None
                if line and same and same.rule.says == judge.rule.says:
                    line.go_on(old)
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
            if id.target not in targets or rule is None or not (looks_at(rule, id) or waits_for(rule, id) or gathered(rule, id)):
                del self._open[key]
                if finding.state is FindingState.OPEN:
                    moves.append(unwatched(finding, now))
        return moves

    def _shows_other(self) -> None:
        """What people have been shown of this probe holds no longer."""
        self.standing = self._view = None

    def _resume(self, line: Line, judge: Judge) -> None:
        if finding := self._open.pop((judge.rule.name, str(line.id)), None):
            judge.resume(finding)

    def _plan(self, run: ProbeRun) -> Plan:
        """Probers hand in the same columns run after run, and then it is the same plan."""
        known = self._plans.get(run.target)
        if known is None or (known.columns is not run.columns and known.columns != run.columns):
            for metric, _ in run.columns if self._remembered else ():
                if metric in self._remembered:
                    self._since.setdefault((run.target, metric), run.at_s)
            lines = tuple(self._line(SeriesId(run.probe, run.target, *column)) for column in run.columns)
            known = self._plans[run.target] = Plan.of(run.columns, lines, self._ups[run.target])
        return known

    def _line(self, id: SeriesId) -> Line | None:
        """The line of a series; None beyond the most that a probe may have."""
        line = self._lines.get(id)
        if line is None and (len(self._lines) < MOST_SERIES or id.metric == UP[0]):
            line = self._lines[id] = Line.of(id, self.probe.rules)
            if isinstance(line, Watched):
                line.since_s = self._since.get((id.target, id.metric))
            self._timed = self._learners = self.standing = None
            self._awaited.came(line)
            for judge in line.judges:
                self._resume(line, judge)
        return line


def unwatched(finding: Finding, now: datetime) -> Moved:
    """The end of the ledger's claim that nobody looks at any more."""
    return Moved(
        probe=finding.probe,
        rule=finding.rule,
        series=SeriesId.parse(finding.series),
        seq=max(int(now.timestamp() * 1000), finding.seq + 1),
        claim=None,
        unwatched=True,
    )
