"""A forecast rule walked over a file: at each row what it says, knowing only what came before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from forewarn.app.lab.detect import METRIC, Found, Judged, interval_s, judge
from forewarn.app.lab.foresight import Foresight, Stated, judged
from forewarn.app.lab.series_csv import Row
from forewarn.core.detect.forecast import ForecastOptions
from forewarn.model.finding import RuleState
from forewarn.model.forecast import Forecast
from forewarn.model.probe import Rule, Source

CROSSED = "crossed"
"""The state of a row at which the value stands at or beyond the limit: it fires, and all dates are the moment of the crossing."""


def rule(limit: float, below: bool, within_s: float, confidence: float) -> Rule:
    """The shipped forecast with this limit, in the value's own unit."""
    options = ForecastOptions(
        above=None if below else limit, below=limit if below else None, within_s=within_s, confidence=confidence
    )
    return Rule(name="forecast", kind="forecast", metric=METRIC, options=options, source=Source("the shipped rule", 1))


def walk(rows: Sequence[Row], forecast: Rule, progress: Callable[[int], None]) -> tuple[list[Judged], list[Found]]:
    """The rule on each row, and its findings."""
    return judge(rows, forecast, progress)


def stated(steps: Sequence[Judged]) -> list[Stated]:
    """What is written of each row."""
    return [Stated(one.row, state_of(one), _warns(one), _dates(one.forecast)) for one in steps]


def state_of(one: Judged) -> str:
    """learning, never, ok, firing or crossed."""
    return CROSSED if one.forecast and one.forecast.crossed else str(one.state)


def foresight(steps: Sequence[Judged], forecast: Rule) -> Foresight:
    """How good it was."""
    options = forecast.options
    assert isinstance(options, ForecastOptions)
    beyond = [options.sign * one.row.value >= options.sign * options.limit for one in steps]
    every_s = interval_s([one.row for one in steps])
    return judged(stated(steps), beyond, options.within_s, options.confidence, every_s)


def _warns(one: Judged) -> bool:
    return one.state is RuleState.FIRING and state_of(one) != CROSSED


def _dates(forecast: Forecast | None) -> tuple[float, float, float] | None:
    if forecast is None or forecast.crossed or not (forecast.earliest and forecast.likely and forecast.latest):
        return None
    return forecast.earliest.timestamp(), forecast.likely.timestamp(), forecast.latest.timestamp()
