"""What is known when a text is written, and writing it again after it has waited."""

from __future__ import annotations

from dataclasses import replace

from forewarn.core.tell import compose, lint
from forewarn.core.tell.scene import Scene
from forewarn.core.work import Work
from forewarn.model.finding import FindingState
from forewarn.model.incident import Incident
from forewarn.model.message import Message, MessageKind, MessageState, Subkind
from forewarn.model.text import say

CHANGES_SHOWN = 2
"""In a page, whose lines are short."""


def scene(work: Work, incident: Incident, to: str | None = None) -> Scene:
    """What a composer may know about an incident now."""
    services = work.services(incident.services)
    names = {service.name for service in services}
    down = any(f.state is FindingState.OPEN and f.service in names and f.kind in ("down", "cannot-see") for f in work.findings())
    return Scene(
        incident=incident,
        findings=tuple(work.open_findings(incident)),
        services=services,
        runs=tuple(work.runs(incident.id)),
        plan=incident.plan,
        earlier=tuple(message for message in work.messages(incident.id) if message.to == to and message.state is MessageState.SENT),
        changed=tuple(
            say("change.line", text=one.text, at=one.at.timestamp()) for one in work.changes() if one.id in incident.changes
        )[:CHANGES_SHOWN],
        all_up=not down and not any(i.live and names & set(i.services) for i in work.incidents()),
    )


def composed_again(work: Work, message: Message) -> Message:
    """The message with a text that is true now; one that a person wrote keeps its words."""
    incident = work.incident(message.incident)
    if message.edited_by or incident is None:
        return message
    known = scene(work, incident, message.to)
    customer, person = work.settings.customers.get(message.to), work.settings.people.get(message.to)
    if message.kind is MessageKind.NOTICE and customer:
        composed = compose.notice(Subkind(message.subkind or ""), customer, known, work.settings, work.now)
    elif message.kind is MessageKind.PAGE and person:
        composed = compose.page(person, known, work.settings, work.now, message.subkind or "symptom")
    else:
        return message
    return replace(message, subject=composed.subject, text=composed.text, next_update_at=composed.next_update_at)


def problems_of(work: Work, message: Message, subject: str, text: str) -> tuple[str, ...]:
    """What is wrong with a text that a person wrote, by the lint rules for customers."""
    incident, customer = work.incident(message.incident), work.settings.customers.get(message.to)
    if incident is None or customer is None or message.kind is not MessageKind.NOTICE:
        return ()
    found = lint.lint(text, subject, customer, scene(work, incident, message.to), work.settings, Subkind(message.subkind or ""))
    return tuple(str(problem) for problem in found)
