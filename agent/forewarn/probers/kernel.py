"""Reads the texts in which Linux shows itself. Pure: texts in, values out; the same for this machine and one over SSH.

Sources: proc(5) (proc_stat, proc_meminfo, proc_vmstat, proc_pid_stat), kernel docs admin-guide/iostats and accounting/psi.
A line that can't be understood is passed over; a file without any that can raises ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TICKS = 100.0
"""USER_HZ: the same on every machine that Linux runs on today."""
SECTOR_BYTES = 512
CPU_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""What follows, guest and guest_nice, is part of user and nice already."""

CpuTimes = Mapping[str, float]


def cpu_times(stat: str) -> dict[str, CpuTimes]:
    """Ticks that each processor spent, by `cpu` (all) and its number, of /proc/stat."""
    found: dict[str, CpuTimes] = {}
    for line in stat.splitlines():
        if not line.startswith("cpu"):
            break  # these lines come first; one of those behind holds a figure for each interrupt there is
        name, *ticks = line.split()
        found[name[3:] or "cpu"] = dict(zip(CPU_FIELDS, map(float, ticks), strict=False))
    if "cpu" not in found:
        raise ValueError("/proc/stat has no line of all processors")
    return found


def cpu_shares(before: CpuTimes, now: CpuTimes) -> dict[str, float] | None:
    """Share of each kind of time between two readings, 0..1; None when no time has passed.

    Counters that step back (iowait does) count as no change.
    """
    spent = {name: max(0.0, now[name] - before.get(name, 0.0)) for name in now}
    total = sum(spent.values())
    return {name: ticks / total for name, ticks in spent.items()} if total > 0 else None


def used_of(shares: Mapping[str, float]) -> float:
    """What was used: waiting for disks is idle time."""
    return max(0.0, 1.0 - shares.get("idle", 0.0) - shares.get("iowait", 0.0))


def numbers(text: str, *names: str) -> dict[str, float]:
    """Those of `names` that stand at the beginning of a line `name value` or `name: value kB` (vmstat, meminfo, stat)."""
    found: dict[str, float] = {}
    for name in names:
        line = re.search(rf"^{name}:?\s+(\d+)\b", text, re.MULTILINE)
        if line:
            found[name] = float(line[1])
    return found


def pressure(text: str) -> dict[tuple[str, str], float]:
    """(tasks, span) -> share of time, of /proc/pressure/*: tasks `some` or `full`, span 10s or 60s."""
    found: dict[tuple[str, str], float] = {}
    for line in text.splitlines():
        tasks, *pairs = line.split() or [""]
        for pair in pairs:
            name, _, value = pair.partition("=")
            if name in ("avg10", "avg60") and _is_number(value):
                found[tasks, f"{name[3:]}s"] = float(value) / 100
    return found


@dataclass(frozen=True, slots=True)
class Nic:
    """Counters of a network interface since it came up."""

    received_bytes: float
    sent_bytes: float
    errors: float
    drops: float


def nics(net_dev: str) -> dict[str, Nic]:
    """By name, of /proc/net/dev."""
    found: dict[str, Nic] = {}
    for line in net_dev.splitlines()[2:]:
        name, _, rest = line.rpartition(":")
        fields = rest.split()
        if name and len(fields) >= 16 and all(map(_is_number, fields)):
            n = [float(field) for field in fields]
            found[name.strip()] = Nic(n[0], n[8], n[2] + n[10], n[3] + n[11])
    return found


@dataclass(frozen=True, slots=True)
class Disk:
    """Counters of a block device since the start; times in seconds."""

    reads: float
    read_bytes: float
    read_s: float
    writes: float
    written_bytes: float
    write_s: float
    busy_s: float
    weighted_s: float


def disks(diskstats: str) -> dict[str, Disk]:
    """By name, of /proc/diskstats; partitions are among them."""
    found: dict[str, Disk] = {}
    for line in diskstats.splitlines():
        fields = line.split()
        if len(fields) >= 14 and all(map(_is_number, fields[3:14])):
            n = [float(field) for field in fields[3:14]]
            sizes = n[2] * SECTOR_BYTES, n[6] * SECTOR_BYTES
            found[fields[2]] = Disk(n[0], sizes[0], n[3] / 1e3, n[4], sizes[1], n[7] / 1e3, n[9] / 1e3, n[10] / 1e3)
    return found


@dataclass(frozen=True, slots=True)
class DiskPace:
    """How a disk did between two readings; a wait is 0 where nothing of the kind was done."""

    read_wait_s: float
    write_wait_s: float
    busy_ratio: float
    queue: float


def disk_pace(before: Disk, now: Disk, elapsed_s: float) -> DiskPace | None:
    """None when no time has passed or the counters began anew."""
    reads, writes, busy_s = now.reads - before.reads, now.writes - before.writes, now.busy_s - before.busy_s
    if elapsed_s <= 0 or min(reads, writes, busy_s) < 0:
        return None
    return DiskPace(
        max(0.0, now.read_s - before.read_s) / reads if reads else 0.0,
        max(0.0, now.write_s - before.write_s) / writes if writes else 0.0,
        min(1.0, busy_s / elapsed_s),
        max(0.0, now.weighted_s - before.weighted_s) / elapsed_s,
    )


@dataclass(frozen=True, slots=True)
class Process:
    """One process, of /proc/PID/stat. Times in seconds, `started_s` since the start of the machine; arguments are never read here."""

    pid: int
    parent: int
    name: str
    state: str
    cpu_s: float
    started_s: float


def process(stat: str) -> Process | None:
    """None for what is no such text: a process that ended while it was read. A name may hold spaces and brackets."""
    head, _, tail = stat.rpartition(")")
    pid, _, name = head.partition(" (")
    fields = tail.split()
    if not pid.isdigit() or len(fields) < 22:
        return None
    try:
        cpu_s = (int(fields[11]) + int(fields[12])) / TICKS
        return Process(int(pid), int(fields[1]), name, fields[0], cpu_s, int(fields[19]) / TICKS)
    except ValueError:
        return None


def processes(texts: Mapping[str, str]) -> Iterator[Process]:
    """Of the texts of /proc/PID/stat, by path."""
    return (one for text in texts.values() if (one := process(text)))


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
