"""One probe's lines at work. No I/O, no clock: given runs, it answers transitions.

Only transitions leave it: a claim began, changed, or ended. Samples stay here and go to the store. How lines begin, and what
they take over from history and from the watch before a reload, is lines.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from math import inf, isfinite

from forewarn.model.finding import FindingState
from forewarn.model.glance import CERTIFICATE, Learner, Stand, ending
from forewarn.model.inputs import Moved
from forewarn.model.series import Outcome, ProbeRun, SeriesId, Window
from forewarn.ports import Sample, SampleRun, TargetView
from forewarn.runtime import shown
from forewarn.runtime.groups import firing
from forewarn.runtime.judge import Judge, learnt
from forewarn.runtime.line import UP, Line, Watched
from forewarn.runtime.lines import COSTLY, Lines, unwatched

GONE_INTERVALS, GONE_S = 5, 600.0
"""A series that its target's good runs lack for so many intervals, and so long, is gone."""
GONE_EVERY_S = 60.0
"""How often all series are looked through for such."""


class Watch(Lines):
    """Of one probe. `take` for each run, `tick` at least once an interval, `view` for people."""

    # --- running ---

    def keeps(self, run: ProbeRun) -> bool:
        """Take a run that changes nothing, as most do; False, and nothing has happened, when `take` must look at it."""
        plan = self._plans.get(run.target)
        if plan is None or plan.columns is not run.columns or self._awaited.any or self._groups.any or not plan.keeps(run):
            return False
        self._came(run)
        return True

    def take(self, run: ProbeRun, now: datetime) -> list[Moved]:
        """What a run changes."""
        before, up = self._came(run), self._ups[run.target]
        self._left = COSTLY
        if run.outcome is Outcome.UNKNOWN:
            return self._ticked(up, before, now)
        if run.outcome is Outcome.UP:
            self._began_s.setdefault(run.target, run.at_s)
        moves: list[Moved] = []
        plan = self._plan(run)
        for line, value in zip(plan.lines, run.values, strict=True):
            if line is not None and isfinite(value) and line.add(run.at_s, value) and isinstance(line, Watched):
                moves += self._judged(line, run, now)
        if up.add(run.at_s, 1.0 if run.outcome is Outcome.UP else 0.0):
            moves += self._judged(up, run, now)
        plan.settle(self.probe.every_s)
        if self._groups.any:
            moves += self._groups.took(run, self._firing, now)
        return moves + self._missed(run, now)

    def _came(self, run: ProbeRun) -> ProbeRun | None:
        """Keep the newest run of its target; answers the one before it."""
        before, self._last[run.target] = self._last.get(run.target), run
        self._view = None
        if before is None or (before.outcome, before.reason, before.detail) != (run.outcome, run.reason, run.detail):
            self.standing = None  # otherwise it shows the same, but for when
        return before

    def _firing(self, target: str, names: tuple[str, ...]) -> tuple[str, ...]:
        return firing((*self._lines.values(), *self._groups), target, names)

    def row(self, run: ProbeRun) -> SampleRun | None:
        """What of a run is to be stored; None of one that could not look."""
        return None if run.outcome is Outcome.UNKNOWN else self._plan(run).row(run)

    def samples(self, run: ProbeRun) -> list[Sample]:
        """The same, one by one."""
        series, at_s, values = self.row(run) or ((), 0.0, ())
        return [(one, at_s, value) for one, value in zip(series, values, strict=True) if isfinite(value)]

    def tick(self, now: datetime) -> list[Moved]:
        """What the passing of time alone changes; also catches up on costly judgements."""
        self._left = COSTLY
        if self._awaited.any or (self._certificates and self.standing and self.standing.ends_at != self._ends_at()):
            self.standing = None
        if self._awaited.any or self._groups.any:
            self._view = None
        moves = self._awaited.others_came(self._lines.values(), now)
        if self._timed is None:
            self._timed = [line for line in self._lines.values() if isinstance(line, Watched) and (line.ticks or line.costly)]
        now_s, every_s = now.timestamp(), self.probe.every_s
        for line in self._timed:
            if line.low < line.high and 0 <= now_s - line.times[-1] < every_s:
                continue  # calm, and looked at just now
            self._view = None
            run = self._last.get(line.id.target)
            if line.ticks:
                moves += self._ticked(line, run, now)
            if any(judge.late for judge in line.judges):
                moves += self._caught_up(line, run, now)
        return moves + self._groups.ticked(self._firing, now) + self._swept(now) + self._never_came(now)

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
                self._timed = self._learners = self.standing = None
        return moves

    def unwatch(self, now: datetime) -> list[Moved]:
        """The probe is gone: its open claims end as no longer watched."""
        lines = [*self._lines.values(), *self._awaited, *self._groups]
        moves = [judge.unwatched(line.id, now) for line in lines for judge in line.judges if judge.open]
        moves += [unwatched(finding, now) for finding in self._open.values() if finding.state is FindingState.OPEN]
        self._open.clear()
        return moves

    def _judged(self, line: Watched, run: ProbeRun, now: datetime) -> list[Moved]:
        line.behind = False  # what was only kept before this sample, it makes up for
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
        """Whether the newest samples may be judged later, together with those that follow. A line keeps `fewest` of them."""
        together_s, options = judge.detector.together_s, judge.rule.options
        if together_s is None or judge.late * self.probe.every_s >= together_s(options) or judge.late >= line.fewest:
            return False
        return not judge.detector.urgent(options, judge.state, line.values[-1])

    def _step(self, line: Line, judge: Judge, run: ProbeRun | None, now: datetime, moves: list[Moved]) -> None:
        if judge.detector.costly and self._left <= 0 and not self._unhurried:
            return
        beside = self._beside(line, judge) if judge.detector.beside else None
        self._saw(line, judge, line.window(judge.late, run, self.probe.every_s, beside), now, moves)

    def _saw(self, line: Line, judge: Judge, window: Window, now: datetime, moves: list[Moved]) -> None:
        anew = self._stepped(judge, window, now, line.id.metric)
        judge.late = 0
        self._left -= anew and judge.detector.costly
        if (anew or judge.untold) and (moved := judge.moved(line.id, now)):
            moves.append(moved)

    def _stepped(self, judge: Judge, window: Window, now: datetime, metric: str) -> bool:
        """`judge.step`; what a glance shows of a rule is whether it learns and until when."""
        before = judge.claim
        anew = judge.step(window, now, metric)
        if anew and judge.detector.learns and learnt(before) != learnt(judge.claim):
            self.standing = None
        return anew

    def _beside(self, line: Line, judge: Judge) -> dict[str, Window]:
        """The newest samples of what else this rule looks at."""
        near = ((metric, self._lines.get(replace(line.id, metric=metric))) for metric in judge.detector.beside)
        return {metric: other.window(0, None, self.probe.every_s) for metric, other in near if other and other.times}

    def _ticked(self, line: Watched, before: ProbeRun | None, now: datetime) -> list[Moved]:
        """`before`: the newest run that the line has taken."""
        if line.behind:
            line.catch_up(before, self.probe.every_s)
        line.low, line.high = inf, -inf  # until it is judged again
        window = line.window(0, self._last.get(line.id.target), self.probe.every_s)
        moves: list[Moved] = []
        for judge in line.judges:
            if judge.detector.ticks and self._stepped(judge, window, now, line.id.metric) and (moved := judge.moved(line.id, now)):
                moves.append(moved)
        return moves

    def _missed(self, run: ProbeRun, now: datetime) -> list[Moved]:
        """Let rules that wait know of a run, whether or not it had what they wait for."""
        if not self._awaited.any or run.outcome is not Outcome.UP:
            return []
        watched = [line for line in self._lines.values() if isinstance(line, Watched)]
        waiting = [line for line in watched if any(judge.detector.awaits for judge in line.judges)]
        return [
            moved for line in (*waiting, *self._awaited) if line.id.target == run.target for moved in self._ticked(line, run, now)
        ]

    def _gone(self, line: Line, run: ProbeRun) -> bool:
        """A file system that was unmounted, a label that comes no more. A counter that rests is not gone: it is shown. Nor is
        what a rule waits for."""
        if line.id.metric == UP[0] or not line.times or run.outcome is not Outcome.UP or _hidden(run, line.id):
            return False
        if any(judge.detector.awaits or judge.detector.remembers for judge in line.judges):
            return False
        return run.at_s - line.times[-1] > max(GONE_S, GONE_INTERVALS * self.probe.every_s)

    def _never_came(self, now: datetime) -> list[Moved]:
        """Open claims of the ledger whose series has not come since the start, though its target answers."""
        moves = []
        for key, finding in list(self._open.items()):
            run, up = self._last.get(finding.target), self._lines.get(SeriesId(self.probe.name, finding.target, *UP))
            if run is None or up is None or run.outcome is not Outcome.UP or _hidden(run, SeriesId.parse(finding.series)):
                continue
            if up.times[-1] - self._began_s.get(finding.target, inf) > max(GONE_S, GONE_INTERVALS * self.probe.every_s):
                del self._open[key]
                if finding.state is FindingState.OPEN:
                    moves.append(unwatched(finding, now))
        return moves

    # --- for people ---

    @property
    def dropped(self) -> int:
        """How many series of the newest runs are left out, because the probe has too many."""
        return sum(plan.lines.count(None) for plan in self._plans.values())

    def view(self, now: datetime) -> tuple[TargetView, ...]:
        """What is known of each target now. Made anew only after a run or a judgement: most that look do so in between."""
        if self._view is None:
            self._view = self._viewed(now)
        return self._view

    def _viewed(self, now: datetime) -> tuple[TargetView, ...]:
        lines: dict[str, list[Line]] = {}
        for line in (*self._lines.values(), *self._awaited, *self._groups):
            if line.times or any(judge.claim for judge in line.judges if judge.detector.awaits or judge.detector.gathers):
                lines.setdefault(line.id.target, []).append(line)
        return tuple(
            shown.target(name, self._last.get(name), lines.get(name, []), self.dropped if at == 0 else 0, self.probe.every_s, now)
            for at, name in enumerate(target.name for target in self.probe.targets)
        )

    def stand(self) -> Stand:
        """The probe at a glance: the same one until something about it changes."""
        if self.standing is None:
            if self._learners is None:
                lines = (*self._lines.values(), *self._awaited)
                self._learners = [line for line in lines if any(judge.detector.learns for judge in line.judges)]
                self._certificates = [line for line in lines if line.id.metric == CERTIFICATE]
            learning = tuple(Learner(line.id, ready[0]) for line in self._learners if (ready := shown.ready(line)))
            seen = tuple(shown.sight(target.name, self._last.get(target.name)) for target in self.probe.targets)
            self.standing = Stand(self.probe, seen, learning, self._ends_at())
        return self.standing

    def _ends_at(self) -> datetime | None:
        """When the first certificate ends, to the minute: a look takes now a little longer, now a little less."""
        return ending((line.times[-1], line.values[-1]) for line in self._certificates if line.times)

    def last(self) -> list[ProbeRun]:
        """The newest run of each target."""
        return list(self._last.values())


def _hidden(run: ProbeRun, id: SeriesId) -> bool:
    """Whether the run says that this series' thing is there, though it could not be looked at."""
    return any(fnmatchcase(id.label(name) or "", glob) for name, glob in run.hidden)
