"""Somebody changed something: it is kept, and shown with every incident that it may have to do with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from forewarn.core.learn import lately
from forewarn.core.work import Work
from forewarn.model.change import KINDS, MOST_TEXT, Change
from forewarn.model.errors import Refused
from forewarn.model.incident import Incident
from forewarn.model.inputs import Command
from forewarn.model.text import say

FUTURE = timedelta(minutes=5)
"""So far a clock elsewhere may be ahead of ours."""
FIELDS = ("what", "service", "host", "at", "key", "found")
"""The words of the command `changed`, in this order; an empty one is left out."""


def changed(work: Work, given: Command) -> None:
    """`changed WHAT SERVICE HOST AT KEY FOUND "text"`: answers the id, of the first report where this is a repeat."""
    said = dict(zip(FIELDS, (*given.words, *[""] * len(FIELDS)), strict=False))
    text = (given.text or "").strip()[:MOST_TEXT]
    if not text:
        raise Refused(say("refused.change_text"))
    if said["what"] not in KINDS:
        raise Refused(say("refused.change_what", what=said["what"], kinds=", ".join(KINDS)))
    if said["service"] and said["service"] not in work.settings.services:
        raise Refused(say("refused.no_service", name=said["service"], known=", ".join(work.settings.services)))
    known = next((one for one in work.changes() if said["key"] and one.key == said["key"]), None)
    if known:
        work.answer = known.id
        return
    change = Change(
        id=work.new_id("C"),
        at=_moment(said["at"], work.now),
        heard_at=work.now,
        what=said["what"],
        text=text,
        who=given.by,
        service=said["service"] or None,
        host=said["host"] or None,
        key=said["key"] or None,
        found=said["found"] == "found",
    )
    work.put(change)
    work.answer = change.id
    for incident in work.incidents():
        if incident.live and change in lately.near([change], incident.services, work.settings.services, begun(incident), work.now):
            _add(work, incident, [change])


def look_back(work: Work, id: str) -> None:
    """An incident began: what changed shortly before?"""
    incident = work.incident(id)
    if incident:
        found = lately.near(work.changes(), incident.services, work.settings.services, begun(incident), work.now)
        _add(work, incident, [one for one in found if one.id not in incident.changes])


def begun(incident: Incident) -> datetime:
    return incident.breached_at or incident.opened_at


def _add(work: Work, incident: Incident, found: list[Change]) -> None:
    if not found:
        return
    work.put(replace(incident, changes=(*incident.changes, *(one.id for one in found)), version=incident.version + 1))
    for one in found:
        work.note(incident.id, say("change.noted", text=one.text, at=one.at.timestamp(), who=one.who), one.id)


def _moment(text: str, now: datetime) -> datetime:
    """When it happened; now if nobody says."""
    if not text:
        return now
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(say("refused.change_at", at=text)) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if at > now + FUTURE:
        raise Refused(say("refused.change_future", at=text))
    return min(at, now)
