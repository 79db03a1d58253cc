"""One incident, and the messages. All of it blocks on the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from forewarn.core.reader import Body, Reader
from forewarn.model.finding import Finding
from forewarn.model.impact import Factor
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.playbook import Run, command_text
from forewarn.model.settings import Settings
from forewarn.model.text import say
from forewarn.web.reads import MOST, Query, Reads
from forewarn.web.rows import rows
from forewarn.web.said import Trouble, Unanswerable

BUTTONS: Mapping[IncidentState, tuple[str, ...]] = {
    IncidentState.AHEAD: ("acknowledge", "note", "resolve", "false-alarm"),
    IncidentState.OPEN: ("acknowledge", "resolve", "false-alarm", "note"),
    IncidentState.ACKNOWLEDGED: ("resolve", "false-alarm", "note", "unacknowledge"),
    IncidentState.MITIGATED: ("resolve", "note"),
    IncidentState.RESOLVED: ("note",),
}
"""What a person can do about an incident from its page, by state; the first is the one that is asked for."""

ANSWERS: Mapping[MessageState, tuple[str, ...]] = {
    MessageState.WAITING: ("approve", "refuse"),
    MessageState.HELD: ("undo",),
    MessageState.UNKNOWN: ("approve", "refuse"),
}


SHARES = ("users affected", "users exposed", "orders drop", "probability")
"""Factors that are shares of one."""


def incident_page(reads: Reads, id: str, reader: Reader) -> Body:
    """Decision first, then evidence, messages, dues, story and runs; raises Unanswerable where there is no such incident."""
    incident = reads.ledger.get(id)
    if not isinstance(incident, Incident):
        raise Unanswerable(Trouble(404, "web.not_found", {"id": id}))
    settings = reads.settings()
    messages = [m for m in _found(reads, "message", id) if isinstance(m, Message)]
    judged, findings = incident.impact, reads.ledger.get_all(incident.findings)
    return {
        "factor": lambda one: factor(one, reader),
        "row": rows(reads, [incident], reader)[0],
        "incident": incident,
        "buttons": buttons(incident),
        "findings": [f for id in incident.findings if isinstance(f := findings.get(id), Finding)],
        "affected": [_customer(settings, name) for name in judged.affected],
        "exposed": [_customer(settings, name) for name in judged.exposed if name not in judged.affected],
        "notices": _by_subkind([m for m in messages if m.kind is MessageKind.NOTICE]),
        "pages": [m for m in messages if m.kind is not MessageKind.NOTICE],
        "dues": [d for d in reads.dues(incident=id) if d.ended != "dropped"],
        "timeline": reads.ledger.timeline(id),
        "command_text": command_text,
        "runs": [r for r in _found(reads, "run", id) if isinstance(r, Run)],
    }


def buttons(incident: Incident) -> tuple[str, ...]:
    """Verbs that fit the incident's state. A forewarning that somebody owns needs no second owner."""
    verbs = BUTTONS.get(incident.state, ())
    asked = ("useful", "not-useful") if incident.called and incident.useful is None else ()
    return (*(verb for verb in verbs if not (verb == "acknowledge" and incident.owner)), *asked)


def factor(it: Factor, reader: Reader) -> str:
    """One input of the judgement in a few words, with the reason where it is unknown."""
    name = reader.word(f"impact.factor.{it.name.replace(' ', '_')}", it.name)
    key = "console.factor_share" if it.name in SHARES else "console.factor_word" if isinstance(it.value, str) else "console.factor"
    said = reader.tell(say(key, name=name, value=it.value))
    why = it.why if it.value is None else None
    return reader.tell(say("console.because", said=said, why=reader.tell(why))) if why else said


def _found(reads: Reads, kind: str, incident: str) -> Sequence[object]:
    return reads.ledger.find(kind, incident=incident, newest=False, limit=MOST)


def _customer(settings: Settings, name: str) -> tuple[str, bool]:
    """How a customer is called, and whether they are a VIP."""
    found = settings.customers.get(name)
    return (found.title, found.vip) if found else (name, False)


def _by_subkind(notices: list[Message]) -> list[tuple[str, list[Message]]]:
    """Notices of one occasion side by side, in the order in which the occasions came."""
    order = list(dict.fromkeys(m.subkind or "" for m in notices))
    ordered = sorted(notices, key=lambda m: (order.index(m.subkind or ""), m.at, m.language))
    return [(subkind, list(group)) for subkind, group in groupby(ordered, key=lambda m: m.subkind or "")]


def messages_page(reads: Reads, query: Query) -> Body:
    """Messages, newest first, with the titles of the incidents that they are about."""
    found = reads.ledger.find(
        "message", states=query.states, incident=query.incident, of=query.kind, limit=query.limit + 1, after=query.after
    )
    messages = [m for m in found if isinstance(m, Message)][: query.limit]
    ids = {m.incident for m in messages if m.incident}
    return {
        "messages": messages,
        "incidents": {id: i for id, i in reads.ledger.get_all(sorted(ids)).items() if isinstance(i, Incident)},
        "next": messages[-1].id if len(found) > query.limit else None,
        "state": query.states[0] if query.states else None,
    }
