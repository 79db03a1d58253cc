"""What is known when a text is written, and writing it again after it has waited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from forewarn.core.tell import compose, lint
from forewarn.core.tell.scene import Scene
from forewarn.core.work import Work
from forewarn.model.change import Change
from forewarn.model.finding import Finding, FindingState
from forewarn.model.incident import Incident
from forewarn.model.map import Service
from forewarn.model.message import Message, MessageKind, MessageState, Subkind
from forewarn.model.playbook import Run
from forewarn.model.text import Say, say

CHANGES_SHOWN = 2
"""In a page, whose lines are short."""
TROUBLED = ("down", "cannot-see")
"""Kinds of findings that say that a service is not known to be well."""


def scene(work: Work, incident: Incident, to: str | None = None) -> Scene:
    """What a composer may know about an incident now."""
    return scene_of(
        incident, to, work.services(incident.services), work.open_findings(incident), work.runs(incident.id),
        work.messages(incident.id), work.changes(), all_up(incident, work.findings(), work.incidents()),
    )  # fmt: skip


def scene_of(
    incident: Incident,
    to: str | None,
    services: Sequence[Service],
    findings: Iterable[Finding],
    runs: Iterable[Run],
    messages: Iterable[Message],
    changes: Iterable[Change],
    up: bool,
) -> Scene:
    """The same from what is given: `findings` are the incident's open ones, `messages` and `runs` all of its own, its own
    changes are among `changes`."""
    return Scene(
        incident=incident,
        findings=tuple(findings),
        services=tuple(services),
        runs=tuple(runs),
        plan=incident.plan,
        earlier=tuple(message for message in messages if message.to == to and message.state is MessageState.SENT),
        changed=tuple(changed(one) for one in changes if one.id in incident.changes)[:CHANGES_SHOWN],
        all_up=up,
    )


def changed(change: Change) -> Say:
    """A change in one line."""
    return say("change.line", text=change.text, at=change.at.timestamp())


def all_up(incident: Incident, findings: Iterable[Finding], incidents: Iterable[Incident]) -> bool:
    """Whether nothing is known to be wrong now with the incident's services."""
    names = set(incident.services)
    down = any(f.state is FindingState.OPEN and f.service in names and f.kind in TROUBLED for f in findings)
    return not down and not any(i.live and names & set(i.services) for i in incidents)


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
