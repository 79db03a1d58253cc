"""One rule on one series: what its detector knows, what it claims, and what of that the owner of open work was told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from typing import Any

from forewarn.core.detect import Detector
from forewarn.model.finding import Claim, Finding, FindingState, RuleState
from forewarn.model.inputs import Moved
from forewarn.model.probe import Rule
from forewarn.model.series import SeriesId, Window, unit_of
from forewarn.model.text import Say

P_MOVED = 0.1
"""A probability that moves by less is the same."""
LIKELY_MOVED_S, LIKELY_MOVED = 300.0, 0.10
"""A date that moves by less than both is the same date."""
VALUE_MOVED, VALUE_EVERY_S = 0.10, 60.0
SCARCE = 4.0
"""Of a ratio near 1, a share of what is left counts so many times: from 98 % to 99 % half of it is gone."""


@dataclass(slots=True)
class Judge:
    """One rule on one series. `told` is what the owner of open work knows; None: nothing is open there. `kept_s`: the newest
    sample that its state had seen when it was last kept; None: it was not, in this life or before."""

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
    kept_s: float | None = None

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
        """The claim as it is now: one that nobody asked for yet is made only here. Thousands that say that all is well are
        made anew for each who asks: kept, they would be a third of what a target takes."""
        if not self.stale or not self.detector.claim:
            return self.claim
        claim = _with_unit(self.detector.claim(self.rule.options, self.state, window, now), metric)
        if claim.state is RuleState.OK and not self.open and self.detector.calm:
            self.claim = None
            return claim
        self.claim, self.stale = claim, False
        return claim

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
        if self.kept_s is None:  # otherwise it knows by itself, and tells if it no longer fires
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
        self.stale, self.kept_s = before.stale, before.kept_s

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


def learnt(claim: Claim | None) -> float | None:
    """Until which minute a claim says that its rule learns (inf: it can't tell); None where it learns nothing. Most detectors
    reckon it anew from every sample, and come to a little more or less."""
    if claim is None or claim.state is not RuleState.LEARNING:
        return None
    return claim.ready_at.timestamp() // 60 if claim.ready_at else inf


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
