"""forecast: when will a limit be crossed.

The past is kept as a few dozen medians (bins.py, intake.py). Jumps are told from growth (shifts.py), a robust line is
fitted to the newest stretch that one line describes (trend.py), and its doubts become dates (crossing.py). A line is
believed for twelve times the span that it was seen for, and only if it is steeper than its doubts (outlook.py); a wave or
a saw-tooth that turned back twice is no news (recurrence.py).

It begins to fire when the likely date lies within the horizon with a probability of a half at least. It stops when, four
times in a row, that probability is under a quarter or the date is beyond 1.3 horizons; or at once when a fall gave the
series three times the time that was left. While the value stands at or beyond the limit, `crossed` is true and all dates
are the moment of the crossing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from math import exp

from forewarn.core.detect import forecast_claims as claims
from forewarn.core.detect.bins import Bins
from forewarn.core.detect.crossing import Crossing, crossing
from forewarn.core.detect.intake import Intake, take
from forewarn.core.detect.outlook import FAR, HELD_SURE, STILL_SURE, SURE, Outlook, Past, long_past, look_ahead
from forewarn.core.detect.returns import Coming, coming
from forewarn.core.detect.trend import Line
from forewarn.model.finding import Claim, RuleState
from forewarn.model.series import Window

MOST_BINS, MEMORY_BINS = 48, 256
DAY = 86400.0
P_BEGIN, P_HOLD = 0.5, 0.25
AWAY = 4
"""So many judgements in a row must see the danger gone."""
P_RETURN, P_RETURN_HOLD = 0.7, 0.45
"""The same for a limit that comes back: such series warn often, and must not do so in vain. What was said of the horizon stands
until it has passed, unless AWAY judgements in a row find less than P_HOLD or nothing: a probability that dances around its
limits must not become two warnings of one spell."""
AGAINST = 2.0
"""So many times as sure must a line be where the limit came back before and its past expects nothing."""
DOUBT_S = 30 * DAY
"""After a forecast that came to nothing a line must be twice as sure, and three times after two; that falls to a third in so long."""
RELIEF = 3.0
"""A fall ends a forecast at once when it multiplies the time that is left by this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastOptions:
    """Exactly one of `above` and `below` is given, in the metric's unit. Fires when the limit will be crossed within `within_s`.

    `confidence` is the coverage of earliest..latest; `window_s` is how much of the past is looked at.
    """

    above: float | None = None
    below: float | None = None
    within_s: float = 3 * 86400.0
    confidence: float = 0.8
    window_s: float = 6 * 3600.0

    @property
    def limit(self) -> float:
        return self.above if self.above is not None else float(self.below or 0.0)

    @property
    def sign(self) -> float:
        """Values times this rise towards the limit."""
        return 1.0 if self.above is not None else -1.0


@dataclass(frozen=True, slots=True)
class ForecastState:
    """What is kept between steps: samples, and the last judgement. `line` is the one that was believed then, `near` the
    newest; `away` counts the judgements in a row that saw the danger gone; `believed`: a line was steep enough; `returning`:
        it fires for a limit that comes back, and has done so since `returning_s`; `doubt` counts forecasts that came to nothing, as of `doubt_s`."""

    seen: Intake
    past: Past = field(default_factory=Past)
    firing: bool = False
    away: int = 0
    believed: bool = False
    line: Line | None = None
    near: Line | None = None
    judged_s: float = 0.0
    judged_bin_s: float = 0.0
    claim: Claim | None = None
    returning: bool = False
    returning_s: float = 0.0
    doubt: float = 0.0
    doubt_s: float = 0.0


def history_s(options: ForecastOptions) -> float:
    """How much of the past it reads when it starts: the window, and up to two weeks for what turns back or comes again."""
    return max(options.window_s, min(14 * DAY, 64 * options.window_s))


def together_s(options: ForecastOptions) -> float:
    """Two bins: while nothing happens, little is news between them."""
    return 2 * options.window_s / MOST_BINS


def urgent(options: ForecastOptions, state: ForecastState | None, value: float) -> bool:
    """Whether every sample counts: while it fires or learns, and when the limit is crossed."""
    if state is None or state.firing or state.claim is None or state.claim.state is RuleState.LEARNING:
        return True
    return options.sign * (value - options.limit) >= 0


def resume(options: ForecastOptions, state: ForecastState | None) -> ForecastState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or ForecastState(_empty(options)), firing=True, claim=None)


