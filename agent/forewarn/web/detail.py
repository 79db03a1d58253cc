"""One incident, and the messages. All of it blocks on the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from forewarn.core.reader import Body, Reader
from forewarn.model.change import Change
from forewarn.model.finding import Finding
from forewarn.model.impact import Factor
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.playbook import Run, command_text
from forewarn.model.settings import Settings
from forewarn.model.text import say
from forewarn.web.letters import called, occasions, speaks_against
from forewarn.web.names import Names
from forewarn.web.reads import MOST, Query, Reads
from forewarn.web.rows import rows
from forewarn.web.said import Trouble, Unanswerable

BUTTONS: Mapping[IncidentState, tuple[str, ...]] = {
    IncidentState.AHEAD: ("acknowledge", "note", "resolve", "false-alarm"),
    IncidentState.OPEN: ("acknowledge", "resolve", "note", "false-alarm"),
    IncidentState.ACKNOWLEDGED: ("resolve", "note", "false-alarm", "unacknowledge"),
    IncidentState.MITIGATED: ("resolve", "note"),
    IncidentState.RESOLVED: ("note",),
}
"""What a person can do about an incident from its page, by state; the first two stand at the thumb, the first is asked for."""

ANSWERS: Mapping[MessageState, tuple[str, ...]] = {
    MessageState.WAITING: ("approve", "refuse"),
    MessageState.HELD: ("undo",),
    MessageState.UNKNOWN: ("approve", "refuse"),
}


ASKING = frozenset({MessageState.SENT, MessageState.QUEUED, MessageState.FAILED, MessageState.UNKNOWN, MessageState.HELD})
SHARES = ("users affected", "users exposed", "orders drop", "probability")
"""Factors that are shares of one."""
NAMING = ("service", "vip")
"""Factors whose value is an id."""


def incident_page(reads: Reads, id: str, reader: Reader) -> Body:
    """Decision first, then evidence, messages, dues, story and runs; raises Unanswerable where there is no such incident."""
    incident = reads.ledger.get(id)
    if not isinstance(incident, Incident):
        raise Unanswerable(Trouble(404, "web.not_found", {"id": id}))
    settings, names = reads.settings(), Names(reads.settings(), reader)
    messages = [m for m in _found(reads, "message", id) if isinstance(m, Message)]
    asks = [m for m in messages if m.kind not in (MessageKind.NOTICE, MessageKind.PAGE)]
    runs = [r for r in _found(reads, "run", id) if isinstance(r, Run)]
    judged, story, dues = incident.impact, reads.ledger.timeline(id), reads.dues(incident=id)
    beside = reads.ledger.get_all((*incident.findings, *incident.linked, *incident.changes))
    return {
        "factor": lambda one: factor(_by_name(one, names), reader),
        "linked": {i: found for i in incident.linked if isinstance(found := beside.get(i), Incident)},
        "changes": [c for id in incident.changes if isinstance(c := beside.get(id), Change)],
        "row": rows(reads, [incident], reader)[0],
        "incident": incident,
        "buttons": buttons(incident),
        "findings": [f for id in incident.findings if isinstance(f := beside.get(id), Finding)],
        "affected": [_customer(settings, name) for name in judged.affected],
        "exposed": [_customer(settings, name) for name in judged.exposed if name not in judged.affected],
        "notices": _by_subkind([m for m in messages if m.kind is MessageKind.NOTICE]),
        "called": called([m for m in messages if m.kind is MessageKind.PAGE], story),
        "asks": asks,
        "questions": {m.id: m for m in asks},
        "choices": choices,
        "open_asks": {m.id for m in asks if _answerable(m) and m.id not in {run.asks for run in runs}},
        "lint": speaks_against(reads, messages, reader),
        "dues": sorted((d for d in dues if d.open), key=lambda due: due.due_at),
        "ended_dues": [d for d in dues if not d.open and d.ended != "dropped"],
        "timeline": story,
        "command_text": command_text,
        "runs": runs,
        "under_way": any(run.ended_at is None for run in runs),
    }


def buttons(incident: Incident) -> tuple[str, ...]:
    """Verbs that fit the incident's state. A forewarning that somebody owns needs no second owner."""
    verbs = BUTTONS.get(incident.state, ())
    return tuple(verb for verb in verbs if not (verb == "acknowledge" and incident.owner))


def choices(run: Run) -> tuple[str, ...]:
    """The answers that the question which a run waits for knows."""
    given = run.plan[run.at].spec.get("choices") if run.at is not None and run.at < len(run.plan) else None
    return tuple(map(str, given)) if isinstance(given, list | tuple) else ("yes", "no")


def _answerable(message: Message) -> bool:
    """A question that wants a yes or no and has none; those about changes and notices have buttons of their own."""
    own = message.subkind in ("approval", "outcome", "copy", "unsure")
    return message.kind is MessageKind.ASK and not own and message.state in ASKING and not message.answer


def factor(it: Factor, reader: Reader) -> str:
    """One input of the judgement in a few words, with the reason where it is unknown."""
    name = reader.word(f"impact.factor.{it.name.replace(' ', '_')}", it.name)
    key = "console.factor_share" if it.name in SHARES else "console.factor_word" if isinstance(it.value, str) else "console.factor"
    said = reader.tell(say(key, name=name, value=it.value))
    why = it.why if it.value is None else None
    return reader.tell(say("console.because", said=said, why=reader.tell(why))) if why else said


def _by_name(it: Factor, names: Names) -> Factor:
    """The factor with the name of what it names by id."""
    if not isinstance(it.value, str) or it.name not in NAMING:
        return it
    called = names.service if it.name == "service" else names.customer
    return replace(it, value=", ".join(called(one) for one in it.value.split(", ")))


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


def messages_page(reads: Reads, query: Query, reader: Reader) -> Body:
    """Messages, newest first, with the titles of the incidents that they are about."""
    found = reads.ledger.find(
        "message", states=query.states, incident=query.incident, of=query.kind, limit=query.limit + 1, after=query.after
    )
    messages = [m for m in found if isinstance(m, Message)][: query.limit]
    ids = {m.incident for m in messages if m.incident}
    lint = speaks_against(reads, messages, reader)
    return {
        "occasions": occasions(messages),
        "against": lambda occasion: [lint.get(message.id) for message in occasion.messages],
        "ever": bool(messages) or bool(reads.ledger.find("message", limit=1)),
        "incidents": {id: i for id, i in reads.ledger.get_all(sorted(ids)).items() if isinstance(i, Incident)},
        "next": messages[-1].id if len(found) > query.limit else None,
        "state": query.states[0] if query.states else None,
    }
