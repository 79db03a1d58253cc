"""Made-up series for the detectors, and the few lines that play them."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt

from forewarn.core.detect import DETECTORS
from forewarn.model.finding import Claim, RuleState
from forewarn.model.series import Window

START = 1_763_800_000.0
HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True)
class Said:
    """What a detector said `at_s` seconds after the start."""

    at_s: float
    value: float
    claim: Claim

    @property
    def firing(self) -> bool:
        return self.claim.state is RuleState.FIRING

    @property
    def crossed(self) -> bool:
        return self.claim.forecast is not None and self.claim.forecast.crossed

    def dates(self) -> tuple[float, float, float]:
        """earliest, likely, latest in seconds after the start."""
        forecast = self.claim.forecast
        assert forecast and forecast.earliest and forecast.likely and forecast.latest
        return tuple(at.timestamp() - START for at in (forecast.earliest, forecast.likely, forecast.latest))  # type: ignore[return-value]


def now(at_s: float) -> datetime:
    return datetime.fromtimestamp(START + at_s, UTC)


def play(kind: str, options: object, samples: Iterator[tuple[float, float]], every: float, state=None) -> Iterator[Said]:
    """One sample at a time, each with the ring of samples that its detector wants to see."""
    detector = DETECTORS[kind]
    keep = detector.keep_s(options)
    times, values = array("d"), array("d")
    for at, value in samples:
        times.append(START + at)
        values.append(value)
        while len(times) > 2 and times[0] < times[-1] - keep - 1:
            times.pop(0)
            values.pop(0)
        state, claim = detector.step(options, state, Window(times, values, 1, every), now(at))
        yield Said(at, value, claim)


def shape(
    of: Callable[[float, random.Random], float], days: float, every: float = 120.0, seed: int = 1
) -> Iterator[tuple[float, float]]:
    """Samples of a function of the seconds since the start."""
    r = random.Random(seed)
    at = 0.0
    while at < days * DAY:
        yield at, of(at, r)
        at += every


def episodes(said: list[Said]) -> list[tuple[float, float | None]]:
    """When it began to fire and when it stopped, in hours."""
    found: list[tuple[float, float | None]] = []
    for before, after in zip([None, *said], said, strict=False):
        if after.firing and not (before and before.firing):
            found.append((after.at_s / HOUR, None))
        elif before and before.firing and not after.firing:
            found[-1] = (found[-1][0], after.at_s / HOUR)
    return found


FAMILIES = ("iid", "ar", "walk", "walk and scatter", "bursts", "stairs", "changing pace", "spikes")


def random_growth(family: str, r: random.Random, every: float) -> Iterator[tuple[float, float]]:
    """Growth from 0.5 towards 0.95 in 8 to 60 hours, of a random pace and with random doubts, for good."""
    window = 6 * HOUR
    pace = 0.45 / (r.uniform(8, 60) * HOUR)
    scatter = r.uniform(0.02, 0.3) * pace * window
    wander = (r.uniform(0.02, 0.4) * pace * window) ** 2 / window
    stair, bursts = window / r.randint(3, 40), r.uniform(10, 60) / window
    next_stair, level, slow, at, rate = r.random() * stair, 0.5, 0.0, 0.0, pace
    while True:
        if family == "bursts":
            level += pace / bursts * r.expovariate(1) if r.random() < bursts * every else 0.0
        elif family == "stairs":
            while at >= next_stair:
                level, next_stair = level + pace * stair, next_stair + stair
        elif family == "changing pace":
            rate *= 1 + r.gauss(0, 0.02) * sqrt(every / 300)
            level += rate * every
        else:
            level += pace * every + (r.gauss(0, sqrt(wander * every)) if family.startswith("walk") else 0.0)
        value = level
        if family in ("iid", "walk and scatter"):
            value += r.gauss(0, scatter)
        if family == "ar":
            slow = 0.9 * slow + r.gauss(0, scatter * sqrt(1 - 0.81))
            value += slow
        if family == "spikes" and r.random() < 0.03:
            value += pace * window * r.uniform(0.1, 1)
        yield at, value
        at += every
