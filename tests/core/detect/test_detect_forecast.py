from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise, takewhile
from math import exp, inf, nan, pi, sin

import pytest
from made_series import DAY, FAMILIES, HOUR, START, Said, episodes, now, play, random_growth, shape

from forewarn.core.detect.forecast import ForecastOptions, resume, step
from forewarn.model.finding import RuleState
from forewarn.model.series import Window

FULL = ForecastOptions(above=0.95)
Value = Callable[[float, random.Random], float]


def said(of: Value, days: float, options: ForecastOptions = FULL, every: float = 120.0) -> list[Said]:
    return list(play("forecast", options, shape(of, days, every), every))


def ramp(hours: float) -> Value:
    """0.5 to 0.95 in so many hours."""
    return lambda t, r: 0.5 + 0.45 * t / (hours * HOUR)


def test_a_straight_line_gets_its_date():
    heard = said(ramp(40), 1.8)
    first = next(s for s in heard if s.firing)
    assert 3 * HOUR < first.at_s < 4 * HOUR  # a line is believed for twelve times the span that it was seen for
    earliest, likely, latest = first.dates()
    assert earliest < likely < latest
    assert likely == pytest.approx(40 * HOUR, rel=0.02)
    assert (latest - earliest) / likely < 0.5
    crossed = next(s for s in heard if s.crossed)
    assert crossed.at_s == pytest.approx(40 * HOUR, abs=240)
    assert crossed.dates() == (crossed.at_s,) * 3
    assert len(episodes(heard)) == 1


def test_below_looks_the_other_way():
    free = ForecastOptions(below=10e9)
    heard = said(lambda t, r: 500e9 - 3.4e6 * t + r.gauss(0, 1e8), 1.8, free)
    first = next(s for s in heard if s.firing)
    assert first.dates()[1] == pytest.approx(490e9 / 3.4e6, rel=0.05)
    assert first.claim.why.facts["value"] > 10e9
    assert next(s for s in heard if s.crossed).value <= 10e9


def test_days_left_with_an_hourly_probe():
    ends = ForecastOptions(below=7.0, within_s=14 * DAY, window_s=7 * DAY)
    heard = said(lambda t, r: 30 - t / DAY, 24, ends, every=HOUR)
    begun, ended = episodes(heard)[0]
    assert begun / 24 == pytest.approx(9, abs=0.3) and ended is None
    assert next(s for s in heard if s.crossed).at_s / DAY == pytest.approx(23, abs=0.1)


QUIET: dict[str, tuple[Value, float]] = {
    "flat": (lambda t, r: 0.7, 2),
    "noise": (lambda t, r: 0.7 + r.gauss(0, 0.03), 5),
    "spikes": (lambda t, r: 0.5 + (0.4 if r.random() < 0.03 else 0.0), 3),
    "a copy that stays": (lambda t, r: 0.5 if t < 10 * HOUR else 0.7, 2),
    "two copies": (lambda t, r: 0.4 + 0.1 * (t > 10 * HOUR) + 0.12 * (t > 12 * HOUR), 2),
    "a copy of twenty minutes": (lambda t, r: 0.5 + 0.2 * min(1.0, max(0.0, (t - 10 * HOUR) / 1200)), 2),
    "a boot that fills caches": (lambda t, r: 0.3 + 0.4 * (1 - exp(-t / HOUR)), 1),
    "a boot copy": (lambda t, r: min(0.3 + 0.2 * t / 1200, 0.5), 1),
    "falling": (lambda t, r: 0.9 - 0.1 * t / DAY, 2),
    "a quick saw-tooth": (lambda t, r: 0.6 + 0.3 * ((t / HOUR) % 0.5) / 0.5, 2),
    "too slow to matter": (lambda t, r: 0.5 + 0.45 * t / (60 * DAY), 2),
}


@pytest.mark.parametrize("name", QUIET)
def test_what_is_no_trend_stays_quiet(name):
    of, days = QUIET[name]
    assert episodes(said(of, days)) == []


def test_flat_and_slow_say_what_they_are():
    assert said(QUIET["flat"][0], 0.5)[-1].claim.state is RuleState.NEVER
    slow = said(ramp(7 * 24), 1.0)[-1].claim
    assert slow.state is RuleState.OK and slow.forecast and slow.why.key == "why.forecast.later"


