"""What of a host changes seldom or costs a process to ask: units, clock, reboot, zombies, the distribution's end.

Asked every few minutes beside the runs, never in their way: a run takes what was found last. Only a probe's first run
waits for it, for a moment. What a machine lacks (systemd, chrony) is left out; it is no trouble.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from forewarn.probers import clock, kernel, reboot, releases, units
from forewarn.probers.host import HostOptions
from forewarn.probers.host_readings import Reading, any_of
from forewarn.reach import kernel_clock
from forewarn.reach.local import CannotRun
from forewarn.reach.machine import HERE, CannotReach, Machine

EVERY_S = 300.0
SOONER_S = 60.0
"""While a unit has failed or nothing was found: people mend it and want to see that."""
FIRST_S = 2.0
ASK_S = 4.0
CAP_BYTES = 262_144
MOST_UNITS = 50
RELEASES = ("/etc/os-release", "/usr/lib/os-release")
FILES = (*RELEASES, *reboot.REQUIRED, reboot.RUNNING)
DISKS = "/sys/block/*/device/uevent"
"""One for each device that is a whole disk."""


@dataclass(frozen=True, slots=True)
class Slow:
    """What was found. `whole`: names of whole disks."""

    readings: tuple[Reading, ...] = ()
    troubles: tuple[str, ...] = ()
    whole: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Kept:
    """Of one target: the last findings, when they were asked for (monotonic), and who is asking now."""

    slow: Slow = field(default_factory=Slow)
    asked_s: float | None = None
    task: asyncio.Task[Slow] | None = None
    restarts: units.Restarts = field(default_factory=units.Restarts)
    failed: set[str] = field(default_factory=set)


class SlowFacts:
    """Of all targets of one prober."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._monotonic = monotonic

    async def of(self, key: tuple[str, str], machine: Machine, options: HostOptions, at_s: float) -> Slow:
        """The newest there is for the target with this key; `at_s` is epoch seconds."""
        kept = self._kept.setdefault(key, _Kept())
        first = kept.asked_s is None
        if kept.task is None and (first or self._monotonic() - (kept.asked_s or 0.0) >= self._pause(kept)):
            kept.asked_s = self._monotonic()
            kept.task = asyncio.create_task(_ask(machine, options, kept, at_s), name=f"slow facts of {key[1]}")
        if kept.task and first:
            await asyncio.wait({kept.task}, timeout=FIRST_S)
        if kept.task and kept.task.done():
            task, kept.task = kept.task, None
            kept.slow = _result(task, kept.slow)
        return kept.slow

    def close(self) -> None:
        for kept in self._kept.values():
            if kept.task:
                kept.task.cancel()

    def _pause(self, kept: _Kept) -> float:
        return SOONER_S if kept.failed or not kept.slow.whole else EVERY_S


def _result(task: asyncio.Task[Slow], before: Slow) -> Slow:
    """What was found; where the machine could not be asked, nothing is known any more but which its disks are."""
    if task.cancelled():
        return before
    if error := task.exception():
        if not isinstance(error, OSError | TimeoutError | CannotRun | CannotReach):
            raise error
        return Slow(whole=before.whole, troubles=(f"units, clock and kernels can't be read: {error or 'no answer in time'}",))
    return task.result()


async def _ask(machine: Machine, options: HostOptions, kept: _Kept, at_s: float) -> Slow:
    """Everything once. Texts are taken apart on a thread: a machine may have thousands of processes."""
    files, marks, stats, failed, restarted, found_clock = await asyncio.gather(
        machine.read(FILES, ASK_S, 65_536),
        machine.read((DISKS, reboot.KERNELS), ASK_S, 1),
        machine.read(("/proc/[0-9]*/stat",), ASK_S, 512),
        _said(machine, units.FAILED),
        _said(machine, units.RESTARTED),
        _clock(machine),
    )
    texts = {path: raw.decode("utf-8", "replace") for path, raw in files.items()}
    readings: list[Reading] = []
    if failed is not None:
        readings += _units(units.failed(failed), options, kept)
    if restarted:
        counted = kept.restarts.take(units.restarts(restarted))
        readings += _restarts(counted, options)
    readings += _reboot(texts, marks)
    readings += _support(texts, at_s)
    if found_clock:
        readings.append(("clock_synced", (), float(found_clock.synced)))
        if found_clock.offset_s is not None:
            readings.append(("clock_offset_s", (), found_clock.offset_s))
    readings += await asyncio.to_thread(lambda: list(_processes(stats)))
    whole = frozenset(path.split("/")[3] for path in marks if path.startswith("/sys/block/"))
    return Slow(tuple(readings), (), whole)


async def _said(machine: Machine, argv: tuple[str, ...]) -> str | None:
    """What a program wrote; None where it is missing, failed or did not end."""
    try:
        ran = await machine.run(argv, ASK_S, CAP_BYTES)
    except CannotRun:
        return None
    return None if ran.timed_out or ran.code != 0 else ran.out


async def _clock(machine: Machine) -> clock.Clock | None:
    """By chrony, else systemd-timesyncd, else (here) what the kernel itself says."""
    for argv, parse in ((clock.CHRONY, clock.chrony), (clock.TIMESYNC, clock.timesync)):
        said = await _said(machine, argv)
        if said and (found := parse(said)):
            return found
    if machine.name == HERE and (known := kernel_clock.read()):
        return clock.Clock(known[0])
    return None


def _units(failed: list[str], options: HostOptions, kept: _Kept) -> Iterator[Reading]:
    """Those that have failed, and once more those that run again."""
    named = [unit for unit in failed if not any_of(options.skip_units, unit)]
    yield "units_failed", (), float(len(named))
    healed = sorted(kept.failed - set(named))
    yield from (("unit_failed", (("unit", unit),), 1.0) for unit in named[:MOST_UNITS])
    yield from (("unit_failed", (("unit", unit),), 0.0) for unit in healed)
    kept.failed = set(named[:MOST_UNITS])


def _restarts(counted: Mapping[str, float], options: HostOptions) -> Iterator[Reading]:
    for unit, count in sorted(counted.items())[:MOST_UNITS]:
        if not any_of(options.skip_units, unit):
            yield "unit_restarts_total", (("unit", unit),), count


def _reboot(texts: Mapping[str, str], marks: Mapping[str, bytes]) -> Iterator[Reading]:
    kernels, running = reboot.installed(marks), texts.get(reboot.RUNNING, "").strip()
    asked = any(path in texts for path in reboot.REQUIRED)
    if running:
        yield "reboot_pending", (), float(asked or reboot.newer_kernel(running, kernels) is not None)


def _support(texts: Mapping[str, str], at_s: float) -> Iterator[Reading]:
    text = next((texts[path] for path in RELEASES if path in texts), "")
    if end := releases.support_end(text):
        yield "os_support_s", (), end.timestamp() - at_s


def _processes(stats: Mapping[str, bytes]) -> Iterator[Reading]:
    found = list(kernel.processes({path: raw.decode("utf-8", "replace") for path, raw in stats.items()}))
    if found:
        yield "processes", (), float(len(found))
        yield "zombies", (), float(sum(one.state == "Z" for one in found))
