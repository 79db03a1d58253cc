"""slo: a promise such as "99.5 % of 30 days" loses its error budget too fast.

Multi-window, multi-burn-rate alerts after Google's SRE Workbook, chapter 5 (https://sre.google/workbook/alerting-on-slos/).
The burn rate is the share of bad samples over the share that the promise allows: at 1 the budget lasts exactly as long as
the promise runs. A pair fires when a long window (enough was lost) and a short one (it goes on) both burn at its rate, and
ends when either burns at less than half of it. Of the pairs, FAST ones page and SLOW ones are a task.

Samples are few compared with requests, so there is more than the book says. A pair needs `least` bad samples. A short
window holds at least three intervals. A long window that is less than half known counts as half known, so that the first
minutes after a start are not a whole hour. No sample (we could not look) is neither good nor bad, and with too few of
them the rule is learning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from forewarn.core.detect.counts import Ring
from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Bound, Tally, Window
from forewarn.model.text import Fact, Say

MINUTE_S, HOUR_S = 60.0, 3600.0
MINUTES = 360
"""Kept by the minute; longer windows are made of hours."""
EXACT_S = 8 * HOUR_S
"""Of the past, so much is wanted sample by sample; what is older may come as counts."""
CLEAR = 0.5
"""A pair that fires ends below this share of its rate."""
KNOWN = 0.5
FEWEST = 3
QUIET = 5
"""Minutes for which figures hold while nothing fires; when it does they are told every minute."""
CONFIRMED = 2
"""Evaluations in a row that must see a burn."""
MOST_BAD = 0.9
"""A rate that would need more than this share of bad samples is judged at this share: loose promises can burn, too."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Fires at `rate` in both windows (seconds)."""

    rate: float
    long_s: float
    short_s: float


FAST = (Pair(14.4, HOUR_S, 300.0), Pair(6.0, 6 * HOUR_S, 1800.0))
IS_UP = Bound(above=0.0)
SLOW = (Pair(3.0, 24 * HOUR_S, 2 * HOUR_S), Pair(1.0, 72 * HOUR_S, 6 * HOUR_S))


@dataclass(frozen=True, slots=True, kw_only=True)
class SloOptions:
    """`objective` is the share (0..1) that must be good within `window_s`; a sample is good within `bound`."""

    objective: float
    window_s: float = 30 * 86400.0
    bound: Bound = IS_UP
    pairs: tuple[Pair, ...] = FAST
    least: int = 3

    @property
    def allowed(self) -> float:
        """The share that may be bad."""
        return 1.0 - self.objective


class _Sums(NamedTuple):
    """What the two windows of a pair hold but for the open minute. `least` samples: fewer count as so many; `share`: of bad
    samples, at which it fires."""

    long_n: int
    long_bad: int
    long_least: float
    short_n: int
    short_bad: int
    short_least: float
    share: float


class SloState(NamedTuple):
    """`n` and `bad` of the open minute `at`; closed minutes and hours in rings; what they come to in `sums` (one of each pair) and
    `whole` (of the whole budget), summed up whenever a minute closes; `clean`: none of them is bad.

    `pair` is the one that burns, -1 for none; `runs`: evaluations in a row that saw it; `told_s`: hours before it came as counts.
    A tuple, since one is made for every sample.
    """

    minutes: Ring
    hours: Ring
    at: int = -1
    n: int = 0
    bad: int = 0
    sums: tuple[_Sums, ...] = ()
    whole: tuple[int, int, float] = (0, 0, 0.0)
    clean: bool = True
    firing: bool = False
    pair: int = -1
    runs: int = 0
    first_s: float = 0.0
    told_s: float = 0.0
    claim: Claim | None = None


def history_s(options: SloOptions) -> float:
    return EXACT_S


def tally(options: SloOptions) -> Tally:
    """How older samples may be counted for `recall`."""
    return Tally(options.bound, HOUR_S, options.window_s)


