"""Runs every probe when the timetable says so, watches what comes back, and has it stored.

One timer of our own, not a job each. A prober's bug stays with its probe (runners.py). Samples go to the store once a
second, on its thread (keeper.py); only transitions leave for the owner of open work.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from forewarn.core.timetable import GROUP, TLS_GROUP, Timetable, first_s, grid_s
from forewarn.model.errors import StoreError
from forewarn.model.finding import Finding, FindingState
from forewarn.model.inputs import Moved
from forewarn.model.probe import Probe, Target
from forewarn.model.series import Outcome, ProbeRun
from forewarn.model.settings import Settings
from forewarn.ports import Clock, Kind, ProbeView, SampleRun, Samples
from forewarn.runtime.board import Board
from forewarn.runtime.checkpoint import Checkpoints, States
from forewarn.runtime.keeper import Keeper
from forewarn.runtime.lines import unwatched
from forewarn.runtime.runners import Runners
from forewarn.runtime.sight import STALL_S, Sight
from forewarn.runtime.warming import Before, warm
from forewarn.runtime.watch import Watch

log = structlog.get_logger("forewarn.poller")
FLUSH_S = 1.0
TICK_S = 5.0
AT_ONCE_S = 0.002
"""So long many watches are worked on at one go; then what is due comes first."""
LONGEST_SLEEP_S = 5.0  # the wall clock may be set: look at it again after so long at most
LOST_S = 60.0
"""So long after its time-out a run that never reported is given up."""
T = TypeVar("T")


class Poller:
    """`start`, then it runs by itself until `stop`. All on the loop's thread but the store's work."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        samples: Samples,
        clock: Clock,
        on_moved: Callable[[list[Moved]], None],
        store_thread: Executor,
        relieve: Callable[[StoreError], bool] = lambda _: False,
        held: Callable[[], bool] = lambda: False,
        sight: Sight | None = None,
        states: States | None = None,
    ) -> None:
        """`relieve` and `held`: see Keeper. `sight`: what a run is worth. `states`: where it is kept what rules have learnt."""
        self._samples, self._clock, self._on_moved, self._thread = samples, clock, on_moved, store_thread
        self._keeper = Keeper(samples, store_thread, relieve, held)
        self._runners = Runners(kinds, clock, self._deliver, self._keeper.cursor)
        self.sight = sight or Sight()
        self.reasons: Counter[str] = Counter()
        """Runs that were not up, by reason."""
        self._watches: dict[str, Watch] = {}
        self.board = Board(self._watches, clock)
        self._checkpoints = Checkpoints(states, store_thread, self._watches, clock, held)
        self._targets: dict[tuple[str, str], Target] = {}
        self._table = Timetable()
        self._late: deque[float] = deque(maxlen=1000)
        self._clockwork: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0  # when it fires, by the loop's clock
        self._turned_s = 0.0
        self._stopped = False

    # --- starting and changing ---

    async def start(self, settings: Settings, findings: Sequence[Finding]) -> None:
        """Warm every watch from history, then begin. The ledger's claims that nothing watches any more end."""
        moves: list[Moved] = []
        now = self._clock.now()
        for probe in settings.probes.values():
            watch = self._watches[probe.name] = await self._warmed(probe)
            watch.resume(finding for finding in findings if finding.probe == probe.name)
            moves += watch.forget_strangers(now)
        moves += [
            unwatched(finding, now)
            for finding in findings
            if finding.state is FindingState.OPEN and finding.probe not in settings.probes
        ]
        self._tell(moves)
        await self._checkpoints.begin()
        await self._run(settings.probes.values(), _load(settings.probes.values()))
        clockwork = (("flush", self._flush), ("tick", self._tick), ("checkpoint", self._checkpoints.round))
        self._clockwork = [asyncio.create_task(self._repeat(work), name=name) for name, work in clockwork]
        self._turn()

    async def apply(self, settings: Settings) -> None:
        """Other files: probes that did not change go on untouched, rules that did not change keep what they know. A probe that
        did change is looked at as before until its successor knows the past: for thousands that takes a while."""
        async with self._checkpoints.turn:
            await self._apply(settings.probes)

    async def _apply(self, wanted: Mapping[str, Probe]) -> None:
        for name in [name for name in self._watches if name not in wanted]:
            watch = await self._taken_out(name)
            self._tell(watch.unwatch(self._clock.now()))
        fresh = [probe for name, probe in wanted.items() if name not in self._watches or self._watches[name].probe != probe]
        await self._keeper.flush()
        load = _load(wanted.values())
        for probe in fresh:
            if self._stopped:
                return
            await self._replace(probe)
            await self._run([probe], load)

    async def _replace(self, probe: Probe) -> None:
        before = self._watches.get(probe.name)
        watch = await self._warmed(probe, Before.of(before) if before else None)
        old = await self._taken_out(probe.name) if probe.name in self._watches else None
        self._watches[probe.name] = watch
        if old:
            self._tell(watch.adopt(old, self._clock.now()))

    async def _taken_out(self, name: str) -> Watch:
        """The watch of a probe that is looked at no more."""
        await self._runners.unfollow(name)
        watch = self._watches.pop(name)
        for target in watch.probe.targets:
            self._table.remove((name, target.name))
            self._targets.pop((name, target.name), None)
        return watch

    async def _warmed(self, probe: Probe, before: Before | None = None) -> Watch:
        """A watch that knows the past; on the store's thread, since it reads much. `before`: the one that it will adopt from."""
        now_s = self._clock.now().timestamp()
        watch, cursor = await asyncio.get_running_loop().run_in_executor(self._thread, self._warm, probe, now_s, before)
        self._keeper.remember(probe.name, cursor)
        return watch

    def _warm(self, probe: Probe, now_s: float, before: Before | None) -> tuple[Watch, Mapping[str, object] | None]:
        watch, known = Watch(probe), self._checkpoints.recollect(probe)
        warm(watch, self._samples, now_s, known, before)
        known.tell()
        return watch, self._samples.cursor(probe.name)

    async def _run(self, probes: Iterable[Probe], load: tuple[float, int]) -> None:
        """Put probes into the timetable, or let them follow; thousands in slices, for others are due meanwhile."""
        began_s = self._clock.monotonic()
        now_s = self._clock.now().timestamp()
        runs_per_s, count = load
        for probe in probes:
            if self._clock.monotonic() - began_s > AT_ONCE_S:
                await asyncio.sleep(0)
                began_s = self._clock.monotonic()
            keys = [(probe.name, target.name) for target in probe.targets]  # held by several tables, and made once
            self._targets.update(zip(keys, probe.targets, strict=True))
            shape = self._runners.shape(probe)
            if shape == "follower":
                self._runners.follow(probe)
            elif shape != "push":
                grid = grid_s(runs_per_s, TLS_GROUP if _shakes_hands(probe) else GROUP)
                most = probe.timeout_s + LOST_S
                for key in keys:
                    name = "|".join(key)
                    first = first_s(name, probe.every_s, count, grid)
                    self._table.add(key, name, probe.every_s, grid, now_s, first_s=first, most_s=most)
        if self._timer:
            self._turn()

    # --- running ---

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        """One part of the clockwork, for good: a bug in one turn must not end it."""
        while True:
            try:
                await work()
            except Exception:
                log.exception("poller_failed", part=work.__name__)
                await asyncio.sleep(FLUSH_S)

    def _turn(self) -> None:
        """Start what is due, then sleep until something is. A plain timer: it fires fifty times a second and more."""
        if self._stopped:
            return
        loop = asyncio.get_running_loop()
        if self._timer:
            self._timer.cancel()
            self.sight.woke(self._due_at, loop.time())
        delay_s = FLUSH_S
        try:
            delay_s = self._begin_due()
        except Exception:  # a bug in one turn must not end it
            log.exception("poller_failed", part="timer")
        self._due_at = loop.time() + delay_s
        self._timer = loop.call_at(self._due_at, self._turn)

    def _begin_due(self) -> float:
        """Start what is due; answers in how many seconds to look again."""
        now_s = self._clock.now().timestamp()
        if now_s < self._turned_s - 1:
            log.warning("clock_set_back", seconds=round(self._turned_s - now_s, 1))
            self._table.set_back(now_s)
        self._turned_s = now_s
        due: list[Any] = self._table.take(now_s)
        if due:
            self._runners.begin([(self._watches[key[0]].probe, self._targets[key], at_s) for key, at_s in due])
            now_s = self._clock.now().timestamp()
        next_s = self._table.next_s()
        return LONGEST_SLEEP_S if next_s is None else min(LONGEST_SLEEP_S, max(0.0, next_s - now_s))

    def _deliver(self, run: ProbeRun) -> None:
        """A run has ended: judge it, keep it, tell what changed."""
        key = (run.probe, run.target)
        self._table.ended(key)
        watch, target = self._watches.get(run.probe), self._targets.get(key)
        if watch is None or target is None:
            return  # of a probe that a reload has removed meanwhile
        self._late.append(run.lateness_s)
        if run.outcome is not Outcome.UP or run.took_s >= STALL_S:
            run = self.sight.worth(run, target, self._due_at, asyncio.get_running_loop().time())
            if run.reason:
                self.reasons[run.reason] += 1
        moves: list[Moved] = []
        row: SampleRun | None = None
        try:
            if not watch.keeps(run):
                moves = watch.take(run, self._clock.now())
            row = watch.row(run)
        except Exception:  # a bug in one probe's judging must not stop the others
            log.exception("judging_failed", probe=run.probe)
        self._keeper.add(run.probe, row, run.cursor)
        self._tell(moves)

    def _safely(self, watch: Watch, work: Callable[[], T], otherwise: T) -> T:
        """A bug in one probe's judging must not stop the others."""
        try:
            return work()
        except Exception:
            log.exception("judging_failed", probe=watch.probe.name)
            return otherwise

    def _tell(self, moves: list[Moved]) -> None:
        if moves:
            self._on_moved(moves)

    async def _tick(self) -> None:
        await asyncio.sleep(TICK_S)
        began_s = self._clock.monotonic()
        for watch in list(self._watches.values()):
            if self._clock.monotonic() - began_s > AT_ONCE_S:
                await asyncio.sleep(0)
                began_s = self._clock.monotonic()
            if self._watches.get(watch.probe.name) is watch:
                self._tell(self._safely(watch, lambda watch=watch: watch.tick(self._clock.now()), []))  # type: ignore[misc]

    async def _flush(self) -> None:
        """Store what has come, a moment after the first of it: nothing wakes while nothing comes."""
        await self._keeper.some.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._keeper.wanted.wait()
        await self._keeper.flush()

    async def run_once(self, name: str) -> list[ProbeRun]:
        """Run a probe now, for a diagnosis; a follower answers what it saw last. Unknown names answer nothing."""
        watch = self._watches.get(name)
        if watch is None:
            return []
        runs = await self._runners.once(watch.probe)
        return watch.last() if runs is None else runs

    def pushed(self, probe: str, target: str, body: bytes) -> bool:
        """What a push probe was told from outside; False where there is no such probe."""
        watch, place = self._watches.get(probe), self._targets.get((probe, target))
        if watch is None or place is None or self._runners.shape(watch.probe) != "push":
            return False
        self._runners.pushed(watch.probe, place, body)
        return True

    async def stop(self) -> None:
        """Probe no more; what is under way is given up; the last samples are stored. A reload that is under way ends early."""
        self._stopped = True
        if self._timer:
            self._timer.cancel()
        for task in self._clockwork:
            task.cancel()
        await asyncio.gather(*self._clockwork, return_exceptions=True)
        await self._runners.stop()
        await self._keeper.flush()
        await self._checkpoints.keep()

    # --- looking ---

    def views(self) -> list[ProbeView]:
        """What is known of every probe."""
        now = self._clock.now()
        return [ProbeView(probe=watch.probe, targets=watch.view(now)) for watch in self._watches.values()]

    def lateness_ms(self) -> tuple[float, float]:
        """p50 and p99 of the last thousand runs."""
        late = sorted(self._late)
        if not late:
            return 0.0, 0.0
        return round(late[len(late) // 2] * 1000, 3), round(late[min(len(late) - 1, int(len(late) * 0.99))] * 1000, 3)

    def missed(self) -> int:
        """Runs that were due and left out."""
        return self._table.missed

    def open(self) -> int:
        """Runs that are under way or wait for room."""
        return self._table.under_way

    def storing(self) -> bool:
        """Whether the store takes samples."""
        return not self._keeper.failing

    def unstored(self) -> tuple[int, int, int]:
        """Samples that wait for the store, those that were lost, and how often it failed."""
        return self._keeper.waiting, self._keeper.lost, self._keeper.errors


def _load(probes: Iterable[Probe]) -> tuple[float, int]:
    """Runs a second and targets of all probes together: what their moments are spread by."""
    loads = [(len(probe.targets) / probe.every_s, len(probe.targets)) for probe in probes]
    return sum(runs for runs, _ in loads), sum(count for _, count in loads)


def _shakes_hands(probe: Probe) -> bool:
    """Whether its runs are TLS handshakes for the most part."""
    return getattr(probe.options, "tls", False) or any(target.address.startswith("https:") for target in probe.targets)
