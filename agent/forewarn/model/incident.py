"""The unit of response: one trouble, from ahead to closed, under one id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from forewarn.model.forecast import Verdict
from forewarn.model.impact import Impact
from forewarn.model.level import Level
from forewarn.model.map import EscalationStep
from forewarn.model.scorecard import Foretold
from forewarn.model.text import Say


class IncidentState(StrEnum):
    AHEAD = "ahead"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    AVERTED = "averted"
    WITHDRAWN = "withdrawn"
    FALSE_ALARM = "false_alarm"
    MERGED = "merged"


LIVE = frozenset({IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.MITIGATED})
"""Trouble that is there now."""
ENDED = frozenset(
    {IncidentState.CLOSED, IncidentState.AVERTED, IncidentState.WITHDRAWN, IncidentState.FALSE_ALARM, IncidentState.MERGED}
)


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a witness saw of a service: `outcome` is up (nothing is wrong there), down or unknown."""

    probe: str
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """`thing` is the series that a forewarning is about; only its own limit's crossing turns it open."""

    id: str
    title: Say
    why: Say
    state: IncidentState
    owner: str | None = None
    declared_by: str | None = None
    declared_level: Level | None = None  # what that person gave: evidence only raises it
    level: Level
    would_be: Level | None = None
    pinned: str | None = None  # who and why
    impact: Impact
    worst: Impact | None = None  # the gravest judgement since it opened: what those who were told hear at the end
    act_by: datetime | None = None
    earliest: datetime | None = None
    thing: str | None = None
    findings: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()  # what changed shortly before it began, or since
    room: str | None = None
    opened_at: datetime
    breached_at: datetime | None = None
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    ended_at: datetime | None = None
    resolution: str | None = None
    plan: str | None = None  # what the owner said will be done, shown to customers
    verdict: Verdict | None = None  # of the forecast that it began with
    foretold: Foretold | None = None  # that forecast
    touched: bool = False  # a person has acted on it: the machine lowers and resolves nothing any more
    told: tuple[str, ...] = ()  # customers who got a notice
    called: tuple[str, ...] = ()  # people who were paged
    useful: bool | None = None  # whether calling people was right; None: nobody has said
    useful_by: str | None = None
    escalation: tuple[EscalationStep, ...] = ()  # copied when it opened
    escalated: int = 0  # how many steps have been called
    clocks: tuple[str, ...] = ()  # dues of the ladder that were started; none starts twice
    heard: tuple[Testimony, ...] = ()  # of its services' witnesses, the last word of each
    asked_at: datetime | None = None  # when they were asked first; None while no level hangs on them
    lower_since: datetime | None = None
    lower_count: int = 0
    version: int = 1

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def unresolved(self) -> bool:
        return self.state in LIVE or self.state is IncidentState.AHEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line of an incident's story; append only. `refs` are ids that it is about; `versions` are those that the incident
    and the messages among them had from then on, as far as they changed: who comes too late is shown what they missed."""

    incident: str
    at: datetime
    say: Say
    by: str = "forewarn"
    refs: tuple[str, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
