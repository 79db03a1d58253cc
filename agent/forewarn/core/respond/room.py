"""The war room's entry: when there is one, and where. (Its live view comes with a later issue.)"""

from __future__ import annotations

from forewarn.model.incident import Incident
from forewarn.model.settings import Settings


def wanted(incident: Incident, settings: Settings) -> bool:
    """Whether this incident gets a room now: its level demands one and it has none."""
    return incident.live and incident.room is None and settings.ladder[incident.level].room


def address(incident: Incident) -> str:
    """Its page in the console."""
    return f"/i/{incident.id}"
