"""A message in the making: drafted, offered to the policy, approved, or dropped before it left.

Every text to a customer goes draft -> may() -> approval -> undo time -> holds -> sending, and is composed again after
each wait, so that what leaves is true when it leaves. A page goes straight to its channels.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import clocks, scored, sending, shadow, texts
from forewarn.core.tell import audience, compose
from forewarn.core.tell.may import may
from forewarn.core.tell.scene import Composed
from forewarn.core.work import Work
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Level
from forewarn.model.map import Customer
from forewarn.model.message import Approval, Message, MessageKind, MessageState, Subkind
from forewarn.model.policy import Permission, Verdict
from forewarn.model.text import Say, say

UNSENT = frozenset({MessageState.PLANNED, MessageState.WAITING, MessageState.HELD})
TOLD_FROM_P = 0.5
WORTH_TELLING = (Level.P0, Level.P1, Level.P2)


# --- making -----------------------------------------------------------------------------------------------------------


def page(work: Work, id: str, who: str, cause: str) -> None:
    """Call a responder."""
    incident, person = work.incident(id), work.settings.people[who]
    if incident is None:
        return
    composed = compose.page(person, texts.scene(work, incident, who), work.settings, work.now, cause)
    message = Message(
        id=work.new_id("M"),
        kind=MessageKind.PAGE,
        subkind=cause,
        to=who,
        language=person.language,
        channels=tuple(channel.kind for channel in person.channels),
        at=work.now,
        state=MessageState.PLANNED,
        why=say(f"page.cause.{cause}", level=str(incident.would_be or incident.level)),
        key="",
        subject=composed.subject,
        text=composed.text,
        incident=id,
    )
    called = incident.called if who in incident.called else (*incident.called, who)
    work.put(replace(incident, messages=(*incident.messages, message.id), called=called, version=incident.version + 1))
    work.note(id, say("respond.would_page" if shadow.covers(work, incident) else "respond.paged", who=who), message.id)
    _offer(work, message)


def ask(work: Work, id: str, who: str, wanted: str, choices: tuple[str, ...], run: str) -> str:
    """Put a question to a responder; answers the message's id."""
    incident, person = work.incident(id), work.settings.people[who]
    assert incident is not None
    composed = compose.ask(person, texts.scene(work, incident, who), wanted, choices, work.settings, work.now)
    return question(work, id, who, composed, run, "question")


def question(work: Work, id: str, who: str, composed: Composed, run: str | None, subkind: str, about: str | None = None) -> str:
    """Put a text that wants an answer to a responder; answers the message's id. `about`: the message that it is about."""
    incident, person = work.incident(id), work.settings.people[who]
    assert incident is not None
    message = Message(
        id=work.new_id("M"),
        kind=MessageKind.ASK,
        subkind=subkind,
        to=who,
        language=person.language,
        channels=tuple(channel.kind for channel in person.channels),
        at=work.now,
        state=MessageState.PLANNED,
        why=say("page.cause.playbook" if run else f"page.cause.{subkind}"),
        key="",
        subject=composed.subject,
        text=composed.text,
        incident=id,
        run=run,
        about=about,
    )
    work.put(replace(incident, messages=(*incident.messages, message.id), version=incident.version + 1))
    _offer(work, message)
    return message.id


def forewarn(work: Work, id: str) -> None:
    """Draft forewarnings for the exposed customers who have none yet, if the breach would be worth it."""
    incident = work.incident(id)
    if incident and incident.state is IncidentState.AHEAD and incident.would_be in WORTH_TELLING and _likely(work, incident):
        _draft_all(work, id, Subkind.FOREWARNING)
        _wait_until_it_begins(work, incident)


def _likely(work: Work, incident: Incident) -> bool:
    """Whether it comes rather than not. A risk below one half is for those who can do something about it."""
    risks = [f.forecast.p for f in work.open_findings(incident) if f.kind == "risk" and f.forecast and f.series == incident.thing]
    return not risks or any((p or 0.0) >= TOLD_FROM_P for p in risks)


def _wait_until_it_begins(work: Work, incident: Incident) -> None:
    """A forewarning may be approved as long as it still is one: its approval expires when the breach may begin."""
    for message in work.messages(incident.id):
        approval = message.approval
        waits = message.state is MessageState.WAITING and message.subkind == Subkind.FOREWARNING
        if waits and approval and incident.earliest and incident.earliest > work.now and approval.expires != incident.earliest:
            work.put(replace(message, approval=replace(approval, expires=incident.earliest)))
            clocks.moved(work, "approval", message.id, incident.id, next(iter(approval.asked), None), incident.earliest)


