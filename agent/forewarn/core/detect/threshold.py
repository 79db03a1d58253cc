"""threshold: a value, or a statistic of a window, stands beyond a limit for long enough; with hysteresis."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdOptions:
    """`op` is one of > >= < <= == !=; `limit` and `clear` in the metric's unit; `clear` None: the limit itself.

    `stat` over the last `window_s` seconds is last, min, max, mean, p50, p90, p95 or p99; `last` needs no window.
    """

    op: str
    limit: float
    clear: float | None = None
    stat: str = "last"
    window_s: float | None = None
    for_s: float = 0.0
