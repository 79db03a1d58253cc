"""threshold, pattern, down and cannot-see, as tables of what comes in and what is said."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest
from made_series import START, now, play

from forewarn.config.promises import BUDGET
from forewarn.config.rules import BUILTIN, KINDS
from forewarn.core.detect import DETECTORS, cannot_see, down, pattern, threshold
from forewarn.core.detect.forecast import ForecastOptions
from forewarn.core.detect.pattern import PatternOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.finding import RuleState
from forewarn.model.series import Window

LETTER = {RuleState.OK: ".", RuleState.PENDING: "p", RuleState.FIRING: "F", RuleState.UNKNOWN: "?", RuleState.LEARNING: "l"}


def said(kind: str, options: object, samples: list[tuple[float, float]], every: float = 10.0) -> str:
    """One letter a sample; f is a firing that is not confirmed."""
    heard = play(kind, options, iter(samples), every)
    return "".join("f" if s.firing and not s.claim.confirmed else LETTER[s.claim.state] for s in heard)


def every_10s(*values: float) -> list[tuple[float, float]]:
    return [(10.0 * i, value) for i, value in enumerate(values)]


ABOVE = ThresholdOptions(op=">", limit=5.0)
THRESHOLDS = {
    "at once, then sure": (ABOVE, every_10s(1, 6, 6, 6, 1), ".fFF."),
    "the limit itself is not beyond": (ABOVE, every_10s(5, 5), ".."),
    "at or above": (replace(ABOVE, op=">="), every_10s(5, 4), "f."),
    "below": (replace(ABOVE, op="<"), every_10s(6, 4, 4), ".fF"),
    "equal": (replace(ABOVE, op="=="), every_10s(4, 5, 5, 6), ".fF."),
    "not equal": (replace(ABOVE, op="!="), every_10s(5, 4, 4), ".fF"),
    "hysteresis": (replace(ABOVE, clear=3.0), every_10s(6, 4, 3, 2, 4), "fFF.."),
    "hysteresis below": (replace(ABOVE, op="<", clear=7.0), every_10s(4, 6, 7, 8, 6), "fFF.."),
    "for": (replace(ABOVE, for_s=20.0), every_10s(6, 6, 6, 6, 1), "ppFF."),
    "for begins anew": (replace(ABOVE, for_s=20.0), every_10s(6, 6, 1, 6, 6, 6), "pp.ppF"),
    "for after a gap": (replace(ABOVE, for_s=20.0), [(0, 6), (10, 6), (50, 6), (60, 6), (70, 6)], "ppppF"),
    "a gap of three intervals is none": (replace(ABOVE, for_s=20.0), [(0, 6), (30, 6)], "pF"),
    "for that covers one interval": (replace(ABOVE, for_s=10.0), every_10s(6, 6), "pF"),
    "a clock that goes back": (replace(ABOVE, for_s=20.0), [(100, 6), (110, 6), (20, 6), (30, 6), (40, 6)], "ppppF"),
    "mean": (replace(ABOVE, stat="mean", window_s=20.0), every_10s(1, 1, 7, 9, 9), "...fF"),
    "max": (replace(ABOVE, stat="max", window_s=20.0), every_10s(1, 9, 1, 1, 1), ".fFF."),
    "min": (replace(ABOVE, stat="min", window_s=20.0), every_10s(9, 9, 9, 1), ".fF."),
    "p95 of one is nothing yet": (replace(ABOVE, stat="p95", window_s=300.0), every_10s(9, 9, 9, 9), "..fF"),
    "a slow first look alone is no p95": (replace(ABOVE, stat="p95", window_s=300.0), every_10s(9, 1, 1, 1, 2), "....."),
    "two are": (replace(ABOVE, stat="p95", window_s=300.0), every_10s(9, 1, 9, 1), "..fF"),
    "later one alone is": (replace(ABOVE, stat="p95", window_s=40.0), every_10s(1, 1, 1, 1, 1, 1, 9), "......f"),
    "a window that holds one sample": (replace(ABOVE, stat="mean", window_s=5.0), every_10s(6, 6), "fF"),
}


@pytest.mark.parametrize("name", THRESHOLDS)
def test_threshold(name):
    options, samples, expected = THRESHOLDS[name]
    assert said("threshold", options, samples) == expected


@pytest.mark.parametrize(
    ("stat", "value"),
    [("last", 100.0), ("min", 1.0), ("max", 100.0), ("mean", 50.5), ("p50", 50.0), ("p90", 90.0), ("p95", 95.0), ("p99", 99.0)],
)
def test_statistics(stat, value):
    options = ThresholdOptions(op=">", limit=1000.0, stat=stat, window_s=1000.0)
    heard = list(play("threshold", options, iter(every_10s(*range(1, 101))), 10.0))
    assert heard[-1].claim.why.facts["value"] == value


def test_threshold_says_value_limit_and_window():
    options = ThresholdOptions(op=">", limit=0.5, stat="p95", window_s=300.0)
    claim = list(play("threshold", options, iter(every_10s(*[0.7] * 60)), 10.0))[-1].claim
    assert claim.why.key == "why.threshold.stat"
    assert claim.why.facts == {"value": 0.7, "limit": 0.5, "stat": "p95", "window_s": 300.0, "for_s": 0.0}
    assert (claim.evidence.n, claim.evidence.first_at, claim.evidence.last_at) == (31, now(290), now(590))


def test_threshold_history_counts_for_the_span():
    for options in (
        ThresholdOptions(op=">", limit=5, for_s=600),
        ThresholdOptions(op=">", limit=5, for_s=600, stat="mean", window_s=60),
    ):
        times = array("d", (START + 10 * i for i in range(120)))
        _, claim = threshold.step(options, None, Window(times, array("d", [9.0] * 120), 119, 10.0), now(1190))
        assert claim.state is RuleState.FIRING, options


def test_a_resumed_threshold_fires_on_inside_its_hysteresis():
    options = ThresholdOptions(op=">", limit=5, clear=3)
    state, claim = threshold.step(options, threshold.resume(options, None), Window.of([(START, 4.0)]), now(0))
    assert state.firing and claim.state is RuleState.FIRING


BURST = PatternOptions(more_than=2, within_s=30.0, clear_after_s=60.0)
PATTERNS = {
    "too slow": (every_10s(0, 1, 1, 1, 2, 2, 2, 3), "........"),
    "a first value came from zero": (every_10s(3), "f"),
    "a fall begins at zero": ([(0, 2), (40, 2), (50, 1), (60, 4)], "...f"),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern(name):
    samples, expected = PATTERNS[name]
    assert said("pattern", BURST, samples) == expected


def test_a_burst_is_confirmed_and_ends_after_its_quiet_time():
    samples = [(0, 5), (40, 5), (50, 8), (60, 8), (70, 8), (80, 8), (100, 8), (120, 8), (129, 8), (131, 8), (140, 8)]
    known = pattern.step(BURST, None, Window.of([(START - 40, 5.0)], 0), now(-40))[0]
    heard = list(play("pattern", BURST, iter(samples), 10.0, known))
    letters = "".join("f" if s.firing and not s.claim.confirmed else LETTER[s.claim.state] for s in heard)
    assert letters == "..fFFFFFF.."  # above the limit until 70, and a minute of quiet after it
    assert heard[2].claim.why.facts["n"] == 3


def test_a_counter_that_is_known_does_not_count_from_zero():
    state, claim = pattern.step(BURST, None, Window.of([(START - 3600, 5000.0)], 0), now(-3600))
    assert claim.state is RuleState.OK
    state, claim = pattern.step(BURST, state, Window.of([(START - 3600, 5000.0), (START, 5001.0)], 1), now(0))
    assert (claim.state, claim.why.facts["n"]) == (RuleState.OK, 1.0)


def test_a_burst_ends_though_nothing_comes_any_more():
    times, values = array("d", [START]), array("d", [9.0])
    state, claim = pattern.step(BURST, None, Window(times, values, 1, 10.0, lines=("ERROR pay",)), now(0))
    assert claim.evidence.lines == ("ERROR pay",)
    ends = None
    for at in range(5, 200, 5):
        state, claim = pattern.step(BURST, state, Window(times, values, 0, 10.0), now(at))
        ends = ends or (at if claim.state is RuleState.OK else None)
    assert ends == 85  # within 30 s of it there was a burst until 25, then a minute of quiet


def test_a_resumed_burst_gets_its_quiet_time():
    state = pattern.resume(BURST, None)
    heard = []
    for at in (0, 59, 61):
        state, claim = pattern.step(BURST, state, Window(array("d"), array("d"), 0, 10.0), now(at))
        heard.append(claim.state)
    assert heard == [RuleState.FIRING, RuleState.FIRING, RuleState.OK]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [((1, 0, 1, 0), ".p.p"), ((1, 0, 0, 0), ".pFF"), ((0, 0, 1, 0, 1, 1), "pFFFF."), ((0, 0, 1, 1, 0), "pFF.p"), ((0, 0), "pF")],
)
def test_down_wants_two_in_a_row_both_ways(runs, expected):
    assert said("down", None, every_10s(*runs)) == expected


def test_down_shows_what_failed():
    state = None
    for detail in ("503, expected 200", "504, expected 200"):
        state, claim = down.step(None, state, Window(array("d", [START]), array("d", [0.0]), 1, 10.0, "status", detail), now(0))
    assert claim.state is RuleState.FIRING and claim.confirmed
    assert claim.why.facts["detail"] == "504, expected 200"


def blind(calls: list[tuple[float, bool]], every: float = 10.0) -> str:
    """One letter a call of (seconds, could look)."""
    state, letters = None, ""
    for at, could in calls:
        times = array("d", [START + at] if could else [])
        window = Window(times, array("d", [1.0] * len(times)), int(could), every, "permission", None)
        state, claim = cannot_see.step(None, state, window, now(at))
        letters += LETTER[claim.state]
    return letters


BLIND = {
    "five intervals": ([(0, True), *((10.0 * i, False) for i in range(1, 8))], ".....FFF"),
    "from the beginning": ([(10.0 * i, False) for i in range(8)], ".....FFF"),
    "one look clears it": ([(10.0 * i, i == 6) for i in range(8)], ".....F.."),
    "a machine that slept was not looked at in vain": (
        [(0, True), (10, True), (36_000, False), (36_010, False), (36_015, True)],
        ".....",
    ),
    "a clock that goes back begins anew": ([(3600, True), *((10.0 * i, False) for i in range(5))], "......"),
}


@pytest.mark.parametrize("name", BLIND)
def test_cannot_see(name):
    calls, expected = BLIND[name]
    assert blind(calls) == expected


REASONS = [
    ("/dev/sda: no", "permission", "why.cannot_see", {"reason": "/dev/sda: no"}),
    (None, "permission", "why.cannot_see_because", {"reason": "prober.reason.permission"}),
    (None, None, "why.cannot_see_silent", {}),
]


@pytest.mark.parametrize(("detail", "reason", "key", "facts"), REASONS)
def test_cannot_see_names_the_reason(detail, reason, key, facts):
    window = Window(array("d"), array("d"), 0, 10.0, reason, detail)
    _, claim = cannot_see.step(None, cannot_see.resume(None, None), window, now(0))
    assert (claim.why.key, claim.why.facts) == (key, {"since": START, **facts})


@pytest.mark.parametrize(("reason", "key"), [("status", "why.down_because"), (None, "why.down_silent")])
def test_down_without_a_detail_names_its_reason(reason, key):
    state, window = None, Window(array("d", [START]), array("d", [0.0]), 1, 10.0, reason)
    for _ in range(2):
        state, claim = down.step(None, state, window, now(0))
    assert claim.why.key == key and claim.why.facts.get("reason") == (f"prober.reason.{reason}" if reason else None)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("threshold", ABOVE), ("forecast", ForecastOptions(above=1.0)), ("pattern", BURST), ("down", None), ("cannot-see", None)],
)
def test_every_kind_is_whole(kind, options):
    detector = DETECTORS[kind]
    assert detector.keep_s(options) <= detector.needed_s(options) <= detector.history_s(options)
    assert detector.resume(options, None).firing


def test_each_kind_that_people_write_has_its_detector():
    assert set(DETECTORS) == set(KINDS) | set(BUILTIN) | {BUDGET}
