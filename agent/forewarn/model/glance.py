"""All probes at one moment: what can be said of thousands of them without looking at each of their series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from math import inf
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
    """The soonest end of what has so long left: (epoch seconds of the look, seconds), to the nearest minute, since looks differ by
    how long they took. None where all are over or far off."""
    ends = [at_s + left_s for at_s, left_s in left if 0 < left_s < FAR_S]
    return datetime.fromtimestamp(round(min(ends) / 60) * 60, UTC) if ends else None


def _ready_s(one: Learner) -> float:
    return one.ready_at.timestamp() if one.ready_at else inf


class Stand(NamedTuple):
    """One probe at a glance: what can be said of thousands without looking at their series."""

    probe: Probe
    targets: tuple[Sight, ...]
    learning: tuple[Learner, ...] = ()
    ends_at: datetime | None = None  # when the first of the certificates that it sees ends


def _text(probe: Probe) -> str:
    targets = (target.name for target in probe.targets)
    return " ".join((probe.name, probe.service or "", probe.kind, *probe.tags, *targets)).lower()


def _outcomes(stand: Stand) -> list[str]:
    return [seen.outcome for seen in stand.targets]


@dataclass(frozen=True)
class Glance:
    """All probes at one moment, by name. What is said of thousands is summed up once, when somebody first asks for it."""

    stands: tuple[Stand, ...] = ()

    def then(self, stands: tuple[Stand, ...], changed: Sequence[tuple[Stand, Stand]]) -> Glance:
        """The glance after this one, at the same probes; `changed` are those of them that stand otherwise, before and now. What
        has been summed up and still holds is not summed up again."""
        found = Glance(stands)
        same = all(old.probe is new.probe for old, new in changed)
        holds = {
            "names": same,
            "texts": same,
            "learning": all(old.learning == new.learning for old, new in changed),
            "outcomes": all(_outcomes(old) == _outcomes(new) for old, new in changed),
            "unseen": all(old.targets == new.targets for old, new in changed),
        }
        found.__dict__.update({name: known for name, known in self.__dict__.items() if holds.get(name)})
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the probes."""
        return tuple(stand.probe.name for stand in self.stands)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """What each probe is found by, in small letters: its name, service, kind, tags and targets."""
        return tuple(_text(stand.probe) for stand in self.stands)

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
        """All series that are learnt, the soonest ready first, those of one moment by their probe."""
        return tuple(sorted((one for stand in self.stands for one in stand.learning), key=_ready_s))

    @cached_property
    def unseen(self) -> tuple[tuple[Stand, Sight], ...]:
        """Targets that could not be looked at."""
        return tuple((stand, seen) for stand in self.stands for seen in stand.targets if seen.outcome == "unknown" and seen.at)
