"""A limit that comes back: its own past says when."""

from __future__ import annotations

from itertools import pairwise
from math import pi, sin
from random import Random

import pytest
from made_series import DAY, HOUR, episodes, play, shape

from forewarn.core.detect.forecast import ForecastOptions
from forewarn.core.detect.returns import KEPT_S, SPELLS, Returns, coming
from forewarn.model.finding import RuleState

LIMIT = 1.0
MONDAY = 1_763_942_400.0


def past(begins_h: list[float], long_h: float = 1.0, apart_s: float = 900.0) -> Returns:
    """Spells that begin at these hours after MONDAY, each `long_h` long; samples every ten minutes."""
    found = Returns()
    at = MONDAY
    while at <= MONDAY + (begins_h[-1] + long_h) * HOUR:
        hour = (at - MONDAY) / HOUR
        found = found.extended([at], [2.0 if any(begin <= hour < begin + long_h for begin in begins_h) else 0.0], LIMIT, apart_s)
        at += 600.0
    return found


def test_the_same_hour_each_day_is_expected_at_that_hour():
    days = [24.0 * day + 9 for day in range(10)]
    ahead = coming(past(days), MONDAY + 9 * DAY + 15 * HOUR, 3 * DAY, 0.8)
    assert ahead is not None
    assert ahead.likely_s == pytest.approx(18 * HOUR, abs=1200)
    assert ahead.earliest_s <= ahead.likely_s <= ahead.latest_s < 20 * HOUR
    assert ahead.p > 0.85


@pytest.mark.parametrize("spells", [[9.0], [9.0, 33.0]])
def test_what_came_once_or_twice_is_no_past(spells):
    assert coming(past(spells), MONDAY + 3 * DAY, 3 * DAY, 0.8) is None


def test_jitter_at_the_limit_is_one_coming():
    jitter = past([9.0, 9.4, 9.9, 10.3], long_h=0.2, apart_s=300.0)
    assert len(jitter.spells) > 3 and jitter.comings == 1
    assert coming(jitter, MONDAY + DAY, 3 * DAY, 0.8) is None


def test_what_stopped_coming_is_less_and_less_expected():
    days = past([24.0 * day + 9 for day in range(8)])
    later = [coming(days, MONDAY + (7 + quiet) * DAY + 12 * HOUR, DAY, 0.8) for quiet in (0, 2, 5, 9)]
    shares = [ahead.p if ahead else 0.0 for ahead in later]
    assert all(after <= before for before, after in pairwise(shares))
    assert shares[0] > 0.8 and shares[-1] < 0.6


def test_a_higher_confidence_never_gives_a_narrower_interval():
    irregular = past([3.0, 20.0, 61.0, 70.0, 118.0, 131.0, 190.0])
    now = MONDAY + 194 * HOUR
    found = [coming(irregular, now, 3 * DAY, coverage) for coverage in (0.5, 0.8, 0.95)]
    widths = [one.latest_s - one.earliest_s for one in found if one]
    assert len(widths) >= 2 and widths == sorted(widths)


def test_what_is_kept_is_bounded():
    found = Returns()
    for n in range(500):
        found = found.extended([MONDAY + n * 3 * HOUR], [2.0], LIMIT, 900.0)
    assert len(found.spells) <= SPELLS
    assert found.spells[0][1] >= MONDAY + 499 * 3 * HOUR - KEPT_S


def test_history_at_once_is_the_same_as_one_by_one():
    times = [MONDAY + n * 600.0 for n in range(2000)]
    values = [2.0 if (n // 7) % 9 == 0 else 0.0 for n in range(2000)]
    one_by_one = Returns()
    for at, value in zip(times, values, strict=True):
        one_by_one = one_by_one.extended([at], [value], LIMIT, 900.0)
    assert Returns().extended(times, values, LIMIT, 900.0) == one_by_one


def test_a_load_that_crosses_each_noon_is_foreseen_from_the_fourth_day_on():
    load = shape(lambda t, r: 0.6 + 0.4 * sin(2 * pi * t / DAY) + r.gauss(0, 0.01), 8, 600.0)
    heard = list(play("forecast", ForecastOptions(above=0.95), load, 600.0))
    late = [one for one in heard if one.at_s > 4 * DAY and not one.crossed and one.value < 0.95]
    assert sum(one.firing for one in late) > 0.95 * len(late)
    told = next(one for one in late if one.firing and one.at_s > 5 * DAY + 12 * HOUR)
    noon = next(one.at_s for one in heard if one.at_s > told.at_s and one.value >= 0.95)
    earliest, _, latest = told.dates()
    assert earliest - 1200 <= noon <= latest + 1200
    assert told.claim.why.key == "why.forecast.again"


def test_a_line_that_came_to_nothing_must_be_surer_the_next_time():
    """Every third day, half a day's rise that stops short of the limit and is lost again."""

    def rise(t: float, r: Random) -> float:
        hour = (t / HOUR) % 72
        return 0.5 + 0.3 * min(1.0, hour / 12) * (hour < 36) + r.gauss(0, 0.004)

    heard = list(play("forecast", ForecastOptions(above=0.95), shape(rise, 15, 600.0), 600.0))
    assert 1 <= len(episodes(heard)) <= 2
    assert heard[-1].claim.state is not RuleState.FIRING


def test_a_warning_of_a_return_stands_for_its_horizon():
    """A share that dances around its limits must not become two warnings of one spell."""
    r = Random(5)
    days = [day for day in range(26) if r.random() < 0.55]

    def value(t: float, _: Random) -> float:
        return 2.0 if int(t // DAY) in days and 9 <= t % DAY / HOUR < 11 else 0.0

    heard = list(play("forecast", ForecastOptions(above=LIMIT, within_s=DAY), shape(value, 26, 900.0), 900.0))
    warns = [(s.at_s, s.firing and not s.crossed) for s in heard]
    begun = [at for (_, before), (at, now) in pairwise(warns) if now and not before]
    ended = [at for (_, before), (at, now) in pairwise(warns) if before and not now]
    crossed = [s.at_s for s in heard if s.crossed]
    assert begun and ended
    for begin in begun:
        end = next((at for at in ended if at > begin), None)
        if end is not None and not any(begin < at <= end for at in crossed):
            assert end - begin >= DAY - 900.0, "it ended before its horizon, with no crossing"
