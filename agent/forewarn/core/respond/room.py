"""The war room's entry: who belongs there and what they need to see first. (Its live view comes with a later issue.)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forewarn.model.incident import Incident
from forewarn.model.level import Level
from forewarn.model.map import Service
from forewarn.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Seat:
    role: str  # commander | operations | communications | scribe | reassurance
    person: str | None


ROLES = ("commander", "operations", "communications")


def wanted(incident: Incident, settings: Settings) -> bool:
    """Whether this incident gets a room now: its level demands one and it has none."""
    return incident.live and incident.room is None and settings.ladder[incident.level].room


def address(incident: Incident) -> str:
    return f"/i/{incident.id}"


def seats(incident: Incident) -> tuple[Seat, ...]:
    """Roles filled in the order in which people were called; the owner commands."""
    people = list(dict.fromkeys(([incident.owner] if incident.owner else []) + list(incident.called)))
    return tuple(Seat(role, people[at] if at < len(people) else None) for at, role in enumerate(ROLES))


def needs_room(level: Level, settings: Settings) -> bool:
    return settings.ladder[level].room


def neighbours(services: Sequence[Service], settings: Settings) -> tuple[str, ...]:
    """Services that these need or that need these: the first piece of the decision pack."""
    names = {service.name for service in services}
    down = {need for service in services for entry in service.needs for need in entry.services}
    up = {other.name for other in settings.services.values() for entry in other.needs if names & set(entry.services)}
    return tuple(sorted((down | up) - names))
