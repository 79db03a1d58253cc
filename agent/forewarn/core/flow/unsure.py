"""A notice that may have left, on a channel where a repeat can't be recognised: whoever has the incident decides."""

from __future__ import annotations

from forewarn.core.flow import telling
from forewarn.core.respond import escalate
from forewarn.core.tell import pages
from forewarn.core.work import Work
from forewarn.model.message import MessageState
from forewarn.model.text import say

UNSURE = "unsure"
"""What such a question is about, and the due that puts it."""


def asked(work: Work, id: str) -> None:
    """Ask for a decision: send it again, or leave it."""
    message = work.message(id)
    incident = work.incident(message.incident) if message else None
    if message is None or incident is None or message.state is not MessageState.UNKNOWN:
        return
    who = incident.owner or escalate.first(incident, work.settings, work.now)
    if who is None or who not in work.settings.people:
        return
    composed = pages.unsure(work.settings.people[who], message, work.settings, work.now)
    question = telling.question(work, incident.id, who, composed, None, UNSURE, about=message.id)
    work.note(incident.id, say("respond.asked_whether_it_left", who=who, message=message.id), question)
