"""baseline: does a series behave as it always has? Evidence for people; it opens nothing by itself.

What is unusual is decided by rarity.py; here is how it is used over time. A series is *learning* for its first samples and never
alarms meanwhile. Samples that come every 2.5 minutes or faster are taken together, five minutes each: a burst of one second is no news,
and summaries of five minutes serve as history after a restart.
After an alarm there is a quiet time: what is not clearly rarer than that alarm is the same event. A finding ends when the series has been
usual for half an hour and at least SETTLED samples.

The score is 0..1 and means the same on every series: 0.5 is the shipped limit, and every further step halves what is left.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import exp
from typing import NamedTuple

from forewarn.core.detect import rarity
from forewarn.core.detect.rarity import LEARNED, VALUE, Anchor, Levels, Views
from forewarn.model.due import Calendar
from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say, say

LIMIT = 1.9
"""Decades, comparable between series, at which the score is 0.5."""
ALARM = 0.5
QUIET_S, GREATER = 12 * 3600.0, 0.7
"""After an alarm only what is rarer by so many decades is another event."""
USED_TO, USED_TO_S = 0.3, 2 * 86400.0
"""Decades that each alarm of late adds to the limit, and how long that takes to fall to a third: what alarms again and again is
how this series is."""
HUSHED = 0.49
"""The highest score in the quiet time of a greater alarm."""
SLOT_S, TOGETHER = 300.0, 0.5
"""Samples are taken together when two or more of them come in a slot. One that is judged only when the next one comes may wait for days."""
SATURDAY, MONDAY = 2, 4
"""Days since the epoch, which began on a Thursday."""
SETTLED, SETTLED_S = 5, 1800.0
RETOLD = 16
USUAL = 0.6
"""Times LIMIT: below this a sample is usual again."""
HUGE = 1e100
"""A value beyond this is no measurement; its square could not be kept."""
FAMILIAR_S = 14 * 86400.0
"""How much of the past is read at a start."""
MILESTONES = tuple(LEARNED * 4**k for k in range(1, 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineOptions:
    """`season`: none, day or week: what of the clock the values may depend on. `above`: the score that alarms. `calendar` is the name of one, and `days`
    what it stands for: with `week`, its days off are a kind of their own, by its own clock."""

    season: str = "day"
    above: float = ALARM
    calendar: str | None = None
    days: Calendar | None = None

    @property
    def says(self) -> BaselineOptions:
        """What a state rests on. Days off may be added to the calendar, and nothing that was learnt is lost."""
        return replace(self, days=None)


class BaselineState(NamedTuple):
    """`n` samples were judged, the newest at `at_s`; `open_*` are those of the slot that is not over. `learning` holds the views
    until the histograms can be laid out. `score` is that of the newest sample, `view` what was rarest, `shown` its value.
    `alarm_s` and `alarmed` tell when the last alarm was, and how rare; `alarms`: how many there were lately, each less by the day; `usual_s` and `usual_n` since when all is usual again."""

    firing: bool = False
    n: int = 0
    kept: int = 0
    at_s: float = 0.0
    open_s: float = 0.0
    open_sum: float = 0.0
    open_n: int = 0
    levels: Levels = (0.0, 0.0, 0.0, 0.0)
    last: tuple[float, ...] = ()
    learning: tuple[tuple[float, Views], ...] = ()
    per_hour: float = 12.0
    anchors: Anchor = ()
    counts: array[int] = array("H")  # never changed in place: each state has its own
    score: float = 0.0
    view: int = VALUE
    shown: float = 0.0
    alarm_s: float = -1e18
    alarmed: float = 0.0
    alarms: float = 0.0
    usual_s: float = 0.0
    usual_n: int = 0
    told: tuple[float, int, float, float] | None = None  # score, view, value and time of the sample that fired
    claim: Claim | None = None


def history_s(options: BaselineOptions) -> float:
    return FAMILIAR_S


def together_s(options: BaselineOptions) -> float:
    """An alarm lasts for SETTLED_S at least, so that none is lost between two steps."""
    return SETTLED_S / 6


def resume(options: BaselineOptions, state: BaselineState | None) -> BaselineState:
    """The state of a claim that the ledger holds as open: it ends when the series is usual."""
    return (state or BaselineState())._replace(firing=True)


def step(options: BaselineOptions, state: BaselineState | None, window: Window, now: datetime) -> tuple[BaselineState, Claim]:
    """What the series shows after the window's fresh samples. That all is usual is said anew every RETOLD samples only: to put it
    into words costs as much as to judge."""
    before = state
    state = after(options, state, window, now)
    told = state.claim
    if told is not None and before is not None and state.anchors and not state.firing and not before.firing and state.n % RETOLD:
        return state, told
    said = claim(options, state, window, now)
    return state._replace(claim=said), said


def after(options: BaselineOptions, state: BaselineState | None, window: Window, now: datetime) -> BaselineState:
    """The state alone. Samples of one slot are judged together, when the next begins."""
    state = state or BaselineState()
    for at in range(len(window.times_s) - window.fresh, len(window.times_s)):
        state = taken(options, state, window.times_s[at], window.values[at], window.every_s)
    return state


def taken(options: BaselineOptions, state: BaselineState, at_s: float, value: float, every_s: float = 0.0) -> BaselineState:
    """One sample. `every_s` is the interval at which samples come; 0 where it is not known, which is taken as a slot or more."""
    if not -HUGE < value < HUGE:
        return state
    if not 0 < every_s <= TOGETHER * SLOT_S:
        return judged(options, state, at_s, value)
    if state.open_n and at_s // SLOT_S != state.open_s // SLOT_S:
        state = judged(options, state, state.open_s, state.open_sum / state.open_n)
        return state._replace(open_s=at_s, open_sum=value, open_n=1)
    score = min(state.score, options.above * HUSHED / ALARM)  # an alarm is one sample's
    return state._replace(open_s=at_s, open_sum=state.open_sum + value, open_n=state.open_n + 1, score=score)


def judged(options: BaselineOptions, state: BaselineState, at_s: float, value: float) -> BaselineState:
    """A value that stands for a slot or more."""
    levels, last, views = rarity.looked(state.levels if state.n else rarity.levels_of(value), state.last, state.n, value)
    if not state.anchors:
        seen = state._replace(n=state.n + 1, at_s=at_s, levels=levels, last=last, shown=value)
        return _learnt(options, seen, (*state.learning, (at_s, views)))
    counts, kept, anchors, n = state.counts[:], state.kept + 1, state.anchors, state.n + 1
    found, view = rarity.counted(counts, anchors, views, rarity.bases(options.season, _when(options, at_s)), kept - 1)
    if n in MILESTONES or kept >= rarity.FULL:
        if kept >= rarity.FULL:
            counts, kept = rarity.halved(counts), kept // 2
        counts, anchors = rarity.mended(counts, anchors, options.season)
    score, rare, used_to, since_s = 0.0, 0.0, 0.0, 0.0
    bare = rarity.comparable(found, state.per_hour, n) if found else 0.0
    firing, alarm_s, alarmed, alarms, told = state.firing, state.alarm_s, state.alarmed, state.alarms, state.told
    if bare > 0:
        since_s = max(0.0, at_s - alarm_s)
        used_to = alarms * exp(-since_s / USED_TO_S) if alarms else 0.0
        rare = bare - USED_TO * used_to
        score = 1.0 - 0.5 ** (rare / LIMIT) if rare > 0 else 0.0
    if score >= options.above:
        if since_s < QUIET_S and bare <= alarmed + GREATER:
            score = options.above * HUSHED / ALARM
        else:
            firing, alarm_s, alarmed, alarms, told = True, at_s, bare, used_to + 1.0, (score, view, views[view], at_s)
    usual_n = state.usual_n + 1 if rare < USUAL * LIMIT else 0
    usual_s = state.usual_s if usual_n > 1 else at_s
    if firing and usual_n >= SETTLED and at_s - usual_s >= SETTLED_S:
        firing, told = False, None
    return BaselineState(
        firing, n, kept, at_s, state.open_s, state.open_sum, state.open_n, levels, last, (), state.per_hour, anchors, counts,
        score, view, views[view], alarm_s, alarmed, alarms, usual_s, usual_n, told, state.claim,
    )  # fmt: skip


def _when(options: BaselineOptions, at_s: float) -> float:
    """A moment of the same time of day, on a Saturday for a day off of the calendar and on a Monday for any other."""
    if options.days is None:
        return at_s
    local = datetime.fromtimestamp(at_s, options.days.zone)
    day = SATURDAY if options.days.is_off(local.date()) else MONDAY
    return day * 86400.0 + local.hour * 3600.0 + local.minute * 60.0


def _learnt(options: BaselineOptions, state: BaselineState, learning: tuple[tuple[float, Views], ...]) -> BaselineState:
    """One sample more of the learning time; at its end the histograms are laid out and filled with it."""
    if len(learning) < LEARNED:
        return state._replace(learning=learning)
    anchors = rarity.anchored([one for _, one in learning])
    counts = rarity.empty(options.season)
    for kept, (at_s, one) in enumerate(learning):
        rarity.counted(counts, anchors, one, rarity.bases(options.season, _when(options, at_s)), kept)
    gaps = sorted(max(1.0, after - before) for (before, _), (after, _) in pairwise(learning))
    per_hour = 3600.0 / max(SLOT_S, gaps[len(gaps) // 2])
    return state._replace(learning=(), anchors=anchors, counts=counts, kept=LEARNED, per_hour=per_hour)


def claim(options: BaselineOptions, state: BaselineState, window: Window, now: datetime) -> Claim:
    """What a state says."""
    if not state.n:
        return Claim(state=RuleState.UNKNOWN, why=say("why.no_samples"))
    last_at = datetime.fromtimestamp(state.at_s, UTC)
    if not state.anchors:
        gap_s = max(SLOT_S, window.every_s or SLOT_S)
        ready = now + timedelta(seconds=gap_s * (LEARNED - len(state.learning)))
        why = say("why.baseline.learning", n=state.n, of=LEARNED, ready=ready.timestamp())
        return Claim(
            state=RuleState.LEARNING, why=why, evidence=Evidence(value=state.shown, n=state.n, last_at=last_at), ready_at=ready
        )
    low, high = usual(state)
    score, view, value, at_s = state.told or (state.score, state.view, state.shown, state.at_s)
    facts: dict[str, Fact] = {"value": value, "low": low, "high": high, "score": round(score, 3), "n": state.n, "at": at_s}
    key = f"why.baseline.{rarity.VIEWS[view]}" if state.firing else "why.baseline.usual"
    current = state.last[-1] if state.last else value
    facts["value"] = value if state.firing else current
    evidence = Evidence(value=value if state.firing else current, limit=high if value > high else low, n=state.n, last_at=last_at)
    return Claim(state=RuleState.FIRING if state.firing else RuleState.OK, why=Say(key, facts), evidence=evidence)


def usual(state: BaselineState, share: float = 0.01) -> tuple[float, float]:
    """Between which values all but `share` on each side of what was seen lies, in the series' unit."""
    view = state.counts[: rarity.PLACES]
    total, before = sum(view), 0
    ends: list[int] = []
    for at, count in enumerate(view):
        before += count
        if not ends and before > share * total:
            ends.append(at)
        if before >= (1.0 - share) * total:
            ends.append(at)
            break
    return rarity.value_at(state.anchors[VALUE], ends[0]), rarity.value_at(state.anchors[VALUE], ends[-1])
