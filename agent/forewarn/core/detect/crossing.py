"""From a line and its doubts to a span of dates.

The value after a time h is taken as normal about `level + slope h` with the variance

    level_sd² + wander h + (slope_sd² + (DRIFT slope)²) h²

where DRIFT stands for what no fit knows: that paces change. The limit is crossed by h with the probability that this
normal lies beyond it, so the quantiles of the crossing time are roots of a quadratic.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from forewarn.core.detect.trend import Line

DRIFT = 0.04
"""Share by which a pace is unsure even when the line is perfect."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Crossing:
    """Seconds from the line's end until the limit is crossed. `p` is the probability of that within the horizon.

    `likely_s` is None when the line does not rise; `latest_s` is None when it may never come to it.
    """

    earliest_s: float | None
    likely_s: float | None
    latest_s: float | None
    p: float


def crossing(line: Line, limit: float, horizon_s: float, coverage: float) -> Crossing:
    room = limit - line.level
    reach = room / line.slope / (line.at_s - line.from_s) if line.slope > 0 else 0.0
    slope_var = line.slope_sd**2 + (DRIFT * line.slope) ** 2 * (1 + max(0.0, reach))
    spread = sqrt(line.level_sd**2 + line.wander * horizon_s + slope_var * horizon_s**2)
    gain = line.slope * horizon_s - room
    p = _NORMAL.cdf(gain / spread) if spread > 0 else float(gain >= 0)
    if room <= 0:
        return Crossing(0.0, 0.0, 0.0, p)
    likely = room / line.slope if line.slope > 0 else None
    z = _NORMAL.inv_cdf(0.5 + coverage / 2)
    earliest, latest = _roots(room, line.slope, z * z, line.level_sd**2, line.wander, slope_var)
    return Crossing(earliest, likely, latest if likely else None, p)


def _roots(
    room: float, slope: float, z2: float, level_var: float, wander: float, slope_var: float
) -> tuple[float | None, float | None]:
    """When the upper and the lower edge of the band meet the limit: (slope h - room)² = z² variance(h)."""
    a = slope * slope - z2 * slope_var
    b = -(2 * slope * room + z2 * wander)
    c = room * room - z2 * level_var
    root = b * b - 4 * a * c
    q = (-b + sqrt(max(0.0, root))) / 2
    earliest = 0.0 if c <= 0 else c / q if q > 0 and root >= 0 else None
    return earliest, q / a if a > 0 else None  # where a <= 0 the lower edge never comes to it
