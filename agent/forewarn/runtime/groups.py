"""Rules that look at several series at once: how many values of a label came, how many other rules fire.

Such a rule is judged on a line of its own, without samples: for `cardinality` the metric with the labels that are not
counted, one line for each set of them; for `compose` the target.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from forewarn.core.detect import DETECTORS
from forewarn.model.inputs import Moved
from forewarn.model.probe import Probe, Rule
from forewarn.model.series import Column, ProbeRun, SeriesId, Window
from forewarn.runtime.judge import Judge
from forewarn.runtime.line import Line, Watched, looks_at

MOST_LINES = 1000
Firing = Callable[[str, tuple[str, ...]], tuple[str, ...]]
"""Which of these rules fire on any series of a target."""


def gathered(rule: Rule, id: SeriesId) -> bool:
    """Whether this may be the line of a rule that gathers."""
    return bool(DETECTORS[rule.kind].gathers) and rule.metric == id.metric


class Groups:
    """The gathering rules of one probe."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        rules = [rule for rule in probe.rules if DETECTORS[rule.kind].gathers]
        self._counting = [rule for rule in rules if DETECTORS[rule.kind].gathers == "labels"]
        self._composing = [rule for rule in rules if DETECTORS[rule.kind].gathers == "rules"]
        self._lines: dict[tuple[str, SeriesId], Line] = {}
        self._last: dict[SeriesId, float] = {}
        self._plans: dict[str, tuple[tuple[Column, ...], list[tuple[int, SeriesId]]]] = {}
        self._past: dict[tuple[str, SeriesId], dict[str, float]] = {}  # while history is read: name -> when it last came
        self._past_s: dict[tuple[str, SeriesId], float] = {}
        for target in probe.targets:
            for rule in self._composing:
                self._line(rule, SeriesId(probe.name, target.name, rule.metric or "up"))

    def __iter__(self) -> Iterator[Line]:
        return iter(list(self._lines.values()))

    @property
    def any(self) -> bool:
        return bool(self._counting or self._composing)

    def of(self, rule: Rule, id: SeriesId) -> Line | None:
        """The line of a rule that gathers, for a claim that stood before."""
        return self._line(rule, id) if gathered(rule, id) else None

    def paired(self, before: Groups) -> list[tuple[Line, Line | None]]:
        """Each line of the groups before a reload, with the one that goes on for it here."""
        targets = {target.name for target in self._probe.targets}
        rules = [(line, self._probe.rule(line.judges[0].rule.name)) for line in before]
        return [(line, self.of(rule, line.id) if rule and line.id.target in targets else None) for line, rule in rules]

    # --- history ---

    def history_s(self, series: SeriesId) -> float:
        """How much of a series' past the rules that count its labels want."""
        return max((DETECTORS[r.kind].history_s(r.options) for r in self._counting if looks_at(r, series)), default=0.0)

    def warm(self, series: SeriesId, window: Window) -> None:
        """Take in a member's history; `settle` judges it."""
        self._last[series] = window.values[-1]
        for rule in self._counting:
            if looks_at(rule, series):
                key = (rule.name, _home(rule, series))
                grew = [at for at in range(1, len(window.values)) if window.values[at] != window.values[at - 1]]
                seen = self._past.setdefault(key, {})
                self._past_s[key] = min(self._past_s.get(key, window.times_s[0]), window.times_s[0])
                if grew:
                    name = _name(rule, series)
                    seen[name] = max(seen.get(name, 0.0), window.times_s[grew[-1]])

    def settle(self) -> None:
        """After all history: let the rules know, in the order of time; nothing is told."""
        for (name, id), seen in self._past.items():
            rule = self._probe.rule(name)
            line = self._line(rule, id) if rule else None
            if line is None:
                continue
            kept_s = line.judges[0].kept_s
            if kept_s is None:
                self._step(line, self._past_s[name, id], ())
            for term, at_s in sorted(seen.items(), key=lambda item: item[1]):
                if kept_s is None or at_s > kept_s:
                    self._step(line, at_s, (term,))
        self._past.clear()
        self._past_s.clear()

    # --- running ---

    def took(self, run: ProbeRun, firing: Firing, now: datetime) -> list[Moved]:
        """What a good run changes."""
        moves: list[Moved] = []
        came = self._came(run)
        for rule in self._composing:
            id = SeriesId(run.probe, run.target, rule.metric or "up")
            if line := self._line(rule, id):
                moves += self._judged(line, run, firing(run.target, rule.options.of), now)  # type: ignore[attr-defined]
        for (rule_name, id), line in list(self._lines.items()):
            rule = line.judges[0].rule
            if id.target == run.target and DETECTORS[rule.kind].gathers == "labels":
                moves += self._judged(line, run, came.get((rule_name, id), ()), now)
        return moves

    def ticked(self, firing: Firing, now: datetime) -> list[Moved]:
        """What the passing of time alone changes."""
        moves: list[Moved] = []
        for (_, id), line in list(self._lines.items()):
            rule = line.judges[0].rule
            names = firing(id.target, rule.options.of) if DETECTORS[rule.kind].gathers == "rules" else ()  # type: ignore[attr-defined]
            window = Window(array("d"), array("d"), 0, self._probe.every_s, came=names)
            moves += self._told(line, window, now)
        return moves

    def _came(self, run: ProbeRun) -> dict[tuple[str, SeriesId], tuple[str, ...]]:
        """By rule and line: the names whose counters grew with this run."""
        if not self._counting:
            return {}
        came: dict[tuple[str, SeriesId], list[str]] = {}
        for place, series in self._plan(run):
            value, before = run.values[place], self._last.get(series)
            self._last[series] = value
            grew = value > 0 and value != before  # a counter without a past came from zero
            for rule in self._counting:
                if looks_at(rule, series):
                    id = _home(rule, series)
                    self._line(rule, id)
                    if grew:
                        came.setdefault((rule.name, id), []).append(_name(rule, series))
        return {key: tuple(names) for key, names in came.items()}

    def _plan(self, run: ProbeRun) -> list[tuple[int, SeriesId]]:
        """Which columns of a run are looked at."""
        known = self._plans.get(run.target)
        if known is None or (known[0] is not run.columns and known[0] != run.columns):
            ids = [SeriesId(run.probe, run.target, *column) for column in run.columns]
            chosen = [(i, id) for i, id in enumerate(ids) if any(looks_at(rule, id) for rule in self._counting)]
            known = self._plans[run.target] = (run.columns, chosen)
        return known[1]

    def _judged(self, line: Line, run: ProbeRun, came: tuple[str, ...], now: datetime) -> list[Moved]:
        window = Window(array("d", (run.at_s,)), array("d", (len(came),)), 1, self._probe.every_s, came=came, lines=run.lines)
        return self._told(line, window, now)

    def _told(self, line: Line, window: Window, now: datetime) -> list[Moved]:
        moves = []
        for judge in line.judges:
            anew = judge.step(window, now, line.id.metric)
            judge.look(window, now, line.id.metric)
            if (anew or judge.untold) and (moved := judge.moved(line.id, now)):
                moves.append(moved)
        return moves

    def _step(self, line: Line, at_s: float, came: tuple[str, ...]) -> None:
        window = Window(array("d", (at_s,)), array("d", (len(came),)), 1, self._probe.every_s, came=came)
        for judge in line.judges:
            judge.step(window, datetime.fromtimestamp(at_s, UTC), line.id.metric)

    def _line(self, rule: Rule, id: SeriesId) -> Line | None:
        key = (rule.name, id)
        if key not in self._lines and len(self._lines) < MOST_LINES:
            self._lines[key] = Watched(id, [Judge(rule, DETECTORS[rule.kind])])
        return self._lines.get(key)


def firing(lines: Iterable[Line], target: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these rules fire on any of a target's lines."""
    own = (judge for line in lines if line.id.target == target for judge in line.judges)
    fires = {judge.rule.name for judge in own if judge.state and judge.state.firing}
    return tuple(name for name in names if name in fires)


def _home(rule: Rule, series: SeriesId) -> SeriesId:
    """The line that a series counts for: its labels without those that are counted."""
    of = rule.options.of  # type: ignore[attr-defined]
    return SeriesId(series.probe, series.target, series.metric, tuple(pair for pair in series.labels if pair[0] not in of))


def _name(rule: Rule, series: SeriesId) -> str:
    of: tuple[str, ...] = rule.options.of  # type: ignore[attr-defined]
    return " ".join(series.label(name) or "" for name in of)
