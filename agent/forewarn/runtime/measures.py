"""Figures about services that no rule judges: how far orders have dropped below the usual for this hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from forewarn.core.impact.orders import drop, same_hour
from forewarn.model.impact import Measure
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.ports import Samples

EVERY = timedelta(seconds=60)
RECENT_S = 180.0
STEP = 0.01  # smaller moves of the drop are not worth judging anew


class Measures:
    """Asks Samples, at most once a minute, and answers only figures that moved. Blocks; call it on the store thread."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._last: dict[str, Measure] = {}
        self._asked: datetime | None = None

    def due(self, settings: Settings, now: datetime) -> list[Measure]:
        if self._asked and timedelta() <= now - self._asked < EVERY:
            return []
        self._asked = now
        return list(self._moved(settings, now))

    def _moved(self, settings: Settings, now: datetime) -> Iterator[Measure]:
        for service in settings.services.values():
            if not service.business:
                continue
            measure = self._measure(service.name, SeriesId.parse(service.business), settings.daemon.zone, now)
            before = self._last.get(service.name)
            if before is None or _differ(before.value, measure.value):
                self._last[service.name] = measure
                yield measure

    def _measure(self, service: str, series: SeriesId, zone: tzinfo, now: datetime) -> Measure:
        at_s = now.timestamp()
        recent = self._samples.read(series, at_s - RECENT_S, at_s + 1)
        history = [self._samples.read(series, since_s, until_s) for since_s, until_s in same_hour(zone, now)]
        first = self._samples.first(series)
        value, why = drop(recent, history, datetime.fromtimestamp(first, UTC) if first else None, now)
        return Measure(service=service, what="drop", value=value, at=now, why=why)


def _differ(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(before - after) >= STEP
