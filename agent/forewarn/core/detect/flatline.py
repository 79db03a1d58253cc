"""flatline: too little happens. A counter grew by less than so much within a span, or a value has not moved at all.

Only time in which somebody looked counts, and only once the whole span was looked at: a stop, a sleep or an outage of what
is asked is no flat line. What was looked at is read again from history after a restart, so that the wait goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from forewarn.core.detect.spans import Spans, Sums, between, fresh, known
from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say

SLOTS = 60
"""In a span; the span is kept to a sixtieth."""
ENOUGH = 0.95
"""Share of the span that must have been looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatlineOptions:
    """Fires when a counter grew by less than `fewer_than` within `within_s`; without `counter` when a value moved by no more
    than `moves` in all that time."""

    within_s: float
    counter: bool = True
    fewer_than: float = 1.0
    moves: float = 0.0


@dataclass(frozen=True, slots=True)
class FlatlineState:
    """`last` is the newest sample (time, value). Of a value that must move: `low` and `high` since it last did, and for how
    long that has been looked at."""

    firing: bool = False
    last: tuple[float, float] | None = None
    spans: Spans | None = None
    low: float = 0.0
    high: float = 0.0
    still_s: float = 0.0
    runs: int = 0
    n: int = 0


def history_s(options: FlatlineOptions) -> float:
    """The span, and a little more for the gaps in it."""
    return 1.2 * options.within_s


def resume(options: FlatlineOptions, state: FlatlineState | None) -> FlatlineState:
    """The state of a claim that the ledger holds as open: it ends when enough happens."""
    return replace(state or FlatlineState(), firing=True)


def step(options: FlatlineOptions, state: FlatlineState | None, window: Window, now: datetime) -> tuple[FlatlineState, Claim]:
    """What the series says after the window's fresh samples."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: FlatlineOptions, state: FlatlineState | None, window: Window, now: datetime) -> FlatlineState:
    """The state alone."""
    state = state or FlatlineState()
    if state.last is None and (last := known(window)):
        state = replace(state, last=last, low=last[1], high=last[1])
    for at_s, value in fresh(window):
        state = _seen(options, state, at_s, value, window.every_s)
    return state


def _seen(options: FlatlineOptions, state: FlatlineState, at_s: float, value: float, every_s: float) -> FlatlineState:
    moved = between(state.last, at_s, value, every_s, options.counter)
    if moved.anew:
        state = FlatlineState(state.firing)
    state = replace(state, last=(at_s, value), n=state.n + 1)
    if options.counter:
        spans = (state.spans or Spans(options.within_s / SLOTS, SLOTS)).added(at_s, moved.grown, moved.looked_s)
        found = spans.newest(SLOTS)
        state = replace(state, spans=spans)
        return _judged(state, found.total >= options.fewer_than, found.looked_s >= ENOUGH * options.within_s)
    low, high = (value, value) if state.n == 1 and moved.grown == 0 else (min(state.low, value), max(state.high, value))
    if high - low > options.moves:
        return _judged(replace(state, low=value, high=value, still_s=0.0), True, False)
    state = replace(state, low=low, high=high, still_s=state.still_s + moved.looked_s)
    return _judged(state, False, state.still_s >= options.within_s)


def _judged(state: FlatlineState, alive: bool, looked: bool) -> FlatlineState:
    """Enough happened ends it at once; too little begins it only when all of the span was looked at."""
    firing = not alive and (state.firing or looked)
    return replace(state, firing=firing, runs=state.runs + 1 if firing else 0)


def claim(options: FlatlineOptions, state: FlatlineState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    if state.last is None:
        return Claim(state=RuleState.UNKNOWN, why=Say("why.no_samples"))
    at = datetime.fromtimestamp(state.last[0], UTC)
    if options.counter:
        return _of_counter(options, state, at)
    evidence = Evidence(value=state.last[1], limit=options.moves, window_s=options.within_s, n=state.n, last_at=at)
    facts: dict[str, Fact] = {"value": state.last[1], "limit": options.moves, "still_s": state.still_s}
    name, key = (RuleState.FIRING, "value") if state.firing else (RuleState.OK, "moves")
    return Claim(state=name, why=Say(f"why.flatline.{key}", facts), evidence=evidence, confirmed=state.runs >= 2)


def _of_counter(options: FlatlineOptions, state: FlatlineState, at: datetime) -> Claim:
    found = state.spans.newest(SLOTS) if state.spans else Sums()
    evidence = Evidence(value=found.total, limit=options.fewer_than, window_s=options.within_s, n=state.n, last_at=at)
    facts: dict[str, Fact] = {"n": found.total, "limit": options.fewer_than, "within_s": options.within_s}
    if not state.firing and found.total < options.fewer_than:  # all of the span was not looked at yet
        ready = at + timedelta(seconds=options.within_s - found.looked_s)
        facts["ready"] = ready.timestamp()
        return Claim(state=RuleState.LEARNING, why=Say("why.flatline.learning", facts), evidence=evidence, ready_at=ready)
    name = RuleState.FIRING if state.firing else RuleState.OK
    return Claim(state=name, why=Say("why.flatline.counter", facts), evidence=evidence, confirmed=state.runs >= 2)
