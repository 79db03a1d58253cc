"""An incident in a list: what every list of the console shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from forewarn.core.reader import Reader
from forewarn.model.forecast import Forecast
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Message
from forewarn.model.settings import Settings
from forewarn.web.reads import MOST, Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An incident in a list. `customers` counts those it touches or may touch; `next_update` is the customers' next due."""

    incident: Incident
    forecast: Forecast | None
    services: str
    customers: int
    vips: int
    next_update: datetime | None


def row(reads: Reads, settings: Settings, incident: Incident, reader: Reader, updates: Mapping[str, datetime]) -> Row:
    """`updates` is when customers hear next, by incident (`Reads.next_updates`)."""
    names = {*incident.impact.affected, *incident.impact.exposed}
    customers = [settings.customers[name] for name in names if name in settings.customers]
    return Row(
        incident=incident,
        forecast=reads.forecast(incident) if incident.state is IncidentState.AHEAD else None,
        services=", ".join(called(settings, name, reader) for name in incident.services),
        customers=len(names),
        vips=sum(1 for customer in customers if customer.vip),
        next_update=updates.get(incident.id),
    )


def called(settings: Settings, service: str, reader: Reader) -> str:
    found = settings.services.get(service)
    return found.called(reader.language) if found else service


def waiting(reads: Reads, incident: str | None = None) -> list[Message]:
    """Messages that need somebody's yes, the oldest first."""
    found = reads.ledger.find("message", states=["waiting_approval"], incident=incident, newest=False, limit=MOST)
    return [m for m in found if isinstance(m, Message)]
