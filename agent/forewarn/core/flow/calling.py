"""What an incident's level and state demand: clocks, a room, people called, customers told. Nothing is done twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import clocks, sending, shadow, telling
from forewarn.core.respond import dues, escalate, room
from forewarn.core.work import Work
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Effect, Level
from forewarn.model.message import Subkind
from forewarn.model.text import say


def consequences(work: Work, id: str, before: Incident | None) -> None:
    """Clocks, room, calls and notices that the incident's level and state demand and that are not there yet."""
    incident = work.incident(id)
    if incident is None:
        return
    shadow.over(work, id)
    if before and before.level is not incident.level:
        work.note(id, say("respond.level", old=str(before.level), new=str(incident.level)))
    if incident.state is IncidentState.AHEAD:
        _call_ahead(work, incident)
        return
    if before and incident.level.worse_than(before.level):
        sending.let_through(work, id)
    clocks.from_ladder(work, id, dues.AT_ONCE)
    if room.wanted(incident, work.settings):
        open_room(work, id)
    _call(work, id)
    _tell(work, id)


def open_room(work: Work, id: str) -> None:
    """A place for those who work on it; the due for it is met."""
    incident = work.incident(id)
    if incident and incident.live and incident.room is None:
        work.put(replace(incident, room=room.address(incident), version=incident.version + 1))
        work.note(id, say("respond.room"))
        clocks.end_all(work, id, "met", only={"war_room"})


def _call_ahead(work: Work, incident: Incident) -> None:
    """A forewarning's clock is act-by; it pages only when waiting for working hours would be too late."""
    if incident.act_by and incident.earliest:
        clocks.moved(work, "act-by", incident.id, incident.id, escalate.first(incident, work.settings, work.now), incident.act_by)
    urgent = dues.ahead_is_urgent(incident, work.settings, work.now)
    if urgent and not incident.called and incident.owner is None:
        _page(work, incident.id, 1, "ahead")
    if incident.owner is None and not any(due.what == "ack" for due in work.dues(incident.id)):
        by = dues.own_by(urgent, work.settings, work.now)
        clocks.add(work, "ack", incident.id, incident.id, escalate.first(incident, work.settings, work.now), work.now, by)


def pageable(incident: Incident, evidence: Sequence[Finding]) -> bool:
    """A page needs a cause: what people rely on fails, a promise burns, or a person declared it. Slow for now, and at risk, wake
    nobody. `evidence`: the incident's open findings."""
    fails = incident.impact.effect in (Effect.STOPPED, Effect.FAILS)
    return fails or incident.declared_by is not None or any(finding.kind == "slo" for finding in evidence)


def _call(work: Work, id: str) -> None:
    incident = work.incident(id)
    if incident is None or incident.state is IncidentState.MITIGATED or not pageable(incident, work.open_findings(incident)):
        return
    rules = work.settings.ladder[incident.level]
    if rules.page != "never":
        _page(work, id, max(incident.escalated, rules.call), "symptom")


def _page(work: Work, id: str, upto: int, cause: str) -> None:
    """Call the first `upto` steps of the escalation, those who were not called yet."""
    incident = work.incident(id)
    if incident is None:
        return
    for who in escalate.to_call(incident, upto, work.settings, work.now):
        telling.page(work, id, who, cause)
    incident = work.incident(id) or incident
    upto = min(upto, len(incident.escalation))
    work.put(replace(incident, escalated=max(incident.escalated, upto), version=incident.version + 1))
    if incident.owner is None and upto and upto < len(incident.escalation):
        after = timedelta(seconds=incident.escalation[upto - 1].ack_s)
        clocks.once(work, "escalate", id, id, work.now + after)


def escalated(work: Work, id: str) -> None:
    """Nobody took it in time: the next step is called."""
    incident = work.incident(id)
    if incident and incident.unresolved and incident.owner is None:
        _page(work, id, incident.escalated + 1, "escalated")


def overdue(work: Work, id: str, what: str) -> None:
    """A due that may page went red: its owner hears of it, or else the next step. A risk without dates is never that urgent."""
    incident = work.incident(id)
    level = ((incident.earliest and incident.would_be) or incident.level) if incident else None
    if incident is None or not incident.unresolved or level not in (Level.P0, Level.P1):
        return
    if incident.owner and incident.owner in work.settings.people:
        telling.page(work, id, incident.owner, what)
    else:
        _page(work, id, incident.escalated + 1, what)


def _tell(work: Work, id: str) -> None:
    """Customers hear of what has started after the level's settling time; new ones as they are touched."""
    incident = work.incident(id)
    if incident is None or incident.state is IncidentState.MITIGATED:
        return
    wait_s = work.settings.ladder[incident.level].tell_s
    if wait_s is None:
        return
    if wait_s <= 0:
        telling.started(work, id)
    elif not any(message.subkind == Subkind.STARTED for message in work.messages(id)):
        clocks.once(work, "tell", id, id, work.now + timedelta(seconds=wait_s))
    else:
        telling.started(work, id)
