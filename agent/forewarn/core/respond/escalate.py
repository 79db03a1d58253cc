"""Whom to call, and whom next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from forewarn.model.incident import Incident
from forewarn.model.map import EscalationStep, Service
from forewarn.model.settings import Settings

DEFAULT_TEAM = "default"


def steps_for(services: Sequence[Service], settings: Settings) -> tuple[EscalationStep, ...]:
    """The escalation of the first service whose team has one, else the default one; () when nobody is named."""
    teams = [service.team for service in services if service.team] + [DEFAULT_TEAM]
    return next((settings.escalations[team] for team in teams if team in settings.escalations), ())


def person(to: str, settings: Settings, now: datetime) -> str | None:
    """Who stands behind an escalation's `to` now: the person, or the one whose turn it is on the rota."""
    if to in settings.rotas:
        return settings.rotas[to].on_duty(now)
    return to if to in settings.people else None


def to_call(incident: Incident, upto: int, settings: Settings, now: datetime) -> list[str]:
    """People of the first `upto` steps who have not been called yet, in order."""
    people = (person(step.to, settings, now) for step in incident.escalation[:upto])
    return [who for who in dict.fromkeys(people) if who and who not in incident.called]


def first(incident: Incident, settings: Settings, now: datetime) -> str | None:
    """Who is called first: also the one who is asked for approvals."""
    return next((who for step in incident.escalation if (who := person(step.to, settings, now))), None)
