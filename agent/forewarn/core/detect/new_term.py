"""new-term: a value that was never seen before: a set of labels has its first sample.

What is there when the watch begins is known, and so is what comes while it learns. A series that has history is known, so
nothing becomes new by a restart; what came while Forewarn was stopped is new. The claim stands for a while and ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTermOptions:
    """For `learn_s` after the first of its kind all are taken as known; a claim ends `clear_after_s` after its first sample."""

    learn_s: float
    clear_after_s: float


@dataclass(frozen=True, slots=True)
class NewTermState:
    """`born_s`: the first sample that is known of."""

    firing: bool = False
    born_s: float | None = None
    since_s: float | None = None
    n: int = 0
    lines: tuple[str, ...] = ()


def history_s(options: NewTermOptions) -> float:
    """Only so much that a claim which stands knows when to end."""
    return options.clear_after_s + 1.0


def resume(options: NewTermOptions, state: NewTermState | None) -> NewTermState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or NewTermState(), firing=True)


def step(options: NewTermOptions, state: NewTermState | None, window: Window, now: datetime) -> tuple[NewTermState, Claim]:
    """Whether the series is new."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: NewTermOptions, state: NewTermState | None, window: Window, now: datetime) -> NewTermState:
    """The state alone."""
    state = state or NewTermState()
    if state.born_s is None and window.times_s:
        state = _born(options, state, window)
    now_s = window.times_s[-1] if window.fresh else now.timestamp()  # what is caught up with happened then
    if state.firing and state.born_s is not None and now_s - state.born_s >= options.clear_after_s:
        state = replace(state, firing=False)
    lines = state.lines or (window.lines if state.firing else ())
    return replace(state, lines=lines, n=state.n + window.fresh)


def _born(options: NewTermOptions, state: NewTermState, window: Window) -> NewTermState:
    born_s, known = window.times_s[0], window.fresh < len(window.times_s)
    since_s = window.since_s
    new = not known and since_s is not None and born_s > since_s and born_s - since_s >= options.learn_s
    return replace(state, born_s=born_s, since_s=since_s, firing=state.firing or new)


def claim(options: NewTermOptions, state: NewTermState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    if state.born_s is None:
        return Claim(state=RuleState.UNKNOWN, why=Say("why.no_samples"))
    evidence = Evidence(n=state.n, first_at=datetime.fromtimestamp(state.born_s, UTC), lines=state.lines)
    facts: dict[str, Fact] = {"born": state.born_s, "learn_s": options.learn_s}
    if state.firing:
        return Claim(state=RuleState.FIRING, why=Say("why.new_term.new", facts), evidence=evidence)
    since_s = state.born_s if state.since_s is None else state.since_s
    ready = datetime.fromtimestamp(since_s, UTC) + timedelta(seconds=options.learn_s)
    if now < ready:
        facts["ready"] = ready.timestamp()
        return Claim(state=RuleState.LEARNING, why=Say("why.new_term.learning", facts), evidence=evidence, ready_at=ready)
    return Claim(state=RuleState.OK, why=Say("why.new_term.known", facts), evidence=evidence)
