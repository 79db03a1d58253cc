"""When a limit will be crossed, and what became of saying so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When a limit will be crossed. A risk has null dates and only its horizon and p.

    earliest..latest covers the truth with probability `coverage`; `p` is that of crossing within the horizon.
    """

    earliest: datetime | None
    likely: datetime | None
    latest: datetime | None
    coverage: float = 0.8
    p: float | None = None
    horizon_s: float
    crossed: bool = False  # the value stands at or beyond the limit now


class Verdict(StrEnum):
    """Of a forecast, judged when its incident has ended."""

    CAME_TRUE = "came_true"
    AVERTED = "averted"  # cleared after a recorded action
    WITHDRAWN = "withdrawn"  # cleared alone
    FALSE = "false"  # a person said so, or its horizon passed
    MISSED = "missed"  # the breach came without a forecast
