"""The kinds of entity that the ledger keeps: their types, the prefixes of their ids and the columns that they are found by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forewarn.model.actions import Action, Look, RunStep, Send
from forewarn.model.change import Change
from forewarn.model.due import Due
from forewarn.model.errors import StoreError
from forewarn.model.finding import Finding
from forewarn.model.hold import Hold
from forewarn.model.impact import Measure
from forewarn.model.incident import Incident
from forewarn.model.message import Message
from forewarn.model.playbook import Guard, Run
from forewarn.model.scorecard import Score
from forewarn.ports import Entity
from forewarn.store.codec import clean

Columns = dict[str, str | int | float | None]
UNDATED_S = 1e12
"""What has no date yet comes after all that has, in the order in which it began."""


@dataclass(frozen=True)
class Kind:
    """One line of the table of entities. `columns` are all but n, id and body."""

    name: str
    type: type[Entity]
    prefix: str | None
    columns: Callable[[Any], Columns]


def seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _finding(finding: Finding) -> Columns:
    return {
        "state": finding.state,
        "incident": finding.incident,
        "probe": clean(finding.probe),
        "rule": clean(finding.rule),
        "series": clean(finding.series),
        "moved_at": (finding.cleared_at or finding.opened_at).timestamp(),
        "kind": finding.kind,
        "opened_at": finding.opened_at.timestamp(),
    }


def _incident(incident: Incident) -> Columns:
    opened_s = incident.opened_at.timestamp()
    return {
        "state": incident.state,
        "incident": incident.id,
        "level": incident.level,
        "opened_at": opened_s,
        "soon_at": UNDATED_S + opened_s if incident.earliest is None else incident.earliest.timestamp(),
    }


def _due(due: Due) -> Columns:
    state = "open" if due.open else due.ended or "done"
    next_s = seconds(due.next_at) if due.open else None
    return {
        "state": state,
        "incident": due.incident,
        "next_at": next_s,
        "what": due.what,
        "subject": due.subject,
        "due_at": due.due_at.timestamp(),
    }


def _hold(hold: Hold) -> Columns:
    return {"state": "ended" if hold.ended_at else "open", "incident": hold.matcher.get("incident")}


def _message(message: Message) -> Columns:
    return {"state": message.state, "incident": message.incident, "kind": message.kind}


def _run(run: Run) -> Columns:
    return {"state": run.state, "incident": run.incident, "ended_at": seconds(run.ended_at)}


def _measure(measure: Measure) -> Columns:
    return {"state": "unknown" if measure.value is None else "known", "incident": None}


def _guard(guard: Guard) -> Columns:
    return {"state": "bad" if guard.bad else "good", "incident": None}


def _change(change: Change) -> Columns:
    return {"state": change.what, "incident": None}


def _score(score: Score) -> Columns:
    return {"state": score.kind, "incident": None}


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("finding", Finding, "F", _finding),
        Kind("incident", Incident, "INC", _incident),
        Kind("due", Due, "D", _due),
        Kind("hold", Hold, "H", _hold),
        Kind("message", Message, "M", _message),
        Kind("run", Run, "R", _run),
        Kind("measure", Measure, None, _measure),
        Kind("guard", Guard, None, _guard),
        Kind("change", Change, "C", _change),
        Kind("score", Score, None, _score),
    )
}
BY_TYPE = {kind.type: kind for kind in KINDS.values()}
BY_PREFIX = {kind.prefix: kind for kind in KINDS.values() if kind.prefix}
GUARD, SCORE = "guard/", "score/"
"""A guard's id is this and its playbook's name, a score's this, its probe's name, / and its rule's."""
ACTIONS: Mapping[str, type[Action]] = {"send": Send, "step": RunStep, "look": Look}


def kind_named(name: str) -> Kind:
    try:
        return KINDS[name]
    except KeyError:
        raise StoreError(f'the ledger has no "{name}"; it has {", ".join(KINDS)}') from None


def kind_of(id: str) -> Kind | None:
    """The kind that an id belongs to; None for an id of nothing that the ledger keeps by id (an action, a typing error)."""
    if id.startswith(GUARD):
        return KINDS["guard"]
    if id.startswith(SCORE):
        return KINDS["score"]
    return BY_PREFIX.get(id.rpartition("-")[0]) or (KINDS["measure"] if "/" in id else None)


def number(id: str, prefix: str) -> int:
    """3 of INC-3; raises StoreError for an id of another form."""
    head, _, digits = id.rpartition("-")
    if head != prefix or not (digits.isascii() and digits.isdigit()):
        raise StoreError(f'"{id}" is not an id of this kind; it would be {prefix}-1')
    return int(digits)


def row(kind: Kind, thing: Entity) -> Columns:
    """Number, id and columns of an entity's row, without its body."""
    if isinstance(thing, Measure):
        return {"id": clean(f"{thing.service}/{thing.what}"), **kind.columns(thing)}
    if isinstance(thing, Guard):
        return {"id": clean(f"{GUARD}{thing.playbook}"), **kind.columns(thing)}
    if isinstance(thing, Score):
        return {"id": clean(f"{SCORE}{thing.probe}/{thing.rule}"), **kind.columns(thing)}
    return {"n": number(thing.id, kind.prefix or ""), "id": thing.id, **kind.columns(thing)}


def action_row(action: Action) -> Columns:
    match action:
        case Send():
            kind, ref = "send", action.message
        case RunStep():
            kind, ref = "step", action.run
        case Look():
            kind, ref = "look", action.incident
    return {
        "n": number(action.id, "A"),
        "id": action.id,
        "kind": kind,
        "ref": ref,
        "at": action.at.timestamp(),
        "again": int(action.again),
        "urgency": action.urgency,
    }
