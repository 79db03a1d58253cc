"""Who has an incident: taken, asked whether they still do, given back.

A grave incident that was taken and then lies still is as bad as one that nobody took. So whoever has a P0 or P1 is asked
after a while without a word from them; without an answer it is given back, and the escalation begins anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import calling, clocks, telling
from forewarn.core.respond import dues, escalate
from forewarn.core.respond.lifecycle import Event, move
from forewarn.core.work import Work
from forewarn.model.errors import Refused
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Level
from forewarn.model.text import say

REMIND_AFTER: Mapping[Level, timedelta] = {Level.P0: timedelta(minutes=30), Level.P1: timedelta(minutes=60)}
"""Without a word from the owner for so long, they are asked. Graver levels than these two there are none."""
ANSWER_WITHIN: Mapping[Level, timedelta] = {Level.P0: timedelta(minutes=10), Level.P1: timedelta(minutes=15)}


def taken(work: Work, incident: Incident, by: str, plan: str | None) -> None:
    """Somebody has it from now on; all its clocks are theirs."""
    after = move(incident.id, incident.state, Event.ACKNOWLEDGED)
    work.put(
        replace(
            incident, state=after, owner=by, acknowledged_at=incident.acknowledged_at or work.now, touched=True,
            plan=plan or incident.plan, version=incident.version + 1,
        )
    )  # fmt: skip
    ahead = incident.state is IncidentState.AHEAD
    work.note(incident.id, say("respond.owned" if ahead else "respond.acknowledged", who=by), by=by)
    clocks.end_all(work, incident.id, "met", only={"ack", "escalate"})
    for due in work.dues(incident.id):
        work.put(replace(due, owner=by))
    heard(work, incident.id, by)


def heard(work: Work, id: str, by: str) -> None:
    """The owner did something about it: the time until they are asked begins anew."""
    incident = work.incident(id)
    if incident is None or incident.owner != by:
        return
    clocks.end_all(work, id, "met", only={"remind", "silent"})
    after = REMIND_AFTER.get(incident.level)
    if after and incident.state is IncidentState.ACKNOWLEDGED:
        clocks.add(work, "remind", id, id, by, work.now, work.now + after)


def remind(work: Work, id: str) -> None:
    """No word for long: the owner is asked whether they still have it."""
    incident = work.incident(id)
    within = ANSWER_WITHIN.get(incident.level) if incident else None
    if incident is None or incident.state is not IncidentState.ACKNOWLEDGED or incident.owner is None or within is None:
        return
    if incident.owner in work.settings.people:
        telling.page(work, id, incident.owner, "still")
    clocks.add(work, "silent", id, id, incident.owner, work.now, work.now + within)


def silent(work: Work, id: str) -> None:
    """The question was not answered: nobody has it any more, and the first step is called again."""
    incident = work.incident(id)
    if incident and incident.state is IncidentState.ACKNOWLEDGED and incident.owner:
        work.note(id, say("respond.silent", who=incident.owner))
        _free(work, incident, called=())


def given_back(work: Work, incident: Incident, by: str, why: str | None) -> None:
    """A person lets go of it, theirs or another's; whoever gives it back is not called again. Raises Refused."""
    if incident.owner is None:
        raise Refused(say("refused.not_taken", id=incident.id))
    work.note(incident.id, say("respond.given_back", who=by, owner=incident.owner, text=why or ""), by=by)
    _free(work, incident, called=(by,))


def _free(work: Work, incident: Incident, called: tuple[str, ...]) -> None:
    """Nobody has it: clocks and escalation begin anew, calling all but `called`."""
    id, first = incident.id, escalate.first(incident, work.settings, work.now)
    after = move(id, incident.state, Event.RELEASED)
    clocks.end_all(work, id, "met", only={"remind", "silent", "escalate"})
    work.put(replace(incident, state=after, owner=None, called=called, escalated=0, version=incident.version + 1))
    for due in work.dues(id):
        work.put(replace(due, owner=first))
    for wanted in dues.for_level(incident.level, ("ack",), work.now, work.settings):
        clocks.add(work, wanted.what, id, id, first, wanted.started_at, wanted.due_at, wanted.calendar)
    calling.consequences(work, id, incident)
