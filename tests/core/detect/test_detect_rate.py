"""rate: what a pace is worth, what a reset, a spike and a gap do to it, and when it is known at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from made_series import START, play

from forewarn.core.detect import DETECTORS
from forewarn.core.detect.rate import RateOptions
from forewarn.model.finding import RuleState
from forewarn.model.series import Window

EVERY = 10.0
MANY = RateOptions(limit=30.0, per_s=60.0, window_s=300.0)
FAST = replace(MANY, counter=False)
Samples = Iterator[tuple[float, float]]


def grown(*parts: tuple[float, float], from_: float = 0.0, at: float = 0.0) -> Samples:
    """For so many seconds it grows by so much a minute."""
    value = from_
    yield at, value
    for seconds, pace in parts:
        for _ in range(int(seconds / EVERY)):
            at, value = at + EVERY, value + pace * EVERY / 60
            yield at, value


def began(said) -> float | None:  # type: ignore[no-untyped-def]
    return next((one.at_s for one in said if one.firing), None)


def paces(said) -> list[float]:  # type: ignore[no-untyped-def]
    return [one.claim.evidence.value for one in said if one.claim.evidence.value is not None]


@pytest.mark.parametrize("options", [MANY, FAST], ids=["counter", "gauge"])
def test_the_pace_is_that_of_the_window_in_the_unit_that_was_asked_for(options):
    said = list(play("rate", options, grown((600, 12.0)), EVERY))
    assert paces(said) == pytest.approx([12.0] * len(paces(said))) and not any(one.firing for one in said)
    hourly = list(play("rate", replace(options, per_s=3600.0, limit=1e9), grown((600, 12.0)), EVERY))
    assert paces(hourly)[-1] == pytest.approx(720.0)
    assert said[-1].claim.why.facts == {"value": pytest.approx(12.0), "limit": 30.0, "per_s": 60.0, "window_s": 300.0}


@pytest.mark.parametrize("options", [MANY, FAST], ids=["counter", "gauge"])
def test_nothing_is_said_before_nearly_all_of_the_window_was_looked_at(options):
    said = list(play("rate", options, grown((600, 60.0)), EVERY))
    learning = [one for one in said if one.claim.state is RuleState.LEARNING]
    assert began(said) == pytest.approx(270, abs=EVERY)
    assert {round((one.claim.ready_at.timestamp() - START) / 60) for one in learning} == {5}
    assert not said[len(learning)].claim.confirmed and said[len(learning) + 1].claim.confirmed


@pytest.mark.parametrize("options", [MANY, FAST], ids=["counter", "gauge"])
def test_it_fires_when_the_pace_has_grown_and_ends_when_it_is_fine(options):
    said = list(play("rate", options, grown((600, 12.0), (600, 60.0), (900, 0.0)), EVERY))
    fires = [one.at_s for one in said if one.firing]
    assert 620 <= fires[0] <= 800 and 1250 <= fires[-1] <= 1500
    assert len(fires) == (fires[-1] - fires[0]) / EVERY + 1  # in one piece


def test_for_and_clear():
    options = replace(MANY, for_s=120.0, clear=10.0)
    said = list(play("rate", options, grown((600, 12.0), (600, 60.0), (1200, 12.0), (600, 0.0)), EVERY))
    pending = [one.at_s for one in said if one.claim.state is RuleState.PENDING]
    assert began(said) == pytest.approx(pending[0] + 120.0)
    assert max(one.at_s for one in said if one.firing) > 2400  # 12 is under the limit, and not under 10


def test_a_counter_that_began_anew_grew_from_zero():
    first = list(grown((600, 12.0)))
    again = list(grown((600, 12.0), at=610.0, from_=2.0))
    assert paces(list(play("rate", MANY, iter(first + again), EVERY)))[-30:] == pytest.approx([12.0] * 30, abs=0.1)
    huge = [(at, value + 1e9) for at, value in first]  # of which a naive difference would make a plunge or a leap
    said = list(play("rate", MANY, iter(huge + again), EVERY))
    assert min(paces(said)) >= 0 and max(paces(said)) < 13 and began(said) is None


def test_what_grew_while_nobody_looked_is_no_pace():
    samples = [one for one in grown((3000, 12.0)) if not 1000 < one[0] < 2000]
    for options in (MANY, FAST):
        said = list(play("rate", options, iter(samples), EVERY))
        assert began(said) is None and max(paces(said)) < 13
        after = [one for one in said if 2000 <= one.at_s < 2200]
        assert all(one.claim.state is RuleState.LEARNING for one in after)


def test_a_claim_that_stands_is_not_ended_by_a_gap():
    samples = [one for one in grown((600, 12.0), (600, 60.0), (600, 60.0)) if not 1000 < one[0] < 1400]
    said = list(play("rate", MANY, iter(samples), EVERY))
    fires = [one for one in said if one.at_s > 800]
    assert all(one.firing for one in fires)
    assert any(one.claim.why.key == "why.rate.learning" for one in fires)


def test_a_spike_moves_no_slope():
    chance = random.Random(1)
    samples = [(at, 20 + chance.gauss(0, 0.1) + (60 if chance.random() < 0.02 else 0)) for at in range(0, 36_000, 10)]
    said = list(play("rate", replace(FAST, limit=2.0), iter([(float(at), value) for at, value in samples]), EVERY))
    assert began(said) is None and max(map(abs, paces(said))) < 1.0


def test_how_fast_a_value_falls_is_a_positive_number():
    samples = [(at, 1000.0 - value) for at, value in grown((600, 3.0), (900, 60.0))]
    said = list(play("rate", replace(FAST, falls=True), iter(samples), EVERY))
    assert began(said) and said[-1].claim.why.key == "why.rate.falls" and paces(said)[-1] == pytest.approx(60.0)
    assert began(list(play("rate", FAST, iter(samples), EVERY))) is None


def test_too_little_pace():
    said = list(play("rate", replace(MANY, above=False, limit=6.0, clear=8.0), grown((900, 12.0), (900, 3.0), (900, 7.0)), EVERY))
    assert 900 < (began(said) or 0) < 1200 and said[-1].firing
    said = list(play("rate", replace(MANY, above=False, limit=6.0), grown((900, 12.0), (900, 3.0), (900, 7.0)), EVERY))
    assert said[-1].claim.state is RuleState.OK


def test_a_clock_that_is_set_back_begins_a_new_window():
    samples = [*grown((900, 12.0)), *grown((200, 12.0), at=100.0, from_=500.0)]
    said = list(play("rate", MANY, iter(samples), EVERY))
    assert began(said) is None and said[-1].claim.state is RuleState.LEARNING


def test_history_tells_as_much_as_having_watched():
    times = [START + at for at, _ in grown((600, 12.0), (600, 60.0))]
    values = [value for _, value in grown((600, 12.0), (600, 60.0))]
    step = DETECTORS["rate"].step
    window = replace(Window.of(list(zip(times, values, strict=True)), fresh=len(times) - 1), every_s=EVERY)
    state, claim = step(MANY, None, window, None)
    one = list(play("rate", MANY, grown((600, 12.0), (600, 60.0)), EVERY))[-1].claim
    assert replace(claim, evidence=replace(claim.evidence, n=121)) == one and state.firing  # the first one only told where it stood
    assert DETECTORS["rate"].history_s(MANY) >= 300.0


def test_without_a_sample_and_with_one():
    state, claim = DETECTORS["rate"].step(MANY, None, Window.of([]), None)
    assert claim.state is RuleState.UNKNOWN and not state.firing
    assert DETECTORS["rate"].resume(MANY, None).firing