def recall(options: SloOptions, counts: Sequence[tuple[float, int, int]]) -> SloState:
    """A state that knows the hours (begin, samples, bad ones) before its first sample, oldest first."""
    state = _empty(options)
    hours = state.hours
    for begin, n, bad in counts:
        hours = hours.added(int(begin // HOUR_S), n, bad)
    return state._replace(hours=hours, first_s=counts[0][0], told_s=counts[-1][0] + HOUR_S) if counts else state


def resume(options: SloOptions, state: SloState | None) -> SloState:
    """The state of a claim that the ledger holds as open."""
    return (state or _empty(options))._replace(firing=True)


def step(options: SloOptions, state: SloState | None, window: Window, now: datetime) -> tuple[SloState, Claim]:
    """What the promise has left after the window's fresh samples."""
    state = state or _empty(options)
    if not window.fresh:
        return state, state.claim or _nothing(options)
    before = state.at
    state = _counted(options, state, window)
    if state.clean and not (state.bad or state.firing) and state.claim and _stays(state.claim, before, state.at):
        return state, state.claim
    was = (state.firing, state.pair, state.runs)
    near = [_near(sums, state.n, state.bad, options.least) for sums in state.sums]
    firing, pair, runs = _judged(state, near)
    told = state.at == before or (state.at // QUIET == before // QUIET and not firing)
    if state.claim and told and (firing, pair, runs) == was:
        return state, state.claim
    state = state._replace(firing=firing, pair=pair, runs=runs)
    claim = _claim(options, state, window, near)
    return state._replace(claim=claim), claim


def _stays(claim: Claim, before: int, at: int) -> bool:
    """Whether what was told of a series without a bad sample still holds: for an hour, or while it learns for a minute."""
    return before == at or (claim.state is RuleState.OK and before // 60 == at // 60 and claim.why.facts["left"] == 1.0)


def _empty(options: SloOptions) -> SloState:
    return SloState(Ring(MINUTES), Ring(ceil(options.window_s / HOUR_S)))


# --- counting ---------------------------------------------------------------------------------------------------------


def _counted(options: SloOptions, state: SloState, window: Window) -> SloState:
    above, below = options.bound.above, options.bound.below
    times, values = window.times_s, window.values
    first = len(times) - window.fresh
    at, n, bad, minutes, hours = state.at, state.n, state.bad, state.minutes, state.hours
    for place in range(first, len(times)):
        slot, value = int(times[place] // MINUTE_S), values[place]
        if slot != at and slot != at - 1:  # a sample may come a little late
            if n:
                minutes, hours = minutes.added(at, n, bad), _closed(hours, at, slot, n, bad, state.told_s)
            at, n, bad = slot, 0, 0
        n += 1
        if (above is not None and value <= above) or (below is not None and value >= below):
            bad += 1
    if at == state.at and state.sums:
        sums, whole, clean = state.sums, state.whole, state.clean
    else:
        minutes = minutes.added(at, 0, 0)
        sums, whole = _sums(options, minutes, hours, window.every_s)
        clean = not whole[1] and not any(one.long_bad or one.short_bad for one in sums)
    return SloState(
        minutes, hours, at, n, bad, sums, whole, clean, state.firing, state.pair, state.runs, state.first_s or times[first],
        state.told_s, state.claim,
    )  # fmt: skip


def _closed(hours: Ring, at: int, slot: int, n: int, bad: int, told_s: float) -> Ring:
    """The hours once minute `at` is over and `slot` comes next."""
    if at * MINUTE_S >= told_s:
        hours = hours.added(at // 60, n, bad)
    if hours.at is not None and slot // 60 < hours.at:  # the clock was set back: what lies ahead now is forgotten
        hours = hours.added(slot // 60, 0, 0)
    return hours


@lru_cache(maxsize=256)
def _plan(options: SloOptions, every_s: float) -> tuple[tuple[tuple[int, bool, float], ...], tuple[float, ...]]:
    """For long and short of each pair and then the whole budget: slots, whether they are hours, and how many samples there is room
    for (0: not known). And the share of bad samples at which each pair fires."""
    spans: list[float] = []
    for pair in options.pairs:
        short_s = min(max(pair.short_s, FEWEST * every_s), MINUTES * MINUTE_S)
        spans += [max(pair.long_s, 2 * short_s), short_s]
    plan = []
    for span_s in (*spans, options.window_s):
        by_hours = span_s > MINUTES * MINUTE_S
        slots = max(1, ceil(span_s / (HOUR_S if by_hours else MINUTE_S)))
        plan.append((slots, by_hours, span_s / every_s if every_s else 0.0))
    return tuple(plan), tuple(min(pair.rate * options.allowed, MOST_BAD) for pair in options.pairs)


def _sums(options: SloOptions, minutes: Ring, hours: Ring, every_s: float) -> tuple[tuple[_Sums, ...], tuple[int, int, float]]:
    plan, shares = _plan(options, every_s)
    held = []
    for slots, by_hours, most in plan:
        n, bad = (hours if by_hours else minutes).closed(slots)
        held.append((n + hours.n, bad + hours.bad, most) if by_hours else (n, bad, most))
    sums = []
    for at, share in enumerate(shares):
        (long_n, long_bad, long_most), (n, bad, most) = held[2 * at], held[2 * at + 1]
        sums.append(_Sums(long_n, long_bad, KNOWN * long_most, n, bad, KNOWN * most, share))
    return tuple(sums), held[-1]


# --- judging ----------------------------------------------------------------------------------------------------------


def _near(sums: _Sums, n: int, bad: int, least: int) -> float:
    """How far a pair is from firing (1: there), with what the open minute holds."""
    lost = sums.long_bad + bad
    if lost < least:
        return 0.0
    long = lost / max(sums.long_n + n, sums.long_least)
    short = (sums.short_bad + bad) / max(sums.short_n + n, sums.short_least)
    return min(long, short) / sums.share


def _judged(state: SloState, near: Sequence[float]) -> tuple[bool, int, int]:
    """firing, pair and runs after this evaluation."""
    found = next((at for at, one in enumerate(near) if one >= 1.0), -1)
    if found < 0 and state.firing:
        held = state.pair if state.pair >= 0 else near.index(max(near))
        found = held if near[held] >= CLEAR else -1
    return found >= 0, found, min(state.runs + 1, CONFIRMED) if found >= 0 else 0


def left(options: SloOptions, state: SloState) -> float:
    """The share of the whole budget that is left, 1 to 0 and below: what was lost, of what may be lost in all."""
    n, bad, most = state.whole
    return 1.0 - (bad + state.bad) / (max(n + state.n, most) * options.allowed)


# --- telling ----------------------------------------------------------------------------------------------------------


def _nothing(options: SloOptions) -> Claim:
    return Claim(state=RuleState.LEARNING, why=Say("why.no_samples"), evidence=Evidence(limit=options.pairs[0].rate))


def _claim(options: SloOptions, state: SloState, window: Window, near: Sequence[float]) -> Claim:
    at = state.pair if state.firing else near.index(max(near))
    pair, sums, rest = options.pairs[at], state.sums[at], left(options, state)
    n, bad = sums.long_n + state.n, sums.long_bad + state.bad
    burn, limit = bad / max(n, sums.long_least) / options.allowed, sums.share / options.allowed
    facts: dict[str, Fact] = {
        "burn": _rounded(burn),
        "limit": _rounded(limit),
        "long_s": pair.long_s,
        "window_s": options.window_s,
        "used": burn * pair.long_s / options.window_s,
        "left": max(0.0, rest),
        "n": n,
        "bad": bad,
        "bound": options.bound.limit,
        "what": f"why.slo.what.{_what(options)}",
    }
    last_s = window.times_s[-1]
    evidence = Evidence(
        value=_rounded(burn),
        limit=_rounded(limit),
        window_s=pair.long_s,
        n=n,
        first_at=datetime.fromtimestamp(max(state.first_s, last_s - pair.long_s), UTC),
        last_at=datetime.fromtimestamp(last_s, UTC),
    )
    if not state.firing and state.sums[0].long_n + state.n < state.sums[0].long_least:
        ready_s = max(last_s, state.first_s + KNOWN * options.pairs[0].long_s)
        why = Say("why.slo.learning", {**facts, "ready": ready_s})
        return Claim(state=RuleState.LEARNING, why=why, evidence=evidence, ready_at=datetime.fromtimestamp(ready_s, UTC))
    key = ("burns" if rest > 0 else "burns_gone") if state.firing else ("keeps" if rest > 0 else "keeps_gone")
    name = RuleState.FIRING if state.firing else RuleState.OK
    return Claim(state=name, why=Say(f"why.slo.{key}", facts), evidence=evidence, confirmed=state.runs >= CONFIRMED)


def _what(options: SloOptions) -> str:
    """What a bad sample is."""
    if options.bound.below is not None:
        return "not_below"
    return "down" if options.bound == IS_UP else "not_above"


def _rounded(rate: float) -> float:
    return round(rate, 1 if rate < 100 else 0)
