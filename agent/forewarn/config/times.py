"""Zones, hours of the week, and moments, as people write them. Each reader raises Wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from forewarn.config.problems import Wrong, suggestion
from forewarn.config.units import shown
from forewarn.model.due import Hours, Weekly

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_WEEKLY = re.compile(r"(?:([A-Za-z][A-Za-z,\s-]*?)\s+)?(\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2})(?:\s+(\S+))?")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?))?\s*(Z|[+-]\d{2}:\d{2})?(?:\s*([A-Za-z][\w/+-]*))?")
_KNOWN_AS = {
    "beijing": "Asia/Shanghai",
    "cst": "Asia/Shanghai",
    "prc": "Asia/Shanghai",
    "北京": "Asia/Shanghai",
    "gmt+8": "Asia/Shanghai",
}
_KNOWN_AS |= {
    "utc+8": "Asia/Shanghai",
    "pst": "America/Los_Angeles",
    "est": "America/New_York",
    "bst": "Europe/London",
    "local": "local",
}


@lru_cache(maxsize=256)
def zone(text: str) -> tzinfo:
    """A time zone by its name in the IANA list; `local` is this host's."""
    if text == "local":
        return host_zone(os.environ)
    try:
        if text and not text.startswith("/"):
            return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # unknown; not a name; the name of a folder
        pass
    known = _KNOWN_AS.get(text.lower())
    right = f"write {known}" if known else suggestion(text, available_timezones(), near=0.8)
    raise Wrong(
        f"{shown(text)} is not a time zone", right if right and "known" not in right else "write one like Asia/Shanghai or UTC"
    )


def host_zone(environ: Mapping[str, str], link: Path = Path("/etc/localtime")) -> tzinfo:
    """This host's zone: TZ, else where /etc/localtime points, else UTC."""
    names = [environ.get("TZ", "").removeprefix(":")]
    with suppress(OSError):  # a host without that link keeps UTC
        names.append(str(link.resolve(strict=True)).partition("/zoneinfo/")[2])
    for name in names:
        try:
            if name:
                return ZoneInfo(name.removeprefix("posix/").removeprefix("right/"))
        except (KeyError, ValueError, OSError):
            continue
    return UTC


def days(text: str) -> frozenset[int]:
    """0 (Monday) to 6 of `Mon-Fri`, `Sat,Sun` or `Fri-Mon`."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        begin, end = _day(first, text), _day(last or first, text)
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def _day(name: str, text: str) -> int:
    short = name.strip().lower()
    index = DAYS.index(short[:3]) if short[:3] in DAYS else None
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    if index is None or short not in (DAYS[index], full[index]):
        raise Wrong(f"{shown(text)} are not days", "write Mon-Fri or Sat,Sun")
    return index


def hours(text: object) -> tuple[time, time]:
    """Begin and end of `09:00-18:00`; an end before the begin is on the next day, 24:00 is midnight."""
    found = _HOURS.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise Wrong(f"{shown(text)} are not hours", 'write "09:00-18:00"')
    begin, end = (int(found[1]), int(found[2])), (int(found[3]), int(found[4]))
    if begin[0] > 23 or begin[1] > 59 or end[1] > 59 or end > (24, 0):
        raise Wrong(f"{shown(text)} are not hours of a day", 'write "09:00-18:00"')
    if begin == end:
        raise Wrong(f"{shown(text)} begin and end at the same time", 'write "00:00-24:00" for a whole day')
    return time(*begin), time(end[0] % 24, end[1])


def weekly(text: object, default: tzinfo) -> Weekly:
    """`Mon-Fri 10:00-12:00 Asia/Shanghai`; without days every day, without a zone in `default`."""
    found = _WEEKLY.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found or not isinstance(text, str):
        raise Wrong(f"{shown(text)} are not hours of the week", 'write "Mon-Fri 10:00-12:00 Asia/Shanghai" or "22:00-07:00"')
    start, end = hours(found[2])
    return Weekly(days(found[1]) if found[1] else EVERY_DAY, start, end, zone(found[3]) if found[3] else default, text.strip())


def moment(text: object, default: tzinfo) -> datetime:
    """Aware UTC of `2026-01-05T09:00 Asia/Shanghai`, `...Z` or `...+08:00`; without a zone in `default`."""
    found = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise Wrong(f"{shown(text)} is not a date and time", 'write "2026-01-05T09:00 Asia/Shanghai"')
    try:
        local = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}{found[3] or ''}".replace("Z", "+00:00"))
    except ValueError:
        raise Wrong(f"{shown(text)}: there is no such date or time", 'write "2026-01-05T09:00 Asia/Shanghai"') from None
    if found[3] and found[4]:
        raise Wrong(f"{shown(text)} names two zones", "keep one of them")
    if local.tzinfo is None:
        local = local.replace(tzinfo=zone(found[4]) if found[4] else default)
    return local.astimezone(UTC)


def dates(text: object) -> frozenset[date]:
    """The days of `2026-10-01` or `2026-10-01..2026-10-07`."""
    first, dots, last = str(text).partition("..")
    try:
        begin = date.fromisoformat(first.strip())
        end = date.fromisoformat(last.strip()) if dots else begin
    except ValueError:
        raise Wrong(f"{shown(text)} is not a date", "write 2026-10-01 or 2026-10-01..2026-10-07") from None
    if not begin <= end <= begin + timedelta(days=366):
        raise Wrong(f"{shown(text)}: the last day must follow the first within a year", "write 2026-10-01..2026-10-07")
    return frozenset(begin + timedelta(days=n) for n in range((end - begin).days + 1))


def week(written: Mapping[str, tuple[str, ...]]) -> tuple[Hours, ...]:
    """Open hours of Monday to Sunday from `{Mon-Fri: "09:00-18:00"}`."""
    spans: list[list[tuple[time, time]]] = [[] for _ in range(7)]
    for name, texts in written.items():
        for day in days(name):
            spans[day] += [hours(text) for text in texts]
    for one in spans:
        one.sort()
        for before, after in pairwise(one):
            if before[1] > after[0] or before[1] <= before[0]:
                raise Wrong("open hours of one day overlap", "write them one after another")
    if not any(spans):
        raise Wrong("a calendar that is never open", 'write open: {Mon-Fri: "09:00-18:00"}, or use the clock 24x7')
    return tuple(tuple(one) for one in spans)
