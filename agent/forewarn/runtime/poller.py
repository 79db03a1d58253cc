"""Runs every probe when the timetable says so, watches what comes back, and stores it.

One timer of our own, not a job each. A prober that fails by a bug of ours becomes an UNKNOWN run with the reason `bug`;
one bad probe never stops the others. Samples go to the store once a second, on its thread; only transitions leave for the
owner of open work.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog

from forewarn.core.timetable import Timetable, grid_s
from forewarn.model.errors import StoreError
from forewarn.model.finding import Finding
from forewarn.model.inputs import Moved
from forewarn.model.probe import Probe, Target
from forewarn.model.series import Outcome, ProbeRun
from forewarn.model.settings import Settings
from forewarn.ports import Clock, Kind, ProbeView, Sample, Samples
from forewarn.runtime.watch import Watch

log = structlog.get_logger("forewarn.poller")
FLUSH_S = 1.0
TICK_S = 5.0
LONGEST_SLEEP_S = 2.0  # the wall clock may be set: look at it again after so long at most
PAUSES_S = (1.0, 2.0, 5.0, 15.0, 30.0)
GRACE_S = 1.0
"""A prober keeps its own time-out; this much later it is cut off."""
KEPT_SAMPLES = 200_000
"""Samples that wait while the store fails; beyond it the oldest are lost, and said so."""
Place = tuple[str, str]
"""A probe's and a target's name."""


class Poller:
    """`start`, then it runs by itself until `stop`. All on the loop's thread but the store's work."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        samples: Samples,
        clock: Clock,
        on_moved: Callable[[list[Moved]], None],
        store_thread: Executor,
    ) -> None:
        self._kinds, self._samples, self._clock, self._on_moved, self._thread = kinds, samples, clock, on_moved, store_thread
        self._probers: dict[str, Any] = {}
        self._watches: dict[str, Watch] = {}
        self._table = Timetable()
        self._tasks: dict[str, asyncio.Task[None]] = {}  # followers, by probe
        self._runs: set[asyncio.Task[None]] = set()
        self._late: deque[float] = deque(maxlen=1000)
        self._buffer: list[Sample] = []
        self._cursors: dict[str, Mapping[str, object]] = {}
        self._clockwork: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()

    # --- starting and changing ---

    async def start(self, settings: Settings, findings: Sequence[Finding]) -> None:
        """Warm every watch from history, then begin."""
        await self._add(settings.probes.values(), findings)
        self._clockwork = [
            asyncio.create_task(work(), name=name)
            for name, work in (("timer", self._timer), ("flush", self._flusher), ("tick", self._ticker))
        ]

    async def apply(self, settings: Settings) -> None:
        """Other files: probes that did not change go on untouched."""
        kept = {name for name, probe in settings.probes.items() if name in self._watches and self._watches[name].probe == probe}
        ended: list[Moved] = []
        for name in set(self._watches) - kept:
            watch = self._watches.pop(name)
            ended += _unwatched(watch, settings.probes.get(name), self._clock.now())
            for target in watch.probe.targets:
                self._table.remove((name, target.name))
            if task := self._tasks.pop(name, None):
                task.cancel()
        if ended:
            self._on_moved(ended)
        await self._add([probe for name, probe in settings.probes.items() if name not in kept], ())

    async def _add(self, probes: Iterable[Probe], findings: Sequence[Finding]) -> None:
        probes = list(probes)
        loop = asyncio.get_running_loop()
        now_s = self._clock.now().timestamp()
        rate = sum(len(probe.targets) / probe.every_s for probe in (*probes, *(watch.probe for watch in self._watches.values())))
        for probe in probes:
            watch = Watch(probe)
            cursor = await loop.run_in_executor(self._thread, self._warm, watch, now_s)
            watch.resume(finding for finding in findings if finding.probe == probe.name)
            self._watches[probe.name] = watch
            kind = self._kinds[probe.kind]
            if kind.shape == "follower":
                self._tasks[probe.name] = asyncio.create_task(self._follow(probe, cursor), name=f"follow {probe.name}")
                continue
            for target in probe.targets:
                name = f"{probe.name}|{target.name}"
                self._table.add((probe.name, target.name), name, probe.every_s, grid_s(rate), now_s, soon=True)
        self._wake.set()

    def _warm(self, watch: Watch, now_s: float) -> Mapping[str, object] | None:
        """Replay as much of the past as the rules want; on the store's thread."""
        for series in self._samples.series(watch.probe.name):
            history_s = watch.history_s(series)
            if history_s > 0:
                watch.warm(series, self._samples.read(series, now_s - history_s, now_s + 1))
        return self._samples.cursor(watch.probe.name)

    # --- running ---

    async def _timer(self) -> None:
        before = self._clock.now().timestamp()
        while True:
            now_s = self._clock.now().timestamp()
            if now_s < before - 1:
                log.warning("clock_set_back", seconds=round(before - now_s, 1))
                self._table.set_back(now_s)
            before = now_s
            self._begin(self._table.take(now_s))
            next_s = self._table.next_s()
            delay = LONGEST_SLEEP_S if next_s is None else min(LONGEST_SLEEP_S, max(0.0, next_s - self._clock.now().timestamp()))
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._wake.wait()

    def _begin(self, due: list[tuple[Any, float]]) -> None:
        """Start what is due: engines get it in one batch, others a task each."""
        batches: dict[str, list[tuple[Probe, Target, float]]] = {}
        for (name, target_name), at_s in due:
            probe = self._watches[name].probe
            target = next(target for target in probe.targets if target.name == target_name)
            if self._kinds[probe.kind].shape == "engine":
                batches.setdefault(probe.kind, []).append((probe, target, at_s))
            else:
                self._spawn(self._once(probe, target, at_s, self._deliver), f"probe {name}")
        for kind, jobs in batches.items():
            self._prober(kind).submit(jobs, self._deliver)

    def _spawn(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)

    async def _once(self, probe: Probe, target: Target, at_s: float, deliver: Callable[[ProbeRun], None]) -> None:
        """One run of an async prober, whatever happens."""
        try:
            async with asyncio.timeout(probe.timeout_s + GRACE_S):
                deliver(await self._prober(probe.kind)(probe, target, at_s))
        except TimeoutError:
            deliver(_unknown(probe, target, at_s, "timeout", f"no result within {probe.timeout_s:g} s"))
        except Exception as bug:  # a prober's bug: this probe can't be seen, the others go on
            log.exception("prober_failed", probe=probe.name, target=target.name)
            deliver(_unknown(probe, target, at_s, "bug", f"{type(bug).__name__} in the prober; its trace is in the log"))

    async def _follow(self, probe: Probe, cursor: Mapping[str, object] | None) -> None:
        """A follower runs until it is cancelled; one that crashes begins again where its last run ended."""
        for attempt in range(1_000_000):
            try:
                await self._prober(probe.kind).follow(probe, self._cursors.get(probe.name, cursor), self._deliver)
            except Exception as bug:
                log.exception("prober_failed", probe=probe.name)
                self._deliver(
                    _unknown(
                        probe,
                        probe.targets[0],
                        self._clock.now().timestamp(),
                        "bug",
                        f"{type(bug).__name__} in the prober; its trace is in the log",
                    )
                )
            await asyncio.sleep(PAUSES_S[min(attempt, len(PAUSES_S) - 1)])

    def _prober(self, kind: str) -> Any:
        if kind not in self._probers:
            self._probers[kind] = self._kinds[kind].make()
        return self._probers[kind]

    def _deliver(self, run: ProbeRun) -> None:
        """A run has ended: judge it, keep it, tell what changed."""
        self._table.ended((run.probe, run.target))
        watch = self._watches.get(run.probe)
        if watch is None or all(target.name != run.target for target in watch.probe.targets):
            return  # of a probe that a reload has removed meanwhile
        self._late.append(run.lateness_s)
        moves = watch.take(run, self._clock.now())
        self._buffer += watch.samples(run)
        if run.cursor is not None:
            self._cursors[run.probe] = run.cursor
        if moves:
            self._on_moved(moves)

    async def _ticker(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            moves = [moved for watch in self._watches.values() for moved in watch.tick(self._clock.now())]
            if moves:
                self._on_moved(moves)

    async def run_once(self, name: str) -> list[ProbeRun]:
        """Run a probe now, for a diagnosis; a follower answers what it saw last. Unknown names answer nothing."""
        watch = self._watches.get(name)
        if watch is None:
            return []
        probe, kind = watch.probe, self._kinds[watch.probe.kind]
        if kind.shape not in ("async", "engine"):
            return watch.last()
        found: asyncio.Queue[ProbeRun] = asyncio.Queue()
        at_s = self._clock.now().timestamp()
        if kind.shape == "engine":
            self._prober(probe.kind).submit([(probe, target, at_s) for target in probe.targets], found.put_nowait)
        else:
            for target in probe.targets:
                self._spawn(self._once(probe, target, at_s, found.put_nowait), f"probe {name} once")
        return [await found.get() for _ in probe.targets]

    # --- keeping ---

    async def _flusher(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self._flush()

    async def _flush(self) -> None:
        """Store what has come; a store that fails keeps it waiting, within bounds."""
        samples, self._buffer = self._buffer, []
        cursors = dict(self._cursors)
        if not samples and not cursors:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._samples.append, samples, cursors)
        except StoreError as error:
            log.error("samples_not_stored", error=str(error), waiting=len(samples))
            self._buffer = (samples + self._buffer)[-KEPT_SAMPLES:]

    async def stop(self) -> None:
        """Probe no more; what is under way is given up; the last samples are stored."""
        tasks = [*self._clockwork, *self._tasks.values(), *self._runs]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for prober in self._probers.values():
            if hasattr(prober, "close") and inspect.isawaitable(closing := prober.close()):
                await closing
        await self._flush()

    # --- looking ---

    def views(self) -> list[ProbeView]:
        now = self._clock.now()
        return [ProbeView(probe=watch.probe, targets=watch.view(now)) for watch in self._watches.values()]

    def lateness_ms(self) -> tuple[float, float]:
        """p50 and p99 of the last thousand runs."""
        late = sorted(self._late)
        if not late:
            return 0.0, 0.0
        return round(late[len(late) // 2] * 1000, 3), round(late[min(len(late) - 1, int(len(late) * 0.99))] * 1000, 3)

    def missed(self) -> int:
        return self._table.missed


def _unwatched(watch: Watch, after: Probe | None, now: datetime) -> list[Moved]:
    """Claims that end because their probe, or their rule in it, is gone or another."""
    same = {rule.name for rule in after.rules if watch.probe.rule(rule.name) == rule} if after else set()
    return [moved for moved in watch.unwatch(now) if moved.rule not in same]


def _unknown(probe: Probe, target: Target, at_s: float, reason: str, detail: str) -> ProbeRun:
    return ProbeRun(probe=probe.name, target=target.name, at_s=at_s, outcome=Outcome.UNKNOWN, reason=reason, detail=detail)
