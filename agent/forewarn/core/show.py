"""How the world sees things: entities as the JSON bodies that the API, `--json` and the console share.

Fields are only ever added. Times are RFC 3339 in UTC, spans are seconds; what is unknown is None, beside a `why` where
something can be said about it. Sentences are rendered for one reader, everything else is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forewarn.core.flow.expected import Expected, Left, Outreach
from forewarn.core.reader import Body, ProbeLike, Reader, RuleLike, TargetLike, number, stamp
from forewarn.core.respond.guard import DAY, HOUR, runs_since
from forewarn.model.change import Change
from forewarn.model.due import Due
from forewarn.model.finding import Finding
from forewarn.model.forecast import Forecast
from forewarn.model.glance import Sight
from forewarn.model.hold import Hold
from forewarn.model.impact import Factor
from forewarn.model.incident import Incident, TimelineEntry
from forewarn.model.message import Attempt, Message, MessageState
from forewarn.model.playbook import Guard, Playbook, Run, Step, StepResult, command_text
from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId, metric_text
from forewarn.model.text import say


def probe(view: ProbeLike, reader: Reader) -> Body:
    """An item of GET /api/v1/probes."""
    it = view.probe
    return {
        "name": it.name,
        "kind": it.kind,
        "service": it.service,
        "mode": str(it.mode),
        "every_s": number(it.every_s),
        "source": str(it.source),
        "targets": [_target(it, target, reader) for target in view.targets],
    }


def change(it: Change) -> Body:
    """An item of GET /api/v1/changes, and of an incident's `changes`."""
    return {
        "id": it.id,
        "at": stamp(it.at),
        "heard_at": stamp(it.heard_at),
        "what": it.what,
        "text": it.text,
        "who": it.who,
        "service": it.service,
        "host": it.host,
        "found": it.found,
    }


AWAY = frozenset(("refused", "unreachable", "resolve", "reset", "protocol", "auth", "host_key", "host_key_changed", "jump"))
"""Reasons for which a run on a host could not look that are the host's own, whatever the probe."""


def host_away(probe: Probe, view: TargetLike | Sight) -> str | None:
    """The host that can't be reached, where that is why a target could not be looked at: all of its probes are blind for it,
    and people hear of the host once."""
    if view.outcome != "unknown" or view.reason not in AWAY:
        return None
    return next((one.where for one in probe.targets if one.name == view.target and one.where != "local"), None)


def _target(probe: Probe, view: TargetLike, reader: Reader) -> Body:
    away = host_away(probe, view)
    return {
        "target": view.target,
        "host_away": away,
        "reason": reader.word(f"prober.reason.{view.reason}", view.reason.replace("_", " ")) if view.reason else None,
        "outcome": str(view.outcome),
        "why": target_why(view, reader),
        "at": stamp(view.at),
        "lateness_ms": number(view.lateness_ms, 1),
        "series": [
            {"metric": one.series.metric, "labels": dict(one.series.labels), "value": number(one.value)} for one in view.series
        ],
        "rules": [_rule(one.series, rule, reader) for one in view.series for rule in one.rules],
    }


def target_why(view: TargetLike | Sight, reader: Reader) -> str | None:
    """Why a target is not up: the reason in words, with the failing value. None for one that is up."""
    if view.reason is None:
        return view.detail or (reader.tell(say("console.not_yet")) if view.at is None else None)
    reason = reader.word(f"prober.reason.{view.reason}", view.reason.replace("_", " "))
    if not view.detail or view.detail.lower().startswith(reason.lower()):
        return view.detail or reason  # "connection refused by ..." says it already
    return reader.tell(say("console.reason", reason=reason, detail=view.detail))


def _rule(series: SeriesId, view: RuleLike, reader: Reader) -> Body:
    return {
        "rule": view.rule,
        "state": str(view.state),
        "why": reader.tell(view.why) if view.why else None,
        "series": metric_text(series.metric, series.labels),
        "ready_at": stamp(view.ready_at),
    }


def forecast(it: Forecast | None) -> Body | None:
    """Dates of a crossing; a risk has null dates and its horizon."""
    if it is None:
        return None
    return {
        "earliest": stamp(it.earliest),
        "likely": stamp(it.likely),
        "latest": stamp(it.latest),
        "coverage": number(it.coverage, 3),
        "p": number(it.p, 3),
        "horizon_s": number(it.horizon_s),
    }


