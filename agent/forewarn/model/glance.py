"""All probes at one moment: what can be said of thousands of them without looking at each of their series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId

CERTIFICATE = "certificate_s"
"""The metric of how long a certificate still holds, whatever the kind of probe."""
FAR_S = 100 * 365 * 86400.0
"""An end further off than that is none."""


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


def ending(left: Iterable[tuple[float, float]]) -> datetime | None:
    """The soonest end of what has so long left: (epoch seconds of the look, seconds). None where all are over or far off."""
    ends = [at_s + left_s for at_s, left_s in left if 0 < left_s < FAR_S]
    return datetime.fromtimestamp(min(ends), UTC) if ends else None


class Stand(NamedTuple):
    """One probe at a glance: what can be said of thousands without looking at their series."""

    probe: Probe
    targets: tuple[Sight, ...]
    learning: tuple[Learner, ...] = ()
    ends_at: datetime | None = None  # when the first of the certificates that it sees ends


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
