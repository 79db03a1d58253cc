"""down: the target failed its expectations in two runs in a row; over after two good ones. On the series `up` (1 or 0)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf

from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Say, say

RUNS = 2


@dataclass(frozen=True, slots=True)
class DownState:
    """`bad` and `good`: how many runs in a row were so. `reason` and `detail` are those of the newest bad one."""

    firing: bool = False
    bad: int = 0
    good: int = 0
    reason: str | None = None
    detail: str | None = None


def history_s(options: object) -> float:
    return 0.0


def resume(options: object, state: DownState | None) -> DownState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or DownState(), firing=True)


def step(options: object, state: DownState | None, window: Window, now: datetime) -> tuple[DownState, Claim]:
    """What the newest runs say."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: object, state: DownState | None, window: Window, now: datetime) -> DownState:
    """The state alone."""
    state = state or DownState()
    for value in window.values[len(window.values) - window.fresh :]:
        bad, good = (state.bad + 1, 0) if value == 0 else (0, state.good + 1)
        firing = good < RUNS if state.firing else bad >= RUNS
        reason, detail = (window.reason, window.detail) if bad else (state.reason, state.detail)
        state = DownState(firing, bad, good, reason, detail)
    return state


def calm(options: object, state: DownState, window: Window) -> tuple[float, float] | None:
    """A good run after a good one changes nothing."""
    return None if state.firing or state.bad else (0.0, inf)


def claim(options: object, state: DownState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    n = len(window.times_s)
    if not n:
        return Claim(state=RuleState.UNKNOWN, why=say("why.no_samples"))
    evidence = Evidence(
        value=window.values[-1],
        limit=1.0,
        n=n,
        first_at=datetime.fromtimestamp(window.times_s[0], UTC),
        last_at=datetime.fromtimestamp(window.times_s[-1], UTC),
    )
    if state.firing:
        return Claim(state=RuleState.FIRING, why=_why(state), evidence=evidence)
    if state.bad:
        return Claim(state=RuleState.PENDING, why=_why(state), evidence=evidence)
    return Claim(state=RuleState.OK, why=say("why.up"), evidence=evidence)


def _why(state: DownState) -> Say:
    """The prober's own words, which show the failing value; else the words of its reason."""
    if state.detail:
        return say("why.down", detail=state.detail)
    if state.reason:
        return say("why.down_because", reason=f"prober.reason.{state.reason}")
    return say("why.down_silent")
