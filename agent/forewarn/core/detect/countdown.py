"""countdown: a time that is known ends soon: a certificate, the support of a system.

The metric is how many seconds are left. The date is not fitted but read, so there is nothing to learn: the first sample says
it, earliest and latest are the same, and it is sure. It ends when the date has been moved beyond the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.forecast import Forecast
from forewarn.model.series import Window
from forewarn.model.text import say


@dataclass(frozen=True, slots=True, kw_only=True)
class CountdownOptions:
    """Fires while less than `within_s` is left."""

    within_s: float = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class CountdownState:
    """`left_s` is the newest sample; `over`: how many in a row were at or beyond the end."""

    firing: bool = False
    left_s: float | None = None
    at_s: float = 0.0
    over: int = 0


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
        state = CountdownState(left_s < options.within_s, left_s, window.times_s[at], over)
    return state


def claim(options: CountdownOptions, state: CountdownState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    if state.left_s is None:
        return Claim(state=RuleState.UNKNOWN, why=say("why.no_samples"))
    seen = datetime.fromtimestamp(state.at_s, UTC)
    evidence = Evidence(value=state.left_s, limit=options.within_s, n=max(1, len(window.times_s)), first_at=seen, last_at=seen)
    end = seen + timedelta(seconds=state.left_s)
    key = "over" if state.over else "soon" if state.firing else "later"
    why = say(f"why.countdown.{key}", end=end.timestamp(), left_s=abs(state.left_s), within_s=options.within_s)
    if not state.firing:
        return Claim(state=RuleState.OK, why=why, evidence=evidence)
    forecast = Forecast(
        earliest=end, likely=end, latest=end, coverage=1.0, p=1.0, horizon_s=options.within_s, crossed=state.over > 0
    )
    return Claim(state=RuleState.FIRING, why=why, evidence=evidence, forecast=forecast, confirmed=state.over != 1)
