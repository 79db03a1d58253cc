"""A disk's counters over time: where each was first seen, how it stands, and how it grew in the last 30 days.

`features` makes of them the numbers that the trees of risk_trees.py look at; scripts/fit_smart_risk.py fits the trees to
numbers made by this very function, so that what was learned and what is asked can't differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log1p

from forewarn.model.series import Window

DAY_S = 86400.0
SPANS_S = (26 * 3600.0, 7 * DAY_S, 30 * DAY_S)
"""Growth is looked at over a day (and a little, since a day's reading may come late), a week and 30 days."""
SINCE_MOST_H = 4320.0
USUAL_AGE_H = 17532.0
"""Two years: of a disk that does not tell its age."""
MOST = 1e6

COUNTS = (
    "reallocated_total",
    "reported_uncorrectable_total",
    "command_timeouts_total",
    "pending_sectors",
    "uncorrectable_sectors",
)
"""The five that Backblaze found to matter: 5, 187, 188, 197, 198."""
MORE = ("spin_retries_total", "high_fly_writes_total", "reallocation_events_total")
"""Weaker ones: 10, 189, 196."""
CYCLES, AGE = "power_cycles_total", "power_on_s"
PEAKS = ("pending_sectors", "uncorrectable_sectors")
"""Those that may fall again, so that the most they ever were is a fact of its own."""

NAMES = (
    *(f"{what}.{name}" for name in COUNTS for what in ("level", "day", "week", "month", "since_h", "days")),
    *(f"{what}.{name}" for name in MORE for what in ("level", "month")),
    *(f"{what}.{CYCLES}" for what in ("level", "week")),
    *(f"peak.{name}" for name in PEAKS),
    "above",
    "growing",
    "days",
    "age_h",
    "model",
)
"""What each of the features is."""


@dataclass(frozen=True, slots=True)
class Track:
    """One counter: as it was first seen, as it is, and when it last grew (epoch seconds; None: never while we looked).

    `rose` is all of its growth; `steps` that of the last 30 days, a day each: when it last grew on it, and by how much.
    """

    first: float
    first_s: float
    value: float
    last_s: float
    grew_s: float | None = None
    rose: float = 0.0
    peak: float = 0.0
    steps: tuple[tuple[float, float], ...] = ()


def followed(track: Track | None, window: Window) -> Track:
    """The counter after the window's samples that are newer than what was seen."""
    times, values = window.times_s, window.values
    if track is None:
        track = Track(values[0], times[0], values[0], times[0], peak=values[0])
    value, last_s, grew_s, rose, peak, steps = track.value, track.last_s, track.grew_s, track.rose, track.peak, track.steps
    fresh = next((back for back in range(len(times)) if times[-1 - back] <= last_s), len(times))
    if not fresh:
        return track
    for at_s, now in zip(times[-fresh:], values[-fresh:], strict=True):
        if now > value:
            steps = _stepped(steps, at_s, now - value)
            grew_s, rose, peak = at_s, rose + now - value, max(peak, now)
        value, last_s = now, at_s
    return Track(track.first, track.first_s, value, last_s, grew_s, rose, peak, steps)


def _stepped(steps: tuple[tuple[float, float], ...], at_s: float, by: float) -> tuple[tuple[float, float], ...]:
    """`steps` with another one; those of one day are one, and what is older than any span goes."""
    if steps and at_s // DAY_S == steps[-1][0] // DAY_S:
        return (*steps[:-1], (at_s, steps[-1][1] + by))
    kept = steps if not steps or steps[0][0] >= at_s - SPANS_S[-1] else tuple(one for one in steps if one[0] >= at_s - SPANS_S[-1])
    return (*kept, (at_s, by))


def features(tracks: Mapping[str, Track], at_s: float, model: float) -> list[float]:
    """The numbers of NAMES. Counts and growth are logarithms; a counter that the disk does not have is -1.

    `at_s`: now, in epoch seconds (any origin does). `model`: log of how often this model fails, risk_model.prior().
    """
    found: list[float] = []
    growing, days = 0, 0
    for name in COUNTS:
        track = tracks.get(name)
        day, week, month, on = _growth(track, at_s)
        since = SINCE_MOST_H if track is None or track.grew_s is None else min((at_s - track.grew_s) / 3600, SINCE_MOST_H)
        found += (_level(track), _log(day), _log(week), _log(month), since, on)
        growing += week > 0
        days += on
    for name in MORE:
        found += (_level(tracks.get(name)), _log(_growth(tracks.get(name), at_s)[2]))
    found += (_level(tracks.get(CYCLES)), _log(_growth(tracks.get(CYCLES), at_s)[1]))
    found += (_log(tracks[name].peak) if name in tracks else 0.0 for name in PEAKS)
    age = tracks[AGE].value / 3600 if AGE in tracks else USUAL_AGE_H
    found += (sum(name in tracks and tracks[name].value > 0 for name in COUNTS), growing, days, age, model)
    return found


def _growth(track: Track | None, at_s: float) -> tuple[float, float, float, int]:
    """Growth within each of SPANS_S, and on how many days of the longest."""
    if track is None or not track.steps:
        return 0.0, 0.0, 0.0, 0
    day_s, week_s, month_s = (at_s - span for span in SPANS_S)
    day = week = month = 0.0
    on = 0
    for when, by in track.steps:
        if when >= month_s:
            month += by
            on += 1
            week += by if when >= week_s else 0.0
            day += by if when >= day_s else 0.0
    return day, week, month, on


def _level(track: Track | None) -> float:
    return -1.0 if track is None else _log(track.value)


def _log(value: float) -> float:
    return log1p(min(max(value, 0.0), MOST))
