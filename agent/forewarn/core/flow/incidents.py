"""An incident began or changed: its level, its clocks, its room, and who is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forewarn.core import impact as judge
from forewarn.core.flow import calling, changefeed, clocks, judged, runs, scored, telling, witness
from forewarn.core.impact.correlate import linked as near
from forewarn.core.learn.verdict import verdict
from forewarn.core.respond import dues, escalate
from forewarn.core.respond.lifecycle import Event, move
from forewarn.core.respond.playbook import USELESS
from forewarn.core.work import Work
from forewarn.model.finding import Finding
from forewarn.model.impact import Impact
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Effect, Level
from forewarn.model.map import Service
from forewarn.model.message import Subkind
from forewarn.model.playbook import Run, StepState
from forewarn.model.scorecard import Foretold
from forewarn.model.text import Say, say

FALL_AFTER = 3  # evaluations in a row at a lower level ...
FALL_SPAN = timedelta(minutes=15)  # ... over at least this long
LOOK_AGAIN = timedelta(minutes=5)
CLOSE_AFTER = timedelta(days=7)


# --- beginnings -------------------------------------------------------------------------------------------------------


def open_for(work: Work, finding: Finding, state: IncidentState) -> str:
    """Open an incident for a finding that belongs to none."""
    services = (finding.service,) if finding.service else ()
    id = _begin(work, services, state, [finding], None, None, thing=finding.series if state is IncidentState.AHEAD else None)
    work.put(replace(finding, incident=id))
    work.note(id, say("respond.opened", finding=finding.id), finding.id)
    changefeed.look_back(work, id)
    calling.consequences(work, id, None)
    runs.start_fitting(work, id, replace(finding, incident=id))
    if state is IncidentState.AHEAD:
        telling.forewarn(work, id)
    return id


def declare(work: Work, title: str, service: str | None, level: Level | None, by: str) -> str:
    """A person says that something is wrong; nothing needs to have been measured."""
    services = (service,) if service else ()
    id = _begin(work, services, IncidentState.OPEN, [], by, level, title=say("title.declared", text=title))
    work.note(id, say("respond.declared", text=title), by=by)
    changefeed.look_back(work, id)
    calling.consequences(work, id, None)
    return id


def _begin(
    work: Work,
    services: tuple[str, ...],
    state: IncidentState,
    findings: list[Finding],
    by: str | None,
    level: Level | None,
    title: Say | None = None,
    thing: str | None = None,
) -> str:
    known = work.services(services)
    impact = _judge(work, findings, known, state, level)
    incident = Incident(
        id=work.new_id("INC"),
        title=title or _title(work, impact, findings, known),
        why=impact.why,
        state=state,
        declared_by=by,
        declared_level=impact.level if by else None,
        level=impact.level,
        would_be=impact.would_be,
        impact=impact,
        thing=thing,
        foretold=_foretold(work, findings) if thing else None,
        findings=tuple(finding.id for finding in findings),
        services=services,
        opened_at=work.now,
        touched=by is not None,
        escalation=escalate.steps_for(known, work.settings),
    )
    linked = near(services, work.incidents(), work.settings)
    incident, impact = witness.weighed(work, replace(incident, level=Level.P4), impact)
    incident = _dated(work, replace(incident, level=impact.level, impact=impact, linked=linked))
    work.put(incident)
    witness.ask(work, incident.id)
    for other in linked:
        _link(work, other, incident.id)
    return incident.id


def _foretold(work: Work, findings: list[Finding]) -> Foretold | None:
    first = findings[0]
    if first.forecast is None:
        return None
    return Foretold(probe=first.probe, rule=first.rule, kind=first.kind, at=work.now, forecast=first.forecast)


def _link(work: Work, id: str, to: str) -> None:
    other = work.incident(id)
    if other and to not in other.linked:
        work.put(replace(other, linked=(*other.linked, to), version=other.version + 1))


def _judge(
    work: Work, findings: list[Finding], services: tuple[Service, ...], state: IncidentState, declared: Level | None
) -> Impact:
    kind = "ahead" if state is IncidentState.AHEAD else "live"
    return judge.assess(findings, services, work.settings, work.measures(), kind, declared, work.now)


def _title(work: Work, impact: Impact, findings: list[Finding], services: tuple[Service, ...]) -> Say:
    """What the trouble is called: the service in front, then what is or will be wrong with it."""
    finding = findings[0]
    name = services[0].name if services else finding.probe
    if finding.forecast:
        forecast = finding.forecast
        if finding.kind == "risk":
            return say("title.risk", service=name, what=f"metric.{finding.metric}", p=forecast.p, horizon_s=forecast.horizon_s)
        begin, end = forecast.earliest or forecast.likely, forecast.latest or forecast.likely
        key = "title.forecast_open" if end is None or forecast.latest is None else "title.forecast"
        return say(
            key,
            service=name,
            what=f"metric.{finding.metric}",
            earliest=begin.timestamp() if begin else None,
            latest=end.timestamp() if end else None,
        )
    if impact.effect is Effect.AT_RISK:
        return say("title.at_risk", service=name, what=f"metric.{finding.metric}")
    if impact.effect is Effect.STOPPED:
        return say("title.down", service=name)
    return say("title.slow" if impact.effect is Effect.SLOW else "title.errors", service=name)


def _dated(work: Work, incident: Incident) -> Incident:
    """With act-by and the breach's earliest moment, from the forecast of its own series."""
    found = next((f.forecast for f in work.open_findings(incident) if f.forecast and f.series == incident.thing), None)
    finding = next((f for f in work.open_findings(incident) if f.series == incident.thing), None)
    if incident.state is not IncidentState.AHEAD or not found or not found.earliest or not finding:
        return incident
    fitting = [work.settings.playbooks[p.name] for p in runs.fitting(work, finding)]
    return replace(incident, earliest=found.earliest, act_by=dues.act_by(found.earliest, fitting, work.settings))


