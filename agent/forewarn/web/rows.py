"""An incident in a list: what every list of the console shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from forewarn.core.reader import Reader
from forewarn.model.forecast import Forecast
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Message
from forewarn.model.settings import Settings
from forewarn.web.reads import Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An incident in a list. `customers` counts those it touches or may touch; `next_update` is the customers' next due."""

    incident: Incident
    forecast: Forecast | None
    services: str
    customers: int
    vips: int
    next_update: datetime | None


def rows(reads: Reads, incidents: Sequence[Incident], reader: Reader) -> list[Row]:
    """Incidents as a list shows them, with one question to the ledger for all of them."""
    settings = reads.settings()
    updates = reads.ledger.next_updates([it.id for it in incidents])
    forecasts = reads.forecasts([it for it in incidents if it.state is IncidentState.AHEAD])
    return [_row(it, settings, reader, forecasts.get(it.id), updates.get(it.id)) for it in incidents]


def _row(incident: Incident, settings: Settings, reader: Reader, ahead: Forecast | None, update: datetime | None) -> Row:
    names = {*incident.impact.affected, *incident.impact.exposed}
    customers = [settings.customers[name] for name in names if name in settings.customers]
    return Row(
        incident=incident,
        forecast=ahead,
        services=", ".join(called(settings, name, reader) for name in incident.services),
        customers=len(names),
        vips=sum(1 for customer in customers if customer.vip),
        next_update=update,
    )


def called(settings: Settings, service: str, reader: Reader) -> str:
    found = settings.services.get(service)
    return found.called(reader.language) if found else service


def waiting(reads: Reads, limit: int) -> list[Message]:
    """Messages that need somebody's yes, the oldest first."""
    found = reads.ledger.find("message", states=["waiting_approval"], newest=False, limit=limit)
    return [m for m in found if isinstance(m, Message)]
