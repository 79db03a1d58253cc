"""What a composer may know about an incident, and the questions that texts and lint ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from forewarn.model.finding import Finding
from forewarn.model.incident import Incident
from forewarn.model.level import Effect
from forewarn.model.map import Customer, Service
from forewarn.model.message import Message, MessageState
from forewarn.model.playbook import Repair, Run, RunState, StepState
from forewarn.model.settings import Settings
from forewarn.model.text import Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`findings` are the incident's open ones with their newest evidence; `services` are the incident's; `plan` is the
    owner's recorded plan; `earlier` is what this recipient already got about it; `all_up`: every probe of the services is
    up now; `changed` is what changed shortly before."""

    incident: Incident
    findings: tuple[Finding, ...] = ()
    services: tuple[Service, ...] = ()
    runs: tuple[Run, ...] = ()
    plan: str | None = None
    earlier: tuple[Message, ...] = ()
    all_up: bool = False
    changed: tuple[Say, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A text that is ready. `next_update_at` is what it promises; `problems` are for the person who approves it."""

    subject: str
    text: str
    next_update_at: datetime | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """When it may come: a window, or for a risk only the end of its horizon."""

    earliest: datetime | None = None
    latest: datetime | None = None
    until: datetime | None = None


def ahead(scene: Scene, now: datetime) -> Ahead:
    """The window of the incident's own forecast; one that has passed says nothing any more."""
    found = [f.forecast for f in sorted(scene.findings, key=lambda f: f.series != scene.incident.thing) if f.forecast]
    forecast = next(iter(found), None)
    earliest = forecast.earliest if forecast else scene.incident.earliest
    latest = forecast.latest if forecast else None
    if earliest and (latest or earliest) > now:
        return Ahead(earliest, latest)
    if forecast and not forecast.earliest:
        return Ahead(until=now + timedelta(seconds=forecast.horizon_s))
    return Ahead()


def effect_of(scene: Scene) -> str:
    """The effect as notices name it; where nobody knows it yet, something may be disturbed."""
    incident = scene.incident
    over = not incident.unresolved and incident.worst is not None
    effect = incident.worst.effect if over and incident.worst else incident.impact.effect
    return str(Effect.AT_RISK if effect is Effect.QUESTION else effect)


def used_services(scene: Scene, customer: Customer) -> tuple[Service, ...]:
    """Those of the incident's services that this customer uses: they hear of no other."""
    return tuple(service for service in scene.services if service.name in customer.uses)


def told_at(scene: Scene) -> datetime | None:
    """When this recipient last got a message about the incident."""
    sent = [
        attempt.at
        for message in scene.earlier
        if message.state is MessageState.SENT
        for attempt in message.attempts
        if attempt.result == "sent"
    ]
    return max(sent, default=max((message.at for message in scene.earlier), default=None))


class Doing(StrEnum):
    """What is being done that is on record."""

    REPAIRING = "repairing"
    REPAIRED = "repaired"
    TAKEN_LOOKING = "taken_looking"
    LOOKING = "looking"
    TAKEN = "taken"


def doing(scene: Scene, settings: Settings) -> Doing | None:
    """The most that may be said about our work: a repair step that runs or ran, a diagnosis that runs, an owner; else nothing."""
    states = [state for run in scene.runs for state in _repairs(run)]
    if StepState.RUNNING in states:
        return Doing.REPAIRING
    if StepState.OK in states:
        return Doing.REPAIRED
    looking = any(run.state in (RunState.RUNNING, RunState.WAITING) for run in scene.runs)
    if scene.incident.owner:
        return Doing.TAKEN_LOOKING if looking else Doing.TAKEN
    return Doing.LOOKING if looking else None


def _repairs(run: Run) -> list[StepState]:
    """States of a run's changing steps; what was in vain was no repair."""
    return [] if run.repair in (Repair.UNCHANGED, Repair.WORSE) else [result.state for result in run.steps if result.changing]
