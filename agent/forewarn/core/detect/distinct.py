"""cardinality and compose: how many different ones came within a span.

cardinality counts values of a label (users that log in on a host), compose counts the rules of a probe that fired on a
target. Both look at more than one series; `Window.came` names what came with the newest run. Time that passes without a
run lets old ones go; too few are claimed only by a run, and only when the whole span was looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say

MOST = 10_000
"""Names that are held; beyond it the oldest go, and the count is a lower bound."""
SHOWN = 5
ONE_LOOK_S = 0.01
"""Samples that are nearer are of one look: a new label is born with 0 right before its first count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardinalityOptions:
    """Fires above `above` or below `below` different values of the labels `of` within `within_s`."""

    of: tuple[str, ...]
    within_s: float
    above: int | None = None
    below: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeOptions:
    """Fires when at least `at_least` of the rules `of` fire, or did within `within_s`."""

    of: tuple[str, ...]
    at_least: int
    within_s: float

    @property
    def above(self) -> int:
        return self.at_least - 1

    @property
    def below(self) -> int | None:
        return None


Options = CardinalityOptions | ComposeOptions


@dataclass(frozen=True, slots=True)
class DistinctState:
    """`seen`: name -> when it last came, oldest first; `since_s`: since when it is counted."""

    firing: bool = False
    seen: Mapping[str, float] = field(default_factory=dict)
    since_s: float | None = None
    at_s: float = 0.0
    runs: int = 0
    lines: tuple[str, ...] = ()


def history_s(options: Options) -> float:
    return options.within_s


def resume(options: Options, state: DistinctState | None) -> DistinctState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or DistinctState(), firing=True)


def step(options: Options, state: DistinctState | None, window: Window, now: datetime) -> tuple[DistinctState, Claim]:
    """How many there are now."""
    state = after(options, state, window, now)
    return state, claim(options, state, window, now)


def after(options: Options, state: DistinctState | None, window: Window, now: datetime) -> DistinctState:
    """The state alone."""
    state = state or DistinctState()
    at_s = window.times_s[-1] if window.fresh and window.times_s else max(now.timestamp(), state.at_s)
    before_s, seen = state.at_s, dict(state.seen)
    for name in window.came:
        seen.pop(name, None)
        seen[name] = at_s
    oldest = at_s - options.within_s
    if any(last < oldest for last in islice(seen.values(), 1)) or len(seen) > MOST:
        kept = [(name, last) for name, last in seen.items() if last >= oldest]
        seen = dict(kept[-MOST:])
    since_s = at_s if state.since_s is None and window.fresh else state.since_s
    state = replace(state, seen=seen, since_s=since_s, at_s=at_s)
    firing = _beyond(options, state, fresh=window.fresh > 0)
    lines = (window.lines if window.came else ()) or (state.lines if firing else ())
    another = window.fresh > 0 and (not state.firing or at_s - before_s > ONE_LOOK_S)
    return replace(state, firing=firing, runs=state.runs + another if firing else 0, lines=lines)


def _beyond(options: Options, state: DistinctState, fresh: bool) -> bool:
    n = len(state.seen)
    if options.above is not None:
        return n > options.above
    if options.below is None or n >= options.below:
        return False
    return state.firing or (fresh and state.since_s is not None and state.at_s - state.since_s >= options.within_s)


def claim(options: Options, state: DistinctState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    n = len(state.seen)
    compose = isinstance(options, ComposeOptions)
    limit = (
        options.at_least if isinstance(options, ComposeOptions) else options.above if options.above is not None else options.below
    )
    names = list(state.seen)[-SHOWN:]
    facts: dict[str, Fact] = {
        "n": n,
        "limit": limit,
        "of": len(options.of),
        "within_s": options.within_s,
        "what": ", ".join(options.of),
        "names": ", ".join(reversed(names)) + (" ..." if n > SHOWN else ""),
    }
    evidence = Evidence(
        value=float(n),
        limit=float(limit or 0),
        window_s=options.within_s,
        n=n,
        last_at=datetime.fromtimestamp(state.at_s, UTC) if state.at_s else None,
        lines=state.lines,
    )
    if not compose and options.below is not None and not state.firing and n < options.below:
        ready = datetime.fromtimestamp(state.since_s or now.timestamp(), UTC) + timedelta(seconds=options.within_s)
        facts["ready"] = ready.timestamp()
        return Claim(state=RuleState.LEARNING, why=Say("why.cardinality.learning", facts), evidence=evidence, ready_at=ready)
    name = RuleState.FIRING if state.firing else RuleState.OK
    key = "why.compose" if compose else "why.cardinality"
    return Claim(state=name, why=Say(f"{key}.{'some' if n else 'none'}", facts), evidence=evidence, confirmed=state.runs >= 2)
