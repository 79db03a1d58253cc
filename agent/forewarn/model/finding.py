"""What a rule claims about a series: the evidence that incidents are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from forewarn.model.forecast import Forecast
from forewarn.model.level import Colour, Effect
from forewarn.model.series import Labels
from forewarn.model.text import Say


class RuleState(StrEnum):
    """Of one rule on one series."""

    OK = "ok"
    PENDING = "pending"  # over the limit, not yet for long enough
    FIRING = "firing"
    LEARNING = "learning"
    NEVER = "never"  # a forecast that sees no crossing
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The figures behind a claim. Value and limit are in the metric's unit."""

    value: float | None = None
    limit: float | None = None
    window_s: float | None = None
    n: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    lines: tuple[str, ...] = ()  # example log lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a detector says now. `confirmed`: at least two runs in a row agree (or the rule's `for` has passed).

    `old`: it fires on what stood already when the series was first seen: true, but no news (an old wound).
    """

    state: RuleState
    why: Say
    evidence: Evidence = field(default_factory=Evidence)
    forecast: Forecast | None = None
    confirmed: bool = True
    ready_at: datetime | None = None  # while learning: when the first answer is expected
    old: bool = False


class FindingState(StrEnum):
    OPEN = "open"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One for each (probe, rule, series). Cleared findings stay as evidence; a return makes a new one."""

    id: str
    state: FindingState
    series: str
    target: str
    labels: Labels
    metric: str
    rule: str
    kind: str  # the rule's kind
    probe: str
    service: str | None
    colour: Colour
    effect: Effect | None  # the rule's own override
    opened_at: datetime
    cleared_at: datetime | None = None
    ended: str | None = None  # cleared | unwatched
    why: Say
    evidence: Evidence
    forecast: Forecast | None
    confirmed: bool
    incident: str | None = None
    config: str
    source: str  # file:line of the rule
    seq: int  # sequence of the last transition taken from this series' rule
    old: bool = False  # an old wound: it opens nothing as long as it does not change
    told: bool = False  # as an old wound, in a digest

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.probe, self.rule, self.series)
