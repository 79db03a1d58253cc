"""Follows log files for kind log: reads when the kernel says that they have changed, looks at all of them at every interval
in case it did not, and tells at every interval and at once when lines match."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from forewarn.model.probe import Probe, Target
from forewarn.model.series import ProbeRun
from forewarn.ports import Deliver
from forewarn.probers.log_following import Following
from forewarn.probers.log_wake import COALESCE_S, OVERFLOWN, Wake
from forewarn.probers.reasons import Reason, failed, unknown

LOOK_S = 10.0  # at most so long between two looks at everything
POLL_S = 1.0  # the same where the kernel does not tell of changes: a network file system, or no watch left
HURRY_S, HURRY_AFTER_S = 0.25, 10.0  # and while lines come there


class LogFollower:
    """Follows the files of log probes, each probe in a task of its own, all reading on one small pool of threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="log")
        self._wake: Wake | None = None
        self._deaf = False

    async def follow(self, probe: Probe, cursor: Mapping[str, object] | None, deliver: Deliver) -> None:
        """Runs until cancelled."""
        following = Following(probe, probe.options.start, cursor, self._awake())  # type: ignore[attr-defined]
        pace = _Pace(probe.every_s)
        changed: set[int] | None = None
        try:
            while True:
                began = time.monotonic()
                again_s = await self._step(following, changed, deliver)
                now = time.monotonic()
                pace.stepped(now, looked=changed is None, following=following)
                if now >= pace.due or (following.news and now - pace.told >= COALESCE_S):
                    for run in following.runs(time.time(), max(0.0, now - pace.due), now - began):
                        deliver(run)
                    pace.told_at(now)
                changed = await self._changed(following, pace, again_s)
        finally:
            self._forget(following)

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
        following = Following(probe, "recent", None, None)
        began = time.monotonic()
        while await self._step(following, None, lambda run: None) == 0.0:
            pass
        await self._step(following, None, lambda run: None, last=True)
        run = following.runs(at_s, took_s=time.monotonic() - began)[-1]
        self._forget(following)
        return replace(run, at_s=at_s, target=target.name, cursor=None)

    def close(self) -> None:
        if self._wake:
            self._wake.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _awake(self) -> Wake | None:
        """The kernel's word for all followers; without it they look for themselves."""
        if self._wake is None and not self._deaf:
            try:
                self._wake = Wake(asyncio.get_running_loop())
            except (OSError, AttributeError):  # none left, or a kernel or library without it
                self._deaf = True
        return self._wake

    def _forget(self, following: Following) -> None:
        with suppress(RuntimeError):  # the pool is shut: the process ends, and its files with it
            self._pool.submit(following.close)

    async def _step(self, following: Following, changed: set[int] | None, deliver: Deliver, last: bool = False) -> float | None:
        """One step on a thread; while it hangs (a network file system), each interval tells that we can't look."""
        probe = following.probe
        step = asyncio.get_running_loop().run_in_executor(self._pool, following.step, changed, last)
        patience = min(probe.timeout_s, probe.every_s)
        while not (await asyncio.wait({step}, timeout=patience))[0]:
            why = unknown(Reason.TIMEOUT, f"reading the files has taken longer than {patience:g} s")
            deliver(failed(probe, probe.targets[0], why, time.time(), took_s=patience))
            patience = probe.every_s
        return step.result()


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
