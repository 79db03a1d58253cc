"""A baseline with a calendar: days off are a kind of their own, known before they come, by the clock of the calendar."""

from __future__ import annotations

import random
from array import array
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from forewarn.core.detect import rarity
from forewarn.core.detect.baseline import BaselineOptions, BaselineState, _when, taken
from forewarn.model.due import Calendar

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = (((time(9), time(18)),),) * 5 + ((), ())
HOLIDAYS = frozenset({date(2026, 10, 1) + timedelta(days=n) for n in range(2)} | {date(2026, 10, 20)})
OFFICE = Calendar(name="office", zone=BERLIN, week=WEEK, holidays=HOLIDAYS)
OPTIONS = BaselineOptions(season="week", calendar="office", days=OFFICE)
STEP_S = 900.0


def load(at: datetime, chance: random.Random, calendar: Calendar) -> float:
    """Busy in office hours, quiet else."""
    local = at.astimezone(calendar.zone)
    busy = 9 <= local.hour < 18 and not calendar.is_off(local.date())
    return (40.0 if busy else 4.0) + chance.gauss(0, 1.0)


def alarms(options: BaselineOptions, days: int, really: Calendar = OFFICE) -> list[date]:
    """On which local days a new alarm began."""
    chance, state, found = random.Random(3), BaselineState(), list[date]()
    begin = datetime(2026, 8, 3, tzinfo=UTC)
    for n in range(int(days * 86400 / STEP_S)):
        at = begin + timedelta(seconds=n * STEP_S)
        before, state = state.alarm_s, taken(options, state, at.timestamp(), load(at, chance, really))
        if state.alarm_s != before:
            found.append(at.astimezone(BERLIN).date())
    return found


def test_a_holiday_is_what_a_weekend_is():
    known = alarms(OPTIONS, 63)
    unknown = alarms(replace(OPTIONS, calendar=None, days=None), 63)
    assert not set(known) & HOLIDAYS
    assert set(unknown) & HOLIDAYS  # so that there was something to know


def test_a_working_day_on_which_nobody_comes_is_still_found():
    empty = replace(OFFICE, holidays=HOLIDAYS | {date(2026, 9, 23)})
    assert date(2026, 9, 23) in alarms(OPTIONS, 60, really=empty)


@pytest.mark.parametrize(
    ("at", "off", "hour"),
    [
        (datetime(2026, 9, 30, 22, 30, tzinfo=UTC), True, 0),  # the holiday has begun in Berlin
        (datetime(2026, 9, 30, 21, 30, tzinfo=UTC), False, 23),
        (datetime(2026, 10, 3, 10, 0, tzinfo=UTC), True, 12),  # a Saturday
        (datetime(2026, 10, 5, 6, 0, tzinfo=UTC), False, 8),
        (datetime(2026, 10, 26, 6, 0, tzinfo=UTC), False, 7),  # after the clocks went back
    ],
)
def test_the_day_and_the_hour_are_those_of_the_calendar(at, off, hour):
    when = _when(OPTIONS, at.timestamp())
    base = rarity.bases("week", when)[rarity.HOUR]
    slot = base // rarity.PLACES - 5
    assert (slot >= 8, slot % 8) == (off, hour // 3)


def test_without_a_calendar_nothing_is_different():
    assert _when(BaselineOptions(season="week"), 123.0) == 123.0


def test_a_calendar_that_is_always_open_has_only_its_holidays():
    always = Calendar(name="24x7", zone=UTC, holidays=frozenset({date(2026, 12, 25)}))
    assert [always.is_off(date(2026, 12, day)) for day in (24, 25, 26, 27)] == [False, True, False, False]


def test_a_future_holiday_changes_nothing_before_it_comes():
    more = replace(OPTIONS, days=replace(OFFICE, holidays=HOLIDAYS | {date(2026, 12, 24)}))
    chance, one, other = random.Random(1), BaselineState(), BaselineState()
    for n in range(400):
        at_s, value = datetime(2026, 8, 3, tzinfo=UTC).timestamp() + n * STEP_S, chance.random()
        one, other = taken(OPTIONS, one, at_s, value), taken(more, other, at_s, value)
    assert one == other and isinstance(one.counts, array)
    assert OPTIONS.says == more.says and more != OPTIONS  # the watch begins anew with the new days, and keeps what it has learnt
