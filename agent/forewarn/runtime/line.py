"""One series inside a watch: its newest samples, and the rules that look at it."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from math import inf
from typing import Any

from forewarn.core.detect import DETECTORS, Detector
from forewarn.model.finding import Claim, Finding, FindingState, RuleState
from forewarn.model.inputs import Moved
from forewarn.model.probe import Rule
from forewarn.model.series import Outcome, ProbeRun, SeriesId, Window, unit_of
from forewarn.model.text import Say

P_MOVED = 0.1
"""A probability that moves by less is the same."""
LIKELY_MOVED_S, LIKELY_MOVED = 300.0, 0.10
"""A date that moves by less than both is the same date."""
VALUE_MOVED, VALUE_EVERY_S = 0.10, 60.0
SCARCE = 4.0
"""Of a ratio near 1, a share of what is left counts so many times: from 98 % to 99 % half of it is gone."""
FEWEST_KEPT, FEWEST_COSTLY = 4, 32
"""Samples that are kept whatever the rules look back to: a costly judgement may come a few samples late."""
NO_JUDGES: list[Judge] = []
"""Shared by the lines that no rule looks at: thousands of them."""
SET_BACK_S = 60.0
"""A sample that is older than the newest by more than this shows a clock that was set back; less is jitter."""


@dataclass(slots=True)
class Judge:
    """One rule on one series. `told` is what the owner of open work knows; None: nothing is open there."""

    rule: Rule
    detector: Detector
    state: Any = None
    claim: Claim | None = None
    told: Claim | None = None
    open: bool = False
    seq: int = 0
    late: int = 0  # samples that wait for a costly detector
    raw: Claim | None = None  # the detector's own claim, before the unit
    stale: bool = False  # the state has gone on since the claim was made

    def step(self, window: Window, now: datetime, metric: str) -> bool:
        """Let the detector look; False when it only repeated its last claim, or when there is nothing to tell."""
        if self.detector.after:
            self.state = self.detector.after(self.rule.options, self.state, window, now)
            self.stale = True
            if not self.open and not self.state.firing:
                return False
            self.look(window, now, metric)
            return True
        self.state, claim = self.detector.step(self.rule.options, self.state, window, now)
        if claim is self.raw:
            return False
        self.raw, self.claim = claim, _with_unit(claim, metric)
        return True

    def look(self, window: Window, now: datetime, metric: str) -> Claim | None:
        """The claim as it is now: one that nobody asked for yet is made only here."""
        if self.stale and self.detector.claim:
            self.claim, self.stale = _with_unit(self.detector.claim(self.rule.options, self.state, window, now), metric), False
        return self.claim

    def calm(self, window: Window | None) -> tuple[float, float] | None:
        """Between which bounds a value leaves this judge where it stands; None: it wants to see every sample."""
        if self.detector.calm is None or self.late or self.open or self.untold or self.state is None:
            return None
        return self.detector.calm(self.rule.options, self.state, window)

    @property
    def untold(self) -> bool:
        """Whether the owner of open work may believe something else, as after a restart."""
        return self.open is not bool(self.state and self.state.firing)

    def resume(self, finding: Finding) -> None:
        """Take over what the ledger holds of this rule and series."""
        self.seq = max(self.seq, finding.seq)
        if finding.state is not FindingState.OPEN:
            return
        self.open = True
        self.state = self.detector.resume(self.rule.options, self.state)
        self.told = Claim(
            state=RuleState.FIRING,
            why=finding.why,
            evidence=finding.evidence,
            forecast=finding.forecast,
            confirmed=finding.confirmed,
            old=finding.old,
        )

    def adopt(self, before: Judge) -> None:
        """Go on where the same rule's judge stood before a reload."""
        self.seq = max(self.seq, before.seq)
        self.state, self.claim, self.raw, self.told, self.open = before.state, before.claim, before.raw, before.told, before.open
        self.stale = before.stale

    def moved(self, series: SeriesId, now: datetime) -> Moved | None:
        """What the owner does not know yet: a claim began, changed or ended."""
        claim = self.claim
        if claim is None:
            return None
        if self.state.firing and claim.state is RuleState.FIRING:
            if self.open and self.told and not _differs(self.told, claim, now, series.metric):
                return None
            self.open, self.told = True, claim
        elif self.open and not self.state.firing:
            self.open, self.told, claim = False, None, None
        else:
            return None
        return Moved(probe=series.probe, rule=self.rule.name, series=series, seq=self.next_seq(now), claim=claim)

    def unwatched(self, series: SeriesId, now: datetime) -> Moved:
        """The end of an open claim that nobody looks at any more."""
        return replace(self.ended(series, now), unwatched=True)

    def ended(self, series: SeriesId, now: datetime) -> Moved:
        """The end of an open claim, whatever its detector says."""
        self.open, self.told = False, None
        return Moved(probe=series.probe, rule=self.rule.name, series=series, seq=self.next_seq(now), claim=None)

    def next_seq(self, now: datetime) -> int:
        """Grows with every transition, also across restarts: the time in ms, one more where that is not enough."""
        self.seq = max(int(now.timestamp() * 1000), self.seq + 1)
        return self.seq


