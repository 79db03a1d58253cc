"""absence: something that should come again and again has stopped coming, or has never come (a dead man's switch).

A plain series comes with each of its samples; a counter (`_total`) comes when it grows. What counts is the time in which it
was waited for: from one good run of the probe to the next, at most two intervals of it, and only in the hours that `hours`
names. So nothing is claimed for a time in which nobody could look: the probe was unknown or its target down, the machine
slept, Forewarn was stopped, or the clock was set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from forewarn.model.due import Calendar, Weekly
from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say

AT_ONCE = 2.0
"""Intervals that lie between two good runs at most; more is a time in which nobody looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceOptions:
    """Fires after `for_s` without it, before the first time after `first_s`. `counter`: only growth counts as coming.
    `only` is a calendar's name or hours of the week as written; `hours` is what it stands for."""

    for_s: float
    first_s: float
    counter: bool = False
    only: str | None = None
    hours: Calendar | Weekly | None = None


@dataclass(frozen=True, slots=True)
class AbsenceState:
    """`came_s`: when it came last, None before the first time; `up_s`: the newest good run that was counted; `waited_s`: how
    long it was waited for since it came, or since the watch began at `since_s`; `value`: the counter's."""

    firing: bool = False
    came_s: float | None = None
    since_s: float | None = None
    up_s: float | None = None
    waited_s: float = 0.0
    value: float | None = None
    n: int = 0
    claim: Claim | None = None


def history_s(options: AbsenceOptions) -> float:
    """Enough to know how long it has been missing; without it the wait begins anew."""
    return 2 * max(options.for_s, options.first_s)


def resume(options: AbsenceOptions, state: AbsenceState | None) -> AbsenceState:
    """The state of a claim that the ledger holds as open: it ends when the awaited comes."""
    return replace(state or AbsenceState(), firing=True)


def step(options: AbsenceOptions, state: AbsenceState | None, window: Window, now: datetime) -> tuple[AbsenceState, Claim]:
    """Whether it has come, or how long it was waited for by the newest good run."""
    before = state = state or AbsenceState()
    if state.value is None and len(window.times_s) > window.fresh:
        state = _stood(options, state, window)
    for place in range(len(window.times_s) - window.fresh, len(window.times_s)):
        state = _seen(options, state, window.times_s[place], window.values[place], window.every_s)
    if window.up_s is not None and window.up_s != state.up_s:
        state = _looked(options, state, window.up_s, window.every_s)
    if state is before and state.claim:
        return state, state.claim
    claim = _claim(options, state, now)
    return replace(state, claim=claim), claim


def _stood(options: AbsenceOptions, state: AbsenceState, window: Window) -> AbsenceState:
    """What the last sample of history that is not fresh tells."""
    place = len(window.times_s) - window.fresh - 1
    at_s, value = window.times_s[place], window.values[place]
    came = None if options.counter and value == 0 else at_s
    return replace(state, came_s=came, since_s=at_s, up_s=at_s, value=value)


def _seen(options: AbsenceOptions, state: AbsenceState, at_s: float, value: float, every_s: float) -> AbsenceState:
    """After a sample. A counter that falls began anew, and what it shows since then has come."""
    if options.counter:
        before = state.value or 0.0
        if not (value > before or 0 < value < before):
            return replace(_looked(options, state, at_s, every_s), value=value, n=state.n + 1)
    return AbsenceState(False, at_s, state.since_s, at_s, 0.0, value, state.n + 1)


def _looked(options: AbsenceOptions, state: AbsenceState, up_s: float, every_s: float) -> AbsenceState:
    """After a good run at which it had not come."""
    passed = 0.0 if state.up_s is None else min(max(0.0, up_s - state.up_s), AT_ONCE * every_s)
    if passed and not _open(options.hours, up_s):
        passed = 0.0
    waited = state.waited_s + passed
    firing = state.firing or waited >= (options.first_s if state.came_s is None else options.for_s)
    since = up_s if state.since_s is None else state.since_s
    return replace(state, firing=firing, since_s=since, up_s=up_s, waited_s=waited)


def _open(hours: Calendar | Weekly | None, at_s: float) -> bool:
    if hours is None:
        return True
    at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=at_s)
    return hours.covers(at) if isinstance(hours, Weekly) else hours.is_open(at)


def _claim(options: AbsenceOptions, state: AbsenceState, now: datetime) -> Claim:
    never = state.came_s is None
    since_s = state.since_s if never else state.came_s
    limit = options.first_s if never else options.for_s
    facts: dict[str, Fact] = {"since": since_s, "waited_s": state.waited_s, "limit_s": limit, "only": options.only}
    evidence = Evidence(value=state.waited_s, limit=limit, n=state.n, last_at=_moment(state.came_s))
    if state.firing:
        key = "never" if never else "stopped"
        return Claim(state=RuleState.FIRING, why=Say(f"why.absence.{key}", facts), evidence=evidence)
    if since_s is None:
        return Claim(state=RuleState.LEARNING, why=Say("why.absence.began", facts), evidence=evidence)
    key = "waits" if never else "closed" if not _open(options.hours, now.timestamp()) else "comes"
    facts["ago_s"] = round(max(0.0, now.timestamp() - since_s))
    return Claim(state=RuleState.LEARNING if never else RuleState.OK, why=Say(f"why.absence.{key}", facts), evidence=evidence)


def _moment(at_s: float | None) -> datetime | None:
    return None if at_s is None else datetime.fromtimestamp(at_s, UTC)
