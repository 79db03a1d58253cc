"""When a line was written, read from its first characters: the forms that programs use, in the zone that they mean.

Only lines that are read late need it (after a stop of ours, or of a file that is read from its beginning): they are counted
at their own time, so that the history is right and an hour of errors does not look like a burst of now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

HEAD = 200
"""Bytes of a line in which its time is looked for."""
LATE_S = 60.0
"""A line that is older than this is counted at its own time."""
OLDEST_S = 366 * 86400.0
"""What claims to be older is counted now: its time is likely misread."""
SLOT_S = 60.0

_MONTHS = {
    name: at for at, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_ZONES = {"Z": 0.0, "UTC": 0.0, "GMT": 0.0}
_HMS = r"(?P<h>\d{1,2}):(?P<m>\d\d):(?P<s>\d\d)(?:[.,]\d{1,9})?"
_ZONE = r"(?:\s?(?P<zone>Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)(?![\d\w]))?"
_MONTH = r"(?P<mon>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
FORMS = tuple(
    re.compile(form)
    for form in (
        # 2026-11-23T10:00:00.123+08:00, 2026-11-23 10:00:00,123 (log4j, PostgreSQL), 2026/11/23 10:00:00 (Go, nginx's error log)
        rf"(?<!\d)(?P<y>\d{{4}})[-/.](?P<mo>\d\d?)[-/.](?P<d>\d\d?)[T _:]{_HMS}{_ZONE}",
        # 20261123T100000Z
        r"(?<!\d)(?P<y>\d{4})(?P<mo>\d\d)(?P<d>\d\d)[T-](?P<h>\d\d):?(?P<m>\d\d):?(?P<s>\d\d)(?P<zone>Z)?(?!\d)",
        # 2026年11月23日 10:00:00, 2026年11月23日 下午3时05分09秒
        r"(?P<y>\d{4})年(?P<mo>\d\d?)月(?P<d>\d\d?)日\s*(?P<half>上午|下午|凌晨|中午|晚上)?\s*(?P<h>\d\d?)[:时點点](?P<m>\d\d?)[:分](?:(?P<s>\d\d?)秒?)?",
        # 23/Nov/2026:10:00:00 +0800 (Common Log Format)
        rf"(?<!\d)(?P<d>\d\d?)/{_MONTH}/(?P<y>\d{{4}}):{_HMS}{_ZONE}",
        # Mon Nov 23 10:00:00.123456 2026 (Apache's error log, ctime)
        rf"{_MONTH}\s+(?P<d>\d\d?)\s+{_HMS}(?:\s(?P<zone>UTC|GMT))?\s(?P<y>\d{{4}})(?!\d)",
        # Nov 23, 2026 10:00:00 AM (java.util.logging)
        rf"{_MONTH}\s+(?P<d>\d\d?),\s*(?P<y>\d{{4}}),?\s+{_HMS}(?:\s?(?P<half>AM|PM))?",
        # 23 Nov 2026 10:00:00.123 (Redis), Mon, 23 Nov 2026 10:00:00 +0000 (mail)
        rf"(?<!\d)(?P<d>\d\d?)[ -]{_MONTH}[ -](?P<y>\d{{4}})[ :T]{_HMS}{_ZONE}",
        # Nov 23 10:00:00 (syslog: no year)
        rf"(?<![A-Za-z]){_MONTH}\s+(?P<d>\d\d?)\s+{_HMS}",
        # I1123 10:00:00.123456 (klog)
        rf"(?<!\w)[IWEF](?P<mo>\d\d)(?P<d>\d\d)\s{_HMS}",
        # 11/23/2026 10:00:00 (month first, as in the United States), 23.11.2026 10:00:00
        rf"(?<!\d)(?P<mo>\d\d)/(?P<d>\d\d)/(?P<y>\d{{4}})[ ,T]+{_HMS}(?:\s?(?P<half>AM|PM))?",
        rf"(?<!\d)(?P<d>\d\d?)\.(?P<mo>\d\d?)\.(?P<y>\d{{4}})[ ,T]+{_HMS}",
        # 26/11/23 10:00:00 (Hadoop, Spark), 261123 100000, 11-23 10:00:00.123 (logcat: no year), 2026-11-23-10.00.00.123456
        rf"(?<![\d/])(?P<y>\d\d)/(?P<mo>\d\d)/(?P<d>\d\d) {_HMS}",
        r"(?<!\S)(?P<y>\d\d)(?P<mo>\d\d)(?P<d>\d\d) (?P<h>\d\d)(?P<m>\d\d)(?P<s>\d\d)(?!\S)",
        rf"(?<![\d-])(?P<mo>\d\d)-(?P<d>\d\d) {_HMS}",
        r"(?<!\d)(?P<y>\d{4})-(?P<mo>\d\d)-(?P<d>\d\d)-(?P<h>\d\d)\.(?P<m>\d\d)\.(?P<s>\d\d)",
        # 1795428000, 1795428000.123, 1795428000123: seconds or milliseconds of this century
        r"(?<![\d.\w-])(?P<epoch>1\d{9})(?P<more>\d{3}|\d{6}|\d{9})?(?:\.\d{1,9})?(?![\d.:\w-])",
    )
)


class Clockwork:
    """Reads the times of one probe's lines. `zone` is that of times that name none; None: this machine's."""

    def __init__(self, zone: str | None = None) -> None:
        self._zone: tzinfo | None = ZoneInfo(zone) if zone else None
        self._last = FORMS[0]  # the lines of a file have one form

    def time_of(self, line: bytes, now_s: float) -> float | None:
        """Epoch seconds, whole; None where no time is found. A year that is not written is the one that fits `now_s`."""
        text = line[:HEAD].decode("utf-8", "replace")
        for form in (self._last, *FORMS):
            if (found := form.search(text)) and (at_s := self._read(found.groupdict(), now_s)) is not None:
                self._last = form
                return at_s
        return None

    def stamper(self, now_s: float) -> Callable[[bytes], float | None]:
        """Answers for a line that is late the end of its minute; None for one of now, or without a time that can be right."""

        def stamp(line: bytes) -> float | None:
            at_s = self.time_of(line, now_s)
            if at_s is None or not LATE_S < now_s - at_s < OLDEST_S:
                return None
            return (at_s // SLOT_S + 1) * SLOT_S - 0.01

        return stamp

    def _read(self, part: Mapping[str, str | None], now_s: float) -> float | None:
        try:
            if epoch := part.get("epoch"):
                return float(epoch)
            month = _MONTHS[str(part["mon"])[:3].lower()] if part.get("mon") else int(part["mo"] or 0)
            hour = _hour(int(part["h"] or 0), part.get("half"))
            rest = (month, int(part["d"] or 0), hour, int(part["m"] or 0), min(59, int(part.get("s") or 0)))
            if year := part.get("y"):
                return self._epoch(datetime(int(year) + (2000 if len(year) == 2 else 0), *rest), part.get("zone"))  # noqa: DTZ001 - its zone comes next
            return self._this_year(rest, now_s)
        except (ValueError, OverflowError, OSError):
            return None

    def _this_year(self, rest: tuple[int, int, int, int, int], now_s: float) -> float:
        """In the newest year in which it is not in the future (a day more is a clock that is fast)."""
        year = datetime.fromtimestamp(now_s, UTC).year + 1
        while True:
            try:
                at_s = self._epoch(datetime(year, *rest), None)  # noqa: DTZ001
                if at_s <= now_s + 86400.0:
                    return at_s
            except ValueError:  # no 29 February in that year
                pass
            year -= 1
            if year < datetime.fromtimestamp(now_s, UTC).year - 8:
                raise ValueError("there is no such day")

    def _epoch(self, local: datetime, zone: str | None) -> float:
        if zone in _ZONES:
            return local.replace(tzinfo=UTC).timestamp()
        if zone:
            digits = zone[1:].replace(":", "").ljust(4, "0")
            span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            return local.replace(tzinfo=timezone(-span if zone[0] == "-" else span)).timestamp()
        return (local.replace(tzinfo=self._zone) if self._zone else local).timestamp()


def _hour(hour: int, half: str | None) -> int:
    if half in ("PM", "下午", "晚上", "中午") and hour < 12 and not (half == "中午" and hour == 11):
        return hour + 12
    return 0 if half in ("AM", "上午", "凌晨") and hour == 12 else hour