@dataclass(slots=True)
class Line:
    """A series, its newest samples and its judges. Keeps at least the last `keep_s` seconds.

    A value strictly between `low` and `high` changes nothing that anybody would be told: the series is calm, and its judges
    see such a sample only when somebody asks (`behind`: they have not seen the newest). A `bare` line, which no rule looks
    at, holds just its newest sample. `since_s` is when the first series of its metric came.
    """

    id: SeriesId
    judges: list[Judge]
    keep_s: float
    ticks: bool
    costly: bool = False
    since_s: float | None = None
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    low: float = inf
    high: float = -inf
    behind: bool = False
    bare: bool = False
    fewest: int = FEWEST_KEPT

    @staticmethod
    def of(id: SeriesId, rules: tuple[Rule, ...]) -> Line:
        judges = [
            Judge(rule, DETECTORS[rule.kind]) for rule in rules if looks_at(rule, id) and not DETECTORS[rule.kind].gathers
        ] or NO_JUDGES
        keep = max((judge.detector.keep_s(judge.rule.options) for judge in judges), default=0.0)
        detectors = [judge.detector for judge in judges]
        line = Line(id, judges, keep, any(one.ticks for one in detectors), any(one.costly for one in detectors))
        line.fewest = FEWEST_COSTLY if line.costly else FEWEST_KEPT
        line.bare = not judges and not any(id.metric in DETECTORS[rule.kind].beside for rule in rules)
        return line

    def settle(self, every_s: float) -> None:
        """After a judgement: between which bounds is a value nothing new for all judges?"""
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
        """Let the judges see the newest of the calm samples; nothing comes of it but what they would say."""
        self.behind = False
        if not self.times:
            return
        window = self.window(1, run, every_s)
        seen_s = self.times[-1] + (run.took_s if run and run.at_s == self.times[-1] else 0.0)
        for judge in self.judges:
            judge.step(window, datetime.fromtimestamp(seen_s, UTC), self.id.metric)

    def add(self, at_s: float, value: float) -> bool:
        """False when the sample is not newer than the newest; a clock that was set back by much begins a new past."""
        if self.times and at_s <= self.times[-1]:
            if self.times[-1] - at_s < SET_BACK_S:
                return False
            del self.times[:], self.values[:]
        self.keep(at_s, value)
        return True

    def keep(self, at_s: float, value: float) -> None:
        """Keep a sample that is newer than the newest; on a bare line in the place of that."""
        times = self.times
        if self.bare and times:
            times[0], self.values[0] = at_s, value
            return
        times.append(at_s)
        self.values.append(value)
        if len(times) > 2 * self.fewest and times[0] < at_s - 2 * self.keep_s:
            self._trim(at_s)

    def warm(self, window: Window) -> None:
        """Hold the end of a history."""
        begin = -1 if self.bare else 0
        self.times, self.values = array("d", window.times_s[begin:]), array("d", window.values[begin:])
        if self.times:
            self._trim(self.times[-1])

    def window(self, fresh: int, run: ProbeRun | None, every_s: float, beside: Mapping[str, Window] | None = None) -> Window:
        """What a detector is shown."""
        reason, detail, lines = (run.reason, run.detail, run.lines) if run else (None, None, ())
        up_s = run.at_s if run and run.outcome is Outcome.UP else None
        fresh = min(fresh, len(self.times))
        return Window(
            self.times, self.values, fresh, every_s, reason, detail, lines, beside or {}, up_s, self.since_s, (), self.id.labels
        )

    def judge(self, rule: str) -> Judge | None:
        return next((judge for judge in self.judges if judge.rule.name == rule), None)

    def _trim(self, at_s: float) -> None:
        cut = min(bisect_left(self.times, at_s - self.keep_s), len(self.times) - self.fewest)
        if cut > 0:
            del self.times[:cut], self.values[:cut]


def learnt(claim: Claim | None) -> float | None:
    """Until which minute a claim says that its rule learns (inf: it can't tell); None where it learns nothing. Most detectors
    reckon it anew from every sample, and come to a little more or less."""
    if claim is None or claim.state is not RuleState.LEARNING:
        return None
    return claim.ready_at.timestamp() // 60 if claim.ready_at else inf


def looks_at(rule: Rule, id: SeriesId) -> bool:
    """Whether a rule is about this series: its metric, and every label glob."""
    if rule.metric != id.metric:
        return False
    return all(fnmatchcase(id.label(name) or "", glob) for name, glob in rule.labels)


def _with_unit(claim: Claim, metric: str) -> Claim:
    """Detectors know no units; whoever reads the sentence does."""
    return replace(claim, why=Say(claim.why.key, {**claim.why.facts, "unit": unit_of(metric)}))


def _differs(told: Claim, claim: Claim, now: datetime, metric: str) -> bool:
    """Whether a claim that goes on is worth telling again."""
    if (claim.confirmed and not told.confirmed) or (told.old and not claim.old):
        return True
    if claim.forecast and told.forecast and not (claim.forecast.crossed and told.forecast.crossed):
        return _date_moved(told, claim, now)
    value, before, limit = claim.evidence.value, told.evidence.value, claim.evidence.limit
    since, last = told.evidence.last_at, claim.evidence.last_at
    if value is None or before is None or limit is None or not since or not last or (last - since).total_seconds() < VALUE_EVERY_S:
        return False
    scale = max(abs(limit), abs(before))
    if metric.endswith("_ratio") and 0.5 < before < 1.0:
        scale = min(scale, SCARCE * (1.0 - before))
    return abs(value - before) >= VALUE_MOVED * scale > 0


def _date_moved(told: Claim, claim: Claim, now: datetime) -> bool:
    before, after = told.forecast, claim.forecast
    if before is None or after is None or before.crossed != after.crossed:
        return True
    if after.likely is None and before.likely is None:
        return abs((after.p or 0.0) - (before.p or 0.0)) >= P_MOVED
    if after.crossed or before.likely is None or after.likely is None:
        return False
    moved = abs((after.likely - before.likely).total_seconds())
    if before.earliest and after.earliest:
        moved = max(moved, abs((after.earliest - before.earliest).total_seconds()))
    return moved > max(LIKELY_MOVED_S, LIKELY_MOVED * (before.likely - now).total_seconds())
