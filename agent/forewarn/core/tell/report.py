"""Reports to responders, at the opening of the office: what would have called them and did not, and old wounds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from forewarn.core.tell.scene import Composed
from forewarn.core.tell.voice import localised, voice
from forewarn.model.finding import Finding
from forewarn.model.map import Person
from forewarn.model.message import Message
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say

MOST_LINES = 20


def daily(
    person: Person,
    messages: Sequence[Message],
    until: datetime | None,
    settings: Settings,
    now: datetime,
    so_far: Sequence[Say] = (),
) -> Composed:
    """One line a page that was only recorded, the newest last; `until` is when such rules begin to page, `so_far` how often
    forecasts were right."""
    speaker = voice(person.language, person.zone, settings, now)
    shown = sorted(messages, key=lambda message: message.at)[-MOST_LINES:]
    lines = [
        speaker.tell(say("report.line", at=message.at.timestamp(), incident=message.incident or "", subject=message.subject))
        for message in shown
    ]
    if len(messages) > len(shown):
        lines.append(speaker.tell(say("report.more", count=len(messages) - len(shown))))
    vain = {speaker.tell(message.ended) for message in messages if message.ended and message.ended.key == "shadow.vain"}
    lines += sorted(vain)
    if until or not vain:
        lines.append(speaker.tell(say("report.until", until=until.timestamp()) if until else say("report.over")))
    if so_far:
        lines.append(" · ".join(map(speaker.tell, so_far)))
    return Composed(subject=speaker.tell(say("report.subject", count=len(messages))), text="\n".join(lines))


def wounds(person: Person, findings: Sequence[Finding], settings: Settings, now: datetime) -> Composed:
    """One line for each thing that was wrong before Forewarn came, the reddest first."""
    speaker = voice(person.language, person.zone, settings, now)
    shown = sorted(findings, key=lambda finding: (finding.colour.rank, finding.series))[:MOST_LINES]
    lines = [speaker.tell(say("report.wounds.head"))]
    for finding in shown:
        where = " ".join([finding.target, *(value for _, value in finding.labels)])
        why = speaker.tell(localised(finding.why, settings, speaker.language))
        lines.append(speaker.tell(say("report.wounds.line", finding=finding.id, probe=finding.probe, where=where, why=why)))
    if len(findings) > len(shown):
        lines.append(speaker.tell(say("report.wounds.more", count=len(findings) - len(shown))))
    lines.append(speaker.tell(say("report.wounds.last")))
    return Composed(subject=speaker.tell(say("report.wounds.subject", count=len(findings))), text="\n".join(lines))
