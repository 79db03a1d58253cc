"""How far a service's orders have dropped, against the same hour of the last four weeks.

The usual is the median of the weeks' means of that hour, so that one odd week (a campaign, an outage, a gap) doesn't count.
A drop inside the noise is 0: the noise is twice the error that the mean of so few minutes has anyway, from the scatter
of the samples around their week's mean, together with that of the weeks among themselves. Scatter is the median absolute deviation
times 1.4826, which estimates a standard deviation (Rousseeuw & Croux 1993, JASA 88:1273).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from math import sqrt
from statistics import fmean, median

from forewarn.model.series import Window
from forewarn.model.text import Say, say

WEEKS = 4
HISTORY = timedelta(days=14)
"""With less, what is usual is unknown."""
FEWEST_NOW, FEWEST_THEN, FEWEST_WEEKS = 3, 6, 2
STALE_S = 300.0
NOISE = 2.0
MAD_TO_SIGMA = 1.4826


def same_hour(zone: tzinfo, now: datetime) -> tuple[tuple[float, float], ...]:
    """Epoch seconds (from, until) of the hour around this local time, one to four weeks ago."""
    spans = []
    for week in range(1, WEEKS + 1):
        local = now.astimezone(zone).replace(tzinfo=None) - timedelta(weeks=week)
        middle = local.replace(tzinfo=zone).timestamp()
        spans.append((middle - 1800.0, middle + 1800.0))
    return tuple(spans)


def drop(
    now_values: Window, history: Sequence[Window], first_sample_at: datetime | None, now: datetime
) -> tuple[float | None, Say]:
    """Share of the usual orders that is missing, 0..1, or None with the reason why it is unknown.

    `now_values` are the last minutes; `history` holds the same hour of each of the last four weeks, gaps allowed.
    """
    if first_sample_at is None or now - first_sample_at < HISTORY:
        return None, _learning(first_sample_at, now)
    if len(now_values.values) < FEWEST_NOW or now.timestamp() - now_values.times_s[-1] > STALE_S:
        return None, say("orders.no_now", n=len(now_values.values))
    weeks = [list(week.values) for week in history if len(week.values) >= FEWEST_THEN]
    if len(weeks) < FEWEST_WEEKS:
        return None, say("orders.no_usual", weeks=len(weeks))
    value, usual = fmean(now_values.values), median(map(fmean, weeks))
    if usual <= 0:
        return None, say("orders.none_usual")
    facts = {"value": round(value, 2), "usual": round(usual, 2), "weeks": len(weeks)}
    if usual - value <= NOISE * _error(weeks, len(now_values.values)):
        return 0.0, Say("orders.usual", facts)
    share = min(1.0, 1.0 - value / usual)
    return share, Say("orders.drop", {**facts, "drop": round(share, 4)})


def _learning(first_sample_at: datetime | None, now: datetime) -> Say:
    since = first_sample_at or now
    return say("orders.learning", days=(now - since).days, left_s=(HISTORY - (now - since)).total_seconds())


def _error(weeks: Sequence[Sequence[float]], n: int) -> float:
    """Standard error of a mean of `n` samples about the usual, in the samples' unit."""
    means = [fmean(week) for week in weeks]
    within = _scatter([value - mean for week, mean in zip(weeks, means, strict=True) for value in week])
    return sqrt(within**2 / n + _scatter(means) ** 2)


def _scatter(values: Sequence[float]) -> float:
    middle = median(values)
    return MAD_TO_SIGMA * median(abs(value - middle) for value in values)
