"""Dues: added, moved, ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from forewarn.core.respond import dues
from forewarn.core.work import Work
from forewarn.model.due import ALWAYS, Due
from forewarn.model.incident import IncidentState

FOR_CUSTOMERS = frozenset({"customer_call", "update.customer"})
"""Dues that make sense only where a customer is touched or was told."""


def add(
    work: Work,
    what: str,
    subject: str,
    incident: str | None,
    owner: str | None,
    started_at: datetime,
    due_at: datetime,
    calendar: str = ALWAYS.name,
) -> None:
    due = Due(
        id=work.new_id("D"),
        what=what,
        subject=subject,
        incident=incident,
        owner=owner,
        started_at=started_at,
        due_at=due_at,
        calendar=calendar,
    )
    work.put(due.coloured(work.now) if due_at > work.now else replace(due, next_at=work.now))


def once(work: Work, what: str, subject: str, incident: str | None, due_at: datetime) -> None:
    """Add a due of our own clockwork unless this subject has one of the kind."""
    if not any(due.what == what for due in work.dues(subject)):
        add(work, what, subject, incident, None, work.now, due_at)


def moved(work: Work, what: str, subject: str, incident: str, owner: str | None, due_at: datetime) -> None:
    """The due of this kind, at another time if it moved."""
    kept = next((due for due in work.dues(subject) if due.what == what), None)
    if kept is None:
        add(work, what, subject, incident, owner, work.now, due_at)
    elif kept.due_at != due_at:
        work.put(replace(kept, due_at=due_at).coloured(work.now))


def from_ladder(work: Work, id: str, whats: Sequence[str]) -> None:
    """The dues of the incident's level: new ones start now; those that run only ever get sooner."""
    incident = work.incident(id)
    if incident is None:
        return
    kept = {due.what: due for due in work.dues(id)}
    met = {
        *incident.clocks,
        *(["ack"] if incident.owner else []),
        *(["mitigate"] if incident.state is IncidentState.MITIGATED else []),
    }
    if not (incident.impact.affected or incident.told):
        met |= FOR_CUSTOMERS
    begun = []
    for wanted in dues.for_level(incident.level, whats, work.now, work.settings):
        due = kept.get(wanted.what)
        if due:
            sooner = dues.sooner(due, wanted)
            if sooner is not due:
                work.put(sooner.coloured(work.now))
        elif wanted.what not in met:
            add(work, wanted.what, id, id, incident.owner, wanted.started_at, wanted.due_at, wanted.calendar)
            begun.append(wanted.what)
    if begun:
        work.put(replace(incident, clocks=(*incident.clocks, *begun)))


def end(work: Work, due: Due, how: str) -> None:
    work.put(replace(due, done_at=work.now, ended="late" if how == "met" and work.now > due.due_at else how, next_at=None))


def end_all(work: Work, subject: str, how: str, only: Collection[str] | None = None) -> None:
    for due in work.dues(subject):
        if only is None or due.what in only:
            end(work, due, how)
