"""countdown: dates that are known are said at once, moved dates end it, and the end itself is the breach."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forewarn.core.detect import DETECTORS, countdown
from forewarn.core.detect.countdown import CountdownOptions
from forewarn.model.finding import RuleState
from forewarn.model.series import Window

DAY = 86400.0
START = 1_800_000_000.0
OPTIONS = CountdownOptions(within_s=21 * DAY)


def run(*left: tuple[float, float]):  # type: ignore[no-untyped-def]
    """State and claim after samples of (hours from the start, days left)."""
    state, claim = None, None
    for hours, days in left:
        at_s = START + hours * 3600
        window = Window.of([(at_s, days * DAY)])
        state, claim = countdown.step(OPTIONS, state, window, datetime.fromtimestamp(at_s, UTC))
    return state, claim


def test_the_first_sample_gives_the_date() -> None:
    _, claim = run((0, 10))
    end = datetime.fromtimestamp(START, UTC) + timedelta(days=10)
    assert claim.state is RuleState.FIRING and claim.confirmed
    assert (claim.forecast.earliest, claim.forecast.likely, claim.forecast.latest) == (end, end, end)
    assert (claim.forecast.p, claim.forecast.crossed, claim.why.key) == (1.0, False, "why.countdown.soon")


def test_the_date_stays_the_same_while_time_passes() -> None:
    dates = {run(*((hour, 10 - hour / 24) for hour in range(n)))[1].forecast.likely for n in (1, 5, 24)}
    assert max(dates) - min(dates) < timedelta(milliseconds=1)


@pytest.mark.parametrize(("days", "state"), [(21.1, RuleState.OK), (20.9, RuleState.FIRING), (400, RuleState.OK)])
def test_only_what_is_near(days: float, state: RuleState) -> None:
    assert run((0, days))[1].state is state


def test_a_renewed_certificate_ends_it() -> None:
    state, claim = run((0, 3), (1, 90))
    assert claim.state is RuleState.OK and claim.forecast is None and not state.firing and claim.why.key == "why.countdown.later"


def test_the_end_is_the_breach_when_two_samples_say_so() -> None:
    _, claim = run((0, 0.01), (1, -0.03))
    assert claim.forecast.crossed and not claim.confirmed and claim.why.key == "why.countdown.over"
    _, claim = run((0, 0.01), (1, -0.03), (2, -0.07))
    assert claim.forecast.crossed and claim.confirmed
    assert claim.why.facts["left_s"] == pytest.approx(0.07 * DAY)


def test_before_the_first_sample_nobody_knows() -> None:
    state = countdown.resume(OPTIONS, None)
    assert (
        state.firing
        and countdown.claim(OPTIONS, state, Window.of([]), datetime.fromtimestamp(START, UTC)).state is RuleState.UNKNOWN
    )
    assert DETECTORS["countdown"].history_s(OPTIONS) == 0.0


@pytest.mark.parametrize("names", countdown.BOUNDS)
def test_an_estimated_date_is_said_with_its_bounds_and_as_likely(names: tuple[str, str]) -> None:
    beside = {name: Window.of([(START, days * DAY)]) for name, days in zip(names, (6, 15), strict=True)}
    window = replace(Window.of([(START, 10 * DAY)]), beside=beside)
    at = datetime.fromtimestamp(START, UTC)
    state, claim = countdown.step(OPTIONS, None, window, at)
    dates = (claim.forecast.earliest, claim.forecast.likely, claim.forecast.latest)
    assert dates == tuple(at + timedelta(days=days) for days in (6, 10, 15))
    assert (claim.forecast.coverage, claim.why.key) == (0.8, "why.countdown.likely_soon")
    later = countdown.claim(CountdownOptions(within_s=DAY), state, Window.of([]), at)
    assert later.why.key == "why.countdown.likely_soon", "what is beside it is kept with the state"