def started(work: Work, id: str) -> None:
    """Draft the notice that it has begun for the affected customers who have none yet."""
    incident = work.incident(id)
    if incident and incident.live and incident.state is not IncidentState.MITIGATED:
        _draft_all(work, id, Subkind.STARTED)


def draft_for_told(work: Work, id: str, subkind: Subkind) -> None:
    """Draft a follow-up for those, and only those, who were told before."""
    _draft_all(work, id, subkind)


def _draft_all(work: Work, id: str, subkind: Subkind) -> None:
    incident = work.incident(id)
    if incident is None:
        return
    have = {m.to for m in work.messages(id) if m.subkind == subkind and m.kind is MessageKind.NOTICE}
    for told in audience.who(incident, subkind, work.settings).told:
        if told.customer.name not in have:
            draft(work, id, told.customer, subkind, told.why)


def draft(work: Work, id: str, customer: Customer, subkind: Subkind, why: Say) -> str | None:
    """Draft one notice and let the policy decide who says yes; answers the message's id."""
    incident = work.incident(id)
    if incident is None:
        return None
    composed = compose.notice(subkind, customer, texts.scene(work, incident, customer.name), work.settings, work.now)
    message = Message(
        id=work.new_id("M"),
        kind=MessageKind.NOTICE,
        subkind=subkind,
        to=customer.name,
        language=customer.language,
        channels=tuple(channel.kind for channel in customer.channels),
        at=work.now,
        state=MessageState.PLANNED,
        why=why,
        key="",
        subject=composed.subject,
        text=composed.text,
        incident=id,
        next_update_at=composed.next_update_at,
    )
    work.put(replace(incident, messages=(*incident.messages, message.id), version=incident.version + 1))
    _offer(work, message)
    return message.id


def _key(message: Message) -> str:
    """The same for every attempt at one message, and for no other message."""
    return hashlib.sha256(f"{message.id}/{message.to}/{message.at.isoformat()}".encode()).hexdigest()[:16]


# --- allowing ---------------------------------------------------------------------------------------------------------


def _offer(work: Work, message: Message) -> None:
    """Do it, ask a person, or only record it: as the policy says."""
    message = replace(message, key=_key(message))
    incident = work.incident(message.incident)
    asked = tuple(
        dict.fromkeys(([incident.owner] if incident and incident.owner else []) + list(incident.called if incident else ()))
    )
    permission = may(message.kind, message.subkind, work.settings, asked, scored.gate_of(work, message))
    match permission.verdict:
        case Verdict.DO if message.kind is MessageKind.PAGE and incident and shadow.covers(work, incident):
            shadow.record(work, message)
        case Verdict.DO:
            sending.dispatch(work, message, undo=message.kind is MessageKind.NOTICE)
        case Verdict.ASK:
            _wait_for_approval(work, message, permission)
        case Verdict.RECORD:
            work.put(replace(message, state=MessageState.PLANNED, ended=permission.why))


def _wait_for_approval(work: Work, message: Message, permission: Permission) -> None:
    expires = work.now + timedelta(seconds=permission.expires_s or work.settings.policy.approval_s)
    approval = Approval(asked=permission.asked, expires=expires)
    work.put(replace(message, state=MessageState.WAITING, approval=approval))
    clocks.add(work, "approval", message.id, message.incident, next(iter(permission.asked), None), work.now, expires)


def approve(work: Work, message: Message, by: str) -> None:
    """A person says yes: the text is composed again, the undo time begins."""
    approval = replace(message.approval or Approval(asked=()), by=by, at=work.now)
    clocks.end_all(work, message.id, "met")
    if message.incident:
        work.note(message.incident, say("respond.approved", message=message.id), message.id, by=by)
    sending.dispatch(work, texts.composed_again(work, replace(message, approval=approval, version=message.version + 1)), undo=True)


def expired(work: Work, id: str) -> None:
    message = work.message(id)
    if message and message.state is MessageState.WAITING:
        sending.drop(work, message, say("dropped.expired"))


def drop_drafts(work: Work, incident: str, why: Say) -> None:
    """Whatever has not left yet about this incident is overtaken."""
    for message in work.messages(incident):
        if message.state in UNSENT and message.kind is not MessageKind.ASK and not message.shadow:
            sending.drop(work, message, why)
