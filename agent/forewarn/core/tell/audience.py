"""Who gets a notice, and who does not and why: both answers for every customer who could be meant.

A forewarning goes to the exposed (by map) who agreed to forewarnings; the start of trouble to the affected (measured) who
agreed to hear of incidents; everything later to those who were told before. The order is that of the customers' file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forewarn.model.incident import Incident
from forewarn.model.map import Customer
from forewarn.model.message import Subkind
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say


@dataclass(frozen=True, slots=True)
class Told:
    customer: Customer
    why: Say


@dataclass(frozen=True, slots=True)
class NotTold:
    """`customer` is the id: one who was told before may have left customers.yaml since."""

    customer: str
    why: Say


@dataclass(frozen=True, slots=True)
class Audience:
    told: tuple[Told, ...]
    not_told: tuple[NotTold, ...]


FOREWARNING, INCIDENT, MAINTENANCE = "forewarning", "incident", "maintenance"
EITHER = (FOREWARNING, INCIDENT)

Choice = tuple[bool, Say]
"""Whether a customer is meant, and why (not)."""


def who(incident: Incident, subkind: Subkind | str, settings: Settings) -> Audience:
    """Everybody in customers.yaml, on one side or the other."""
    meant, consents = RULES[Subkind(subkind)]
    told, not_told = [], []
    for customer in settings.customers.values():
        chosen, why = meant(incident, customer)
        obstacle = _obstacle(customer, consents) if chosen else why
        if obstacle is None:
            told.append(Told(customer, why))
        else:
            not_told.append(NotTold(customer.name, obstacle))
    gone = [name for name in incident.told if name not in settings.customers]
    return Audience(tuple(told), (*not_told, *(NotTold(name, say("not_told.gone")) for name in gone)))


def _obstacle(customer: Customer, consents: tuple[str, ...]) -> Say | None:
    """What stands in the way of telling somebody who is meant. Several `consents`: any one of them is enough."""
    if not customer.consent & set(consents):
        return say("not_told.no_consent", consent=f"consent.{consents[-1]}")
    return None if customer.channels else say("not_told.no_channel")


def _exposed(incident: Incident, customer: Customer) -> Choice:
    used = _used(incident, customer)
    if not used:
        return False, _no_use(incident)
    name = max(used, key=lambda service: customer.uses[service])
    if customer.name in incident.impact.exposed:
        return True, say("told.uses", service=name, share=customer.uses[name])
    return False, say("not_told.not_affected", service=name)


def _affected(incident: Incident, customer: Customer) -> Choice:
    used = _used(incident, customer)
    if customer.name in incident.impact.affected:
        return True, say("told.affected", service=used[0] if used else ", ".join(incident.services))
    return False, say("not_told.not_affected", service=used[0]) if used else _no_use(incident)


def _before(incident: Incident, customer: Customer) -> Choice:
    told = customer.name in incident.told
    if not told and not _used(incident, customer):
        return False, _no_use(incident)
    return told, say("told.before" if told else "not_told.not_before")


def _using(incident: Incident, customer: Customer) -> Choice:
    used = _used(incident, customer)
    return (True, say("told.uses_and", service=used[0])) if used else (False, _no_use(incident))


def _used(incident: Incident, customer: Customer) -> list[str]:
    return [service for service in incident.services if service in customer.uses]


def _no_use(incident: Incident) -> Say:
    return say("not_told.no_use", service=", ".join(incident.services) or None)


RULES: Mapping[Subkind, tuple[Callable[[Incident, Customer], Choice], tuple[str, ...]]] = {
    Subkind.FOREWARNING: (_exposed, (FOREWARNING,)),
    Subkind.STARTED: (_affected, (INCIDENT,)),
    Subkind.UPDATE: (_before, EITHER),
    Subkind.RESOLVED: (_before, EITHER),
    Subkind.CORRECTED: (_before, EITHER),
    Subkind.WITHDRAWN: (_before, EITHER),
    Subkind.RCA: (_before, EITHER),
    Subkind.SURVEY: (_before, EITHER),
    Subkind.MAINTENANCE: (_using, (MAINTENANCE,)),
}
"""Subkind -> who is meant, and what they must have agreed to."""
