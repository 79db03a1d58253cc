"""All probes at one moment: what can be said of thousands of them without looking at each of their series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId


class Sight(NamedTuple):
    """One target at a glance; `at` is None before its first run."""

    target: str
    outcome: str  # up | down | unknown
    reason: str | None
    detail: str | None
    at: datetime | None


class Learner(NamedTuple):
    """A series that a rule still learns; `ready_at` is when its first answer is expected, if that is known."""

    series: SeriesId
    ready_at: datetime | None


class Stand(NamedTuple):
    """One probe at a glance: what can be said of thousands without looking at their series."""

    probe: Probe
    targets: tuple[Sight, ...]
    learning: tuple[Learner, ...] = ()


@dataclass(frozen=True)
class Glance:
    """All probes at one moment, by name."""

    stands: tuple[Stand, ...] = ()

    @cached_property
    def outcomes(self) -> Mapping[str, int]:
        """Targets by outcome."""
        found = {"up": 0, "down": 0, "unknown": 0}
        for stand in self.stands:
            for seen in stand.targets:
                found[seen.outcome] += 1
        return found

    @cached_property
    def learning(self) -> tuple[Learner, ...]:
        """All series that are learnt, the soonest ready first."""
        found = [one for stand in self.stands for one in stand.learning]
        return tuple(sorted(found, key=lambda one: (one.ready_at is None, str(one.ready_at), one.series.probe)))

    @cached_property
    def unseen(self) -> tuple[tuple[Stand, Sight], ...]:
        """Targets that could not be looked at."""
        return tuple((stand, seen) for stand in self.stands for seen in stand.targets if seen.outcome == "unknown" and seen.at)
