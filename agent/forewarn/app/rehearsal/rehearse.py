"""A rehearsal from end to end: history in, what would have been and what would be different out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from forewarn.app.rehearsal.comparing import Difference, Thing, differences, things
from forewarn.app.rehearsal.deciding import Told, decided, in_order
from forewarn.app.rehearsal.watching import Watched, watched
from forewarn.model.errors import ForewarnError
from forewarn.model.incident import Incident
from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.ports import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What came of it. `before` is None where the configuration was compared with nothing; `strangers` are series of the history
    that no probe and target has, `unfed` probes without a sample."""

    since: datetime
    until: datetime
    after: Told
    before: Told | None
    things: tuple[Thing, ...]
    differences: tuple[Difference, ...]
    series: int
    samples: int
    strangers: tuple[SeriesId, ...]
    unfed: tuple[str, ...]
    slower: dict[str, float] = field(default_factory=dict)  # probe -> interval of its samples, where it looks more often

    def forewarned(self) -> list[Incident]:
        """Incidents that began with a forecast and came true, with the breach's moment."""
        return [one for one in self.after.incidents.values() if one.thing is not None and one.breached_at]


def span(samples: Samples) -> tuple[float, float]:
    """First and just after the last sample, in epoch seconds. Raises ForewarnError where there is none."""
    last = [at for at, _ in samples.last().values()]
    first = [at for series in samples.series() if (at := samples.first(series)) is not None]
    if not last or not first:
        raise ForewarnError("there are no samples in this history")
    return min(first), max(last) + 1.0


def rehearsed(
    settings: Settings,
    against: Settings | None,
    samples: Samples,
    since_s: float,
    until_s: float,
    progress: Callable[[str, float, float], None] = lambda what, done, total: None,
) -> Rehearsal:
    """The chain on since_s <= time < until_s. `progress(probe, done, total)` in series."""
    both = [settings, *([against] if against else [])]
    probes: list[Probe] = []
    for one in both:
        probes += [probe for probe in one.probes.values() if probe not in probes]
    seen = _Seen(probes, samples, since_s, until_s, progress)
    since, until = datetime.fromtimestamp(since_s, UTC), datetime.fromtimestamp(until_s, UTC)
    told = [decided(one, in_order([seen.of(probe).moves for probe in one.probes.values()]), samples, since, until) for one in both]
    mine = {probe.name: seen.of(probe) for probe in settings.probes.values()}
    known = {(probe.name, target.name) for probe in probes for target in probe.targets}
    after = things(told[0])
    return Rehearsal(
        since=since,
        until=until,
        after=told[0],
        before=told[1] if against else None,
        things=tuple(after),
        differences=tuple(differences(things(told[1]), after)) if against else (),
        series=sum(one.series for one in mine.values()),
        samples=sum(one.samples for one in mine.values()),
        strangers=tuple(series for series in samples.series() if (series.probe, series.target) not in known),
        unfed=tuple(name for name, one in mine.items() if not one.samples),
        slower={name: one.every_s for name, one in mine.items() if one.every_s > 1.5 * settings.probes[name].every_s},
    )


class _Seen:
    """What came of each probe; one that both configurations hold is watched once."""

    def __init__(
        self, probes: list[Probe], samples: Samples, since_s: float, until_s: float, progress: Callable[[str, float, float], None]
    ) -> None:
        self._found: list[tuple[Probe, Watched]] = []
        shares = [len(samples.series(probe.name)) for probe in probes]
        for at, probe in enumerate(probes):
            share = partial(_share, progress, probe.name, sum(shares[:at]), shares[at], sum(shares) or 1)
            self._found.append((probe, watched(probe, samples, since_s, until_s, share)))

    def of(self, probe: Probe) -> Watched:
        return next(came for known, came in self._found if known == probe)


def _share(progress: Callable[[str, float, float], None], name: str, before: int, own: int, total: int, part: float) -> None:
    """A probe's part is the whole's."""
    progress(name, before + own * part, total)