def step(options: ForecastOptions, state: ForecastState | None, window: Window, now: datetime) -> tuple[ForecastState, Claim]:
    """What the series says about its limit after the window's fresh samples."""
    state = _taken(options, state or ForecastState(_empty(options)), window)
    if not state.seen.recent:
        return state, claims.no_samples(options.limit)
    if state.claim is not None and not _worth_judging(options, state):
        return state, state.claim
    state, claim = _judged(options, state)
    return replace(state, claim=claim, judged_s=state.seen.last_s, judged_bin_s=state.seen.closed_s), claim


def _empty(options: ForecastOptions) -> Intake:
    keep = min(7 * DAY, 64 * options.window_s)
    return Intake(Bins.over(options.window_s, MOST_BINS), Bins.over(keep, MEMORY_BINS) if keep > 2 * options.window_s else None)


def _taken(options: ForecastOptions, state: ForecastState, window: Window) -> ForecastState:
    if not window.fresh:
        return state
    seen = take(state.seen, _empty(options), window, options.sign, options.sign * options.limit, state.near)
    if seen is state.seen:
        return state
    past, memory = state.past, seen.memory
    due = seen.last_s - past.at_s > options.window_s / (MOST_BINS / 2)
    if due and memory is not None and memory.times and memory.times[-1] != past.closed_s:
        past = long_past(memory, options.window_s, seen.last_s)
    return ForecastState(
        seen, past, state.firing, state.away, state.believed, state.line, state.near, state.judged_s, state.judged_bin_s, state.claim,
        state.returning, state.returning_s, state.doubt, state.doubt_s,
    )  # fmt: skip


def _worth_judging(options: ForecastOptions, state: ForecastState) -> bool:
    """A claim is made anew when a bin was closed or the newest samples leave the line, but not more often than need be."""
    seen, claim, line = state.seen, state.claim, state.near
    said_crossed = claim is not None and claim.forecast is not None and claim.forecast.crossed
    if said_crossed != (seen.crossed_s is not None) or (claim is not None and not claim.confirmed):
        return True
    since = seen.last_s - state.judged_s
    if since < 0:
        return True  # the clock was set back
    if since < options.window_s / 500:
        return state.firing and since > 0 and _fallen(state)
    if seen.closed_s != state.judged_bin_s:
        return True
    if line is None:
        return False
    if state.firing and 0 < options.sign * options.limit - seen.value < line.slope * options.window_s / 12:
        return True
    off = [value - line.value(at) for at, value in seen.recent[-3:]]
    far = abs(sum(off)) / 3 > 3 * seen.noise + 0.02 * abs(line.slope) * options.window_s
    return far and (state.firing or since > options.window_s / 100)


def _doubt(state: ForecastState) -> float:
    """How many forecasts came to nothing, those of long ago counted less."""
    return state.doubt * exp(-max(0.0, state.seen.last_s - state.doubt_s) / DOUBT_S) if state.doubt else 0.0


def _fallen(state: ForecastState) -> bool:
    """Three samples in a row far under the newest line."""
    line, recent = state.near, state.seen.recent
    if line is None or len(recent) < 3:
        return False
    far = max(6 * line.scatter, 4 * state.seen.noise, 0.2 * line.grown)
    return all(line.value(at) - value > far for at, value in recent[-3:])


def _relieved(options: ForecastOptions, state: ForecastState) -> bool:
    """Whether a fall that the bins don't show yet gave three times the room that the line left."""
    line, seen = state.near, state.seen
    if line is None or not _fallen(state):
        return False
    limit = options.sign * options.limit
    return limit - seen.value > RELIEF * max(limit - line.value(seen.last_s), 0.0)


def _judged(options: ForecastOptions, state: ForecastState) -> tuple[ForecastState, Claim]:
    seen = state.seen
    if seen.crossed_s is not None:
        return replace(state, firing=True, away=0, returning=False), claims.crossed(options, seen, seen.crossed_s, state.line)
    again = coming(seen.returns, seen.last_s, options.within_s, options.confidence)
    if again is not None and _comes(options, state, again):
        return _returning(options, state, again)
    if state.returning and _stands(options, state):
        return replace(state, away=state.away + 1), state.claim or claims.seldom(options, seen)
    doubts = (1 if again is None else AGAINST) * (1 + _doubt(state))
    outlook = look_ahead(
        seen.bins,
        state.past,
        [value for _, value in seen.recent],
        options.sign * options.limit,
        options.within_s,
        options.confidence,
        HELD_SURE if state.firing else STILL_SURE if state.believed else SURE,
        1.0 if state.firing and not state.returning else doubts,
    )
    held = state.firing and not state.returning
    state = replace(state, believed=outlook.rises, near=outlook.near, returning=False, firing=held)
    if held:
        return _held(options, state, outlook)
    line, dates = outlook.line, outlook.dates
    if line and dates and _begins(options, outlook, line, dates, doubts) and not _fallen(state):
        return _fires(options, replace(state, firing=True, away=0), line, dates)
    claim = claims.quiet(options, seen, outlook)
    if again is not None and claim.state is RuleState.NEVER:
        claim = claims.seldom(options, seen)
    return replace(state, line=line), claim


