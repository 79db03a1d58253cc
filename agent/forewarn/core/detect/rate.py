"""rate: how fast a series changes, against a limit: so many errors a minute, so many gigabytes an hour, so many degrees in ten minutes.

Of a counter its growth is taken, and one that fell began anew at zero. Of any other series it is the slope of a resistant line (Tukey,
Exploratory Data Analysis, 1977): the window is parted in three, and the line leads from the median of the first part to that of the
last, so that a single spike moves nothing. Time in which nobody looked counts for neither: what grew meanwhile is not said to have grown
in the moment after it. Nothing is claimed before nearly all of the window was looked at.

It begins to fire when it stood beyond the limit for `for_s`, and ends when it stands on the other side of `clear`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median

from forewarn.core.detect.spans import Spans, between, fresh, known
from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say

SLOTS = 30
"""In the window; it is kept to a thirtieth."""
ENOUGH = 0.9
"""Share of the window that must have been looked at."""
GAP = 3.0
"""Intervals between two samples; what lies further apart shows no pace."""
FEWEST = 3
"""Slots with samples that a slope needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOptions:
    """Fires when the change of the last `window_s` seconds, in the metric's unit `per_s` seconds, is beyond `limit` for `for_s`.

    `above`: beyond is more, otherwise less. `clear` None: the limit itself. `falls`: it is taken how fast the value falls.
    """

    limit: float
    above: bool = True
    clear: float | None = None
    per_s: float = 1.0
    window_s: float = 300.0
    for_s: float = 0.0
    counter: bool = True
    falls: bool = False


@dataclass(frozen=True, slots=True)
class RateState:
    """`spans` hold growth, or of a gauge its values; `when`, of a gauge, the samples' places in their slots (seconds). `rate` is in the
    metric's unit a second, None before it is known; `since_s`: since when it is beyond the limit; `runs`: evaluations that saw it there."""

    firing: bool = False
    last: tuple[float, float] | None = None
    spans: Spans | None = None
    when: Spans | None = None
    rate: float | None = None
    looked_s: float = 0.0
    since_s: float | None = None
    runs: int = 0
    n: int = 0


def history_s(options: RateOptions) -> float:
    """Window and `for`, and a little more for the gaps in them."""
    return 1.2 * (options.window_s + options.for_s)


def resume(options: RateOptions, state: RateState | None) -> RateState:
    """The state of a claim that the ledger holds as open: it ends when the pace is fine."""
    return replace(state or RateState(), firing=True)


def step(options: RateOptions, state: RateState | None, window: Window, now: datetime) -> tuple[RateState, Claim]:
    """How fast it changes after the window's fresh samples."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: RateOptions, state: RateState | None, window: Window, now: datetime) -> RateState:
    """The state alone."""
    state = state or RateState()
    if state.last is None:
        state = replace(state, last=known(window))
    for at_s, value in fresh(window):
        state = _judged(options, _seen(options, state, at_s, value, window.every_s))
    return state


def _seen(options: RateOptions, state: RateState, at_s: float, value: float, every_s: float) -> RateState:
    moved = between(state.last, at_s, value, 0.0, options.counter)
    if moved.anew:
        state = RateState(state.firing)
    spans = state.spans or Spans(options.window_s / SLOTS, SLOTS)
    gap = state.last is None or moved.anew or (0 < GAP * every_s < moved.looked_s)
    looked_s = 0.0 if gap else moved.looked_s
    when = state.when
    if options.counter:
        spans = spans.added(at_s, 0.0 if gap else moved.grown, looked_s)
    else:
        spans = spans.added(at_s, value, looked_s)
        when = (when or Spans(spans.width_s, SLOTS)).added(at_s, at_s % spans.width_s, looked_s)
    looked = spans.newest(SLOTS)
    known = looked.looked_s >= ENOUGH * options.window_s
    rate = (looked.total / looked.looked_s if options.counter else _slope(spans, when)) if known else None
    if rate is not None and options.falls:
        rate = -rate
    return replace(
        state, last=(at_s, value), spans=spans, when=when, rate=rate, looked_s=looked.looked_s, n=state.n + 1,
        since_s=None if gap else state.since_s,
    )  # fmt: skip


def _slope(spans: Spans, when: Spans | None) -> float | None:
    """Of the line from the first to the last third of the slots; None with too few of them."""
    first = spans.at - len(spans.slots) + 1
    points = [
        ((first + place) * spans.width_s + offset.total / offset.n, slot.total / slot.n)
        for place, (slot, offset) in enumerate(zip(spans.slots, when.slots if when else (), strict=True))
        if slot.n
    ]
    third = (len(points) + 2) // 3
    if len(points) < FEWEST:
        return None
    (t0, v0), (t1, v1) = ((median(t for t, _ in some), median(v for _, v in some)) for some in (points[:third], points[-third:]))
    return (v1 - v0) / (t1 - t0)


def _judged(options: RateOptions, state: RateState) -> RateState:
    """What is not known begins nothing, and ends nothing."""
    if state.rate is None or state.last is None:
        return replace(state, since_s=None, runs=state.runs if state.firing else 0)
    rate, at_s = state.rate * options.per_s, state.last[0]
    if state.firing:
        back = not _beyond(options, rate, options.limit if options.clear is None else options.clear)
        return replace(state, firing=not back, since_s=None if back else state.since_s, runs=0 if back else state.runs + 1)
    if not _beyond(options, rate, options.limit):
        return replace(state, since_s=None, runs=0)
    since_s = at_s if state.since_s is None else state.since_s
    return replace(state, firing=at_s - since_s >= options.for_s, since_s=since_s, runs=state.runs + 1)


def _beyond(options: RateOptions, rate: float, limit: float) -> bool:
    return rate > limit if options.above else rate < limit


def claim(options: RateOptions, state: RateState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    if state.last is None:
        return Claim(state=RuleState.UNKNOWN, why=Say("why.no_samples"))
    at = datetime.fromtimestamp(state.last[0], UTC)
    facts: dict[str, Fact] = {"limit": options.limit, "per_s": options.per_s, "window_s": options.window_s}
    if state.rate is None:
        ready = at + timedelta(seconds=max(0.0, options.window_s - state.looked_s))
        facts["ready"] = ready.timestamp()
        name = RuleState.FIRING if state.firing else RuleState.LEARNING
        return Claim(state=name, why=Say("why.rate.learning", facts), evidence=Evidence(n=state.n, last_at=at), ready_at=ready)
    facts["value"] = value = state.rate * options.per_s
    kind = "grows" if options.counter else "falls" if options.falls else "rises"
    pending = not state.firing and state.since_s is not None
    return Claim(
        state=RuleState.FIRING if state.firing else RuleState.PENDING if pending else RuleState.OK,
        why=Say(f"why.rate.{kind}", facts),
        evidence=Evidence(value=value, limit=options.limit, window_s=options.window_s, n=state.n, last_at=at),
        confirmed=state.runs >= 2,
    )
