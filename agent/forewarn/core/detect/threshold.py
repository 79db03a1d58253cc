"""threshold: a value, or a statistic of a window, stands beyond a limit for long enough; with hysteresis.

It begins to fire when every evaluation for `for_s` stood beyond the limit, and ends when one stands on the other side of
`clear`. A gap of more than three intervals proves nothing, nor does a clock that was set back: the time begins anew.
Without `for_s` the first evaluation fires unconfirmed, the second that agrees confirms it.
"""

from __future__ import annotations

import operator
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil, inf
from statistics import fmean

from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say, say

BEYOND: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
GOOD: Mapping[str, Callable[[float], tuple[float, float]]] = {
    ">": lambda limit: (-inf, limit),
    ">=": lambda limit: (-inf, limit),
    "<": lambda limit: (limit, inf),
    "<=": lambda limit: (limit, inf),
}
"""Between what bounds a value is good whatever the rest; one that is the limit itself is looked at."""
SHARES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
GAP = 3.0
"""Times the interval."""
LEAST = 3
"""Samples that a statistic needs, where the window has room for them."""
MOST_REPLAYED = 32
"""Positions of a history that a statistic is judged at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdOptions:
    """`op` is one of > >= < <= == !=; `limit` and `clear` in the metric's unit; `clear` None: the limit itself.

    `stat` over the last `window_s` seconds is last, min, max, mean, p50, p90, p95 or p99; `last` needs no window.
    """

    op: str
    limit: float
    clear: float | None = None
    stat: str = "last"
    window_s: float | None = None
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ThresholdState:
    """`since_s`: when the present stretch beyond the limit began; `runs`: evaluations in it."""

    firing: bool = False
    since_s: float | None = None
    runs: int = 0
    last_s: float = 0.0
    value: float | None = None


def history_s(options: ThresholdOptions) -> float:
    """Window and `for`, and a little more: a history's first sample is not judged."""
    return 1.1 * ((options.window_s or 0.0) + options.for_s)


def resume(options: ThresholdOptions, state: ThresholdState | None) -> ThresholdState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or ThresholdState(), firing=True)


def step(options: ThresholdOptions, state: ThresholdState | None, window: Window, now: datetime) -> tuple[ThresholdState, Claim]:
    """What the value says after the window's fresh samples."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: ThresholdOptions, state: ThresholdState | None, window: Window, now: datetime) -> ThresholdState:
    """The state alone."""
    state = state or ThresholdState()
    if window.fresh == 1:
        return _after(options, state, window, len(window.values) - 1)
    for at in _ends(options, window):
        state = _after(options, state, window, at)
    return state


def _ends(options: ThresholdOptions, window: Window) -> range:
    """Positions up to which the window is judged: each fresh sample; of a long history for a statistic only some."""
    n, fresh = len(window.values), window.fresh
    stride = 1 if options.stat == "last" else max(1, fresh // MOST_REPLAYED)
    return range(n - 1 - (fresh - 1) // stride * stride, n, stride) if fresh and n else range(0)


def _after(options: ThresholdOptions, state: ThresholdState, window: Window, at: int) -> ThresholdState:
    at_s = window.times_s[at]
    value = _value(options, window, at)
    if value is None:
        return ThresholdState(state.firing, None, 0, at_s, window.values[at])
    if state.firing:
        back = _back(options, value)
        return ThresholdState(not back, None if back else state.since_s, 0 if back else state.runs + 1, at_s, value)
    if not BEYOND[options.op](value, options.limit):
        return ThresholdState(False, None, 0, at_s, value)
    gap = not 0 <= at_s - state.last_s <= GAP * max(window.every_s, _stride_s(options, window)) if window.every_s else False
    since = at_s if state.since_s is None or gap else state.since_s
    runs = 1 if state.since_s is None or gap else state.runs + 1
    return ThresholdState(at_s - since >= options.for_s, since, runs, at_s, value)


def calm(options: ThresholdOptions, state: ThresholdState, window: Window) -> tuple[float, float] | None:
    """While every sample that the statistic sees stands on the good side of the limit, so does the statistic."""
    if state.firing or state.since_s is not None or options.op not in GOOD:
        return None
    low, high = GOOD[options.op](options.limit)
    if options.stat != "last" and options.window_s is not None and window.values:
        seen = window.values[bisect_left(window.times_s, window.times_s[-1] - options.window_s) :]
        if not low < min(seen) <= max(seen) < high:
            return None
    return low, high


def _stride_s(options: ThresholdOptions, window: Window) -> float:
    """How far apart the judged positions of a history lie."""
    ends = _ends(options, window)
    return (window.times_s[-1] - window.times_s[ends[0]]) / (len(ends) - 1) if ends.step > 1 else 0.0


def _back(options: ThresholdOptions, value: float) -> bool:
    """Whether the value is clearly on the good side again."""
    if options.clear is None:
        return not BEYOND[options.op](value, options.limit)
    return value < options.clear if options.op in (">", ">=") else value > options.clear


def _value(options: ThresholdOptions, window: Window, at: int) -> float | None:
    """The rule's statistic of the samples in the window that ends with position `at`; None with too few of them."""
    if options.stat == "last" or options.window_s is None:
        return window.values[at]
    begin = bisect_left(window.times_s, window.times_s[at] - options.window_s)
    values = window.values[begin : at + 1]
    if len(values) < min(LEAST, options.window_s / window.every_s if window.every_s else LEAST):
        return None
    if options.stat in SHARES:
        known_s = window.times_s[at] - window.times_s[0]
        return _quantile(values, SHARES[options.stat], young=known_s < options.window_s - 2 * window.every_s)
    return min(values) if options.stat == "min" else max(values) if options.stat == "max" else fmean(values)


def _quantile(values: array[float], share: float, young: bool = False) -> float:
    """Nearest rank: the smallest value with at least `share` of all at or below it.

    `young`: less than the window's span is known. The first look at anything is often the slowest, and of a few samples
    the p95 is their greatest: one alone is left out then.
    """
    ordered = sorted(values)
    rank = ceil(share * len(ordered)) - 1
    return ordered[max(0, min(rank, len(ordered) - 2) if young else rank)]


def claim(options: ThresholdOptions, state: ThresholdState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    if state.value is None:
        return Claim(state=RuleState.UNKNOWN, why=say("why.no_samples"))
    pending = not state.firing and state.since_s is not None
    name = RuleState.FIRING if state.firing else RuleState.PENDING if pending else RuleState.OK
    key = (
        "why.threshold.stat"
        if options.window_s and options.stat != "last"
        else "why.threshold.for"
        if options.for_s
        else "why.threshold.last"
    )
    facts: dict[str, Fact] = {
        "value": state.value,
        "limit": options.limit,
        "stat": options.stat,
        "window_s": options.window_s,
        "for_s": options.for_s,
    }
    span_s = options.window_s or options.for_s
    begin = bisect_left(window.times_s, state.last_s - span_s)
    return Claim(
        state=name,
        why=Say(key, facts),
        evidence=Evidence(
            value=state.value,
            limit=options.limit,
            window_s=span_s or None,
            n=len(window.times_s) - begin,
            first_at=datetime.fromtimestamp(window.times_s[begin], UTC) if begin < len(window.times_s) else None,
            last_at=datetime.fromtimestamp(state.last_s, UTC),
        ),
        confirmed=state.runs >= 2,
    )
