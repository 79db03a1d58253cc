"""countdown: a time that is known ends soon: a certificate, the support of a system.

The metric is how many seconds are left. The date is not fitted but read, so there is nothing to learn: the first sample says
it, earliest and latest are the same, and it is sure. It ends when the date has been moved beyond the horizon.

A date that somebody has estimated already, from what lies on a disk, has its earliest and latest beside it (BOUNDS): then it
is said with both, and as no more than likely.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.forecast import Forecast
from forewarn.model.series import Window
from forewarn.model.text import say

BOUNDS = (("fs_full_earliest_s", "fs_full_latest_s"), ("worn_out_earliest_s", "worn_out_latest_s"))
BESIDE = tuple(metric for pair in BOUNDS for metric in pair)
COVERAGE = 0.8
"""How often an estimated date lies between its bounds, as whoever measures it means them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountdownOptions:
    """Fires while less than `within_s` is left."""

    within_s: float = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class CountdownState:
    """`left_s` is the newest sample; `over`: how many in a row were at or beyond the end; `bounds_s`: what is left at the
    earliest and at the latest, of a date that is only likely."""

    firing: bool = False
    left_s: float | None = None
    at_s: float = 0.0
    over: int = 0
    bounds_s: tuple[float, float] | None = None


def history_s(options: CountdownOptions) -> float:
    return 0.0


def resume(options: CountdownOptions, state: CountdownState | None) -> CountdownState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or CountdownState(), firing=True)


def step(options: CountdownOptions, state: CountdownState | None, window: Window, now: datetime) -> tuple[CountdownState, Claim]:
    """What the newest sample says."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: CountdownOptions, state: CountdownState | None, window: Window, now: datetime) -> CountdownState:
    """The state alone."""
    state = state or CountdownState()
    for at in range(len(window.values) - window.fresh, len(window.values)):
        left_s = window.values[at]
        over = state.over + 1 if left_s <= 0 else 0
        state = CountdownState(left_s < options.within_s, left_s, window.times_s[at], over, _bounds_s(window))
    return state


def claim(options: CountdownOptions, state: CountdownState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    if state.left_s is None:
        return Claim(state=RuleState.UNKNOWN, why=say("why.no_samples"))
    seen = datetime.fromtimestamp(state.at_s, UTC)
    evidence = Evidence(value=state.left_s, limit=options.within_s, n=max(1, len(window.times_s)), first_at=seen, last_at=seen)
    end = seen + timedelta(seconds=state.left_s)
    bounds = [seen + timedelta(seconds=one_s) for one_s in state.bounds_s or ()]
    key = "over" if state.over else "soon" if state.firing else "later"
    why = say(f"why.countdown.{key}", end=end.timestamp(), left_s=abs(state.left_s), within_s=options.within_s)
    if bounds:
        facts = {"earliest": bounds[0].timestamp(), "likely": end.timestamp(), "latest": bounds[1].timestamp()}
        why = say(f"why.countdown.likely_{key}", **facts, within_s=options.within_s)
    if not state.firing:
        return Claim(state=RuleState.OK, why=why, evidence=evidence)
    earliest, latest = bounds or (end, end)
    sure = COVERAGE if bounds else 1.0
    forecast = Forecast(
        earliest=earliest, likely=end, latest=latest, coverage=sure, p=sure, horizon_s=options.within_s, crossed=state.over > 0
    )
    return Claim(state=RuleState.FIRING, why=why, evidence=evidence, forecast=forecast, confirmed=state.over != 1)


def _bounds_s(window: Window) -> tuple[float, float] | None:
    """What is left at the earliest and at the latest, where the series has these beside it."""
    for earliest, latest in BOUNDS:
        if earliest in window.beside and latest in window.beside:
            return window.beside[earliest].values[-1], window.beside[latest].values[-1]
    return None
