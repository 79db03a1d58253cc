"""A rule's claim began, changed or ended: what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import clocks, incidents, runs, wounds
from forewarn.core.impact import correlate
from forewarn.core.work import Work
from forewarn.model.finding import Claim, Finding, FindingState
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.inputs import Moved
from forewarn.model.level import Mode
from forewarn.model.probe import Probe, Rule
from forewarn.model.text import say

TASK_WITHIN = timedelta(hours=8)  # of working time


def moved(work: Work, given: Moved) -> None:
    """Take a transition. One that was taken before a crash already (by its sequence) changes nothing."""
    before = work.latest((given.probe, given.rule, str(given.series)))
    if before and given.seq <= before.seq:
        return
    held = before if before and before.state is FindingState.OPEN else None
    if given.claim is None:
        if held:
            _ended(work, replace(held, seq=given.seq), given.unwatched)
    elif held:
        _changed(work, held, given.claim, given.seq)
    else:
        _began(work, given, given.claim)


def _began(work: Work, given: Moved, claim: Claim) -> None:
    probe = work.settings.probes.get(given.probe)
    rule = probe.rule(given.rule) if probe else None
    if probe is None or rule is None:
        return  # the rule was removed while its claim was on the way
    finding = _made(work, probe, rule, given, claim)
    finding = replace(finding, old=finding.old or wounds.stood_before(work, finding))
    work.put(finding)
    if finding.old:
        wounds.seen(work)
    _place(work, probe, rule, finding)


def _place(work: Work, probe: Probe, rule: Rule, finding: Finding) -> None:
    """Find it an incident. A shadow's finding, and an old wound, are recorded only."""
    if rule.mode is Mode.SHADOW or finding.old:
        return
    placement = correlate.place(finding, probe, work.incidents(), {f.id: f for f in work.findings()}, work.settings, work.now)
    match placement:
        case correlate.Join(incident=id):
            _join(work, finding, id)
        case correlate.Open(state=state):
            incidents.open_for(work, finding, IncidentState(state))
        case correlate.Breach(incident=id):
            _join(work, finding, id)
            incidents.breached(work, id)
        case correlate.Task():
            _task(work, finding)
        case correlate.Evidence(incident=id) if id:
            _attach(work, finding, id)
        case _:
            pass


def _made(work: Work, probe: Probe, rule: Rule, given: Moved, claim: Claim) -> Finding:
    return Finding(
        id=work.new_id("F"),
        state=FindingState.OPEN,
        series=str(given.series),
        target=given.series.target,
        labels=given.series.labels,
        metric=given.series.metric,
        rule=rule.name,
        kind=rule.kind,
        probe=probe.name,
        service=probe.service,
        colour=rule.colour,
        effect=rule.effect,
        opened_at=work.now,
        why=claim.why,
        evidence=claim.evidence,
        forecast=claim.forecast,
        confirmed=claim.confirmed,
        config=work.settings.id,
        source=str(rule.source),
        seq=given.seq,
        old=claim.old,
    )


def _attach(work: Work, finding: Finding, id: str) -> Incident | None:
    """Make the finding evidence of an incident."""
    incident = work.incident(id)
    if incident is None:
        return None
    work.put(replace(finding, incident=id))
    incident = replace(incident, findings=(*incident.findings, finding.id), version=incident.version + 1)
    work.put(incident)
    work.note(id, say("respond.joined", finding=finding.id), finding.id)
    return incident


def _join(work: Work, finding: Finding, id: str) -> None:
    incident = _attach(work, finding, id)
    if incident is None:
        return
    incidents.returned(work, id)
    incidents.reassess(work, id)
    runs.start_fitting(work, id, replace(finding, incident=id))


def _task(work: Work, finding: Finding) -> None:
    """A resource above its limit wakes nobody: somebody looks at it within a working day."""
    service = work.settings.services.get(finding.service or "")
    office = work.settings.office
    clocks.add(
        work, "task", finding.id, None, service.team if service else None, work.now, office.add(work.now, TASK_WITHIN), office.name
    )


def _changed(work: Work, finding: Finding, claim: Claim, seq: int) -> None:
    still = finding.old and wounds.still(finding, claim)
    woke = finding.old and not still
    finding = replace(
        finding, why=claim.why, evidence=claim.evidence, forecast=claim.forecast, confirmed=claim.confirmed, seq=seq,
        old=still,
    )  # fmt: skip
    work.put(finding)
    if woke:
        _woke(work, finding)
        return
    incident = work.incident(finding.incident)
    if incident is None:
        return
    if incident.state is IncidentState.AHEAD and finding.forecast and finding.forecast.crossed:
        incidents.breached(work, incident.id)
    incidents.reassess(work, incident.id)


def _woke(work: Work, finding: Finding) -> None:
    """An old wound grew: from now on it is news."""
    probe = work.settings.probes.get(finding.probe)
    rule = probe.rule(finding.rule) if probe else None
    if probe and rule:
        _place(work, probe, rule, finding)


def _ended(work: Work, finding: Finding, unwatched: bool) -> None:
    work.put(replace(finding, state=FindingState.CLEARED, cleared_at=work.now, ended="unwatched" if unwatched else "cleared"))
    for due in work.dues(finding.id):
        clocks.end(work, due, "dropped")
    incident = work.incident(finding.incident)
    if incident is None or not incident.unresolved:
        return
    if work.open_findings(incident):
        incidents.reassess(work, incident.id)
    else:
        incidents.cleared(work, incident.id)
