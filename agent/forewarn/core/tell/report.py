"""The daily report: what would have called a responder, and did not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from forewarn.core.tell.scene import Composed
from forewarn.core.tell.voice import voice
from forewarn.model.map import Person
from forewarn.model.message import Message
from forewarn.model.settings import Settings
from forewarn.model.text import say

MOST_LINES = 20


def daily(person: Person, messages: Sequence[Message], until: datetime | None, settings: Settings, now: datetime) -> Composed:
    """One line a page that was only recorded, the newest last; `until` is when such rules begin to page."""
    speaker = voice(person.language, person.zone, settings, now)
    shown = sorted(messages, key=lambda message: message.at)[-MOST_LINES:]
    lines = [
        speaker.tell(say("report.line", at=message.at.timestamp(), incident=message.incident or "", subject=message.subject))
        for message in shown
    ]
    if len(messages) > len(shown):
        lines.append(speaker.tell(say("report.more", count=len(messages) - len(shown))))
    lines.append(speaker.tell(say("report.until", until=until.timestamp()) if until else say("report.over")))
    return Composed(subject=speaker.tell(say("report.subject", count=len(messages))), text="\n".join(lines))
