"""The links of a `why` chain: what each stored thing says of itself, and the names of what it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from forewarn.model.change import Change
from forewarn.model.due import Due
from forewarn.model.finding import Finding, FindingState
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.playbook import Run, StepResult, StepState, command_text
from forewarn.model.series import unit_of
from forewarn.model.text import Fact, Say, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One thing of the chain. `sources` are the ids it came from; `beside`: it came of the chain and isn't part of it."""

    id: str
    type: str
    at: datetime | None
    says: tuple[Say, ...]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    beside: bool = False


def change_link(change: Change, beside: bool = False) -> Link:
    facts: dict[str, Fact] = {
        "what": f"change.what.{change.what}",
        "text": change.text,
        "who": change.who,
        "service": change.service,
        "host": change.host,
    }
    says = (Say("why.link.change", facts), say("why.link.changed_at", at=change.at.timestamp(), who=change.who))
    return Link(id=change.id, type="change", at=change.at, says=says, facts=facts, beside=beside)


def message_link(message: Message, beside: bool = False) -> Link:
    facts: dict[str, Fact] = {
        "subkind": message.subkind or message.kind,
        "to": message.to,
        "language": message.language,
        "channel": message.channel_kind,
        "cause": f"page.cause.{message.subkind}",
        "key": message.key,
        "state": str(message.state),
    }
    says = (
        Say(f"why.link.{message.kind}", facts),
        *_on_its_way(message),
        *_who_said_so(message),
        *((message.why,) if message.kind is MessageKind.NOTICE else ()),
    )
    sources = (message.incident,) if message.incident else ()
    return Link(id=message.id, type=str(message.kind), at=message.at, says=says, facts=facts, sources=sources, beside=beside)


def _on_its_way(message: Message) -> Iterable[Say]:
    """Where it stands: sent when and at which attempt, held by what, or its state with the reason."""
    sent = next((attempt for attempt in reversed(message.attempts) if attempt.result == "sent"), None)
    if sent:
        yield Say("why.link.sent", {"at": sent.at.timestamp(), "n": len(message.attempts), "key": message.key[:8]})
    elif message.held:
        until = message.held.until
        yield say("why.link.held", until=until.timestamp()) if until else say("why.link.held_open")
        yield message.held.by
    else:
        yield say("why.link.state", state=f"message.state.{message.state}")
    if message.answer:
        yield say("why.link.answered", answer=message.answer)
    if message.ended:
        yield message.ended


def _who_said_so(message: Message) -> Iterable[Say]:
    approval = message.approval
    if approval and approval.by:
        yield say("why.link.approved", who=approval.by)
    elif approval and approval.expires and message.state is MessageState.WAITING:
        until, who = approval.expires.timestamp(), ", ".join(approval.asked)
        yield say("why.link.waits", who=who, until=until) if who else say("why.link.waits_anybody", until=until)
    if message.edited_by:
        yield say("why.link.edited", who=message.edited_by)


def incident_link(incident: Incident, findings: Sequence[Finding], into: str | None, beside: bool = False) -> Link:
    level = incident.would_be if incident.state is IncidentState.AHEAD and incident.would_be else incident.level
    facts: dict[str, Fact] = {
        "state": str(incident.state),
        "level": str(level),
        "effect": str(incident.impact.effect),
        "reach": str(incident.impact.reach),
        "act_by": incident.act_by.timestamp() if incident.act_by else None,
    }
    key = "would_be" if incident.state is IncidentState.AHEAD else "is"
    says = [Say(f"why.link.{key}", {**incident.why.facts, "level": str(level), "why": incident.why.key})]
    says += [factor.why for factor in incident.impact.factors if factor.source == "cap" and factor.why]
    if incident.declared_by:
        says.append(say("why.link.declared", who=incident.declared_by))
    if incident.pinned:
        says.append(say("why.link.pinned", text=incident.pinned))
    if into:
        says.append(say("why.link.merged", into=into))
    if incident.act_by and incident.breached_at is None:
        says.append(Say("why.link.act_by", facts))
    says += _breach(incident, findings)
    sources = (into,) if into else incident.findings
    return Link(
        id=incident.id, type="incident", at=incident.opened_at, says=tuple(says), facts=facts, sources=sources, beside=beside
    )


