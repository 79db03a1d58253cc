"""Follows log files for kind log: reads when the kernel says that they have changed, looks at all of them at every interval
in case it did not, and tells at every interval and at once when lines match.

On other machines it looks by SFTP every second, on a connection that is kept (log_far.py). One that is cut is begun anew where
the last cursor says, which holds places and counters together: nothing counts twice, and nothing is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from forewarn.model.probe import Probe, Target
from forewarn.model.series import ProbeRun
from forewarn.ports import Deliver
from forewarn.probers.log_following import Following
from forewarn.probers.log_source import Place
from forewarn.probers.log_wake import COALESCE_S, OVERFLOWN, Wake
from forewarn.probers.reasons import Reason, failed, unknown
from forewarn.reach.machine import HERE, CannotReach, Machines, only_here

LOOK_S = 10.0  # at most so long between two looks at everything
POLL_S = 1.0  # the same where the kernel does not tell of changes: a network file system, or no watch left
HURRY_S, HURRY_AFTER_S = 0.25, 10.0  # and while lines come there


class LogFollower:
    """Follows the files of log probes, each probe in a task of its own, all reading on one small pool of threads. A host that
    is followed has a thread of its own: one that hangs holds up nobody."""

    def __init__(self, machines: Machines = only_here, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._machines, self._sleep = machines, sleep
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="log")
        self._far_pools: set[ThreadPoolExecutor] = set()
        self._wake: Wake | None = None
        self._deaf = False

    async def follow(self, probe: Probe, cursor: Mapping[str, object] | None, deliver: Deliver) -> None:
        """Runs until cancelled."""
        if all(target.where == HERE for target in probe.targets):
            await self._keep(Following(probe, probe.options.start, cursor, self._awake()), self._pool, deliver)  # type: ignore[attr-defined]
            return
        shared = Cursors(cursor)
        async with asyncio.TaskGroup() as group:
            for target in probe.targets:
                one = replace(probe, targets=(target,))
                group.create_task(self._follow_one(one, shared, deliver), name=f"follow {probe.name} on {target.name}")

    async def _follow_one(self, probe: Probe, shared: Cursors, deliver: Deliver) -> None:
        """One of several targets; a host that can't be reached is tried again at each interval."""
        target, told = probe.targets[0], shared.told(probe.targets[0].name, deliver)
        if target.where == HERE:
            start = probe.options.start  # type: ignore[attr-defined]
            await self._keep(Following(probe, start, shared.of(target.name), self._awake()), self._pool, told)
            return
        while True:
            try:
                await self._keep_far(probe, shared.of(target.name), told)
            except CannotReach as away:
                told(failed(probe, target, unknown(Reason(away.reason), str(away)), time.time()))
            await self._sleep(probe.every_s)

    async def _keep_far(self, probe: Probe, cursor: Mapping[str, Any] | None, deliver: Deliver) -> None:
        async with self._far(probe, cursor) as (place, pool):
            await self._keep(Following(probe, probe.options.start, cursor, None, place), pool, deliver)  # type: ignore[attr-defined]

    @asynccontextmanager
    async def _far(self, probe: Probe, cursor: Mapping[str, Any] | None) -> AsyncIterator[tuple[Place, ThreadPoolExecutor]]:
        """Files of the machine of the probe's one target, and a thread for them. Raises CannotReach."""
        from forewarn.probers.log_far import FarPlace

        files = await self._machines(probe.targets[0].where).files(probe.timeout_s)
        assert files, "this machine's files are followed without"
        known = [*(cursor or {}).get("files", ()), *(cursor or {}).get("done", ())]
        pool = ThreadPoolExecutor(1, thread_name_prefix=f"log {probe.targets[0].where}")
        self._far_pools.add(pool)
        try:
            yield FarPlace(files, known), pool
        finally:
            self._far_pools.discard(pool)
            with suppress(RuntimeError):
                pool.submit(files.close)
            pool.shutdown(wait=False)

    async def _keep(self, following: Following, pool: ThreadPoolExecutor, deliver: Deliver) -> None:
        pace = _Pace(following.probe.every_s)
        changed: set[int] | None = None
        try:
            while True:
                began = time.monotonic()
                again_s = await self._step(following, pool, changed, deliver)
                now = time.monotonic()
                pace.stepped(now, looked=changed is None, following=following)
                if now >= pace.due or (following.news and now - pace.told >= COALESCE_S):
                    for run in following.runs(time.time(), max(0.0, now - pace.due), now - began):
                        deliver(run)
                    pace.told_at(now)
                changed = await self._changed(following, pace, again_s)
        finally:
            self._forget(following, pool)

    async def _changed(self, following: Following, pace: _Pace, again_s: float | None) -> set[int] | None:
        """Waits for something to do: the watches that have changed, or None where everything is to be looked at."""
        now = time.monotonic()
        until = min(pace.due, pace.look, now + again_s if again_s is not None else pace.due)
        if following.news:
            until = min(until, pace.told + COALESCE_S)
        if until > now and not following.changed:
            with suppress(TimeoutError):
                async with asyncio.timeout(until - now):
                    await following.event.wait()
        following.event.clear()
        changed, following.changed = following.changed, set()
        if time.monotonic() >= min(pace.look, pace.due) or OVERFLOWN in changed or changed & following.folders:
            return None
        return changed

    async def once(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        """One look at the end of every file: what its last lines (RECENT bytes) would have counted."""
        one = replace(probe, targets=(target,))
        if target.where == HERE:
            return await self._once(one, None, self._pool, at_s)
        async with self._far(one, None) as (place, pool):
            return await self._once(one, place, pool, at_s)

    async def _once(self, probe: Probe, place: Place | None, pool: ThreadPoolExecutor, at_s: float) -> ProbeRun:
        following = Following(probe, "recent", None, None, place)
        began = time.monotonic()
        try:
            while await self._step(following, pool, None, lambda run: None) == 0.0:
                pass
            await self._step(following, pool, None, lambda run: None, last=True)
            run = following.runs(at_s, took_s=time.monotonic() - began)[-1]
        finally:
            self._forget(following, pool)
        return replace(run, at_s=at_s, cursor=None)

    def close(self) -> None:
        if self._wake:
            self._wake.close()
        for pool in (self._pool, *self._far_pools):
            pool.shutdown(wait=False, cancel_futures=True)

    def _awake(self) -> Wake | None:
        """The kernel's word for all followers; without it they look for themselves."""
        if self._wake is None and not self._deaf:
            try:
                self._wake = Wake(asyncio.get_running_loop())
            except (OSError, AttributeError):  # none left, or a kernel or library without it
                self._deaf = True
        return self._wake

    def _forget(self, following: Following, pool: ThreadPoolExecutor) -> None:
        with suppress(RuntimeError):  # the pool is shut: the process ends, and its files with it
            pool.submit(following.close)

    async def _step(
        self, following: Following, pool: ThreadPoolExecutor, changed: set[int] | None, deliver: Deliver, last: bool = False
    ) -> float | None:
        """One step on a thread; while it hangs (a network file system), each interval tells that we can't look."""
        probe = following.probe
        step = asyncio.get_running_loop().run_in_executor(pool, following.step, changed, last)
        patience = min(probe.timeout_s, probe.every_s)
        while not (await asyncio.wait({step}, timeout=patience))[0]:
            why = unknown(Reason.TIMEOUT, f"reading the files has taken longer than {patience:g} s")
            deliver(failed(probe, probe.targets[0], why, time.time(), took_s=patience))
            patience = probe.every_s
        return step.result()


class Cursors:
    """The cursor of a probe with several targets: one of each, by the target's name."""

    def __init__(self, cursor: Mapping[str, Any] | None) -> None:
        self._each: dict[str, Mapping[str, Any]] = dict((cursor or {}).get("targets", {}))

    def of(self, target: str) -> Mapping[str, Any] | None:
        return self._each.get(target)

    def told(self, target: str, deliver: Deliver) -> Deliver:
        """Delivers runs of a target, each cursor together with the newest of the others."""

        def both(run: ProbeRun) -> None:
            if run.cursor is not None:
                self._each[target] = run.cursor
                run = replace(run, cursor={"targets": dict(self._each)})
            deliver(run)

        return both


class _Pace:
    """When one follower tells, and when it looks at everything. Monotonic seconds."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self.due = self.look = self.told = self._grew = time.monotonic()

    def stepped(self, now: float, looked: bool, following: Following) -> None:
        """After a step: when the next look is."""
        if following.grew:
            self._grew = now
        if looked or following.files.silent:
            hurry = HURRY_S if now - self._grew < HURRY_AFTER_S else POLL_S
            self.look = now + (hurry if following.files.silent else min(LOOK_S, max(self._every_s, POLL_S)))

    def told_at(self, now: float) -> None:
        self.told = now
        while self.due <= now:
            self.due += self._every_s
        if self.look > self.due - POLL_S:  # one wake-up for both
            self.look = max(self.look, self.due)
