"""What the texts of one look at a host say, as (metric, labels, value). Pure; what needs two looks is given the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from forewarn.model.series import Labels
from forewarn.probers import kernel
from forewarn.probers.host import HostOptions

Reading = tuple[str, Labels, float]
Texts = Mapping[str, str]

STAT, LOAD, MEMORY, VMSTAT = "/proc/stat", "/proc/loadavg", "/proc/meminfo", "/proc/vmstat"
UPTIME, NET, DISKS, FILES = "/proc/uptime", "/proc/net/dev", "/proc/diskstats", "/proc/sys/fs/file-nr"
CONNECTIONS, CONNECTIONS_MOST = (f"/proc/sys/net/netfilter/nf_conntrack_{name}" for name in ("count", "max"))
PRESSURE = {name: f"/proc/pressure/{name}" for name in ("cpu", "memory", "io")}
MOUNTS = "/proc/self/mountinfo"

PATHS = (
    STAT,
    LOAD,
    MEMORY,
    VMSTAT,
    UPTIME,
    NET,
    DISKS,
    FILES,
    CONNECTIONS,
    CONNECTIONS_MOST,
    *PRESSURE.values(),
    MOUNTS,
)
"""All that is read at every look, in one exchange."""

NO_LIMIT = 2.0**62
"""The kernel's word for: as many as you like."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is kept of a look for the next one. `ooms`: kills since the first look."""

    uptime_s: float
    cpu: Mapping[str, kernel.CpuTimes]
    disks: Mapping[str, kernel.Disk]
    oom_kills: float
    ooms: float = 0.0


@dataclass(slots=True)
class Seen:
    """All readings of a look, the look itself, and what could not be read."""

    readings: list[Reading] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


def look_of(texts: Texts, before: Look | None) -> Look:
    """Raises KeyError or ValueError where a machine does not even show its processors and how long it has been running."""
    stat, uptime = kernel.cpu_times(texts[STAT]), float(texts[UPTIME].split()[0])
    kills = kernel.numbers(texts.get(VMSTAT, ""), "oom_kill").get("oom_kill", 0.0)
    ooms = 0.0
    if before:
        grown = kills - before.oom_kills
        ooms = before.ooms + (grown if grown >= 0 else kills)  # a fall: the machine was started anew
        before = before if uptime >= before.uptime_s else None
    return Look(uptime, stat, kernel.disks(texts.get(DISKS, "")), kills, ooms)


def readings(texts: Texts, now: Look, before: Look | None, options: HostOptions, whole: frozenset[str]) -> Seen:
    """Everything that the texts say. `whole`: names of block devices that are disks and no parts of such."""
    if before and before.uptime_s >= now.uptime_s:
        before = None
    seen = Seen()
    readers: Mapping[str, Callable[[], Iterator[Reading]]] = {
        "processor": lambda: processor(texts, now, before, options.cores),
        "memory": lambda: memory(texts, now),
        "network": lambda: network(texts, options.skip_nics),
        "disks": lambda: disks(now, before, whole),
        "limits of the kernel": lambda: limits(texts),
        "processes": lambda: processes(texts, now),
        "pressure": lambda: pressure(texts),
    }
    for name, reader in readers.items():
        try:
            seen.readings += reader()
        except KeyError as error:
            seen.troubles.append(f"{name} can't be read: {error.args[0]} is missing")
        except (ValueError, IndexError) as error:
            seen.troubles.append(f"{name} can't be read: {error}")
    return seen


def processor(texts: Texts, now: Look, before: Look | None, cores: int) -> Iterator[Reading]:
    shares = {name: kernel.cpu_shares(before.cpu[name], times) for name, times in now.cpu.items() if before and name in before.cpu}
    every = {name: kernel.used_of(share) for name, share in shares.items() if share and name != "cpu"}
    if total := shares.get("cpu"):
        yield "cpu_used_ratio", (), kernel.used_of(total)
        yield "cpu_iowait_ratio", (), total.get("iowait", 0.0)
        yield "cpu_steal_ratio", (), total.get("steal", 0.0)
    if every:
        yield "cpu_busiest_ratio", (), max(every.values())
    if len(now.cpu) - 1 <= cores:
        yield from (("cpu_core_used_ratio", (("cpu", name),), used) for name, used in every.items())
    load = float(texts[LOAD].split()[0])
    yield "load1", (), load
    yield "load1_per_cpu", (), load / max(1, len(now.cpu) - 1)


