"""Detectors: what a rule says about a series. One module a kind, one line in DETECTORS.

A detector is pure: `step(options, state, window, now) -> (state, claim)`. `state` is None at first and a frozen value
afterwards; it has `firing`. Whoever calls keeps it, and can rebuild it by handing in history as fresh samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forewarn.core.detect import cannot_see, down, forecast, pattern, threshold


@dataclass(frozen=True, slots=True)
class Detector:
    """`history_s(options)`: how many seconds of the past it needs at a start. `keep_s`: of these it looks back so many
    at every step; the rest lives in its state. `ticks`: it also wants to be called when only time has passed. `costly`: a judgement takes
    long enough (about half a millisecond) that many at once would be felt; it may come a few samples late."""

    step: Callable[..., tuple[Any, Any]]
    resume: Callable[..., Any]
    history_s: Callable[[Any], float]
    keep_s: Callable[[Any], float]
    ticks: bool = False
    costly: bool = False


DETECTORS: Mapping[str, Detector] = {
    "threshold": Detector(threshold.step, threshold.resume, threshold.history_s, threshold.history_s),
    "forecast": Detector(forecast.step, forecast.resume, forecast.history_s, lambda options: 0.0, costly=True),
    "pattern": Detector(pattern.step, pattern.resume, pattern.history_s, pattern.history_s, ticks=True),
    "down": Detector(down.step, down.resume, down.history_s, down.history_s),
    "cannot-see": Detector(cannot_see.step, cannot_see.resume, cannot_see.history_s, cannot_see.history_s, ticks=True),
}
