"""The person channel: a notice that somebody copies to where the customer reads, and then says so.

Nothing of ours sends it. Whoever has the incident is asked, and asked again until they say `copied` or it is overtaken;
then it counts as delivered, with their name and the time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import clocks, sending, telling, texts
from forewarn.core.respond import escalate
from forewarn.core.tell import pages
from forewarn.core.work import Work
from forewarn.model.errors import Refused
from forewarn.model.message import Attempt, Message, MessageKind, MessageState, Subkind
from forewarn.model.text import say

COPY = "copy"
"""What such a question is about."""
AGAIN = timedelta(minutes=15)
STALE = frozenset({Subkind.FOREWARNING, Subkind.STARTED, Subkind.UPDATE})
"""What nobody needs to hear any more once it is over."""


def asked(work: Work, id: str) -> None:
    """Ask somebody to copy it, with words that are true now; and again after a while."""
    message = work.message(id)
    incident = work.incident(message.incident) if message else None
    if message is None or incident is None or not waits(message):
        return
    if not incident.unresolved and message.subkind in STALE:
        sending.drop(work, message, say("dropped.overtaken"))
        return
    who = incident.owner or escalate.first(incident, work.settings, work.now)
    if who is None or who not in work.settings.people:
        sending.failed(work, message, say("failed.nobody"))
        return
    message = texts.composed_again(work, message)
    work.put(message)
    composed = pages.copy(work.settings.people[who], message, work.settings, work.now)
    _overtake(work, message)
    question = telling.question(work, incident.id, who, composed, None, COPY, about=message.id)
    work.note(incident.id, say("respond.asked_to_copy", who=who, message=message.id), question)
    clocks.add(work, "copy", message.id, incident.id, who, work.now, work.now + AGAIN)


def copied(work: Work, message: Message, by: str) -> None:
    """Somebody has put it where the customer reads; raises Refused for one that is not theirs to copy."""
    if not waits(message):
        raise Refused(say("refused.wrong_state", id=message.id, state=f"message.state.{message.state}"))
    clocks.end_all(work, message.id, "met")
    _overtake(work, message)
    attempt = Attempt(at=work.now, channel="person", result="sent", detail=by)
    sending.sent(work, replace(message, attempts=(*message.attempts, attempt), version=message.version + 1), "person")


def waits(message: Message) -> bool:
    """Whether this notice waits for somebody who copies it."""
    return message.kind is MessageKind.NOTICE and message.state is MessageState.QUEUED and message.channel_kind == "person"


def _overtake(work: Work, message: Message) -> None:
    """Earlier questions about it want no answer any more."""
    for other in work.messages(message.incident or ""):
        if other.about == message.id and other.state is not MessageState.DROPPED:
            sending.drop(work, other, say("dropped.overtaken"))
