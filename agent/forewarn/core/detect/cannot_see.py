"""cannot-see: nobody could look for five intervals: no permission, no tool, asleep, or no run at all.

On the series `up`, which has a sample for every run that could look. It neither clears nor raises what is known. Blind
time is summed up from call to call, and no call adds more than two intervals: a machine that slept, or a clock that was
set forward, has not been looked at in vain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf

from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Say, say

INTERVALS = 5.0
AT_ONCE = 2.0
"""Intervals that one call adds at most."""


@dataclass(frozen=True, slots=True)
class BlindState:
    """`seen_s`: when somebody could look last; before the first time, when the watch began. `blind_s`: summed up since."""

    firing: bool = False
    seen_s: float | None = None
    called_s: float = 0.0
    blind_s: float = 0.0


def history_s(options: object) -> float:
    return 0.0


def resume(options: object, state: BlindState | None) -> BlindState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or BlindState(), firing=True)


def step(options: object, state: BlindState | None, window: Window, now: datetime) -> tuple[BlindState, Claim]:
    """Whether somebody could look lately. Called with every run, and at least once an interval without one."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: object, state: BlindState | None, window: Window, now: datetime) -> BlindState:
    """The state alone."""
    state, now_s = state or BlindState(), now.timestamp()
    if window.fresh:
        return BlindState(False, window.times_s[-1], now_s)
    if state.seen_s is None or state.seen_s > now_s:
        return BlindState(state.firing, now_s, now_s)
    blind_s = state.blind_s + min(max(0.0, now_s - state.called_s), AT_ONCE * window.every_s)
    firing = state.firing or blind_s >= INTERVALS * window.every_s > 0
    return BlindState(firing, state.seen_s, now_s, blind_s)


def calm(options: object, state: BlindState, window: Window) -> tuple[float, float] | None:
    """Any sample shows that somebody could look."""
    return None if state.firing or state.blind_s else (-inf, inf)


def claim(options: object, state: BlindState, window: Window, now: datetime) -> Claim:
    """What a state says at this time."""
    now_s = now.timestamp()
    since_s = now_s if state.seen_s is None else state.seen_s
    evidence = Evidence(value=state.blind_s, limit=INTERVALS * window.every_s, last_at=datetime.fromtimestamp(since_s, UTC))
    if state.firing:
        return Claim(state=RuleState.FIRING, why=_why(window, since_s), evidence=evidence)
    return Claim(state=RuleState.OK, why=say("why.seen", blind_s=max(0.0, now_s - since_s)), evidence=evidence)


def _why(window: Window, since_s: float) -> Say:
    if window.detail:
        return say("why.cannot_see", since=since_s, reason=window.detail)
    if window.reason:
        return say("why.cannot_see_because", since=since_s, reason=f"prober.reason.{window.reason}")
    return say("why.cannot_see_silent", since=since_s)
