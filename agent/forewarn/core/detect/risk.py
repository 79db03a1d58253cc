"""risk: how likely a disk fails within a horizon. It gives no dates: a disk that shows signs may hold for years.

Looks at `disk_ok` and, beside it, at the disk's warning counters (Window.beside): how large they are, how they grew, how
old the disk is, and what its model is (a label of the series); risk_model.py makes a probability of that. It begins to fire
at `above` and ends under half of it.

What stood already when the disk was first seen, and has not grown since, is an old wound: the claim is the same, but
`old`, and opens nothing until it grows. A disk that says of itself that it fails is never old. Series go by serial number,
so that a replaced disk is seen for the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from forewarn.core.detect import risk_model as model
from forewarn.core.detect.risk_signs import BESIDE, Sign, View, worst
from forewarn.core.detect.risk_track import COUNTS, Track, followed
from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.forecast import Forecast
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say, say

COUNTERS = frozenset(COUNTS) | frozenset(model.SOLID)
DAY = 86400.0
HISTORY_S = 35 * DAY
ENDS = 0.5
"""Fires until the probability is under this share of the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskOptions:
    """Fires when the disk fails within `within_s` with a probability of at least `above`. `model`: "fitted" or "published"."""

    above: float = 0.05
    within_s: float = model.HORIZON_S
    model: str = "fitted"


@dataclass(frozen=True, slots=True)
class RiskState:
    firing: bool = False
    runs: int = 0
    tracks: Mapping[str, Track] = field(default_factory=dict)


def history_s(options: RiskOptions) -> float:
    return HISTORY_S


def resume(options: RiskOptions, state: RiskState | None) -> RiskState:
    """The state of a claim that the ledger holds as open."""
    return replace(state or RiskState(), firing=True)


def step(options: RiskOptions, state: RiskState | None, window: Window, now: datetime) -> tuple[RiskState, Claim]:
    """What the disk's newest answer says about its future."""
    state = state or RiskState()
    if not window.values:
        return state, Claim(state=RuleState.UNKNOWN, why=say("why.no_samples"))
    tracks = {name: followed(state.tracks.get(name), window.beside[name]) for name in BESIDE if name in window.beside}
    name = dict(window.labels).get("model", "")
    sign = worst(View(window.values[-1], tracks, window.times_s[-1], name, options.model, options.within_s))
    firing = sign.p[0] >= options.above * (ENDS if state.firing else 1.0)
    state = RiskState(firing, state.runs + (1 if window.fresh else 0) if firing else 0, tracks)
    return state, _claim(options, state, sign, window)


def _claim(options: RiskOptions, state: RiskState, sign: Sign, window: Window) -> Claim:
    track = sign.track
    key, facts = _why(options, state, sign)
    return Claim(
        state=RuleState.FIRING if state.firing else RuleState.OK,
        why=Say(key, facts),
        evidence=Evidence(
            value=window.values[-1],
            window_s=window.times_s[-1] - track.first_s if track else None,
            n=len(window.times_s),
            first_at=datetime.fromtimestamp(track.first_s if track else window.times_s[0], UTC),
            last_at=datetime.fromtimestamp(window.times_s[-1], UTC),
        ),
        forecast=Forecast(earliest=None, likely=None, latest=None, p=round(sign.p[0], 4), horizon_s=options.within_s),
        confirmed=state.runs >= 2,
        old=state.firing and sign.old,
    )


def _why(options: RiskOptions, state: RiskState, sign: Sign) -> tuple[str, dict[str, Fact]]:
    """The sentence: the sign that says most, the usual risk, and how likely it is sooner and later."""
    turns = state.tracks.get("rotation_rpm")
    facts: dict[str, Fact] = {
        "p": sign.p[0],
        "limit": options.above,
        "within_s": options.within_s,
        "normal": model.normal(options.within_s, options.model, solid=bool(turns and turns.value == 0)),
        "p3": sign.p[1],
        "p90": sign.p[2],
    }
    track = sign.track
    if track is None:
        key = "why.risk.none" if sign.name == "none" else "why.risk.says"
        return key, facts | {"sign": f"why.risk.sign.{sign.name}"}
    counters = [one for name, one in state.tracks.items() if name in COUNTERS]
    facts |= {"sign": f"metric.{sign.name}", "count": track.value, "rise": track.rose, "since": track.first_s}
    facts |= {"above": sum(one.value > 0 for one in counters), "of": len(counters)}
    return ("why.risk.grew" if track.rose else "why.risk.stands"), facts
