"""risk: how likely a disk fails within a horizon. It gives no dates: a disk that shows signs may hold for years.

Looks at `disk_ok` and, beside it, at the disk's warning counters (Window.beside): how large they are, how many of them,
and whether they grew; risk_model.py makes a probability of that. It begins to fire at `above` and ends under half of it.

What stood already when the disk was first seen, and has not grown since, is an old wound: the claim is the same, but
`old`, and opens nothing until it grows. A disk that says of itself that it fails is never old.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from forewarn.core.detect import risk_model as model
from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.forecast import Forecast
from forewarn.model.series import Window
from forewarn.model.text import Fact, Say, say

NVME = ("media_errors_total", "critical_warning", "spare_margin_ratio", "wear_ratio")
BESIDE = (*model.COUNTS, *NVME)
COUNTERS = (*model.COUNTS, "media_errors_total")
DAY = 86400.0
HISTORY_S = 35 * DAY
ENDS = 0.5
"""Fires until the probability is under this share of the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskOptions:
    """Fires when the disk fails within `within_s` with a probability of at least `above`."""

    above: float = 0.1
    within_s: float = model.HORIZON_S


@dataclass(frozen=True, slots=True)
class Track:
    """One counter: as it was first seen, as it is, and when it last grew (epoch seconds; None: never while we looked)."""

    first: float
    first_s: float
    value: float
    last_s: float
    grew_s: float | None = None
    rose: float = 0.0


@dataclass(frozen=True, slots=True)
class Sign:
    """What speaks for a failure: `name` is a metric, or a word of why.risk.sign; a counter's figures come with it."""

    p: float
    name: str
    track: Track | None = None
    old: bool = False


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
    at_s = window.times_s[-1]
    tracks = {name: followed(state.tracks.get(name), window.beside[name]) for name in BESIDE if name in window.beside}
    signs = sorted(_signs(window.values[-1], tracks, at_s), key=lambda sign: (-sign.p, sign.old))
    sign = signs[0] if signs else Sign(model.NORMAL, "none")
    p = model.within(sign.p, options.within_s)
    firing = p >= options.above * (ENDS if state.firing else 1.0)
    state = RiskState(firing, state.runs + (1 if window.fresh else 0) if firing else 0, tracks)
    return state, _claim(options, state, sign, p, window)


def followed(track: Track | None, window: Window) -> Track:
    """The counter after the window's samples that are newer than what was seen."""
    for at_s, value in zip(window.times_s, window.values, strict=True):
        if track is None:
            track = Track(value, at_s, value, at_s)
        elif at_s > track.last_s:
            grew = value > track.value
            rose = track.rose + value - track.value if grew else track.rose
            track = replace(track, value=value, last_s=at_s, grew_s=at_s if grew else track.grew_s, rose=rose)
    assert track is not None, "a window beside holds samples"
    return track


def _signs(ok: float, tracks: Mapping[str, Track], at_s: float) -> list[Sign]:
    """Everything that raises the probability above that of a disk without signs."""
    found = _nvme(tracks, at_s) + ([Sign(model.FAILED, "failed")] if ok < 1 else [])
    counts = {name: tracks[name] for name in model.COUNTS if name in tracks}
    if any(track.value > 0 for track in counts.values()):
        p = model.measured({name: track.value for name, track in counts.items()}, _grew(counts.values(), at_s))
        name, track = max(counts.items(), key=lambda pair: (_rank(pair[1], at_s), model.LOGS.get(pair[0], 0) * pair[1].value))
        found.append(Sign(p, name, track, old=not any(one.rose for one in counts.values())))
    return found


def _nvme(tracks: Mapping[str, Track], at_s: float) -> list[Sign]:
    found = []
    if (media := tracks.get("media_errors_total")) and media.value > 0:
        p = model.JUDGED["media_grew" if _grew([media], at_s) else "media"]
        found.append(Sign(p, "media_errors_total", media, old=not media.rose))
    if warning := tracks.get("critical_warning"):
        found += [Sign(p, name) for bit, (name, p) in model.BITS.items() if int(warning.value) & bit]
    if (spare := tracks.get("spare_margin_ratio")) and spare.value < 0:
        found.append(Sign(model.JUDGED["spare"], "spare"))
    if (wear := tracks.get("wear_ratio")) and wear.value >= 1:
        found.append(Sign(model.JUDGED["worn_out"], "worn_out", old=not wear.rose))
    return found


def _grew(tracks: object, at_s: float) -> bool:
    return any(_rank(track, at_s) == 2 for track in tracks)  # type: ignore[attr-defined]


def _rank(track: Track, at_s: float) -> int:
    """2: grew within the week, 1: is above 0."""
    if track.grew_s is not None and at_s - track.grew_s <= model.GREW_WITHIN_S:
        return 2
    return 1 if track.value > 0 else 0


def _claim(options: RiskOptions, state: RiskState, sign: Sign, p: float, window: Window) -> Claim:
    track = sign.track
    facts: dict[str, Fact] = {
        "p": p,
        "limit": options.above,
        "within_s": options.within_s,
        "normal": model.within(model.NORMAL, options.within_s),
    }
    if track:
        facts |= {"sign": f"metric.{sign.name}", "count": track.value, "rise": track.rose, "since": track.first_s}
        counters = [one for name, one in state.tracks.items() if name in COUNTERS]
        facts |= {"above": sum(one.value > 0 for one in counters), "of": len(counters)}
        key = "why.risk.grew" if track.rose else "why.risk.stands"
    else:
        facts |= {"sign": f"why.risk.sign.{sign.name}"}
        key = "why.risk.says" if sign.name != "none" else "why.risk.none"
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
        forecast=Forecast(earliest=None, likely=None, latest=None, p=round(p, 4), horizon_s=options.within_s),
        confirmed=state.runs >= 2,
        old=state.firing and sign.old,
    )
