"""Moments for people: local to the reader, named as people name them (tonight, tomorrow, on Wednesday, on 14 March).

All words, and the order of the parts, come from the catalogue (`format.*`). "Tonight" reaches until six in the morning:
the small hours belong to the night before, unless it is that night already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

Catalogue = Mapping[str, str]

EVENING, MORNING = 18, 6
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: their words, their zone, and the moment at which they do."""

    catalogue: Catalogue
    zone: tzinfo
    now: datetime

    def fill(self, key: str, **parts: str) -> str:
        text = self.catalogue.get(key, " ".join(f"{{{name}}}" for name in parts))
        for name, part in parts.items():
            text = text.replace(f"{{{name}}}", part)
        return text

    def local(self, at_s: float) -> datetime:
        return datetime.fromtimestamp(at_s, UTC).astimezone(self.zone)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


def clock(reader: Reader, at: datetime) -> str:
    return reader.fill("format.clock", hour=f"{at.hour:02}", minute=f"{at.minute:02}")


def second(reader: Reader, at_s: float) -> str:
    """To the second, for evidence: 10:03:12, with the day unless it is today."""
    at = reader.local(at_s)
    text = reader.fill("format.second", hour=f"{at.hour:02}", minute=f"{at.minute:02}", second=f"{at.second:02}")
    return text if at.date() == reader.today else reader.fill("format.time", day=_day(reader, at), clock=text)


def day(reader: Reader, at_s: float) -> str:
    """tonight, today, tomorrow, on Wednesday, on 14 March."""
    return _day(reader, reader.local(at_s))


def _day(reader: Reader, at: datetime) -> str:
    here = reader.now.astimezone(reader.zone)
    ahead = (at.date() - here.date()).days
    if at > here and (night := _night(at, here, ahead)):
        return reader.fill(f"format.day.{night}")
    if ahead in (-1, 0, 1):
        return reader.fill(("format.day.yesterday", "format.day.today", "format.day.tomorrow")[ahead + 1])
    if 1 < ahead < 7:
        key = "format.day.weekday" if at.isocalendar()[1] == here.isocalendar()[1] else "format.day.next_week"
        return reader.fill(key, weekday=_weekday(reader, at))
    key = "format.day.date" if at.year == here.year else "format.day.date_year"
    return reader.fill(key, day=str(at.day), month=_month(reader, at), year=str(at.year))


def _night(at: datetime, here: datetime, ahead: int) -> str | None:
    """Which of the coming night's halves a moment lies in: evening, early_tomorrow (small hours), early_today."""
    if ahead == 0:
        return "evening" if at.hour >= EVENING else "early_today" if at.hour < MORNING else None
    return "early_tomorrow" if ahead == 1 and at.hour < MORNING <= here.hour else None


def weekday(reader: Reader, at_s: float) -> str:
    """Monday: the bare name, for an axis."""
    return _weekday(reader, reader.local(at_s))


def short_date(reader: Reader, at_s: float) -> str:
    """14 March: the bare date, for an axis."""
    at = reader.local(at_s)
    return reader.fill("format.short_date", day=str(at.day), month=_month(reader, at))


def _weekday(reader: Reader, at: datetime) -> str:
    return reader.fill(f"format.weekday.{WEEKDAYS[at.weekday()]}")


def _month(reader: Reader, at: datetime) -> str:
    return reader.fill(f"format.month.{MONTHS[at.month - 1]}")


def time(reader: Reader, at_s: float) -> str:
    """Local time, with the day unless it is plainly today: 14:02, 02:10 tonight, 14:00 on Wednesday."""
    at = reader.local(at_s)
    return (
        clock(reader, at)
        if _plainly_today(reader, at)
        else reader.fill("format.time", day=_day(reader, at), clock=clock(reader, at))
    )


def _plainly_today(reader: Reader, at: datetime) -> bool:
    return at.date() == reader.today


def full_date(reader: Reader, at: datetime) -> str:
    """Monday 23 November; with the year when it is another one."""
    key = "format.date" if at.year == reader.today.year else "format.date_year"
    return reader.fill(key, weekday=_weekday(reader, at), day=str(at.day), month=_month(reader, at), year=str(at.year))


def moment(reader: Reader, at_s: float) -> str:
    """Full local date, time and zone."""
    at = reader.local(at_s)
    return reader.fill("format.moment", date=full_date(reader, at), clock=clock(reader, at), zone=zone(reader, at_s))


def zone(reader: Reader, at_s: float) -> str:
    """The name of the reader's zone: its own in the catalogue, else its city's, else the offset from UTC."""
    name = str(getattr(reader.zone, "key", None) or reader.zone)
    if (own := reader.catalogue.get(f"format.zone.{name}")) is not None:
        return own
    if "/" in name and not name.startswith("Etc/"):
        return reader.fill("format.zone_city", city=name.rsplit("/", 1)[1].replace("_", " "))
    return reader.fill("format.zone_offset", offset=_offset(reader.local(at_s).utcoffset() or timedelta()))


def _offset(by: timedelta) -> str:
    minutes = round(by.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def window(reader: Reader, from_s: float, to_s: float | None) -> str:
    """A span ahead, short, with its day: tonight 02:10-04:40. One that has begun: before 04:40."""
    begin = reader.local(from_s)
    start = reader.fill("format.window_start", day=_day(reader, begin), clock=clock(reader, begin))
    if to_s is None or to_s <= from_s:
        return reader.fill("format.window_from", start=time(reader, from_s))
    end = reader.local(to_s)
    if begin <= reader.now:
        return reader.fill("format.window_until", end=time(reader, to_s))
    if _day(reader, begin) == _day(reader, end):
        return reader.fill("format.window", start=start, end=clock(reader, end))
    return reader.fill(
        "format.window_days", start=start, end=reader.fill("format.time", day=_day(reader, end), clock=clock(reader, end))
    )


def dated(reader: Reader, from_s: float, to_s: float | None) -> str:
    """The window for a title, with the zone where the language wants it there."""
    return reader.fill("format.dated", window=window(reader, from_s, to_s), zone=zone(reader, from_s))


def period(reader: Reader, from_s: float, to_s: float | None) -> str:
    """A span ahead in full: between 02:10 and 04:40 on Monday 23 November (Shanghai time)."""
    begin, zone_name = reader.local(from_s), zone(reader, from_s)
    start, start_date = clock(reader, begin), full_date(reader, begin)
    if to_s is None or to_s <= from_s:
        return reader.fill("format.period_from", start=start, date=start_date, zone=zone_name)
    last = reader.local(to_s)
    end, end_date = clock(reader, last), full_date(reader, last)
    if begin <= reader.now:
        return reader.fill("format.period_until", end=end, date=end_date, zone=zone_name)
    if begin.date() == last.date():
        return reader.fill("format.period", start=start, end=end, date=start_date, zone=zone_name)
    return reader.fill("format.period_days", start=start, start_date=start_date, end=end, end_date=end_date, zone=zone_name)
