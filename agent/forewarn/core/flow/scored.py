"""Verdicts reach the scorecard, and the scorecard reaches the policy."""

from __future__ import annotations

from forewarn.core.learn import gate as gates
from forewarn.core.learn.verdict import judged
from forewarn.core.work import Work
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident
from forewarn.model.level import Level
from forewarn.model.message import Message, MessageKind, Subkind
from forewarn.model.scorecard import Gate, Score

GATED = {Subkind.FOREWARNING: "customers", Subkind.MAINTENANCE: "maintenance"}
"""Notices that rest on a forecast, and the gate that each needs. What has begun is measured, and what was told may always be
withdrawn."""


def first_finding(work: Work, incident: Incident) -> Finding | None:
    """What an incident began with; None for one that a person declared."""
    return work.finding(incident.findings[0]) if incident.findings else None


def ended(work: Work, id: str) -> None:
    """An incident has ended with a verdict: its rule's score has one more."""
    incident = work.incident(id)
    if incident is None or incident.verdict is None:
        return
    told, first = incident.foretold, first_finding(work, incident)
    if told is not None:
        score = work.score(told.probe, told.rule, told.kind)
    elif first is not None:
        score = work.score(first.probe, first.rule, first.kind)
    else:
        return
    work.put(score.judged(judged(incident, incident.verdict)))


def paged(work: Work, incident: Incident, useful: bool) -> None:
    """A person's word about being called, for the rule that the incident began with. `incident` is as it was before."""
    first = first_finding(work, incident)
    if first is not None:
        work.put(work.score(first.probe, first.rule, first.kind).paged(incident.useful, useful))


def gate_of(work: Work, message: Message) -> Gate | None:
    """The gate that a text needs to leave by itself; None where it rests on no forecast."""
    incident = work.incident(message.incident)
    if message.kind is not MessageKind.NOTICE or message.subkind not in GATED or incident is None or incident.foretold is None:
        return None
    policy = work.settings.policy
    need = policy.gates[GATED[Subkind(message.subkind)]]
    return gates.gate(incident.foretold.kind, need, work.scores(), policy.priors)


def vain(work: Work, incident: Incident) -> tuple[Score, ...]:
    """The scores of the rules behind an incident, if all of them call in vain; a P0 calls whatever its rules did before."""
    if incident.level is Level.P0 or incident.touched or incident.declared_by:
        return ()
    scores = tuple(dict.fromkeys((f.probe, f.rule, f.kind) for f in work.open_findings(incident)))
    found = tuple(work.score(*key) for key in scores)
    return found if found and all(gates.in_vain(one) for one in found) else ()
