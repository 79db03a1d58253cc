"""The picture of what is ahead: where windows, act-by marks and days lie on a line of time, in per cent of its length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from forewarn.core.reader import Reader
from forewarn.core.tell import when
from forewarn.web.rows import Row

NEAR_S, FAR_S = 72 * 3600.0, 30 * 86400.0
LEAST = 0.6
"""Per cent: a window is never drawn narrower, so that a date can be seen."""


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Where a forewarning lies. `begin`..`end` is earliest..latest; a mark that lies outside the line is None."""

    row: Row
    begin: float
    end: float
    likely: float | None
    act_by: float | None

    @property
    def width(self) -> float:
        return self.end - self.begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One line of time with its forewarnings. `key` names it in the catalogue."""

    key: str
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is ahead, by how far: the next 72 hours, then to 30 days; `undated` has no date within them."""

    strips: tuple[Strip, ...]
    undated: tuple[Row, ...]

    @property
    def count(self) -> int:
        return len(self.undated) + sum(len(strip.bars) for strip in self.strips)


def outlook(rows: Iterable[Row], reader: Reader) -> Outlook:
    """Each forewarning once, on the shorter of the two lines that its earliest moment lies on."""
    near: list[Bar] = []
    far: list[Bar] = []
    undated: list[Row] = []
    for row in rows:
        starts = _after_s(row, reader.now)
        if starts is None or starts > FAR_S:
            undated.append(row)
        elif starts <= NEAR_S:
            near.append(_bar(row, reader.now, NEAR_S))
        else:
            far.append(_bar(row, reader.now, FAR_S))
    strips = [
        Strip(key="near", ticks=_days(reader, NEAR_S, 1), bars=tuple(near)),
        Strip(key="far", ticks=_days(reader, FAR_S, 7), bars=tuple(far)),
    ]
    return Outlook(strips=tuple(strip for strip in strips if strip.bars), undated=tuple(undated))


def _after_s(row: Row, now: datetime) -> float | None:
    earliest = row.forecast.earliest if row.forecast else row.incident.earliest
    return None if earliest is None else (earliest - now).total_seconds()


def _bar(row: Row, now: datetime, span_s: float) -> Bar:
    ahead, earliest = row.forecast, row.incident.earliest
    begin = _place(ahead.earliest if ahead and ahead.earliest else earliest, now, span_s)
    end = _place(ahead.latest if ahead and ahead.latest else earliest, now, span_s)
    begin, end = min(begin, 100 - LEAST), max(begin + LEAST, end)
    return Bar(
        row=row,
        begin=round(begin, 2),
        end=round(min(100.0, end), 2),
        likely=_mark(ahead.likely if ahead else None, now, span_s),
        act_by=_mark(row.incident.act_by, now, span_s),
    )


def _place(at: datetime | None, now: datetime, span_s: float) -> float:
    seconds = (at - now).total_seconds() if at else 0.0
    return 100 * min(max(seconds / span_s, 0.0), 1.0)


def _mark(at: datetime | None, now: datetime, span_s: float) -> float | None:
    return round(_place(at, now, span_s), 2) if at and timedelta(0) <= at - now <= timedelta(seconds=span_s) else None


def _days(reader: Reader, span_s: float, every: int) -> tuple[Tick, ...]:
    """Now, and every so many of the reader's midnights after it; the first too near to now is left out."""
    local = reader.now.astimezone(reader.zone)
    ticks = [Tick(0.0, reader.word("console.strip.now", "now"))]
    for days in range(1, int(span_s // 86400) + 1, every):
        midnight = datetime.combine(local.date() + timedelta(days=days), datetime.min.time(), reader.zone)
        at = 100 * (midnight - reader.now).total_seconds() / span_s
        if 8 <= at <= 97:
            name = when.weekday if span_s <= NEAR_S else when.short_date
            ticks.append(Tick(round(at, 2), name(when.Reader(reader.catalogue, reader.zone, reader.now), midnight.timestamp())))
    return tuple(ticks)
