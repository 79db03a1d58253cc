"""Looks at a machine for kind host: kernel files in one exchange, file systems, and what is asked more seldom.

The same for this machine and one over SSH: everything goes through a Machine and becomes values in pure functions
(kernel.py, host_readings.py). Only file systems differ: statvfs here, df elsewhere.
"""

from __future__ import annotations

import asyncio
import os.path
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers.file_systems import Answer, Df, Statvfs, figures
from forewarn.probers.host import HostOptions
from forewarn.probers.host_readings import MOUNTS, PATHS, Look, Seen, any_of, look_of, readings
from forewarn.probers.host_slow import Slow, SlowFacts
from forewarn.probers.mounts import Mount, real_mounts
from forewarn.probers.reasons import Failure, Reason, failed, unknown
from forewarn.reach.local import CannotRun
from forewarn.reach.machine import HERE, Machines, only_here

CAP_BYTES = 1_048_576
Key = tuple[str, str]
"""Probe and target."""


class HostProber:
    """Keeps of each target the last look and what is asked seldom. `machines` are those it may look at."""

    def __init__(self, machines: Machines = only_here, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._machines = machines
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="host")
        self._slow = SlowFacts(monotonic)
        self._statvfs, self._df = Statvfs(), Df()
        self._looks: dict[Key, Look] = {}
        self._columns: dict[Key, tuple[Column, ...]] = {}

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        begun_s, begun = time.time(), time.monotonic()
        late_s = max(0.0, begun_s - at_s)
        try:
            async with asyncio.timeout(probe.timeout_s):
                found = await self._look(probe, target, begun_s)
        except TimeoutError:
            found = unknown(Reason.TIMEOUT, f"reading this machine took longer than {probe.timeout_s:g} s")
        except CannotRun as error:
            found = unknown(Reason.NO_TOOL, str(error))
        took_s = time.monotonic() - begun
        if isinstance(found, Failure):
            return failed(probe, target, found, begun_s, late_s, took_s)
        return self._run(probe, target, found, begun_s, late_s, took_s)

    def close(self) -> None:
        self._slow.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _look(self, probe: Probe, target: Target, at_s: float) -> Seen | Failure:
        options: HostOptions = probe.options  # type: ignore[assignment]
        key, machine = (probe.name, target.name), self._machines(target.where)
        raw = await machine.read(PATHS, probe.timeout_s, CAP_BYTES)
        slow = await self._slow.of(key, machine, options, at_s)
        understand = partial(self._understood, key, options, raw, slow, machine.name == HERE)
        seen, mounts = await asyncio.get_running_loop().run_in_executor(self._pool, understand)
        if mounts:
            _add(seen, await self._df.ask(machine, mounts, probe.timeout_s / 2))
        if not seen.readings:
            return unknown(Reason.PERMISSION, "; ".join(seen.troubles) or "this machine shows nothing of itself")
        return seen

    def _understood(
        self, key: Key, options: HostOptions, raw: Mapping[str, bytes], slow: Slow, here: bool
    ) -> tuple[Seen, list[Mount]]:
        """What the texts say, on a thread; and the file systems that have to be asked elsewhere."""
        texts = {path: content.decode("utf-8", "surrogateescape") for path, content in raw.items()}
        before = self._looks.get(key)
        try:
            now = self._looks[key] = look_of(texts, before)
            seen = readings(texts, now, before, options, slow.whole)
        except (LookupError, ValueError) as error:
            what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
            seen = Seen(troubles=[f"the kernel's figures can't be read: {what}"])
        seen.readings += slow.readings
        seen.troubles += slow.troubles
        if MOUNTS not in texts:
            seen.troubles.append(f"file systems can't be read: {MOUNTS} is missing")
            return seen, []
        mounts = [
            mount
            for mount in real_mounts(texts[MOUNTS], os.path.isdir if here else _is_folder)
            if any_of(options.mounts, mount.where) and not any_of(options.skip_mounts, mount.where)
        ]
        if here:
            _add(seen, self._statvfs.ask(mounts))
        return seen, [] if here else mounts

    def _run(self, probe: Probe, target: Target, seen: Seen, at_s: float, late_s: float, took_s: float) -> ProbeRun:
        key = probe.name, target.name
        columns: tuple[Column, ...] = tuple((metric, labels) for metric, labels, _ in seen.readings)
        columns = self._columns[key] = _same(self._columns.get(key), columns)
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=at_s,
            outcome=Outcome.UP,
            columns=columns,
            values=tuple(value for _, _, value in seen.readings),
            detail="; ".join(seen.troubles) or None,
            lateness_s=late_s,
            took_s=took_s,
        )


def _add(seen: Seen, answers: Sequence[Answer]) -> None:
    for answer in answers:
        seen.readings += figures(answer)
        if answer.trouble:
            seen.troubles.append(answer.trouble)


def _is_folder(where: str) -> bool:
    """On another machine: containers mount single files there, of which nobody can tell that they are none."""
    return not where.startswith("/etc/")


def _same(before: tuple[Column, ...] | None, now: tuple[Column, ...]) -> tuple[Column, ...]:
    return before if before == now else now
