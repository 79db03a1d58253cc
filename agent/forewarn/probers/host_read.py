"""Reads this machine for kind host. Each reader yields (metric, labels, value); one that fails leaves the others alone."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import psutil

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Labels, Outcome, ProbeRun
from forewarn.probers.host import HostOptions
from forewarn.probers.mounts import Mount, read_mounts
from forewarn.probers.reasons import Reason, failed, unknown

Reading = tuple[str, Labels, float]

MOUNT_S = 1.0  # how long the network file systems may take to answer, all together


class HostProber:
    """Reads on a small pool of threads. Keeps only the processor times of each probe's last run.

    `proc` and `sys` are where the kernel shows itself; tests hand in their own.
    """

    def __init__(self, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> None:
        self._proc, self._sys = proc, sys
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="host")
        self._cpu: dict[str, Mapping[str, float]] = {}
        self._hung: dict[str, threading.Thread] = {}
        self._columns: dict[str, tuple[Column, ...]] = {}

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(probe.timeout_s):
                return await loop.run_in_executor(self._pool, self.look, probe, target, at_s)
        except TimeoutError:
            why = unknown(Reason.TIMEOUT, f"reading this machine took longer than {probe.timeout_s:g} s")
            return failed(probe, target, why, time.time(), took_s=probe.timeout_s)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def look(self, probe: Probe, target: Target, due_s: float) -> ProbeRun:
        """One run, on this thread."""
        at_s, begun = time.time(), time.monotonic()
        readings, troubles = self._read(probe)
        took_s, lateness_s = time.monotonic() - begun, max(0.0, at_s - due_s)
        if not readings:
            return failed(probe, target, unknown(Reason.PERMISSION, "; ".join(troubles)), at_s, lateness_s, took_s)
        columns = tuple((metric, labels) for metric, labels, _ in readings)
        columns = self._columns[probe.name] = _same(self._columns.get(probe.name), columns)
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=at_s,
            outcome=Outcome.UP,
            columns=columns,
            values=tuple(value for _, _, value in readings),
            detail="; ".join(troubles) or None,
            lateness_s=lateness_s,
            took_s=took_s,
        )

    def _read(self, probe: Probe) -> tuple[list[Reading], list[str]]:
        options: HostOptions = probe.options  # type: ignore[assignment]
        readings: list[Reading] = []
        troubles: list[str] = []
        readers = {
            "processor": lambda: self._processor(probe.name),
            "memory": memory,
            "file systems": lambda: self._file_systems(options, troubles),
            "network": lambda: network(options.skip_nics),
            "disks": lambda: disks(self._sys),
            "uptime": lambda: uptime(self._proc),
        }
        for name, reader in readers.items():
            try:
                readings += reader()  # type: ignore[no-untyped-call]
            except (OSError, ValueError, RuntimeError, psutil.Error) as error:
                troubles.append(f"{name} can't be read: {error}")
        return readings, troubles

    def _processor(self, probe: str) -> Iterator[Reading]:
        found = psutil.cpu_times()
        times = dict(zip(found._fields, found, strict=True))
        before, self._cpu[probe] = self._cpu.get(probe), times
        used = used_ratio(before, times) if before else None
        if used is not None:
            yield "cpu_used_ratio", (), used
        load = os.getloadavg()[0]
        yield "load1", (), load
        yield "load1_per_cpu", (), load / (os.cpu_count() or 1)

    def _file_systems(self, options: HostOptions, troubles: list[str]) -> Iterator[Reading]:
        until = time.monotonic() + MOUNT_S
        for mount in read_mounts(self._proc):
            where = mount.where
            if not _any(options.mounts, where) or _any(options.skip_mounts, where):
                continue
            try:
                found = self._ask(mount, until)
            except OSError as error:
                troubles.append(f"{where} can't be read: {error.strerror}")
                continue
            if found is None:
                troubles.append(f"{where} ({mount.kind}) does not answer")
            if mount.remote:
                yield "fs_hung", (("mount", where),), float(found is None)
            if found is not None:
                yield from file_system(where, found)

    def _ask(self, mount: Mount, until: float) -> os.statvfs_result | None:
        """What the file system says; None when it hangs. A network one is asked on a thread of its own, which may hang for
        days: it is asked again only when that thread has come back."""
        if not mount.remote:
            return os.statvfs(mount.where)
        if (stuck := self._hung.get(mount.where)) and stuck.is_alive():
            return None
        answers: list[os.statvfs_result | OSError] = []
        asking = threading.Thread(target=_statvfs, args=(mount.where, answers), name=f"statvfs {mount.where}", daemon=True)
        self._hung[mount.where] = asking
        asking.start()
        asking.join(max(0.02, until - time.monotonic()))
        if answers and isinstance(answers[0], OSError):
            raise answers[0]
        return answers[0] if answers else None  # type: ignore[return-value]


def _statvfs(where: str, answers: list[os.statvfs_result | OSError]) -> None:
    try:
        answers.append(os.statvfs(where))
    except OSError as error:
        answers.append(error)


def used_ratio(before: Mapping[str, float], now: Mapping[str, float]) -> float | None:
    """Share of processor time used between two readings, 0..1; None when no time has passed.

    Guest time is part of user time already; waiting for disks is idle time. Counters that step back count as no change.
    Source: proc_stat(5).
    """
    spent = {name: max(0.0, now[name] - before.get(name, 0.0)) for name in now if name not in ("guest", "guest_nice")}
    total = sum(spent.values())
    if total <= 0:
        return None
    return 1.0 - (spent.get("idle", 0.0) + spent.get("iowait", 0.0)) / total


def memory() -> Iterator[Reading]:
    found = psutil.virtual_memory()
    yield "memory_used_ratio", (), 1.0 - found.available / found.total
    yield "memory_available_bytes", (), float(found.available)
    swap = psutil.swap_memory()
    if swap.total:
        yield "swap_used_ratio", (), swap.used / swap.total


def file_system(where: str, found: os.statvfs_result) -> Iterator[Reading]:
    """Use as df shows it: of the room that ordinary users have, so that 1 is where their writes fail."""
    labels = (("mount", where),)
    used = found.f_blocks - found.f_bfree
    if used + found.f_bavail > 0:
        yield "fs_used_ratio", labels, used / (used + found.f_bavail)
        yield "fs_free_bytes", labels, float(found.f_bavail * found.f_frsize)
    if found.f_files > 0:
        yield "fs_inodes_used_ratio", labels, (found.f_files - found.f_ffree) / found.f_files


def network(skip: tuple[str, ...]) -> Iterator[Reading]:
    """Interfaces that have carried anything."""
    for nic, found in sorted(psutil.net_io_counters(pernic=True).items()):
        if not _any(skip, nic) and found.bytes_recv + found.bytes_sent:
            labels = (("nic", nic),)
            yield "net_received_bytes_total", labels, float(found.bytes_recv)
            yield "net_sent_bytes_total", labels, float(found.bytes_sent)
            yield "net_errors_total", labels, float(found.errin + found.errout)


def disks(sys: Path) -> Iterator[Reading]:
    """Whole disks that hold something: no partitions, no loop devices, no RAM disks."""
    for disk, found in sorted((psutil.disk_io_counters(perdisk=True) or {}).items()):
        if (sys / "block" / disk / "device").exists() and found.read_bytes + found.write_bytes:
            labels = (("disk", disk),)
            yield "disk_read_bytes_total", labels, float(found.read_bytes)
            yield "disk_written_bytes_total", labels, float(found.write_bytes)


def uptime(proc: Path) -> Iterator[Reading]:
    yield "uptime_s", (), float((proc / "uptime").read_text().split()[0])
    yield "processes", (), float(sum(entry.name.isdigit() for entry in proc.iterdir()))


def _any(globs: tuple[str, ...], text: str) -> bool:
    return any(fnmatchcase(text, glob) for glob in globs)


def _same(before: tuple[Column, ...] | None, now: tuple[Column, ...]) -> tuple[Column, ...]:
    return before if before == now else now
