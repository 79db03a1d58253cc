"""One series inside a watch: its newest samples, and the rules that look at it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from math import inf

from forewarn.core.detect import DETECTORS
from forewarn.model.probe import Rule
from forewarn.model.series import Column, Outcome, ProbeRun, SeriesId, Window
from forewarn.runtime.judge import Judge

UP: Column = ("up", ())
FEWEST_KEPT, FEWEST_COSTLY = 4, 32
"""Samples that are kept whatever the rules look back to: a costly judgement may come a few samples late."""
NO_JUDGES: list[Judge] = []
"""Shared by the lines that no rule looks at: thousands of them."""
SET_BACK_S = 60.0
"""A sample that is older than the newest by more than this shows a clock that was set back; less is jitter."""


class Line(ABC):
    """A series inside a watch: its newest samples, and the judges that look at it.

    A value strictly between `low` and `high` changes nothing that anybody would be told: the series is calm, and its judges
    see such a sample only when somebody asks (`behind`: they have not seen the newest). There are two sorts, see Bare and
    Watched; thousands of both, so they hold no more than they need.
    """

    __slots__ = ("id",)

    id: SeriesId
    judges: list[Judge]
    times: array[float]  # epoch seconds, oldest first; as long as `values`
    values: array[float]
    ticks: bool  # whether a judge wants to see time pass
    costly: bool
    low: float
    high: float
    behind: bool
    since_s: float | None  # when the first series of its metric came, where a rule wants to know that
    keep_s: float  # how far its judges look back at every step

    @staticmethod
    def of(id: SeriesId, rules: tuple[Rule, ...]) -> Line:
        """With the judges of the rules that look at it."""
        judges = [Judge(rule, DETECTORS[rule.kind]) for rule in rules if looks_at(rule, id) and not DETECTORS[rule.kind].gathers]
        if judges or id.metric == UP[0] or any(id.metric in DETECTORS[rule.kind].beside for rule in rules):
            return Watched(id, judges)
        return Bare(id)

    @property
    def fewest(self) -> int:
        """Samples that are kept at least."""
        return 1

    @abstractmethod
    def add(self, at_s: float, value: float) -> bool:
        """False when the sample is not newer than the newest; a clock that was set back by much begins a new past."""

    @abstractmethod
    def keep(self, at_s: float, value: float) -> None:
        """Keep a sample that is newer than the newest."""

    @abstractmethod
    def hold(self, times: array[float], values: array[float]) -> None:
        """Hold the end of a history in the place of what is there."""

    @abstractmethod
    def settle(self, every_s: float) -> None:
        """After a judgement: between which bounds is a value nothing new for all judges?"""

    @abstractmethod
    def catch_up(self, run: ProbeRun | None, every_s: float) -> None:
        """Let the judges see the newest of the calm samples; nothing comes of it but what they would say."""

    def window(self, fresh: int, run: ProbeRun | None, every_s: float, beside: Mapping[str, Window] | None = None) -> Window:
        """What a detector is shown."""
        reason, detail, lines = (run.reason, run.detail, run.lines) if run else (None, None, ())
        up_s = run.at_s if run and run.outcome is Outcome.UP else None
        times, values = self.times, self.values
        return Window(
            times,
            values,
            min(fresh, len(times)),
            every_s,
            reason,
            detail,
            lines,
            beside or {},
            up_s,
            self.since_s,
            (),
            self.id.labels,
        )

    def go_on(self, before: Line) -> None:
        """Take over what another line of this series has seen since the history that this one was handed."""
        times, values = before.times, before.values
        if not self.times:
            self.hold(times, values)
            return
        for at in range(bisect_right(times, self.times[-1]), len(times)):
            self.keep(times[at], values[at])

    def judge(self, rule: str) -> Judge | None:
        return next((judge for judge in self.judges if judge.rule.name == rule), None)


class Bare(Line):
    """A series that no rule looks at: its newest sample, and nothing else."""

    __slots__ = ("_at_s", "_value")

    judges: list[Judge] = NO_JUDGES
    ticks = costly = behind = False
    low, high, since_s, keep_s = inf, -inf, None, 0.0

    def __init__(self, id: SeriesId) -> None:
        self.id, self._at_s, self._value = id, -inf, 0.0

    @property
    def times(self) -> array[float]:  # type: ignore[override]  # nobody puts other samples there
        return array("d", () if self._at_s == -inf else (self._at_s,))

    @property
    def values(self) -> array[float]:  # type: ignore[override]
        return array("d", () if self._at_s == -inf else (self._value,))

    def add(self, at_s: float, value: float) -> bool:
        if 0 <= self._at_s - at_s < SET_BACK_S:
            return False
        self.keep(at_s, value)
        return True

    def keep(self, at_s: float, value: float) -> None:
        self._at_s, self._value = at_s, value

    def hold(self, times: array[float], values: array[float]) -> None:
        if times:
            self.keep(times[-1], values[-1])

    def settle(self, every_s: float) -> None:
        """Nobody looks."""

    def catch_up(self, run: ProbeRun | None, every_s: float) -> None:
        """Nobody looks."""


class Watched(Line):
    """A series with judges, one that those of another series look at too, or the target's own `up`: keeps at least the samples
    of `keep_s` seconds."""

    __slots__ = ("behind", "costly", "high", "judges", "keep_s", "low", "since_s", "ticks", "times", "values")

    def __init__(self, id: SeriesId, judges: list[Judge]) -> None:
        self.id, self.judges = id, judges
        self.keep_s = max((judge.detector.keep_s(judge.rule.options) for judge in judges), default=0.0)
        self.ticks = any(judge.detector.ticks for judge in judges)
        self.costly = any(judge.detector.costly for judge in judges)
        self.since_s: float | None = None
        self.times, self.values = array("d"), array("d")
        self.low, self.high, self.behind = inf, -inf, False

    @property
    def fewest(self) -> int:
        return FEWEST_COSTLY if self.costly else FEWEST_KEPT

    def settle(self, every_s: float) -> None:
        low, high = -inf, inf
        window = self.window(0, None, every_s) if self.judges else None
        for judge in self.judges:
            bounds = judge.calm(window)
            if bounds is None:
                low, high = inf, -inf
                break
            low, high = max(low, bounds[0]), min(high, bounds[1])
        self.low, self.high = low, high

    def catch_up(self, run: ProbeRun | None, every_s: float) -> None:
        self.behind = False
        if not self.times:
            return
        window = self.window(1, run, every_s)
        seen_s = self.times[-1] + (run.took_s if run and run.at_s == self.times[-1] else 0.0)
        for judge in self.judges:
            judge.step(window, datetime.fromtimestamp(seen_s, UTC), self.id.metric)

    def add(self, at_s: float, value: float) -> bool:
        if self.times and at_s <= self.times[-1]:
            if self.times[-1] - at_s < SET_BACK_S:
                return False
            del self.times[:], self.values[:]
        self.keep(at_s, value)
        return True

    def keep(self, at_s: float, value: float) -> None:
        times = self.times
        times.append(at_s)
        self.values.append(value)
        if len(times) > 2 * FEWEST_KEPT and times[0] < at_s - 2 * self.keep_s and len(times) > 2 * self.fewest:
            self._trim(at_s)

    def hold(self, times: array[float], values: array[float]) -> None:
        self.times, self.values = array("d", times), array("d", values)
        if self.times:
            self._trim(self.times[-1])

    def _trim(self, at_s: float) -> None:
        cut = min(bisect_left(self.times, at_s - self.keep_s), len(self.times) - self.fewest)
        if cut > 0:
            del self.times[:cut], self.values[:cut]


def looks_at(rule: Rule, id: SeriesId) -> bool:
    """Whether a rule is about this series: its metric, and every label glob."""
    if rule.metric != id.metric:
        return False
    return all(fnmatchcase(id.label(name) or "", glob) for name, glob in rule.labels)