def _begins(options: ForecastOptions, outlook: Outlook, line: Line, dates: Crossing, doubts: float) -> bool:
    least = SURE * doubts if line is outlook.near else SURE
    return outlook.certain and line.sure() >= least and outlook.within(options.within_s) and dates.p >= P_BEGIN


def _comes(options: ForecastOptions, state: ForecastState, again: Coming) -> bool:
    if not state.returning:
        return again.likely_s <= options.within_s and again.p >= P_RETURN
    if state.seen.last_s - state.returning_s < options.within_s:
        return again.p >= P_HOLD
    return again.likely_s <= FAR * options.within_s and again.p >= P_RETURN_HOLD


def _stands(options: ForecastOptions, state: ForecastState) -> bool:
    """Whether what was said of a limit that comes back still stands, though its past expects it no more."""
    said, now_s = state.claim, state.seen.last_s
    if said is None or said.forecast is None or said.forecast.latest is None or said.forecast.crossed:
        return False
    return state.away + 1 < AWAY and now_s - state.returning_s < options.within_s and now_s < said.forecast.latest.timestamp()


def _returning(options: ForecastOptions, state: ForecastState, again: Coming) -> tuple[ForecastState, Claim]:
    """A limit that comes back: its own past says when, and no line."""
    since_s = state.returning_s if state.returning else state.seen.last_s
    state = replace(state, firing=True, returning=True, returning_s=since_s, away=0, believed=False, line=None, near=None)
    return state, claims.again(options, state.seen, again)


def _held(options: ForecastOptions, state: ForecastState, outlook: Outlook) -> tuple[ForecastState, Claim]:
    """Firing until the danger is clearly away."""
    line, dates = outlook.line, outlook.dates
    if _relieved(options, state):
        return replace(state, firing=False, away=0), claims.quiet(options, state.seen, outlook)
    if line is None and outlook.ready_s is not None:
        return _relearning(options, state, outlook)
    if line and dates and outlook.holds and outlook.within(FAR * options.within_s) and dates.p >= P_HOLD:
        return _fires(options, replace(state, away=0), line, dates)
    if state.away + 1 < AWAY and state.claim is not None and state.claim.state is RuleState.FIRING:
        return replace(state, away=state.away + 1), state.claim
    if state.claim is not None and state.claim.forecast is not None and not state.claim.forecast.crossed:
        state = replace(state, doubt=1 + _doubt(state), doubt_s=state.seen.last_s)  # it came to nothing
    return replace(state, firing=False, away=0, line=line), claims.quiet(options, state.seen, outlook)


def _relearning(options: ForecastOptions, state: ForecastState, outlook: Outlook) -> tuple[ForecastState, Claim]:
    """The history was cut. The old pace holds until a new one is known, unless the fall gave much time.

    After a restart without history there is no old pace: then it only says that it learns, and goes on firing.
    """
    seen, line, claim = state.seen, state.line, state.claim
    if line is None or line.slope <= 0 or claim is None or claim.forecast is None or claim.forecast.likely is None:
        return state, claims.quiet(options, seen, outlook)
    left = (options.sign * options.limit - seen.value) / line.slope
    before = claim.forecast.likely.timestamp() - seen.last_s
    if left > FAR * options.within_s or left > RELIEF * max(before, 0.0):
        return replace(state, firing=False, away=0, line=None), claims.quiet(options, seen, outlook)
    moved = replace(line, at_s=seen.last_s, level=seen.value, from_s=line.from_s + seen.last_s - line.at_s)
    return _fires(options, state, moved, crossing(moved, options.sign * options.limit, options.within_s, options.confidence))


def _fires(options: ForecastOptions, state: ForecastState, line: Line, dates: Crossing) -> tuple[ForecastState, Claim]:
    return replace(state, line=line), claims.soon(options, state.seen, line, dates)
