"""Follows clusters for kind elasticsearch: looks at every interval, and at once again while there is more to read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from forewarn.model.probe import Probe, Target
from forewarn.model.series import ProbeRun
from forewarn.ports import Deliver
from forewarn.probers.elastic import ElasticOptions
from forewarn.probers.elastic_count import MATCHES, Place, first_place
from forewarn.probers.reasons import Reason, failed, unknown

if TYPE_CHECKING:
    from forewarn.probers.elastic_ask import Cluster

SMALLEST_PAGE = 50
MOST_AT_ONCE = 50
"""Looks in a row without a pause, while there is more to read."""
SHOWN = 160
"""Characters of an example that a single look shows."""
Sleep = Callable[[float], Coroutine[Any, Any, None]]


@dataclass
class Following:
    """One target under way. `page` shrinks while Elasticsearch says that it is too busy."""

    probe: Probe
    target: Target
    place: Place | None
    page: int
    behind: bool = False
    cluster: Cluster | None = None


class ElasticFollower:
    """`now` is the wall clock in epoch seconds; what is due is kept by `monotonic`."""

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._now, self._monotonic, self._sleep = now, monotonic, sleep

    async def follow(self, probe: Probe, cursor: Mapping[str, object] | None, deliver: Deliver) -> None:
        """Until cancelled. The cursor of each run holds the places of all targets."""
        options: ElasticOptions = probe.options  # type: ignore[assignment]
        stored = dict(cursor or {})
        all = [Following(probe, one, _place(options, stored.get(one.name)), options.page) for one in probe.targets]

        def cursor_now() -> dict[str, object]:
            return {one.target.name: one.place.stored() for one in all if one.place}

        async with asyncio.TaskGroup() as group:
            for one in all:
                group.create_task(self._follow(one, cursor_now, deliver), name=f"elasticsearch {one.target.name}")

    async def once(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        """A look at what has come lately, all of it counted."""
        return (await self.recent(probe, target, at_s))[-1]

    async def recent(self, probe: Probe, target: Target, at_s: float) -> tuple[ProbeRun, ...]:
        """The same, each interval at its own time, as far back as the rules look; the last run says how many."""
        looking = await _module()
        since_s = at_s - looking.recent_s(probe)
        one = Following(probe, target, first_place(probe.options, since_s), probe.options.page)  # type: ignore[arg-type, attr-defined]
        runs: list[ProbeRun] = []
        try:
            for _ in range(MOST_AT_ONCE):
                runs += await self._look(one, at_s)
                if not one.behind or runs[-1].reason is not None:
                    break
        finally:
            await _closed(one)
        last = runs[-1]
        if last.reason is None:
            runs[-1] = replace(last, detail=_summary(runs, at_s - since_s))
        return tuple(runs)

    def close(self) -> None:
        """Nothing is held between runs."""

    async def _follow(self, one: Following, cursor: Callable[[], dict[str, object]], deliver: Deliver) -> None:
        due = self._monotonic()
        try:
            while True:
                late_s = max(0.0, self._monotonic() - due)
                for _ in range(MOST_AT_ONCE):
                    began = self._monotonic()
                    runs = await self._look(one, self._now())
                    took_s = self._monotonic() - began
                    for run in runs[:-1]:
                        deliver(run)
                    held = cursor() if runs[-1].reason is None else None
                    deliver(replace(runs[-1], lateness_s=late_s, took_s=took_s, cursor=held))
                    if not one.behind or runs[-1].reason is not None:
                        break
                while due <= self._monotonic():
                    due += one.probe.every_s
                await self._sleep(max(0.0, due - self._monotonic()))
        finally:
            await _closed(one)

    async def _look(self, one: Following, now_s: float) -> tuple[ProbeRun, ...]:
        """The runs of one look; on a failure a single one that says why, and everything stays where it was."""
        looking = await _module()
        probe, options = one.probe, one.probe.options
        if one.page < options.page:  # type: ignore[attr-defined]
            probe = replace(probe, options=options.model_copy(update={"page": one.page}))  # type: ignore[attr-defined]
        try:
            async with asyncio.timeout(probe.timeout_s):
                cluster = await _cluster(one)
                looked = await looking.look(cluster, probe, one.target, one.place, now_s, self._monotonic, one.behind)
        except TimeoutError:
            await _closed(one)
            return (failed(probe, one.target, unknown(Reason.TIMEOUT, f"no answer within {probe.timeout_s:g} s"), now_s),)
        except looking.CannotAsk as cannot:
            if cannot.failure.reason is Reason.BUSY:
                one.page = max(SMALLEST_PAGE, one.page // 2)
            await _closed(one)
            return (failed(probe, one.target, cannot.failure, now_s),)
        one.place, one.behind, one.page = looked.place, looked.more, min(options.page, one.page * 2)  # type: ignore[attr-defined]
        runs: tuple[ProbeRun, ...] = looked.runs
        return runs


def _summary(runs: list[ProbeRun], span_s: float) -> str:
    """How many documents there were, what else is to be said, and the newest example."""
    pairs = zip(runs[-1].columns, runs[-1].values, strict=True)
    matched = sum(value for (metric, _), value in pairs if metric == MATCHES)
    minutes = round(span_s / 60)
    span = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    lines = [line for run in runs for line in run.lines]
    example = f"the newest: {lines[-1][:SHOWN]}" if lines else None
    return "; ".join(filter(None, (f"{matched:.0f} documents in the last {span}", runs[-1].detail, example)))


def _place(options: ElasticOptions, stored: object) -> Place | None:
    """Where a target goes on; None at first sight."""
    return Place.of(options, stored) if isinstance(stored, Mapping) else None


async def _module() -> Any:
    """The modules that need the client, which takes half a second to import: on a thread, once."""
    return await asyncio.to_thread(import_module, "forewarn.probers.elastic_look")


async def _cluster(one: Following) -> Cluster:
    """The client of a target, made anew when a secret has changed."""
    asking = await asyncio.to_thread(import_module, "forewarn.probers.elastic_ask")
    options: ElasticOptions = one.probe.options  # type: ignore[assignment]
    if one.cluster is not None and one.cluster.secrets != asking.Secrets.of(options):
        await _closed(one)
    if one.cluster is None:
        one.cluster = asking.Cluster(options, one.target.address, one.probe.timeout_s)
    return one.cluster


async def _closed(one: Following) -> None:
    cluster, one.cluster = one.cluster, None
    if cluster is not None:
        await cluster.close()
