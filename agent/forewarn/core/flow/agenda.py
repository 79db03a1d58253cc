"""Time passed: what happens when a due comes."""

from __future__ import annotations

from dataclasses import replace

from forewarn.core.flow import (
    by_hand,
    calling,
    clocks,
    incidents,
    judged,
    ownership,
    runs,
    sending,
    shadow,
    telling,
    unsure,
    wounds,
)
from forewarn.core.respond.lifecycle import Event, move
from forewarn.core.work import Work
from forewarn.model.due import Due
from forewarn.model.incident import IncidentState
from forewarn.model.level import Colour
from forewarn.model.text import say

PAGING = frozenset({"ack", "act-by", "update.customer", "update.internal"})


def time_passed(work: Work) -> None:
    """Take every due whose moment has come, soonest first."""
    come = [due for at, id in work.state.agenda if at <= work.now and (due := work.due(id)) and due.open]
    for due in come:
        now_due = work.due(due.id)
        if now_due and now_due.open and now_due.next_at and now_due.next_at <= work.now:
            _come(work, now_due)


def _come(work: Work, due: Due) -> None:
    after = due.coloured(work.now)
    work.put(after)
    handler = CLOCKWORK.get(due.what)
    if handler:
        if work.now >= due.due_at:
            clocks.end(work, after, "met")
            handler(work, due)
    elif after.colour is Colour.RED and due.colour is not Colour.RED:
        _red(work, after)


def _red(work: Work, due: Due) -> None:
    if due.what == "approval":
        clocks.end(work, due, "late")
        telling.expired(work, due.subject)
        runs.expired(work, due.subject)
        return
    if due.incident is None:
        return
    work.note(due.incident, say("respond.due_red", what=f"due.{due.what}"), due.id)
    if due.what == "war_room":
        calling.open_room(work, due.incident)
    if due.what in PAGING:
        calling.overdue(work, due.incident, due.what)


def _settled(work: Work, due: Due) -> None:
    """Mitigated and quiet for long enough, and nobody had touched it: over."""
    incident = work.incident(due.subject)
    if incident and incident.state is IncidentState.MITIGATED and not incident.touched:
        incidents.end(work, incident.id, move(incident.id, incident.state, Event.RESOLVED), by="forewarn")


def _close(work: Work, due: Due) -> None:
    """A resolved incident closes by itself when its paper work is done; otherwise it is asked again in a week."""
    incident = work.incident(due.subject)
    if incident is None or incident.state is not IncidentState.RESOLVED:
        return
    if work.dues(incident.id):
        clocks.add(work, "close", incident.id, incident.id, None, work.now, work.now + incidents.CLOSE_AFTER)
        return
    work.put(replace(incident, state=move(incident.id, incident.state, Event.CLOSED), version=incident.version + 1))
    work.note(incident.id, say("respond.closed", text=""))


CLOCKWORK = {
    "hold-ends": lambda work, due: sending.release(work, due.subject),
    "retry": lambda work, due: sending.try_again(work, due.subject),
    "tell": lambda work, due: telling.started(work, due.subject),
    "witness": lambda work, due: incidents.reassess(work, due.subject),
    "reassess": lambda work, due: incidents.reassess(work, due.subject),
    "escalate": lambda work, due: calling.escalated(work, due.subject),
    "copy": lambda work, due: by_hand.asked(work, due.subject),
    "remind": lambda work, due: ownership.remind(work, due.subject),
    "silent": lambda work, due: ownership.silent(work, due.subject),
    "wait": lambda work, due: runs.waited(work, due.subject),
    shadow.REPORT: lambda work, due: shadow.daily(work),
    unsure.UNSURE: lambda work, due: unsure.asked(work, due.subject),
    wounds.DUE: lambda work, due: wounds.told(work),
    judged.DUE: lambda work, due: None,  # nobody said a word about its pages
    "settle": _settled,
    "close": _close,
}
