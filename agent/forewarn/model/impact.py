"""How badly, how many, and the level that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from forewarn.model.level import Effect, Level, Reach
from forewarn.model.text import Fact, Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One input of the judgement. A value of None is unknown, and `why` says why; `source` says where it came from."""

    name: str
    value: float | str | None
    source: str
    why: Say | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """The judgement on one incident at one moment, with everything that led to it.

    `level` is what holds now (a forecast is capped at P2, as is one whose second run has not agreed);
    `would_be` is what a forecast's breach would be, None for what is happening already.
    """

    effect: Effect
    reach: Reach
    level: Level
    would_be: Level | None
    shifts: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    score: tuple[float, float] = (0.0, 0.0)
    factors: tuple[Factor, ...] = ()
    affected: tuple[str, ...] = ()  # customers, measured
    exposed: tuple[str, ...] = ()  # customers, by map
    security: bool = False  # the security team must be called
    why: Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure about a service that no rule judges, e.g. the drop of its orders (0.38 = 38 % under the usual)."""

    service: str
    what: str  # drop | users_share
    value: float | None
    at: datetime
    why: Say


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRules:
    """`impact:` of ladder.yaml. Shares are 0..1; `drop` maps an effect to the order drop that means it."""

    users_total: int | None = None
    reach_all: float = 0.20
    reach_many: float = 0.05
    many_customers: int = 3
    drop: Mapping[Effect, float] = field(default_factory=lambda: {Effect.STOPPED: 0.30, Effect.FAILS: 0.10, Effect.SLOW: 0.03})
    weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "orders": 0.25,
            "users": 0.20,
            "criticality": 0.20,
            "availability": 0.20,
            "scope": 0.10,
            "customers": 0.05,
        }
    )
    peak_factor: float = 1.2
    campaign_factor: float = 1.4


Facts = Mapping[str, Fact]
