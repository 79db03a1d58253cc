"""Which incident a finding belongs to, or what else becomes of it.

Theory. One trouble is one incident. What is felt now joins the newest live incident of its service, or of one that this
service needs (one hop): a fault's symptoms and its cause stand together. A forewarning is about one thing (its series, or
another of the same disk or mount) and takes nothing else, so that a fault of today never hides in a promise for tonight; only the crossing
of its own limit turns it open. What users feel on that thing before its limit is crossed is its own incident, linked.
A resource above its limit is a task, and what only helps to find the cause opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from forewarn.core.impact.effect import FORECASTS, Role, meaning
from forewarn.core.impact.exposure import needs
from forewarn.model.finding import Finding, FindingState
from forewarn.model.incident import Incident
from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """It is evidence of this incident. `parent`: the probe that its own depends on and that is down; what this finding
    alone would send is held."""

    incident: str
    why: Say
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A new incident; `state` is ahead or open. `linked` are the unresolved ones of the same or of needed services."""

    state: str
    why: Say
    linked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """The limit that this forewarning is about is crossed: the finding joins it, and it becomes open."""

    incident: str
    why: Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A due on the finding, no incident."""

    why: Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """It is shown with this incident, or with none, and opens nothing."""

    incident: str | None
    why: Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """A finding, no more."""

    why: Say


Placement = Join | Open | Breach | Task | Evidence | Nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One finding before the open work. `incidents` are the unresolved, newest first."""

    finding: Finding
    probe: Probe | None
    role: Role
    incidents: tuple[Incident, ...]
    findings: Mapping[str, Finding]
    settings: Settings


def place(
    finding: Finding,
    probe: Probe | None,
    incidents: Sequence[Incident],
    findings: Mapping[str, Finding],
    settings: Settings,
    now: datetime,
) -> Placement:
    """Where an open finding belongs. `findings` are all that are kept, by id; `now` orders nothing yet."""
    role = meaning(finding, probe, settings.customers).role
    unresolved = sorted((one for one in incidents if one.unresolved), key=_age, reverse=True)
    case = _Case(finding=finding, probe=probe, role=role, incidents=tuple(unresolved), findings=findings, settings=settings)
    return next(answer for stage in STAGES if (answer := stage(case)) is not None)


def linked(services: Collection[str], incidents: Sequence[Incident], settings: Settings, but: str | None = None) -> tuple[str, ...]:
    """Unresolved incidents, other than `but`, of these services or of services that they need, softly or not."""
    near = set(services).union(*(needs(service, settings, soft=True) for service in services))
    return tuple(one.id for one in incidents if one.unresolved and one.id != but and near & set(one.services))


def _age(incident: Incident) -> tuple[datetime, int]:
    return incident.opened_at, int(incident.id.rpartition("-")[2])


# --- the stages: the first that answers decides -----------------------------------------------------------------------


def _aside(case: _Case) -> Placement | None:
    """What opens nothing and joins nothing as a fault."""
    if case.role is Role.BLIND:
        return Nothing(why=say("place.blind"))
    if case.role is Role.RESOURCE:
        return Task(why=say("place.resource", rule=case.finding.rule))
    if case.role is Role.BUDGET:
        return Task(why=say("place.budget", rule=case.finding.rule))
    if case.role in (Role.EVIDENCE, Role.QUESTION):
        found = next(_of_service(case), None)
        return Evidence(incident=found.id if found else None, why=say("place.evidence", kind=case.finding.kind))
    return None


def _own_thing(case: _Case) -> Placement | None:
    """An incident about the same series or thing."""
    for incident in case.incidents:
        if incident.thing is None or not same_thing(incident.thing, case.finding.series):
            continue
        if incident.live:
            return Join(incident=incident.id, why=say("place.thing", incident=incident.id))
        if _crosses(case, incident):
            return Breach(incident=incident.id, why=say("place.breach", incident=incident.id))
        if case.role is not Role.FELT:
            return Join(incident=incident.id, why=say("place.thing", incident=incident.id))
    return None


def _ahead(case: _Case) -> Placement | None:
    return _opens(case, "ahead", "place.ahead") if case.role is Role.COMING else None


def _depends(case: _Case) -> Placement | None:
    """The probe that this one depends on is down: its incident is this finding's too (one hop)."""
    parents = case.probe.depends_on if case.probe else ()
    for finding in case.findings.values():
        down = finding.kind == "down" and finding.state is FindingState.OPEN and finding.probe in parents
        incident = next((one for one in case.incidents if one.id == finding.incident and one.live), None) if down else None
        if incident:
            return Join(
                incident=incident.id, why=say("place.depends", incident=incident.id, probe=finding.probe), parent=finding.probe
            )
    return None


def _joins(case: _Case) -> Placement | None:
    found = next(_of_service(case), None)
    if found is None:
        return None
    key = "place.service" if case.finding.service in (None, *found.services) else "place.needs"
    return Join(incident=found.id, why=say(key, incident=found.id, service=case.finding.service or case.finding.probe))


def _begins(case: _Case) -> Placement:
    return _opens(case, "open", "place.open")


STAGES: tuple[Callable[[_Case], Placement | None], ...] = (_aside, _own_thing, _ahead, _depends, _joins, _begins)


def _opens(case: _Case, state: str, key: str) -> Open:
    services = (case.finding.service,) if case.finding.service else ()
    return Open(
        state=state,
        why=say(key, service=case.finding.service or case.finding.probe),
        linked=linked(services, case.incidents, case.settings),
    )


# --- what they ask ----------------------------------------------------------------------------------------------------


def same_thing(one: str, other: str) -> bool:
    """Whether two series are about one thing: the same series, or the same labels (a mount, a disk) of one target."""
    if one == other:
        return True
    a, b = SeriesId.parse(one), SeriesId.parse(other)
    return bool(a.labels) and (a.probe, a.target, a.labels) == (b.probe, b.target, b.labels)


def _crosses(case: _Case, incident: Incident) -> bool:
    """Whether the finding says that the forewarning's own limit is reached: its forecast does, or the value of its series
    has come to the limit's other side."""
    finding = case.finding
    if finding.series != incident.thing:
        return False
    if finding.kind in FORECASTS:
        return case.role is Role.CROSSED
    forecast = next(
        (f for id in incident.findings if (f := case.findings.get(id)) and f.kind in FORECASTS and f.series == incident.thing),
        None,
    )
    if forecast is None:
        return False
    value, limit, was = finding.evidence.value, forecast.evidence.limit, forecast.evidence.value
    if value is None or limit is None or was is None:
        return False
    return value >= limit if was < limit else value <= limit


def _of_service(case: _Case) -> Iterator[Incident]:
    """Live incidents that the finding could join, best first: of its service, then of services that this one needs.

    Where no service is declared: of its probe.
    """
    live = [one for one in case.incidents if one.live]
    service = case.finding.service
    if service is None:
        yield from (one for one in live if not one.services and any(_is_of(case, id) for id in one.findings))
        return
    yield from (one for one in live if service in one.services)
    needed = needs(service, case.settings)
    yield from (one for one in live if needed & set(one.services))


def _is_of(case: _Case, id: str) -> bool:
    finding = case.findings.get(id)
    return finding is not None and finding.probe == case.finding.probe