def _breach(incident: Incident, findings: Sequence[Finding]) -> list[Say]:
    """When the forecast of the incident's own thing says that it comes."""
    found = next((f.forecast for f in findings if f.forecast and f.series == incident.thing), None)
    if found is None or found.earliest is None:
        return []
    latest = found.latest.timestamp() if found.latest else None
    return [say("why.link.breach", earliest=found.earliest.timestamp(), latest=latest, coverage=found.coverage)]


def _rule_id(finding: Finding) -> str:
    return f"{finding.probe}/{finding.rule}"


def finding_link(finding: Finding) -> Link:
    cleared = finding.state is FindingState.CLEARED and finding.cleared_at
    says = (finding.why, say("why.link.cleared", at=cleared.timestamp())) if cleared else (finding.why,)
    facts = {"value": finding.evidence.value, "limit": finding.evidence.limit, "window_s": finding.evidence.window_s}
    return Link(
        id=finding.id, type="finding", at=finding.opened_at, says=says, facts=facts, sources=(_rule_id(finding), finding.series)
    )


def rule_link(finding: Finding) -> Link:
    facts: dict[str, Fact] = {"rule": finding.rule, "source": finding.source, "config": finding.config}
    return Link(
        id=_rule_id(finding), type="rule", at=None, says=(Say("why.link.rule", facts),), facts=facts, sources=(finding.series,)
    )


def series_link(finding: Finding) -> Link:
    evidence = finding.evidence
    facts: dict[str, Fact] = {
        "n": evidence.n,
        "first": evidence.first_at.timestamp() if evidence.first_at else None,
        "last": evidence.last_at.timestamp() if evidence.last_at else None,
        "value": evidence.value,
        "unit": unit_of(finding.metric),
    }
    told = evidence.first_at and evidence.last_at and evidence.value is not None
    key = "series" if told else "series_short" if evidence.n else "unseen"
    return Link(id=finding.series, type="series", at=evidence.last_at, says=(Say(f"why.link.{key}", facts),), facts=facts)


def run_link(run: Run, beside: bool = False) -> Link:
    facts: dict[str, Fact] = {"playbook": run.playbook, "state": f"console.run_state.{run.state}", "by": run.by}
    steps = [said for step in run.steps if step.state is not StepState.WAITING for said in _step(step)]
    if run.repair:
        steps.append(say("repair.why.outcome", repair=f"repair.outcome.{run.repair}"))
    return Link(
        id=run.id, type="run", at=run.started_at, says=(Say("why.link.run", facts), *steps), facts=facts, sources=(run.incident,),
        beside=beside,
    )  # fmt: skip


def _step(step: StepResult) -> Iterable[Say]:
    """How it ended; of a change also what exactly was run, and who said yes."""
    yield say("why.link.step", step=step.name, result=str(step.state))
    if step.started_at and (step.changing or step.kind == "undo"):
        yield say("repair.why.ran", command=command_text(step.spec), where=step.where)
        if step.ended_at:
            yield say("repair.why.took", took=(step.ended_at - step.started_at).total_seconds())
    if step.approved_by:
        yield say("why.link.approved", who=", ".join(step.approved_by))
    if step.why:
        yield step.why


def due_link(due: Due, beside: bool = False) -> Link:
    facts: dict[str, Fact] = {
        "what": f"due.{due.what}",
        "due": due.due_at.timestamp(),
        "at": due.done_at.timestamp() if due.done_at else None,
    }
    key = f"why.link.due_{due.ended}" if due.done_at and due.ended else "why.link.due"
    sources = (due.incident or due.subject,)
    return Link(id=due.id, type="due", at=due.started_at, says=(Say(key, facts),), facts=facts, sources=sources, beside=beside)