def finding(it: Finding, dues: Sequence[Due], reader: Reader) -> Body:
    """An item of GET /api/v1/findings. `dues` are those of this finding."""
    proof = it.evidence
    return {
        "id": it.id,
        "state": str(it.state),
        "series": it.series,
        "rule": it.rule,
        "probe": it.probe,
        "service": it.service,
        "colour": str(it.colour),
        "opened_at": stamp(it.opened_at),
        "why": reader.tell(it.why),
        "evidence": {
            "value": number(proof.value),
            "limit": number(proof.limit),
            "window_s": number(proof.window_s),
            "n": proof.n,
            "lines": list(proof.lines),
        },
        "dues": [due(one, reader) for one in dues],
        "forecast": forecast(it.forecast),
        "old": it.old,
        "incident": it.incident,
        "config": it.config,
        "source": it.source,
        "cleared_at": stamp(it.cleared_at),
    }


def incident(it: Incident, dues: Sequence[Due], ahead: Forecast | None, reader: Reader, changes: Sequence[Change] = ()) -> Body:
    """An item of GET /api/v1/incidents. `ahead` is the forecast that a forewarning rests on; `changes` what changed lately."""
    judged = it.impact
    return {
        "id": it.id,
        "title": reader.tell(it.title),
        "why": reader.tell(it.why),
        "state": str(it.state),
        "owner": it.owner,
        "declared_by": it.declared_by,
        "verdict": it.verdict,
        "level": str(it.level),
        "would_be": str(it.would_be) if it.would_be else None,
        "pinned": it.pinned,
        "effect": str(judged.effect),
        "reach": str(judged.reach),
        "shifts": list(judged.shifts),
        "overrides": list(judged.overrides),
        "score": [number(end, 1) for end in judged.score],
        "factors": [_factor(one, reader) for one in judged.factors],
        "act_by": stamp(it.act_by),
        "findings": list(it.findings),
        "services": list(it.services),
        "customers": {"affected": list(judged.affected), "exposed": list(judged.exposed)},
        "dues": [due(one, reader) for one in dues],
        "runs": list(it.runs),
        "messages": list(it.messages),
        "linked": list(it.linked),
        "changes": [change(one) for one in changes],
        "room": it.room,
        "opened_at": stamp(it.opened_at),
        "forecast": forecast(ahead),
        "plan": it.plan,
        "resolution": it.resolution,
        "useful": it.useful,
        "useful_by": it.useful_by,
        "breached_at": stamp(it.breached_at),
        "acknowledged_at": stamp(it.acknowledged_at),
        "ended_at": stamp(it.ended_at),
        "version": it.version,
    }


def _factor(it: Factor, reader: Reader) -> Body:
    body: Body = {"name": it.name, "value": number(it.value) if isinstance(it.value, float) else it.value, "from": it.source}
    if body["value"] is None or it.why:
        body["why"] = reader.tell(it.why) if it.why else reader.tell(say("console.unknown"))
    return body


def due(it: Due, reader: Reader) -> Body:
    """An item of an incident's or finding's `dues` and of GET /api/v1/dues."""
    return {
        "id": it.id,
        "what": it.what,
        "owner": it.owner,
        "due": stamp(it.due_at),
        "calendar": it.calendar,
        "paused": it.paused_at is not None,
        "used": number(it.used(reader.now), 3),
        "colour": str(it.colour) if it.colour else None,
        "done_at": stamp(it.done_at),
        "subject": it.subject,
        "incident": it.incident,
        "ended": it.ended,
    }


def message(it: Message, reader: Reader) -> Body:
    """An item of GET /api/v1/messages. `why` is the reason for writing, once dropped or failed the reason for not."""
    gave = it.approval
    return {
        "id": it.id,
        "kind": str(it.kind),
        "subkind": it.subkind,
        "to": it.to,
        "language": it.language,
        "channel": it.channel_kind,
        "at": stamp(it.at),
        "state": str(it.state),
        "why": reader.tell(it.ended or it.why),
        "held": {"by": reader.tell(it.held.by), "until": stamp(it.held.until)} if it.held else None,
        "approval": {"asked": list(gave.asked), "by": gave.by, "at": stamp(gave.at), "expires": stamp(gave.expires)}
        if gave
        else None,
        "key": it.key,
        "subject": it.subject,
        "text": it.text,
        "incident": it.incident,
        "attempts": [_attempt(one) for one in it.attempts],
        "next_update_at": stamp(it.next_update_at),
        "edited_by": it.edited_by,
        "answer": it.answer,
        "run": it.run,
        "version": it.version,
    }


def _attempt(it: Attempt) -> Body:
    return {
        "at": stamp(it.at),
        "result": it.result,
        "reason": it.reason,
        "ms": number(it.ms, 1),
        "channel": it.channel,
        "detail": it.detail,
    }