# --- changes ----------------------------------------------------------------------------------------------------------


def returned(work: Work, id: str) -> None:
    """A finding came to an incident that is there already."""
    incident = work.incident(id)
    if incident is None:
        return
    after = move(id, incident.state, Event.RETURNED)
    if after is not incident.state:
        work.note(id, say("respond.reopened"))
        clocks.end_all(work, id, "dropped", only={"settle"})
        running = tuple(what for what in incident.clocks if what != "mitigate")  # that one starts anew
        work.put(replace(incident, state=after, mitigated_at=None, clocks=running, version=incident.version + 1))


def breached(work: Work, id: str) -> None:
    """What was forecast is here: the same incident becomes open and its clocks start now."""
    incident = work.incident(id)
    if incident is None or incident.state is not IncidentState.AHEAD:
        return
    clocks.end_all(work, id, "late", only={"act-by", "ack"})
    telling.drop_drafts(work, id, say("dropped.breached"))
    work.put(replace(incident, state=move(id, incident.state, Event.BREACHED), breached_at=work.now, version=incident.version + 1))
    work.note(id, say("respond.breached"))
    reassess(work, id)


def cleared(work: Work, id: str) -> None:
    """No finding is left."""
    incident = work.incident(id)
    if incident is None:
        return
    acted = any(_acted(run) for run in work.runs(id))
    event = Event.AVERTED if acted or (incident.state is IncidentState.AHEAD and incident.resolution) else Event.CLEARED
    after = move(id, incident.state, event)
    if incident.state is IncidentState.AHEAD:
        end(work, id, after, by="forewarn")
        return
    work.put(replace(incident, state=after, mitigated_at=work.now, version=incident.version + 1))
    work.note(id, say("respond.mitigated"))
    clocks.end_all(work, id, "met", only={"mitigate", "escalate"})
    if not incident.touched:
        until = work.now + dues.QUIET_BEFORE_RESOLVED
        clocks.add(work, "settle", id, id, None, work.now, until)


def _acted(run: Run) -> bool:
    """Whether a run changed something, and it was not in vain."""
    return run.repair not in USELESS and any(step.changing and step.state is StepState.OK for step in run.steps)


