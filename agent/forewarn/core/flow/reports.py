"""What can wait until the office opens: told once, to whom it concerns."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from forewarn.core.flow import clocks, sending
from forewarn.core.tell.scene import Composed
from forewarn.core.work import Work
from forewarn.model.map import Person
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.text import say


def at_opening(work: Work, due: str) -> None:
    """Have the report of this due made when the office opens next; what is new while it is open is told tomorrow."""
    office = work.settings.office
    opening = office.next_open(work.now)
    if opening <= work.now:
        opening = office.next_open(_tomorrow(work))
    clocks.once(work, due, due, None, opening)


def _tomorrow(work: Work) -> datetime:
    office = work.settings.office
    local = work.now.astimezone(work.settings.daemon.zone if office.always else office.zone)
    return (local + timedelta(days=1)).replace(hour=9 if office.always else 0, minute=0, second=0, microsecond=0)


def send(work: Work, person: Person, composed: Composed, subkind: str) -> None:
    """Send a report to a responder; `subkind` names the sentence under `report.why` that says what it is."""
    id = work.new_id("M")
    message = Message(
        id=id,
        kind=MessageKind.REPORT,
        subkind=subkind,
        to=person.name,
        language=person.language,
        channels=tuple(channel.kind for channel in person.channels),
        at=work.now,
        state=MessageState.PLANNED,
        why=say(f"report.why.{subkind}"),
        key=hashlib.sha256(f"{id}/{person.name}/{work.now.isoformat()}".encode()).hexdigest()[:16],
        subject=composed.subject,
        text=composed.text,
        incident=None,
    )
    sending.dispatch(work, message, undo=False)
