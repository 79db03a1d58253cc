"""Follows log files for kind log: reads every quarter of a second while lines come, else every second; tells at every interval
and at once when lines match."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from forewarn.model.probe import Probe, Target
from forewarn.model.series import ProbeRun
from forewarn.ports import Deliver
from forewarn.probers.log import LogOptions
from forewarn.probers.log_files import Files
from forewarn.probers.log_lines import EXAMPLES, Counts, Matches, add, compiled, first_counts, match_lines, runs_of
from forewarn.probers.reasons import Reason, failed, unknown

POLL_S = 0.25
REST_S, REST_AFTER_S = 1.0, 10.0
"""Where no line has come for so long, looking four times a second would cost more than all else that an idle daemon does."""
COALESCE_S = 0.1  # runs that matching lines cause are at least this far apart


@dataclass
class Following:
    """One probe under way. `told` are the counters of the last run, `counts` those of now."""

    probe: Probe
    files: Files
    counts: Counts
    told: Counts
    examples: list[str] = field(default_factory=list)
    matched: bool = False

    @staticmethod
    def of(probe: Probe, start: str, cursor: Mapping[str, Any] | None) -> Following:
        options: LogOptions = probe.options  # type: ignore[assignment]
        counts = first_counts(options, (cursor or {}).get("counters"))
        return Following(probe, Files(options.files, start, cursor), counts, counts)

    def step(self) -> bool:
        """Read and count; answers whether there is more at once. Blocks."""
        batch = self.files.step(time.monotonic())
        self.take(match_lines(compiled(self.probe.options), batch.lines))  # type: ignore[arg-type]
        return batch.more

    def take(self, found: Matches) -> None:
        self.counts = add(self.counts, found, self.probe.options.max_labels)  # type: ignore[attr-defined]
        self.examples = [*self.examples, *found.examples][:EXAMPLES]
        self.matched = self.matched or found.matched

    def runs(self, at_s: float, lateness_s: float = 0.0, took_s: float = 0.0) -> tuple[ProbeRun, ...]:
        """What is to be told now; afterwards it is told."""
        cursor = {**self.files.stored(), "counters": self.counts.stored()}
        failure = self.files.failure()
        if failure:
            run = failed(self.probe, self.probe.targets[0], failure, at_s, lateness_s, took_s)
            return (replace(run, cursor=cursor),)
        runs = runs_of(
            self.probe,
            self.told,
            self.counts,
            at_s,
            self.examples,
            lateness_s=lateness_s,
            took_s=took_s,
            detail=self.files.trouble(),
            cursor=cursor,
        )
        self.told, self.examples, self.matched = self.counts, [], False
        return runs


class LogFollower:
    """Follows the files of log probes, each probe in a task of its own, all reading on one small pool of threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="log")

    async def follow(self, probe: Probe, cursor: Mapping[str, object] | None, deliver: Deliver) -> None:
        """Runs until cancelled."""
        following = Following.of(probe, probe.options.start, cursor)  # type: ignore[attr-defined]
        due = last = grew = time.monotonic()
        try:
            while True:
                began, lines = time.monotonic(), following.counts
                more = await self._step(following, deliver)
                now = time.monotonic()
                grew = grew if following.counts is lines else now
                if now >= due or (following.matched and now - last >= COALESCE_S):
                    late = max(0.0, now - due)
                    for run in following.runs(time.time(), late, now - began):
                        deliver(run)
                    last = now
                while due <= now:
                    due += probe.every_s
                if not more:
                    pause_s = POLL_S if now - grew < REST_AFTER_S else REST_S
                    await asyncio.sleep(max(0.0, min(pause_s, due - time.monotonic())))
        finally:
            self._forget(following)

    async def once(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        """One look at the end of every file: what its last lines (RECENT bytes) would have counted."""
        following = Following.of(probe, "recent", None)
        began = time.monotonic()
        while await self._step(following, lambda run: None):
            pass
        run = following.runs(at_s, took_s=time.monotonic() - began)[-1]
        self._forget(following)
        return replace(run, target=target.name, cursor=None)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _forget(self, following: Following) -> None:
        with suppress(RuntimeError):  # the pool is shut: the process ends, and its files with it
            self._pool.submit(following.files.close)

    async def _step(self, following: Following, deliver: Deliver) -> bool:
        """One step on a thread; while it hangs (a network file system), each interval tells that we can't look."""
        probe = following.probe
        step = asyncio.get_running_loop().run_in_executor(self._pool, following.step)
        patience = min(probe.timeout_s, probe.every_s)
        while not (await asyncio.wait({step}, timeout=patience))[0]:
            why = unknown(Reason.TIMEOUT, f"reading the files has taken longer than {patience:g} s")
            deliver(failed(probe, probe.targets[0], why, time.time(), took_s=patience))
            patience = probe.every_s
        return step.result()