def hold(it: Hold, messages: Iterable[Message], reader: Reader) -> Body:
    """An item of GET /api/v1/holds; `holding` are those of `messages` that it keeps back now."""
    return {
        "id": it.id,
        "reason": reader.tell(it.reason),
        "owner": it.owner,
        "matcher": dict(it.matcher),
        "audience": it.audience,
        "from": stamp(it.from_at),
        "until": stamp(it.until),
        "breaks_from": str(it.breaks_from) if it.breaks_from else None,
        "holding": [m.id for m in messages if m.state is MessageState.HELD and m.held and m.held.hold == it.id],
        "ended_at": stamp(it.ended_at),
    }


def run(it: Run, reader: Reader) -> Body:
    """An item of GET /api/v1/runs."""
    return {
        "id": it.id,
        "playbook": it.playbook,
        "incident": it.incident,
        "finding": it.finding,
        "state": str(it.state),
        "by": it.by,
        "asks": it.asks,
        "started_at": stamp(it.started_at),
        "ended_at": stamp(it.ended_at),
        "steps": [_step(step, reader) for step in it.steps],
        "repair": str(it.repair) if it.repair else None,
        "needs": it.needs,
        "expires": stamp(it.expires),
    }


def _step(it: StepResult, reader: Reader) -> Body:
    return {
        "name": it.name,
        "kind": it.kind,
        "state": str(it.state),
        "started_at": stamp(it.started_at),
        "ended_at": stamp(it.ended_at),
        "summary": step_summary(it, reader),
        "output": it.output,
        "changing": it.changing,
        "where": it.where,
        "argv": list(argv) if isinstance(argv := it.spec.get("argv"), list | tuple) else None,
        "command": command_text(it.spec) or None,
        "undo": command_text(it.undo) if it.undo else None,
        "approved_by": list(it.approved_by),
        "approved_at": stamp(it.approved_at),
        "took_s": number((it.ended_at - it.started_at).total_seconds(), 3) if it.started_at and it.ended_at else None,
        "facts": dict(it.facts),
    }


def step_summary(it: StepResult, reader: Reader) -> str:
    """What a step came to in one line: our own reason, else what was said."""
    return reader.tell(it.why) if it.why else it.summary


def playbook(it: Playbook, reader: Reader, guard: Guard | None = None, breaker: Hold | None = None) -> Body:
    """An item of GET /api/v1/playbooks. `guard` is what it has changed lately, `breaker` the hold of its open breaker."""
    kept = guard or Guard(playbook=it.name)
    limits = it.limits
    match = {name: getattr(it.match, name) for name in ("service", "rule", "probe", "tag")}
    return {
        "name": it.name,
        "title": it.title.get(reader.language) or it.title.get("en") or it.name,
        "for": {name: value for name, value in match.items() if value is not None},
        "takes_s": number(it.takes_s),
        "needs": [{"what": need.what, "lead_s": number(need.lead_s)} for need in it.needs],
        "risk": it.risk,
        "mode": str(it.mode),
        "steps": [_declared(step) for step in it.steps],
        "limits": {
            "per_hour": limits.per_hour,
            "per_day": limits.per_day,
            "cooldown_s": number(limits.cooldown_s),
            "at_once": limits.at_once,
        },
        "changed": {"hour": runs_since(kept, reader.now - HOUR), "day": runs_since(kept, reader.now - DAY), "bad": kept.bad},
        "breaker": {"hold": breaker.id, "since": stamp(breaker.from_at), "why": reader.tell(breaker.reason)} if breaker else None,
        "source": str(it.source),
    }


def _declared(it: Step) -> Body:
    return {
        "name": it.name,
        "kind": it.kind,
        "changing": it.changing,
        "where": it.where,
        "when": it.when,
        "command": command_text(it.spec) or None,
        "undo": command_text(it.undo) if it.undo else None,
        "idempotent": it.idempotent,
        "irreversible": it.irreversible,
    }


def outreach(it: Outreach, reader: Reader) -> Body:
    """Who is told about an incident, who would be, and who would not and why."""

    def message(one: Expected) -> Body:
        return {
            "to": one.to,
            "kind": str(one.kind),
            "subkind": one.subkind,
            "language": one.language,
            "channels": list(one.channels),
            "state": one.state,
            "at": stamp(one.at),
            "why": reader.tell(one.why),
            "how": reader.tell(one.how) if one.how else None,
            "message": one.message,
        }

    def left(one: Left) -> Body:
        return {"who": one.who, "why": reader.tell(one.why)}

    return {
        "people": [message(one) for one in it.people],
        "people_left": [left(one) for one in it.people_left],
        "customers": [message(one) for one in it.customers],
        "customers_left": [left(one) for one in it.customers_left],
    }


def entry(it: TimelineEntry, reader: Reader) -> Body:
    """One line of an incident's story."""
    return {"at": stamp(it.at), "what": reader.tell(it.say), "by": it.by, "refs": list(it.refs)}