def test_learning_says_when_the_first_date_comes():
    heard = said(ramp(10), 0.1)
    assert heard[0].claim.state is RuleState.LEARNING
    ready = [s.claim.ready_at for s in heard[:10]]
    assert ready[9] == now(29 * 120) or abs(ready[9] - now(HOUR)) < timedelta(minutes=10)
    firing = next(s for s in heard if s.firing)
    assert 0.6 * HOUR <= firing.at_s <= 1.2 * HOUR


TURNS: dict[str, tuple[Value, float, int]] = {
    "cleaned every day": (lambda t, r: 0.6 + 0.25 * ((t / HOUR) % 24) / 24, 6, 2),
    "cleaned every three hours": (lambda t, r: 0.6 + 0.3 * ((t / HOUR) % 3) / 3, 3, 2),
    "a daily wave": (lambda t, r: 0.7 + 0.1 * sin(2 * pi * t / DAY) + r.gauss(0, 0.005), 6, 2),
}


@pytest.mark.parametrize("name", TURNS)
def test_what_turns_back_is_news_twice_and_then_no_more(name):
    of, days, most = TURNS[name]
    heard = said(of, days)
    assert len(episodes(heard)) <= most
    assert not any(s.firing for s in heard if s.at_s > days * DAY / 2)


def test_peaks_that_climb_are_a_trend():
    heard = said(lambda t, r: 0.6 + 0.02 * t / DAY + 0.1 * sin(2 * pi * t / DAY) + r.gauss(0, 0.003), 13.4, every=300.0)
    crossed = next(s for s in heard if s.crossed)
    before = [s for s in heard if s.firing and not s.crossed and crossed.at_s - 1.5 * DAY < s.at_s < crossed.at_s]
    assert before and before[0].at_s < crossed.at_s - DAY


@pytest.mark.parametrize(("left", "ends"), [(0.4, True), (0.84, False)])
def test_a_cleanup_ends_it_when_it_gave_much_time(left, ends):
    heard = said(lambda t, r: 0.5 + 0.05 * t / HOUR if t < 8 * HOUR else left + 0.05 * (t / HOUR - 8), 9 / 24)
    begun, ended = episodes(heard)[0]
    assert begun < 1.2
    assert (ended is not None and 8 < ended < 8.3) if ends else ended is None


def test_after_a_cleanup_it_learns_the_new_pace():
    heard = said(lambda t, r: 0.5 + 0.05 * t / HOUR if t < 8 * HOUR else 0.4 + 0.05 * (t / HOUR - 8), 0.7)
    assert [round(begun) for begun, _ in episodes(heard)] == [1, 9]
    assert [s for s in heard if s.firing][-1].dates()[1] == pytest.approx(19 * HOUR, rel=0.02)


@pytest.mark.parametrize("limit", [0.8, 0.95])
def test_a_clean_up_after_days_of_growth_leaves_nothing_to_warn_of(limit):
    """The coarse memory still knows the old line when the new past is long enough for a first one, which is level."""

    def value(t: float, r: random.Random) -> float:
        return 0.5 if t > 5.8 * DAY else min(1.0, 0.5 + 0.1 * max(0.0, t / DAY - 1))

    monday = (4 * DAY - START) % (7 * DAY)  # bins lie on a grid of the clock, and on this one the coarse ones lag behind
    moved = ((monday + at, level) for at, level in shape(value, 6, 60.0))
    heard = list(play("forecast", ForecastOptions(above=limit), moved, 60.0))
    assert len(episodes(heard)) == 1
    assert not any(s.firing for s in heard if s.at_s > monday + 5.8 * DAY + HOUR / 2)


def test_a_plateau_ends_it():
    heard = said(lambda t, r: min(0.3 + 0.02 * t / HOUR, 0.7), 1.5)
    (_, ended), *more = episodes(heard)
    assert ended is not None and 20 < ended < 23 and not more


def test_a_leak_after_quiet_hours_is_seen():
    heard = said(lambda t, r: 0.5 + 0.03 * max(0.0, t / HOUR - 10), 0.6)
    (begun, ended), *more = episodes(heard)
    assert 10.5 < begun < 12.5 and ended is None and not more


@pytest.mark.parametrize(("every_h", "days", "by_h"), [(1.0, 1.0, 6.0), (24.0, 16.0, 16 * 24 - 24.0)])
def test_growth_in_steps_is_a_trend(every_h, days, by_h):
    gain = 0.01 if every_h < 2 else 0.015
    heard = said(lambda t, r: 0.71 + gain * int(t / HOUR / every_h), days, every=120.0 if every_h < 2 else 600.0)
    assert any(s.firing for s in heard if s.at_s < by_h * HOUR)
    assert len(episodes(heard)) == 1


