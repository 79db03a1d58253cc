"""Series that a rule waits for and that have never come: a line without samples for each metric and target.

Such a line stands for whatever the rule would look at. It ends when a series of that metric comes: the very one goes on
where the wait stood, one with other labels ends the wait.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from datetime import datetime

from forewarn.core.detect import DETECTORS
from forewarn.model.inputs import Moved
from forewarn.model.probe import Probe, Rule
from forewarn.model.series import SeriesId, Window
from forewarn.runtime.judge import Judge
from forewarn.runtime.line import Line, Watched, looks_at


def waits_for(rule: Rule, id: SeriesId) -> bool:
    """Whether this is the series that stands for all that the rule waits for."""
    return DETECTORS[rule.kind].awaits and rule.metric == id.metric and not id.labels


class Awaited:
    """The lines of one probe that have no sample yet."""

    def __init__(self, probe: Probe) -> None:
        self._lines: dict[SeriesId, Watched] = {}
        self.any = any(DETECTORS[rule.kind].awaits for rule in probe.rules)
        for target in probe.targets:
            for rule in probe.rules:
                if rule.metric and DETECTORS[rule.kind].awaits:
                    id = SeriesId(probe.name, target.name, rule.metric)
                    line = self._lines.setdefault(id, Watched(id, []))
                    line.judges.append(Judge(rule, DETECTORS[rule.kind]))

    def __iter__(self) -> Iterator[Watched]:
        return iter(list(self._lines.values()))

    def get(self, id: SeriesId) -> Watched | None:
        return self._lines.get(id)

    def came(self, line: Line) -> None:
        """This very series has come: its judges go on where the wait stood."""
        held = self._lines.pop(line.id, None)
        for judge in line.judges:
            if same := held.judge(judge.rule.name) if held else None:
                judge.adopt(same)

    def others_came(self, lines: Iterable[Line], now: datetime) -> list[Moved]:
        """What ends because a series with labels has come."""
        moves: list[Moved] = []
        if not self._lines:
            return moves
        seen = [line.id for line in lines if line.times]
        for line in self:
            for judge in list(line.judges):
                if any(id.target == line.id.target and looks_at(judge.rule, id) for id in seen):
                    line.judges.remove(judge)
                    moves += [judge.ended(line.id, now)] if judge.open else []
            if not line.judges:
                del self._lines[line.id]
        return moves


def history_s(lines: Iterable[Line]) -> float:
    """How much of the past the rules that wait want to know good runs of; 0: there are none."""
    judges = [judge for line in lines for judge in line.judges if judge.detector.awaits]
    return max((judge.detector.history_s(judge.rule.options) for judge in judges), default=0.0)


def look_back(lines: Iterable[Line], ups: Window, every_s: float, now: datetime) -> None:
    """Let the rules that wait know when their target was seen up in the past."""
    for line in lines:
        waiting = [judge for judge in line.judges if judge.detector.awaits]
        last_s = line.times[-1] if line.times else 0.0
        for at_s, value in zip(ups.times_s, ups.values, strict=True) if waiting else ():
            if value > 0 and at_s > last_s:
                window = Window(line.times or array("d"), line.values, 0, every_s, up_s=at_s)
                for judge in waiting:
                    if judge.kept_s is None or at_s > judge.kept_s:
                        judge.step(window, now, line.id.metric)
