"""flatline, change, new-term, cardinality, compose: what each claims, and what time in which nobody looked does."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import pytest
from made_series import START, now, play

from forewarn.core.detect import DETECTORS
from forewarn.core.detect.change import ChangeOptions
from forewarn.core.detect.distinct import MOST, CardinalityOptions, ComposeOptions
from forewarn.core.detect.flatline import FlatlineOptions
from forewarn.core.detect.new_term import NewTermOptions
from forewarn.core.detect.spans import Spans
from forewarn.model.finding import RuleState
from forewarn.model.series import Window

EVERY = 10.0


def counter(*steps: tuple[float, float], every: float = EVERY) -> Iterator[tuple[float, float]]:
    """Samples of a counter: for so many seconds it grows by so much a second."""
    at = value = 0.0
    yield at, value
    for seconds, pace in steps:
        for _ in range(int(seconds / every)):
            at, value = at + every, value + pace * every
            yield at, value


def first(said, seconds: float = 1e9) -> float | None:
    return next((one.at_s for one in said if one.firing and one.at_s <= seconds), None)


FEW = FlatlineOptions(within_s=600.0, fewer_than=10.0)


def test_a_counter_that_grows_too_little_fires_once_the_span_was_looked_at_and_ends_when_it_grows() -> None:
    said = list(play("flatline", FEW, counter((300, 1.0), (900, 0.0), (60, 1.0)), EVERY))
    began = first(said)
    assert began is not None
    assert 880 <= began <= 900
    assert said[-1].claim.state is RuleState.OK
    assert said[5].claim.state is RuleState.OK
    assert [one.claim.why.key for one in said if one.firing][-1] == "why.flatline.counter"


def test_a_flat_counter_from_the_start_waits_for_the_whole_span() -> None:
    said = list(play("flatline", FEW, counter((900, 0.0)), EVERY))
    assert said[1].claim.state is RuleState.LEARNING
    assert said[1].claim.ready_at is not None
    assert said[1].claim.ready_at.timestamp() - START == pytest.approx(600, abs=20)
    assert first(said) == pytest.approx(580, abs=20)


def test_a_gap_is_no_silence() -> None:
    samples = [(at, value) for at, value in counter((300, 1.0), (1200, 0.0)) if not 310 < at < 1300]
    said = list(play("flatline", FEW, iter(samples), EVERY))
    assert first(said) is None
    assert said[-1].claim.state is RuleState.LEARNING


def test_a_claim_that_stood_goes_on_until_it_grows_again() -> None:
    detector = DETECTORS["flatline"]
    state = detector.resume(FEW, None)
    said = list(play("flatline", FEW, counter((100, 0.0), (100, 1.0)), EVERY, state))
    assert said[5].firing
    assert not said[-1].firing


def test_history_gives_back_what_was_waited_for() -> None:
    past = [(START + at, value) for at, value in counter((300, 1.0), (500, 0.0))]
    window = Window.of(past, len(past) - 1)
    state, _ = DETECTORS["flatline"].step(FEW, None, Window(window.times_s, window.values, window.fresh, EVERY), now(800))
    assert not state.firing
    later = [(START + 800 + 10 * i, past[-1][1]) for i in range(1, 15)]
    for at in range(len(later)):
        one = Window.of(later[: at + 1], 1)
        state, _ = DETECTORS["flatline"].step(FEW, state, Window(one.times_s, one.values, 1, EVERY), now(800 + 10 * at))
    assert state.firing


def test_a_value_that_does_not_move_and_one_that_does() -> None:
    still = FlatlineOptions(within_s=300.0, counter=False, moves=0.5)
    flat = list(play("flatline", still, ((at, 20.0 + (at % 20) / 100) for at in range(0, 600, 10)), EVERY))
    assert first(flat) == pytest.approx(300, abs=10)
    moving = list(play("flatline", still, ((at, 20.0 + at / 100) for at in range(0, 600, 10)), EVERY))
    assert first(moving) is None
    back = list(play("flatline", still, ((at, 20.0 if at < 500 else 22.0) for at in range(0, 600, 10)), EVERY))
    assert first(back) == pytest.approx(300, abs=10)
    assert not back[-1].firing


TRIPLE = ChangeOptions(times=3.0, within_s=600.0, reference_s=1800.0, least=10.0)


def test_three_times_as_much_as_before() -> None:
    said = list(play("change", TRIPLE, counter((3600, 0.1), (600, 0.4), (3600, 0.1)), EVERY))
    assert said[100].claim.state is RuleState.LEARNING
    began = first(said)
    assert began is not None
    assert 3900 < began <= 4200
    assert not said[-1].firing
    facts = next(one for one in said if one.firing).claim.why.facts
    assert facts["value"] == pytest.approx(3 * float(str(facts["usual"])), rel=0.1)


def test_small_figures_are_no_change_and_twice_is_not_three_times() -> None:
    assert first(play("change", TRIPLE, counter((3600, 0.001), (600, 0.01)), EVERY)) is None
    assert first(play("change", TRIPLE, counter((3600, 0.1), (1200, 0.2)), EVERY)) is None


def test_a_third_of_before_and_the_mean_of_a_value() -> None:
    down = ChangeOptions(times=3.0, within_s=600.0, reference_s=1800.0, up=False, down=True, least=10.0)
    assert first(play("change", down, counter((3600, 0.1), (900, 0.01)), EVERY)) is not None
    mean = ChangeOptions(times=3.0, within_s=600.0, reference_s=600.0, counter=False)
    values = ((at, 1.0 if at < 2000 else 4.0) for at in range(0, 3000, 10))
    assert first(play("change", mean, values, EVERY)) == pytest.approx(2400, abs=100)


def test_an_outage_is_no_change() -> None:
    samples = [(at, value) for at, value in counter((6000, 0.1)) if not 3000 < at < 5000]
    both = ChangeOptions(times=3.0, within_s=600.0, reference_s=1800.0, up=True, down=True, least=10.0)
    assert first(play("change", both, iter(samples), EVERY)) is None


NEW = NewTermOptions(learn_s=3600.0, clear_after_s=600.0)


def term(born: float, since: float | None, fresh: bool = True) -> RuleState:
    window = Window(
        array("d", [START + born]), array("d", [0.0]), int(fresh), EVERY, since_s=None if since is None else START + since
    )
    return DETECTORS["new-term"].step(NEW, None, window, now(born))[1].state


def test_a_term_is_new_after_the_learning_time_only() -> None:
    assert term(7200, 0) is RuleState.FIRING
    assert term(600, 0) is RuleState.LEARNING
    assert term(7200, 7200) is RuleState.LEARNING  # the first of its kind
    assert term(7200, None) is RuleState.LEARNING
    assert term(7200, 0, fresh=False) is RuleState.OK  # it has history


def test_a_new_term_ends_after_its_time_and_knows_that_after_a_restart() -> None:
    detector = DETECTORS["new-term"]
    window = Window(array("d", [START + 7200]), array("d", [0.0]), 1, EVERY, since_s=START)
    state, claim = detector.step(NEW, None, window, now(7200))
    assert claim.state is RuleState.FIRING
    old = Window(window.times_s, window.values, 0, EVERY, since_s=START)
    assert detector.step(NEW, state, old, now(7790))[0].firing
    assert not detector.step(NEW, state, old, now(7801))[0].firing
    warmed, _ = detector.step(NEW, None, old, now(7300))
    resumed = detector.resume(NEW, warmed)
    assert detector.step(NEW, resumed, old, now(7400))[0].firing
    assert not detector.step(NEW, resumed, old, now(7801))[0].firing


MANY = CardinalityOptions(of=("user",), within_s=600.0, above=2)


def came(
    options, *steps: tuple[float, str], kind: str = "cardinality", until: float | None = None
) -> list[tuple[float, bool, str]]:
    detector, state, found = DETECTORS[kind], None, []
    for at, names in steps:
        fresh = names != "tick"
        window = Window(array("d", [START + at]), array("d", [0.0]), int(fresh), EVERY, came=tuple(names.split()) if fresh else ())
        state, claim = detector.step(options, state, window, now(at))
        found.append((at, state.firing, str(claim.state)))
    return found


def test_more_different_ones_than_allowed_and_their_end_by_time() -> None:
    said = came(MANY, (0, "a"), (10, "a b"), (20, "c"), (500, ""), (615, "tick"))
    assert [firing for _, firing, _ in said] == [False, False, True, True, False]


def test_too_few_only_after_the_whole_span_and_never_by_time_alone() -> None:
    few = CardinalityOptions(of=("user",), within_s=600.0, below=2)
    said = came(few, (0, "a b"), (300, "a"), (550, "a"), (601, "tick"), (610, "a"), (620, "b"))
    assert [firing for _, firing, _ in said] == [False, False, False, False, True, False]
    assert came(few, (0, "a"), (300, "a"))[-1] == (300, False, "learning")


def test_what_is_held_is_bounded() -> None:
    detector, state = DETECTORS["cardinality"], None
    options = CardinalityOptions(of=("user",), within_s=600.0, above=5)
    for part in range(3):
        names = tuple(f"u{part}-{i}" for i in range(MOST // 2))
        state, _ = detector.step(
            options, state, Window(array("d", [START + part]), array("d", [0.0]), 1, EVERY, came=names), now(part)
        )
    assert len(state.seen) == MOST


def test_two_of_three_rules() -> None:
    two = ComposeOptions(of=("a", "b", "c"), at_least=2, within_s=60.0)
    said = came(two, (0, "a"), (10, ""), (50, "b"), (65, ""), (115, ""), kind="compose")
    assert [firing for _, firing, _ in said] == [False, False, True, False, False]
    assert came(two, (0, "a"), (10, "a"), (50, "a b"), (200, "a b"), kind="compose")[-1][1]


def test_slots_forget_what_is_older_than_the_span() -> None:
    spans = Spans(10.0, 6)
    for at in range(0, 200, 5):
        spans = spans.added(float(at), 1.0, 5.0)
    assert spans.newest(6).total == 12
    assert spans.newest(3, before=3).looked_s == 30
    assert spans.added(1000.0, 1.0, 5.0).newest(6).total == 1
    assert spans.added(0.0, 1.0, 5.0).newest(6).n == 1  # a clock that was set back begins anew