def test_one_wrong_sample_changes_nothing():
    heard = said(lambda t, r: 0.0 if t == 5 * HOUR else 2.0 if t == 6 * HOUR else ramp(40)(t, r), 0.5)
    assert len(episodes(heard)) == 1
    assert not any(s.crossed for s in heard)


def test_what_is_no_number_is_ignored():
    odd = {3.5 * HOUR: nan, 4 * HOUR: inf, 4.5 * HOUR: -inf}
    clean = said(ramp(20), 0.4)
    heard = said(lambda t, r: odd.get(t, ramp(20)(t, r)), 0.4)
    assert [s.firing for s in heard] == [s.firing for s in clean]
    assert heard[-1].dates()[1] == pytest.approx(clean[-1].dates()[1], rel=0.01)


def _clock(jump_s: float) -> Iterator[tuple[float, float]]:
    for i in range(360):
        at = i * 120.0 + (jump_s if i >= 180 else 0.0)
        yield at, 0.7


@pytest.mark.parametrize("jump_s", [-30.0, -3 * HOUR, 3 * HOUR, 3 * DAY])
def test_a_clock_that_is_set_raises_nothing(jump_s):
    heard = list(play("forecast", FULL, _clock(jump_s), 120.0))
    assert episodes(heard) == []
    assert abs(heard[-1].claim.evidence.last_at - now(359 * 120.0 + jump_s)) < timedelta(minutes=10)


def test_standing_beyond_the_limit_at_first_sight():
    heard = said(lambda t, r: 0.97, 0.05)
    assert heard[0].crossed and not heard[0].claim.confirmed
    assert heard[1].crossed and heard[1].claim.confirmed
    assert {s.dates()[1] for s in heard} == {0.0}


def test_jitter_around_the_limit_does_not_dance():
    heard = said(lambda t, r: 0.9505 + r.gauss(0, 0.003), 1)
    flips = sum(a.crossed != b.crossed for a, b in pairwise(heard))
    assert flips <= 8


def test_history_at_once_says_the_same_as_one_by_one():
    pairs = list(shape(ramp(30), 0.6))
    one_by_one = list(play("forecast", FULL, iter(pairs), 120.0))[-1]
    window = Window(array("d", (START + at for at, _ in pairs)), array("d", (v for _, v in pairs)), len(pairs), 120.0)
    _, claim = step(FULL, None, window, now(pairs[-1][0]))
    assert claim.state is RuleState.FIRING and claim.forecast
    assert claim.forecast.likely.timestamp() - START == pytest.approx(one_by_one.dates()[1], rel=0.02)


def test_a_resumed_claim_outlives_a_lost_history():
    state = resume(FULL, None)
    state, claim = step(FULL, state, Window.of([(START, 0.8)]), now(0))
    assert state.firing and claim.state is RuleState.LEARNING


def test_a_long_window_stays_small():
    weeks = ForecastOptions(above=0.95, window_s=21 * DAY, within_s=14 * DAY)
    state = None
    for at, value in shape(lambda t, r: 0.5 + 0.3 * t / (21 * DAY), 21, every=1800.0):
        state, claim = step(weeks, state, Window.of([(START + at, value)], 1), now(at))
    assert len(state.seen.bins.times) <= 48 and len(state.seen.bins.open_values) <= 16
    assert claim.state is RuleState.FIRING
    assert claim.forecast.likely.timestamp() - START == pytest.approx(31.5 * DAY, rel=0.02)


def _covered(family: str, seed: int, every: float) -> bool:
    """Whether one of a series' forecasts, drawn by lot, covered the crossing; a crossing without a forecast is not covered."""
    r = random.Random(f"{family} {seed}")
    heard = takewhile(lambda s: s.at_s < 8 * DAY, play("forecast", FULL, random_growth(family, r, every), every))
    dates = []
    for s in heard:
        if s.crossed:
            earliest, _, latest = r.choice(dates) if dates else (0.0, 0.0, 0.0)
            return earliest - every <= s.at_s <= latest + every
        if s.firing:
            dates.append(s.dates())
    raise AssertionError("it never crossed")


@pytest.mark.parametrize(
    ("seeds", "low", "high"), [(4, 0.65, 0.95), pytest.param(30, 0.70, 0.90, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_eighty_percent_are_eighty_percent(seeds, low, high):
    hits = [_covered(family, seed, 300.0) for family in FAMILIES for seed in range(seeds)]
    assert low <= sum(hits) / len(hits) <= high
