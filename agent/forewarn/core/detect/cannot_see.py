"""cannot-see: nobody could look for five intervals: no permission, no tool, asleep, or no run at all.

On the series `up`, which has a sample for every run that could look. It neither clears nor raises what is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import say

INTERVALS = 5.0


@dataclass(frozen=True, slots=True)
class BlindState:
    """`seen_s`: when somebody could look last; before the first time, when the watch began."""

    firing: bool = False
    seen_s: float | None = None


def history_s(options: object) -> float:
    return 0.0


def resume(options: object, state: BlindState | None) -> BlindState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or BlindState(), firing=True)


def step(options: object, state: BlindState | None, window: Window, now: datetime) -> tuple[BlindState, Claim]:
    """Whether somebody could look lately. Called with every run, and from time to time without one."""
    state = state or BlindState()
    now_s = now.timestamp()
    if window.fresh:
        state = BlindState(False, window.times_s[-1])
    elif state.seen_s is None or state.seen_s > now_s:
        state = replace(state, seen_s=now_s)
    blind_s = now_s - (state.seen_s or now_s)
    state = replace(state, firing=state.firing or (not window.fresh and blind_s >= INTERVALS * window.every_s > 0))
    evidence = Evidence(value=blind_s, limit=INTERVALS * window.every_s, last_at=datetime.fromtimestamp(state.seen_s or now_s, UTC))
    if state.firing:
        why = say("why.cannot_see", since=state.seen_s, reason=window.detail or window.reason or "no answer")
        return state, Claim(state=RuleState.FIRING, why=why, evidence=evidence)
    return state, Claim(state=RuleState.OK, why=say("why.seen", blind_s=blind_s), evidence=evidence)
