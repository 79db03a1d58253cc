"""The small ordered words: level, effect, reach, colour, mode. Compare with worse_than(), never with <."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import TypeVar


@cache
def _ranks(kind: type[Ranked]) -> dict[Ranked, int]:
    return {member: at for at, member in enumerate(kind)}


class Ranked(StrEnum):
    """An enum whose members are declared from worst to mildest."""

    def __str__(self) -> str:
        return str(self.value)

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _ranks(type(self))[self]

    def worse_than(self, other: Ranked) -> bool:
        return self.rank < other.rank

    def __lt__(self, other: object) -> bool:
        raise TypeError("compare with worse_than()")

    __le__ = __gt__ = __ge__ = __lt__


R = TypeVar("R", bound=Ranked)


class Level(Ranked):
    """P0 is the worst."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"

    def capped(self, worst: Level) -> Level:
        """This level, but never worse than `worst`."""
        return worst if self.worse_than(worst) else self

    def raised(self, by: int = 1) -> Level:
        return list(Level)[max(0, self.rank - by)]

    def lowered(self, by: int = 1) -> Level:
        return list(Level)[min(4, self.rank + by)]


class Effect(Ranked):
    """How badly the service is touched."""

    STOPPED = "stopped"
    FAILS = "fails"
    SLOW = "slow"
    AT_RISK = "at_risk"
    QUESTION = "question"


class Reach(Ranked):
    """How many are touched."""

    ALL = "all"
    MANY = "many"
    FEW = "few"
    NONE = "none"


class Colour(Ranked):
    """How near a limit or a due time is. Never a level."""

    RED = "red"
    YELLOW = "yellow"
    BLUE = "blue"


class Mode(StrEnum):
    """What may happen by itself: shadow is recorded, suggest asks a person, live acts."""

    SHADOW = "shadow"
    SUGGEST = "suggest"
    LIVE = "live"

    def __str__(self) -> str:
        return str(self.value)


def worst(items: Iterable[R], default: R) -> R:
    """The worst of `items`; `default` when there is none."""
    return min(items, key=lambda item: item.rank, default=default)
