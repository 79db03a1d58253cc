"""Which clocks an incident carries, and when they ring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forewarn.model.due import Due, Span
from forewarn.model.incident import Incident
from forewarn.model.level import Level
from forewarn.model.playbook import Playbook
from forewarn.model.settings import Settings

DEFAULT_TAKES_S = 7200.0
DAY_S = 86400.0
OWN_WITHIN = timedelta(minutes=15)  # S05: owned, with a next step
QUIET_BEFORE_RESOLVED = timedelta(minutes=30)

AT_ONCE = ("ack", "customer_call", "war_room", "diagnosis", "plan", "update.customer", "update.internal", "mitigate", "resolve")
"""Dues that start with the trouble; those of `rca` start when it is resolved."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A due that should be there: `what`, when it began and when it ends."""

    what: str
    started_at: datetime
    due_at: datetime
    calendar: str


def for_level(level: Level, whats: Sequence[str], since: datetime, settings: Settings) -> list[Wanted]:
    """The dues that the ladder demands at `level`, counted from `since`."""
    rules = settings.ladder[level]
    calendar = settings.calendar(rules.calendar)
    return [Wanted(what, since, rules.spans[what].after(since, calendar), rules.calendar) for what in whats if what in rules.spans]


def sooner(kept: Due, wanted: Wanted) -> Due:
    """On a raise a clock never restarts: the earlier of the old time and the new one holds."""
    if wanted.due_at >= kept.due_at:
        return kept
    return replace(kept, due_at=wanted.due_at, calendar=wanted.calendar)


def act_by(earliest: datetime, playbooks: Iterable[Playbook], settings: Settings) -> datetime:
    """The last moment at which starting still helps: earliest - the repair's time - the longest lead (working time).

    With several playbooks the quickest repair counts; without any it takes 2 h.
    """
    moments = [_latest_start(earliest, playbook, settings) for playbook in playbooks]
    return max(moments, default=earliest - timedelta(seconds=DEFAULT_TAKES_S))


def _latest_start(earliest: datetime, playbook: Playbook, settings: Settings) -> datetime:
    """A lead of `3d` is three working days, whatever their hours; what is left over is open time."""
    at = earliest - timedelta(seconds=playbook.takes_s)
    days, rest = divmod(max((need.lead_s for need in playbook.needs), default=0.0), DAY_S)
    if rest:
        at = settings.office.subtract(at, timedelta(seconds=rest))
    return Span(working_days=int(days)).before(at, settings.office) if days else at


def ahead_is_urgent(incident: Incident, settings: Settings, now: datetime) -> bool:
    """Whether a forewarning pages now: it would be P2 or worse, and waiting for working hours would be too late.

    Too late means: act-by lies between now and the next working hour, or has passed while `earliest` is before the next
    working hour + what the repair takes (design.md section 6).
    """
    if incident.would_be is None or Level.P2.worse_than(incident.would_be) or not incident.act_by or not incident.earliest:
        return False
    opening = settings.office.next_open(now)
    if incident.act_by >= now:
        return incident.act_by <= max(opening, now + OWN_WITHIN)
    return incident.earliest <= opening + (incident.earliest - incident.act_by)


def own_by(paged: bool, settings: Settings, now: datetime) -> datetime:
    """When a forewarning must have an owner: in 15 minutes after a page, else of the next working hour."""
    return (now if paged else settings.office.next_open(now)) + OWN_WITHIN
