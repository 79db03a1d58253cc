"""change: within a span there is so many times more, or less, than in the time before it.

Of a counter its growth is compared, of any other series its mean. The time before (the reference) ends where the span
begins; its growth is scaled to the span's length. Nothing is claimed before both were looked at, and nothing on figures so
small that their ratio means nothing: `least` in the larger of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil, inf

from forewarn.core.detect.spans import Spans, between, fresh, known
from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say

SLOTS = 20
"""In the span; it is kept to a twentieth."""
LONGEST = 24
"""The reference is at most so many spans long."""
ENOUGH = 0.9
"""Share of span and reference that must have been looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOptions:
    """Fires from `times` times the reference on (`up`), from 1/`times` of it on (`down`), or both."""

    times: float
    within_s: float
    reference_s: float
    up: bool = True
    down: bool = False
    least: float = 0.0
    counter: bool = True

    @property
    def width_s(self) -> float:
        return self.within_s / SLOTS

    @property
    def before(self) -> int:
        """Slots of the reference."""
        return ceil(self.reference_s / self.width_s)


@dataclass(frozen=True, slots=True)
class ChangeState:
    """`now` and `usual` are what is compared; None before both are known."""

    firing: bool = False
    last: tuple[float, float] | None = None
    spans: Spans | None = None
    now: float | None = None
    usual: float | None = None
    looked_s: float = 0.0
    runs: int = 0
    n: int = 0


def history_s(options: ChangeOptions) -> float:
    return 1.2 * (options.within_s + options.reference_s)


def resume(options: ChangeOptions, state: ChangeState | None) -> ChangeState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or ChangeState(), firing=True)


def step(options: ChangeOptions, state: ChangeState | None, window: Window, now: datetime) -> tuple[ChangeState, Claim]:
    """What the series says after the window's fresh samples."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: ChangeOptions, state: ChangeState | None, window: Window, now: datetime) -> ChangeState:
    """The state alone."""
    state = state or ChangeState()
    if state.last is None:
        state = replace(state, last=known(window))
    for at_s, value in fresh(window):
        state = _seen(options, state, at_s, value, window.every_s)
    return state


def _seen(options: ChangeOptions, state: ChangeState, at_s: float, value: float, every_s: float) -> ChangeState:
    moved = between(state.last, at_s, value, every_s, options.counter)
    if moved.anew:
        state = ChangeState(state.firing)
    spans = state.spans or Spans(options.width_s, SLOTS + options.before)
    spans = spans.added(at_s, moved.grown if options.counter else value, moved.looked_s)
    new, old = spans.newest(SLOTS), spans.newest(options.before, before=SLOTS)
    state = replace(
        state, last=(at_s, value), spans=spans, n=state.n + 1, now=None, usual=None, looked_s=new.looked_s + old.looked_s
    )
    if old.looked_s < ENOUGH * options.reference_s or new.looked_s < ENOUGH * options.within_s or not new.n or not old.n:
        return state
    if options.counter:
        ours, usual = new.total, old.total * options.within_s / options.reference_s
    else:
        ours, usual = new.total / new.n, old.total / old.n
    firing = _beyond(options, ours, usual)
    return replace(state, now=ours, usual=usual, firing=firing, runs=state.runs + 1 if firing else 0)


def _beyond(options: ChangeOptions, ours: float, usual: float) -> bool:
    if max(abs(ours), abs(usual)) < options.least or (ours <= 0 and usual <= 0):
        return False
    return (options.up and ours > 0 and ours >= options.times * usual) or (options.down and ours * options.times <= usual)


def claim(options: ChangeOptions, state: ChangeState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    if state.last is None:
        return Claim(state=RuleState.UNKNOWN, why=Say("why.no_samples"))
    at = datetime.fromtimestamp(state.last[0], UTC)
    facts: dict[str, Fact] = {
        "within_s": options.within_s,
        "reference_s": options.reference_s,
        "times": options.times,
        "value": state.now,
        "usual": state.usual,
    }
    if state.now is None or state.usual is None:
        ready = at + timedelta(seconds=max(0.0, options.within_s + options.reference_s - state.looked_s))
        facts["ready"] = ready.timestamp()
        name = RuleState.FIRING if state.firing else RuleState.LEARNING
        return Claim(state=name, why=Say("why.change.learning", facts), evidence=Evidence(n=state.n, last_at=at), ready_at=ready)
    ratio = state.now / state.usual if state.usual > 0 else inf
    limit = state.usual / options.times if options.down and state.now < state.usual else state.usual * options.times
    evidence = Evidence(value=state.now, limit=limit, window_s=options.within_s, n=state.n, last_at=at)
    facts["ratio"] = round(ratio, 2) if ratio < inf else None
    kind = "grew" if options.counter else "mean"
    name = RuleState.FIRING if state.firing else RuleState.OK
    return Claim(state=name, why=Say(f"why.change.{kind}", facts), evidence=evidence, confirmed=state.runs >= 2)
