"""Zones, hours of the week, moments and calendars."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from forewarn.config import times
from forewarn.config.problems import Wrong

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Fri", {0, 1, 2, 3, 4}),
        ("Fri-Mon", {4, 5, 6, 0}),
        ("Sat,Sun", {5, 6}),
        ("mon", {0}),
        ("Wednesday", {2}),
        ("Mon-Tue, Fri", {0, 1, 4}),
        ("Sun-Sun", {6}),
    ],
)
def test_days(text: str, days: set[int]) -> None:
    assert times.days(text) == days


def test_weekly_with_and_without_days_and_zone() -> None:
    busy = times.weekly("Mon-Fri 10:00-12:00 Asia/Shanghai", UTC)
    assert (busy.days, busy.start, busy.end, busy.zone) == (frozenset(range(5)), time(10), time(12), SHANGHAI)
    quiet = times.weekly("22:00-07:00", SHANGHAI)
    assert (quiet.days, quiet.zone) == (frozenset(range(7)), SHANGHAI)
    assert quiet.covers(datetime(2026, 11, 23, 15, tzinfo=UTC))  # 23:00 in Shanghai
    assert not quiet.covers(datetime(2026, 11, 23, 4, tzinfo=UTC))


def test_a_whole_day_ends_at_midnight() -> None:
    day = times.weekly("Sun 00:00-24:00", UTC)
    assert day.until(datetime(2026, 11, 22, 23, 59, tzinfo=UTC)) == datetime(2026, 11, 23, tzinfo=UTC)
    assert not day.covers(datetime(2026, 11, 23, tzinfo=UTC))


MOMENTS = [
    ("2026-01-05T09:00 Asia/Shanghai", datetime(2026, 1, 5, 1, tzinfo=UTC)),
    ("2026-01-05 09:00", datetime(2026, 1, 5, 1, tzinfo=UTC)),
    ("2026-01-05T09:00Z", datetime(2026, 1, 5, 9, tzinfo=UTC)),
    ("2026-01-05T09:00:30+08:00", datetime(2026, 1, 5, 1, 0, 30, tzinfo=UTC)),
    ("2026-01-05", datetime(2026, 1, 4, 16, tzinfo=UTC)),
    ("2026-07-01T09:00 Europe/London", datetime(2026, 7, 1, 8, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "at"), MOMENTS)
def test_moments(text: str, at: datetime) -> None:
    found = times.moment(text, SHANGHAI)
    assert found == at
    assert found.tzinfo is UTC


def test_dates_and_their_ranges() -> None:
    assert times.dates("2026-10-01") == {date(2026, 10, 1)}
    assert times.dates("2026-12-30..2027-01-02") == {date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2)}


def test_open_hours_of_a_week() -> None:
    week = times.week({"Mon-Fri": ("13:00-18:00", "09:00-12:00"), "Sat": ("22:00-02:00",)})
    assert week[0] == ((time(9), time(12)), (time(13), time(18)))
    assert week[5] == ((time(22), time(2)),)
    assert week[6] == ()


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (times.zone, "Asia/Shangai", '"Asia/Shangai" is not a time zone; did you mean Asia/Shanghai?'),
        (times.zone, "Beijing", '"Beijing" is not a time zone; write Asia/Shanghai'),
        (times.zone, "UTC+8", '"UTC+8" is not a time zone; write Asia/Shanghai'),
        (times.zone, "Asia", '"Asia" is not a time zone; write one like Asia/Shanghai or UTC'),
        (times.zone, "../../etc/passwd", '"../../etc/passwd" is not a time zone; write one like Asia/Shanghai or UTC'),
        (times.zone, "/etc/localtime", '"/etc/localtime" is not a time zone; write one like Asia/Shanghai or UTC'),
        (times.zone, "", '"" is not a time zone; write one like Asia/Shanghai or UTC'),
        (times.days, "Mon-Fry", '"Mon-Fry" are not days; write Mon-Fri or Sat,Sun'),
        (times.hours, "9-18", '"9-18" are not hours; write "09:00-18:00"'),
        (times.hours, "09:00-25:00", '"09:00-25:00" are not hours of a day; write "09:00-18:00"'),
        (times.hours, "09:00-09:00", '"09:00-09:00" begin and end at the same time; write "00:00-24:00" for a whole day'),
        (
            times.dates,
            "2026-10-07..2026-10-01",
            '"2026-10-07..2026-10-01": the last day must follow the first within a year; write',
        ),
        (times.dates, "tomorrow", '"tomorrow" is not a date; write 2026-10-01 or 2026-10-01..2026-10-07'),
    ],
)
def test_refuses(read, text, said) -> None:
    with pytest.raises(Wrong) as wrong:
        read(text)
    assert str(wrong.value).startswith(said)


@pytest.mark.parametrize("text", ["2026-13-01", "2026-01-05T25:00", "tomorrow", "2026-01-05T09:00Z Asia/Shanghai", 20260105, None])
def test_no_such_moment(text: object) -> None:
    with pytest.raises(Wrong):
        times.moment(text, UTC)


@pytest.mark.parametrize(
    "open_", [{"Mon": ("09:00-12:00", "11:00-13:00")}, {"Mon": ("22:00-02:00", "23:00-23:30")}, {}, {"Mon": ()}]
)
def test_hours_that_make_no_calendar(open_) -> None:
    with pytest.raises(Wrong):
        times.week(open_)


def test_this_hosts_zone(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    assert times.host_zone({}, link) is UTC
    link.symlink_to("/usr/share/zoneinfo/Asia/Shanghai")
    if link.exists():  # a host without the system's zone files keeps UTC
        assert times.host_zone({}, link) == SHANGHAI
    assert times.host_zone({"TZ": "Europe/London"}, link) == ZoneInfo("Europe/London")
    assert times.host_zone({"TZ": ":Asia/Shanghai"}, tmp_path / "none") == SHANGHAI
    assert times.host_zone({"TZ": "XYZ-8nonsense"}, tmp_path / "none") is UTC
