"""Runs probers of every shape, whatever they do.

A prober's exception is a bug of ours: it becomes an UNKNOWN run with the reason `bug` and a line with its trace in the log,
and the other probes go on. A follower that crashes begins again, after a pause that grows while it keeps crashing.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Outcome, ProbeRun
from forewarn.ports import Clock, Deliver, Kind
from forewarn.reach.machine import CannotReach

log = structlog.get_logger("forewarn.runners")
GRACE_S = 1.0
"""A prober keeps its own time-out; this much later it is cut off."""
PAUSES_S = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
STEADY_S = 60.0
"""A follower that ran for so long begins again with the shortest pause."""
Job = tuple[Probe, Target, float]
Sleep = Callable[[float], Coroutine[Any, Any, None]]


class Runners:
    """One for the process. `deliver` gets each run; `cursor_of` tells where a follower goes on."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        clock: Clock,
        deliver: Deliver,
        cursor_of: Callable[[str], Mapping[str, object] | None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._kinds, self._clock, self._deliver, self._cursor_of, self._sleep = kinds, clock, deliver, cursor_of, sleep
        self._probers: dict[str, Any] = {}
        self._runs: set[asyncio.Task[None]] = set()
        self._followers: dict[str, asyncio.Task[None]] = {}

    def shape(self, probe: Probe) -> str:
        """async, engine, follower or push."""
        return self._kinds[probe.kind].shape

    def begin(self, jobs: Sequence[Job]) -> None:
        """Start what is due: engines get it in one batch, others a task each."""
        self._begin(jobs, self._deliver)

    async def once(self, probe: Probe) -> list[ProbeRun] | None:
        """A run of each target now; None where the shape has no single runs. What does not report is unknown."""
        if self.shape(probe) not in ("async", "engine"):
            return None
        found: dict[str, ProbeRun] = {}
        done = asyncio.Event()

        def deliver(run: ProbeRun) -> None:
            found[run.target] = run
            if len(found) == len(probe.targets):
                done.set()

        at_s = self._clock.now().timestamp()
        self._begin([(probe, target, at_s) for target in probe.targets], deliver)
        try:
            async with asyncio.timeout(probe.timeout_s + 2 * GRACE_S):
                await done.wait()
        except TimeoutError:
            log.warning("run_without_answer", probe=probe.name, missing=len(probe.targets) - len(found))
        return [found.get(target.name) or _timed_out(probe, target, at_s) for target in probe.targets]

    def follow(self, probe: Probe) -> None:
        """Keep a follower running until `unfollow` or `stop`."""
        self._followers[probe.name] = asyncio.create_task(self._follow(probe), name=f"follow {probe.name}")

    async def unfollow(self, name: str) -> None:
        """End a follower; nothing of it is delivered afterwards."""
        if task := self._followers.pop(name, None):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def pushed(self, probe: Probe, target: Target, body: bytes) -> None:
        """What a push probe was told from outside."""
        at_s = self._clock.now().timestamp()
        try:
            run = self._prober(probe.kind).accept(probe, target, body, at_s)
        except Exception as bug:
            run = self._failed(probe, target, at_s, bug)
        self._deliver(run)

    async def stop(self) -> None:
        """What is under way is given up."""
        tasks = [*self._followers.values(), *self._runs]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for prober in self._probers.values():
            if hasattr(prober, "close") and inspect.isawaitable(closing := prober.close()):
                await closing

    # --- inside ---

    def _begin(self, jobs: Sequence[Job], deliver: Deliver) -> None:
        batches: dict[str, list[Job]] = {}
        for probe, target, at_s in jobs:
            if self.shape(probe) == "engine":
                batches.setdefault(probe.kind, []).append((probe, target, at_s))
            else:
                task = asyncio.create_task(self._one(probe, target, at_s, deliver), name=f"probe {probe.name}")
                self._runs.add(task)
                task.add_done_callback(self._runs.discard)
        for kind, batch in batches.items():
            try:
                self._prober(kind).submit(batch, deliver)
            except Exception as bug:
                for probe, target, at_s in batch:
                    deliver(self._failed(probe, target, at_s, bug))

    async def _one(self, probe: Probe, target: Target, at_s: float, deliver: Deliver) -> None:
        """One run of an async prober."""
        try:
            async with asyncio.timeout(probe.timeout_s + GRACE_S):
                run = await self._prober(probe.kind)(probe, target, at_s)
        except TimeoutError:
            run = _timed_out(probe, target, at_s)
        except CannotReach as away:
            run = _unknown(probe, target, at_s, away.reason, str(away))
        except Exception as bug:
            run = self._failed(probe, target, at_s, bug)
        deliver(run)

    async def _follow(self, probe: Probe) -> None:
        crashes = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._prober(probe.kind).follow(probe, self._cursor_of(probe.name), self._deliver)
            except Exception as bug:
                at_s = self._clock.now().timestamp()
                for target in probe.targets:
                    self._deliver(self._failed(probe, target, at_s, bug))
            crashes = 0 if self._clock.monotonic() - began >= STEADY_S else crashes
            await self._sleep(PAUSES_S[min(crashes, len(PAUSES_S) - 1)])
            crashes += 1

    def _prober(self, kind: str) -> Any:
        if kind not in self._probers:
            self._probers[kind] = self._kinds[kind].make()
        return self._probers[kind]

    def _failed(self, probe: Probe, target: Target, at_s: float, bug: Exception) -> ProbeRun:
        log.error("prober_failed", probe=probe.name, target=target.name, exc_info=bug)
        return _unknown(probe, target, at_s, "bug", f"{type(bug).__name__} in the prober; its trace is in the log")


def _timed_out(probe: Probe, target: Target, at_s: float) -> ProbeRun:
    return _unknown(probe, target, at_s, "timeout", f"no result within {probe.timeout_s:g} s")


def _unknown(probe: Probe, target: Target, at_s: float, reason: str, detail: str) -> ProbeRun:
    return ProbeRun(probe=probe.name, target=target.name, at_s=at_s, outcome=Outcome.UNKNOWN, reason=reason, detail=detail)
