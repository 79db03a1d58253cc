"""pattern: a counter of matching log lines grows by more than so many within a span.

The counter is cumulative and goes on across restarts; a fall means that it began anew at zero. A counter that is fresh
and has no past came from zero: its first value counts as growth. One that is known from history (the window's first
sample is not fresh) does not. The first burst is unconfirmed, the second evaluation that still sees it confirms it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import say


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternOptions:
    """Fires when a `_total` counter grew by more than `more_than` within `within_s`; ends after `clear_after_s` without that."""

    more_than: float = 0.0
    within_s: float = 60.0
    clear_after_s: float = 300.0


@dataclass(frozen=True, slots=True)
class PatternState:
    """`first_s`: the time of a first sample that came from zero, -1 where the counter was known before; `over_s`: when the
    growth was last above the limit."""

    firing: bool = False
    first_s: float | None = None
    over_s: float = 0.0
    runs: int = 0
    grown: float = 0.0
    lines: tuple[str, ...] = ()


def history_s(options: PatternOptions) -> float:
    return options.within_s + options.clear_after_s


def resume(options: PatternOptions, state: PatternState | None) -> PatternState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or PatternState(), firing=True)


def step(options: PatternOptions, state: PatternState | None, window: Window, now: datetime) -> tuple[PatternState, Claim]:
    """What the counter says now; called without fresh samples it lets time pass."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: PatternOptions, state: PatternState | None, window: Window, now: datetime) -> PatternState:
    """The state alone."""
    state = state or PatternState()
    if state.first_s is None and window.times_s:
        state = replace(state, first_s=window.times_s[0] if window.fresh == len(window.times_s) else -1.0)
    now_s = max(now.timestamp(), window.times_s[-1]) if window.times_s else now.timestamp()
    seen_s = window.times_s[-1] if window.fresh else now_s  # lines that were read late are judged at their own time
    grown = growth(window, seen_s - options.within_s, state.first_s)
    over = grown > options.more_than
    over_s = max(seen_s, min(state.over_s, now_s)) if over else min(state.over_s, now_s)  # a clock set back prolongs nothing
    over = over and now_s - over_s < max(options.clear_after_s, options.within_s)
    firing = over or (state.firing and now_s - over_s < options.clear_after_s)
    if state.firing and not state.over_s and not over:  # resumed: quiet since the counter last grew
        over_s = last_growth_s(window, now_s)
        firing = now_s - over_s < options.clear_after_s
    lines = window.lines or (state.lines if firing else ())
    runs = state.runs + 1 if over else state.runs if firing else 0
    return replace(state, firing=firing, over_s=over_s, runs=runs, grown=grown, lines=lines)


def growth(window: Window, since_s: float, first_s: float | None) -> float:
    """By how much the counter grew after `since_s`."""
    times, values = window.times_s, window.values
    begin = bisect_right(times, since_s)
    since = values[max(0, begin - 1) :]
    if since and times[0] != first_s and since.count(since[-1]) == len(since):
        return 0.0  # a counter that rests, as most do: no need to go through a day of it step by step
    total = 0.0
    for at in range(begin, len(values)):
        before = values[at - 1] if at else (0.0 if times[0] == first_s else values[0])
        total += values[at] - before if values[at] >= before else values[at]
    return total


def last_growth_s(window: Window, now_s: float) -> float:
    """When the counter last grew, as far as the window reaches back; `now_s` where nothing is known."""
    times, values = window.times_s, window.values
    grew = (times[at] for at in range(len(values) - 1, 0, -1) if values[at] != values[at - 1])
    return next(grew, times[0] if times else now_s)


def claim(options: PatternOptions, state: PatternState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    n = len(window.times_s)
    evidence = Evidence(
        value=state.grown,
        limit=options.more_than,
        window_s=options.within_s,
        n=n,
        first_at=datetime.fromtimestamp(window.times_s[0], UTC) if n else None,
        last_at=datetime.fromtimestamp(window.times_s[-1], UTC) if n else None,
        lines=state.lines,
    )
    why = say("why.pattern", n=state.grown, limit=options.more_than, within_s=options.within_s)
    name = RuleState.FIRING if state.firing else RuleState.OK
    return Claim(state=name, why=why, evidence=evidence, confirmed=state.runs >= 2)