def end(work: Work, id: str, state: IncidentState, by: str, text: str | None = None) -> None:
    """The trouble is over (or never was): clocks stop, runs stop, drafts are dropped, those who were told hear of it."""
    incident = work.incident(id)
    if incident is None:
        return
    telling.drop_drafts(work, id, say("dropped.overtaken"))
    incident = work.incident(id) or incident
    found = incident.verdict or verdict(incident, state, scored.first_finding(work, incident), work.now)
    work.put(
        replace(
            incident, state=state, ended_at=work.now, resolution=text or incident.resolution, verdict=found,
            version=incident.version + 1,
        )
    )  # fmt: skip
    work.note(id, say(f"respond.{state}", text=text or ""), by=by)
    clocks.end_all(work, id, "met")
    runs.stop_all(work, id)
    judged.ended(work, id, by)
    if incident.verdict is None:
        scored.ended(work, id)
    subkind = Subkind.RESOLVED if state is IncidentState.RESOLVED else Subkind.WITHDRAWN
    if state is not IncidentState.MERGED:
        telling.draft_for_told(work, id, subkind)
    if state is IncidentState.RESOLVED:
        clocks.from_ladder(work, id, ("rca.first", "rca.final"))
        clocks.add(work, "close", id, id, None, work.now, work.now + CLOSE_AFTER)


def reassess(work: Work, id: str, *, asked: bool = False) -> None:
    """Judge anew from what is known now, and do what follows from a change. `asked`: a person wants the level that comes of
    it, at once and also a lower one."""
    before = work.incident(id)
    if before is None or not before.unresolved:
        return
    findings = work.open_findings(before)
    declared = _declared(before)
    if not findings and not (asked and declared):
        return  # mitigated, or declared by hand: nothing new to judge by
    services = tuple(dict.fromkeys([*before.services, *(f.service for f in findings if f.service)]))
    impact = _judge(work, findings, work.services(services), before.state, declared)
    weighed, impact = witness.weighed(work, replace(before, services=services), impact)
    after = _dated(work, replace(weighed, impact=impact, why=impact.why, would_be=impact.would_be))
    after = _levelled(work, after, impact, asked)
    graver = before.worst is None or not before.worst.effect.worse_than(impact.effect)
    if after.live and graver:
        after = replace(after, worst=impact)
    if before.declared_by is None and (graver or not after.live):
        after = replace(after, title=_title(work, impact, _leading(findings, after), work.services(services)))
    if after == before:
        witness.ask(work, id)
        return
    work.put(replace(after, version=before.version + 1))
    witness.ask(work, id)
    calling.consequences(work, id, before)
    if after.state is IncidentState.AHEAD:
        telling.forewarn(work, id)


def _declared(incident: Incident) -> Level | None:
    """The level that a person gave when declaring it; earlier versions kept it in the judgement alone."""
    return incident.declared_level or incident.impact.level if incident.declared_by else None


def _leading(findings: list[Finding], incident: Incident) -> list[Finding]:
    """The finding that says best what is wrong: of an incident that is ahead its own, else what is down."""
    if incident.state is IncidentState.AHEAD:
        return sorted(findings, key=lambda f: f.series != incident.thing)
    return sorted(findings, key=lambda f: (f.kind != "down", f.colour.rank))


def _levelled(work: Work, incident: Incident, impact: Impact, asked: bool) -> Incident:
    """A level rises at once. It falls when a person asks for it, else after three lower judgements in a row over 15 min, and
    by machine only while nobody has touched the incident and no customer was told."""
    if incident.pinned:
        return incident
    if asked or incident.state is IncidentState.AHEAD or impact.level.worse_than(incident.level):
        return replace(incident, level=impact.level, lower_since=None, lower_count=0)
    if not incident.level.worse_than(impact.level):
        return replace(incident, lower_since=None, lower_count=0)
    since, count = incident.lower_since or work.now, incident.lower_count + 1
    if count >= FALL_AFTER and work.now - since >= FALL_SPAN and not (incident.touched or incident.told):
        return replace(incident, level=impact.level, lower_since=None, lower_count=0)
    clocks.once(work, "reassess", incident.id, incident.id, work.now + LOOK_AGAIN)
    return replace(incident, lower_since=since, lower_count=count)
