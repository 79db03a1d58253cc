"""baseline: what is usual stays quiet, what never was is found, whatever the series looks like; and states are values."""

from __future__ import annotations

import random
from array import array
from datetime import UTC, datetime
from math import pi, sin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.core.detect import baseline, rarity
from forewarn.core.detect.baseline import BaselineOptions, BaselineState
from forewarn.model.finding import RuleState
from forewarn.model.series import Window

START = 1_763_856_000.0  # a midnight
FIVE_MIN = 300.0
DAY = BaselineOptions()


def played(
    values: list[float], every_s: float = FIVE_MIN, options: BaselineOptions = DAY
) -> tuple[BaselineState, list[int], list[float]]:
    """The state at the end, the places at which an alarm began, and every score."""
    state, alarms, scores = BaselineState(), [], []
    for at, value in enumerate(values):
        state = baseline.judged(options, state, START + at * every_s, value)
        scores.append(state.score)
        if state.score >= options.above:
            alarms.append(at)
    return state, alarms, scores


def noise(n: int, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [10 + rng.gauss(0, 1) for _ in range(n)]


def daily(n: int, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [50 + 40 * sin(2 * pi * at * FIVE_MIN / 86400) + rng.gauss(0, 2) for at in range(n)]


def heavy(n: int, seed: int = 1) -> list[float]:
    """Mostly quiet, with bursts of any height: an average and a spread say nothing of it."""
    rng = random.Random(seed)
    return [rng.paretovariate(1.5) if rng.random() < 0.1 else rng.random() for _ in range(n)]


QUIET = {
    "constant": [7.0] * 4000,
    "noise": noise(4000),
    "a day's rhythm": daily(4000),
    "two states": [random.Random(at).choice((0.0, 1.0)) for at in range(4000)],
    "rounded": [float(round(value)) for value in noise(4000)],
}


@pytest.mark.parametrize("name", QUIET)
def test_what_always_was_is_hardly_ever_an_alarm(name: str) -> None:
    """Two weeks of it."""
    assert len(played(QUIET[name])[1]) <= 3


FAULTS = {
    "a spike": (noise(3000), lambda values: [*values, 25.0]),
    "a hole": (noise(3000), lambda values: [*values, 0.0]),
    "a level": (noise(3000), lambda values: [*values, *(value + 9 for value in noise(40, 2))]),
    "trouble": (noise(3000), lambda values: [*values, *(10 + 8 * (value - 10) for value in noise(60, 3))]),
    "a constant that moves": ([5.0] * 1500, lambda values: [*values, 5.4]),
    "a zero that counts": ([0.0] * 1500, lambda values: [*values, 0.01]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_never_was_is_found(name: str) -> None:
    usual, fault = FAULTS[name]
    before = played(usual)[1]
    found = [at for at in played(fault(usual))[1] if at >= len(usual)]
    assert len(before) <= 3 and found


def test_night_at_noon_is_unusual_though_the_value_is_not() -> None:
    values = daily(288 * 14)
    noon = 288 * 14 + 72  # the greatest values of the day
    values = [*values, *daily(72), 12.0, 11.0, 12.0, 11.5]
    assert any(at >= noon for at in played(values)[1])


def test_bursts_are_usual_where_there_always_were_bursts() -> None:
    assert len(played(heavy(6000))[1]) <= 8  # three weeks


def test_no_alarm_while_learning() -> None:
    _, alarms, _ = played([*noise(rarity.LEARNED - 1), 1000.0])
    assert not alarms
    young, _, _ = played(noise(10))
    window = Window(array("d"), array("d"), 0, FIVE_MIN)
    claim = baseline.claim(DAY, young, window, datetime.fromtimestamp(START, UTC))
    assert claim.state is RuleState.LEARNING
    assert claim.ready_at and claim.ready_at.timestamp() == START + FIVE_MIN * (rarity.LEARNED - 10)


def test_one_event_is_one_alarm_and_a_greater_one_speaks_again() -> None:
    usual = noise(3000)
    same = [at for at in played([*usual, 25.0, *noise(5, 7), 25.0, *noise(5, 8), 24.0])[1] if at >= 3000]
    worse = [at for at in played([*usual, 18.0, *noise(5, 7), 400.0])[1] if at >= 3000]
    assert len(same) == 1
    assert len(worse) == 2


def test_a_finding_ends_when_all_is_usual_again() -> None:
    state, _, _ = played([*noise(3000), 25.0])
    assert state.firing
    state, _, _ = played([*noise(3000), 25.0, *noise(16, 5)])
    assert not state.firing


def test_samples_of_a_minute_are_judged_together() -> None:
    """Every 10 s; one bad sample of six is no news, six are."""
    rng = random.Random(4)
    times = array("d", (START + 10 * at for at in range(60_000)))
    values = array("d", (10 + rng.gauss(0, 1) for _ in times))

    def at_the_end(bad: int) -> bool:
        state = baseline.after(DAY, None, Window(times, values, len(times), 10.0), datetime.fromtimestamp(times[-1], UTC))
        more = array("d", [*[60.0] * bad, *[10.0] * (12 - bad)])
        later = array("d", (times[-1] + 10 * (at + 1) for at in range(12)))
        return baseline.after(DAY, state, Window(later, more, 12, 10.0), datetime.fromtimestamp(later[-1], UTC)).firing

    assert at_the_end(6)


def test_a_claim_says_value_and_usual_range() -> None:
    state, _, _ = played([*noise(3000), 25.0])
    claim = baseline.claim(DAY, state, Window(array("d"), array("d"), 0), datetime.fromtimestamp(START, UTC))
    assert claim.state is RuleState.FIRING
    assert claim.why.key.startswith("why.baseline.")
    assert 5 < float(claim.why.facts["low"]) < 9 < 11 < float(claim.why.facts["high"]) < 15  # type: ignore[arg-type]


def test_a_state_is_never_changed_by_the_next_step() -> None:
    state, _, _ = played(noise(500))
    counts = state.counts[:]
    baseline.judged(DAY, state, START + 1e6, 3.0)
    assert state.counts == counts


def test_what_was_long_ago_is_forgotten() -> None:
    state, _, _ = played([*noise(400), *(value + 500 for value in noise(3 * rarity.FULL, 3))], every_s=60.0)
    low, high = baseline.usual(state)
    assert low > 400 and high < 620
    assert sum(state.counts[: rarity.PLACES]) <= rarity.FULL


def test_a_state_is_small() -> None:
    state, _, _ = played(noise(500), options=BaselineOptions(season="week"))
    assert len(state.counts) * state.counts.itemsize <= 2048


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 1.0, 1e308, -1e-300]), max_size=160),
    st.integers(-900, 900),
)
def test_any_values_and_any_clock(values: list[float], gap_s: int) -> None:
    """Whatever comes, and whichever way the clock goes, there is a score from 0 to 1."""
    state = BaselineState()
    for at, value in enumerate([*range(rarity.LEARNED), *values]):
        state = baseline.taken(DAY, state, START + at * gap_s, float(value), abs(float(gap_s)))
        assert 0.0 <= state.score <= 1.0
