"""Questions to the map: who uses a service, who needs whom, from where a service is looked at."""

from __future__ import annotations

from forewarn.core.impact.effect import INSIDE
from forewarn.model.map import Service
from forewarn.model.settings import Settings

PUBLIC = "public"
"""Tag of the probes that see a service as its users do; where a service has none, all that look from outside count."""

Place = tuple[str, str]
"""A probe and one of its targets."""


def needed_by(service: str, settings: Settings) -> tuple[Service, ...]:
    """Services that cannot do without this one (one hop): not softly, and not where enough others can stand in."""
    return tuple(
        other
        for other in settings.services.values()
        if any(service in need.services and not need.soft and len(need.services) - 1 < need.at_least for need in other.needs)
    )


def needs(service: str, settings: Settings, soft: bool = False) -> frozenset[str]:
    """Services that this one needs (one hop); with `soft` also those that it could do without."""
    own = settings.services.get(service)
    return frozenset(name for need in own.needs if soft or not need.soft for name in need.services) if own else frozenset()


def exposed_customers(service: Service, settings: Settings) -> tuple[str, ...]:
    """Customers who use the service, or one that cannot do without it."""
    names = {service.name, *(other.name for other in needed_by(service.name, settings))}
    return tuple(customer.name for customer in settings.customers.values() if names & set(customer.uses))


def exposed_users(service: Service, settings: Settings) -> float | None:
    """Share of all users who use the service, or one that cannot do without it (the largest: users overlap)."""
    shares = [users_of(one, settings) for one in (service, *needed_by(service.name, settings))]
    return max((share for share in shares if share is not None), default=None)


def users_of(service: Service, settings: Settings) -> float | None:
    """Share of all users who use the service; staff of internal services are not users. None: not declared."""
    if service.internal:
        return 0.0
    total = users_total(settings)
    return min(1.0, service.users / total) if total and service.users is not None else None


def users_total(settings: Settings) -> int | None:
    """All users: as the ladder says, or the largest number that a service has."""
    known = [service.users for service in settings.services.values() if service.users and not service.internal]
    return settings.impact.users_total or max(known, default=None)


def outside_targets(service: str, settings: Settings) -> frozenset[Place]:
    """The targets at which users meet the service: when all of them are down, it is wholly down. A witness sees the same ones
    from elsewhere, and adds none."""
    witnesses = settings.services[service].witness
    probes = [probe for probe in settings.probes_of(service) if probe.kind not in INSIDE and probe.name not in witnesses]
    public = [probe for probe in probes if PUBLIC in probe.tags]
    return frozenset((probe.name, target.name) for probe in public or probes for target in probe.targets)
