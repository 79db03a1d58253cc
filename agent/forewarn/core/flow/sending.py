"""A message on its way: held back, sent, answered. Truth about delivery: design.md section 9."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import clocks, texts
from forewarn.core.tell import holds
from forewarn.core.work import Work
from forewarn.model.actions import Send, urgency
from forewarn.model.hold import Hold
from forewarn.model.inputs import Delivered
from forewarn.model.message import FINAL, RESENDABLE, Attempt, HeldBy, Message, MessageKind, MessageState
from forewarn.model.text import Say, say


def drop(work: Work, message: Message, why: Say, by: str = "forewarn") -> None:
    """The message will not leave."""
    clocks.end_all(work, message.id, "met")
    if message.held:
        _end_hold_of(work, message)
    work.put(replace(message, state=MessageState.DROPPED, ended=why, held=None, version=message.version + 1))
    if message.incident and message.kind is MessageKind.NOTICE:
        work.note(message.incident, say("respond.dropped", message=message.id), message.id, by=by)


def dispatch(work: Work, message: Message, undo: bool) -> None:
    """Send, unless something holds it back."""
    incident = work.incident(message.incident)
    held = holds.check(message, incident, work.holds(), work.settings, work.now, undo)
    if held is None:
        _send(work, message)
        return
    hold = _hold(work, message, held)
    work.put(replace(message, state=MessageState.HELD, held=HeldBy(hold=hold.id, by=held.reason, until=held.until)))


def _hold(work: Work, message: Message, held: holds.Held) -> Hold:
    """The hold that keeps it: one that is there already, or a new one with the due that ends it."""
    if held.hold and (kept := next((hold for hold in work.holds() if hold.id == held.hold), None)):
        return kept
    own = held.reason.key == "hold.undo"
    for hold in work.holds():
        if not own and hold.reason.key == held.reason.key and hold.owner == held.owner and hold.until == held.until:
            return hold
    hold = Hold(
        id=work.new_id("H"),
        reason=held.reason,
        owner=held.owner,
        matcher={"message": message.id} if own else {},
        audience="customers" if message.kind is MessageKind.NOTICE else "responders",
        from_at=work.now,
        until=held.until,
        breaks_from=held.breaks_from,
    )
    work.put(hold)
    if hold.until:
        clocks.add(work, "hold-ends", hold.id, message.incident, None, work.now, hold.until)
    return hold


def _end_hold_of(work: Work, message: Message) -> None:
    """End a hold that kept this message alone."""
    hold = next((hold for hold in work.holds() if message.held and hold.id == message.held.hold), None)
    if hold and hold.matcher.get("message") == message.id:
        clocks.end_all(work, hold.id, "met")
        work.put(replace(hold, ended_at=work.now))


def release(work: Work, id: str) -> None:
    """A hold ended: what it held is composed and judged again."""
    hold = next((hold for hold in work.holds() if hold.id == id), None)
    if hold is None:
        return
    work.put(replace(hold, ended_at=work.now))
    for message in work.messages():
        if message.state is MessageState.HELD and message.held and message.held.hold == id:
            dispatch(work, replace(texts.composed_again(work, message), held=None), undo=False)


def let_through(work: Work, incident: str) -> None:
    """The incident got graver: pages that a hold kept back are judged again, with words that say so."""
    for message in work.messages(incident):
        if message.state is MessageState.HELD and message.kind is MessageKind.PAGE:
            dispatch(work, replace(texts.composed_again(work, message), held=None), undo=False)


def _send(work: Work, message: Message) -> None:
    kind = message.channel_kind
    if kind is None:
        work.put(replace(message, state=MessageState.FAILED, ended=say("failed.no_channel")))
        return
    work.put(replace(message, state=MessageState.QUEUED, held=None))
    if kind == "person":  # somebody copies it: by_hand.py
        clocks.add(work, "copy", message.id, message.incident, None, work.now, work.now)
        return
    incident = work.incident(message.incident)
    work.act(
        Send(
            id=work.new_id("A"), at=work.now, message=message.id, channel=message.channel, again=kind in RESENDABLE,
            urgency=urgency(message.kind, incident.level if incident else None),
        )
    )  # fmt: skip


def delivered(work: Work, given: Delivered) -> None:
    """A transport answered. Truth about delivery: design.md section 9."""
    message = work.message(given.message)
    if message is None or message.state in FINAL:
        return
    kind = message.channel_kind or "?"
    attempt = Attempt(at=work.now, channel=kind, result=given.result, reason=given.reason, detail=given.detail, ms=given.ms)
    message = replace(message, attempts=(*message.attempts, attempt))
    if given.result == "sent":
        sent(work, message, kind)
    elif given.result == "unknown":
        _unsure(work, message, kind)
    else:
        _failed(work, message, given)


def sent(work: Work, message: Message, kind: str) -> None:
    """It has arrived: the recipient counts as told, and what it promised is owed."""
    work.put(replace(message, state=MessageState.SENT))
    incident = work.incident(message.incident)
    if incident is None:
        return
    work.note(incident.id, say("respond.sent", message=message.id, who=message.to, channel=kind), message.id)
    if message.kind is not MessageKind.NOTICE:
        return
    if message.to not in incident.told:
        work.put(replace(incident, told=(*incident.told, message.to), version=incident.version + 1))
    if message.next_update_at and incident.unresolved:  # what was promised is owed
        clocks.moved(work, "update.customer", incident.id, incident.id, incident.owner, message.next_update_at)


def _unsure(work: Work, message: Message, kind: str) -> None:
    """It may have left. What can be recognised as a repeat, and every page, goes again; for the rest a person decides."""
    again = kind in RESENDABLE or message.kind is not MessageKind.NOTICE
    if again and sum(attempt.result == "unknown" for attempt in message.attempts) <= len(work.settings.daemon.retry_s):
        _send(work, message)
        return
    work.put(replace(message, state=MessageState.UNKNOWN))
    incident = work.incident(message.incident)
    if incident is None:
        return
    work.note(incident.id, say("respond.unknown", message=message.id, who=message.to), message.id)
    if message.kind is MessageKind.NOTICE:
        clocks.once(work, "unsure", message.id, incident.id, work.now)
    if message.to not in incident.told:  # it may have arrived: they must hear how it ends
        work.put(replace(incident, told=(*incident.told, message.to), version=incident.version + 1))


def _failed(work: Work, message: Message, given: Delivered) -> None:
    """Again later on the same channel, else the next channel, else it has failed."""
    tried = sum(attempt.result == "failed" and attempt.channel == message.channel_kind for attempt in message.attempts)
    waits = work.settings.daemon.retry_s
    if not given.permanent and tried <= len(waits):
        wait_s = max(waits[tried - 1], given.retry_after_s or 0.0)
        work.put(replace(message, state=MessageState.QUEUED))
        clocks.add(work, "retry", message.id, message.incident, None, work.now, work.now + timedelta(seconds=wait_s))
    elif message.channel + 1 < len(message.channels):
        _send(work, replace(message, channel=message.channel + 1))
    else:
        failed(work, message, say("failed.delivery", reason=given.reason, detail=given.detail), given.reason)


def failed(work: Work, message: Message, why: Say, reason: str | None = None) -> None:
    """It reached nobody, and nothing more is tried."""
    work.put(replace(message, state=MessageState.FAILED, ended=why))
    if message.incident:
        work.note(message.incident, say("respond.failed", message=message.id, who=message.to, reason=reason), message.id)


def try_again(work: Work, id: str) -> None:
    message = work.message(id)
    if message and message.state is MessageState.QUEUED:
        _send(work, texts.composed_again(work, message))