def pressure(texts: Texts) -> Iterator[Reading]:
    """Kernels before 4.20, and those without PSI, have none."""
    for name, path in PRESSURE.items():
        for (tasks, span), share in kernel.pressure(texts.get(path, "")).items():
            if (name, tasks) != ("cpu", "full"):  # means nothing for a whole machine
                yield f"{name}_pressure_ratio", (("span", span), ("tasks", tasks)), share


def memory(texts: Texts, now: Look) -> Iterator[Reading]:
    found = kernel.numbers(texts[MEMORY], "MemTotal", "MemFree", "MemAvailable", "SwapTotal", "SwapFree")
    total = found["MemTotal"]
    available = found.get("MemAvailable", found["MemFree"])
    yield "memory_used_ratio", (), 1.0 - available / total
    yield "memory_available_bytes", (), available * 1024
    if swap := found.get("SwapTotal"):
        yield "swap_used_ratio", (), 1.0 - found["SwapFree"] / swap
    events = kernel.numbers(texts.get(VMSTAT, ""), "pswpin", "oom_kill")
    if "pswpin" in events and swap:
        yield "memory_swapped_in_total", (), events["pswpin"]
    if "oom_kill" in events:
        yield "oom_kills_total", (), now.ooms


def network(texts: Texts, skip: tuple[str, ...]) -> Iterator[Reading]:
    """Interfaces that have carried anything."""
    for name, nic in sorted(kernel.nics(texts[NET]).items()):
        if any_of(skip, name) or not nic.received_bytes + nic.sent_bytes:
            continue
        labels = (("nic", name),)
        yield "net_received_bytes_total", labels, nic.received_bytes
        yield "net_sent_bytes_total", labels, nic.sent_bytes
        yield "net_errors_total", labels, nic.errors
        yield "net_drops_total", labels, nic.drops


def disks(now: Look, before: Look | None, whole: frozenset[str]) -> Iterator[Reading]:
    """Disks that have done anything: no partitions, no loop devices, no RAM disks."""
    for name, disk in sorted(now.disks.items()):
        if name not in whole or not disk.read_bytes + disk.written_bytes:
            continue
        labels = (("disk", name),)
        yield "disk_read_bytes_total", labels, disk.read_bytes
        yield "disk_written_bytes_total", labels, disk.written_bytes
        earlier = before.disks.get(name) if before else None
        pace = kernel.disk_pace(earlier, disk, now.uptime_s - before.uptime_s) if before and earlier else None
        if pace is None:
            continue
        yield "disk_busy_ratio", labels, pace.busy_ratio
        yield "disk_queue", labels, pace.queue
        yield "disk_read_wait_s", labels, pace.read_wait_s
        yield "disk_write_wait_s", labels, pace.write_wait_s


def limits(texts: Texts) -> Iterator[Reading]:
    """What runs out without a word: file handles, and connections that the firewall tracks."""
    if FILES in texts:
        used, _, most = map(float, texts[FILES].split())
        yield "files_open", (), used
        if 0 < most < NO_LIMIT:
            yield "files_used_ratio", (), used / most
    if CONNECTIONS in texts and (most := float(texts.get(CONNECTIONS_MOST, 0))) > 0:
        yield "conntrack_used_ratio", (), float(texts[CONNECTIONS]) / most


def processes(texts: Texts, now: Look) -> Iterator[Reading]:
    yield "uptime_s", (), now.uptime_s
    blocked = kernel.numbers(texts[STAT], "procs_blocked").get("procs_blocked")
    if blocked is not None:
        yield "processes_blocked", (), blocked


def any_of(globs: tuple[str, ...], text: str) -> bool:
    return any(fnmatchcase(text, glob) for glob in globs)
