"""Looks for processes for kind process. Everything goes through a Machine, so it is the same here and over SSH.

Command lines are compared and forgotten: they may hold secrets, and nothing of them gets into a run.
Source: proc_pid_stat(5), proc_pid_status(5), proc_pid_limits(5), systemd.resource-control(5).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers import kernel, units
from forewarn.probers.process import ProcessOptions
from forewarn.probers.reasons import Failure, Reason, down, failed, unknown
from forewarn.reach.local import CannotRun
from forewarn.reach.machine import Machine, Machines, only_here

UPTIME, STATS, COMMANDS, STATUSES = "/proc/uptime", "/proc/[0-9]*/stat", "/proc/[0-9]*/cmdline", "/proc/[0-9]*/status"
USERS = "/etc/passwd"
MOST_DETAILS = 500
"""Of more processes than that only number and processor time are told."""
CAP_BYTES = 65_536
LIST_CAP_BYTES = 4_194_304


@dataclass(frozen=True, slots=True)
class Group:
    """The processes that match, at one moment. `unit_bytes`: what the kernel counts for the whole unit."""

    uptime_s: float
    found: Mapping[int, kernel.Process]
    unit_bytes: float | None = None


@dataclass(slots=True)
class Kept:
    """Of one target, between runs."""

    before: Group | None = None
    restarts: float = 0.0
    columns: tuple[Column, ...] = field(default=())


class ProcessProber:
    """Keeps of each target what was found last. `machines` are those it may look at."""

    def __init__(self, machines: Machines = only_here) -> None:
        self._machines = machines
        self._kept: dict[tuple[str, str], Kept] = {}

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        options: ProcessOptions = probe.options  # type: ignore[assignment]
        begun_s, begun = time.time(), time.monotonic()
        late_s = max(0.0, begun_s - at_s)
        kept = self._kept.setdefault((probe.name, target.name), Kept())
        machine = self._machines(target.where)
        try:
            async with asyncio.timeout(probe.timeout_s):
                group = await _group(machine, options, probe.timeout_s)
                more = await _details(machine, group, probe.timeout_s) if isinstance(group, Group) else {}
        except TimeoutError:
            group = unknown(Reason.TIMEOUT, f"looking for processes took longer than {probe.timeout_s:g} s")
        except CannotRun as error:
            group = unknown(Reason.NO_TOOL, str(error))
        took_s = time.monotonic() - begun
        if isinstance(group, Failure):
            return failed(probe, target, group, begun_s, late_s, took_s)
        values = {**usage(group, kept), **more}
        columns: tuple[Column, ...] = tuple((metric, ()) for metric in values)
        kept.columns = columns if kept.columns != columns else kept.columns
        wrong = judged(len(group.found), options)
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=begun_s,
            outcome=wrong.outcome if wrong else Outcome.UP,
            columns=kept.columns,
            values=tuple(values.values()),
            reason=wrong.reason if wrong else None,
            detail=wrong.detail if wrong else None,
            lateness_s=late_s,
            took_s=took_s,
        )

    def close(self) -> None:
        """Nothing is held."""


def judged(count: int, options: ProcessOptions) -> Failure | None:
    """Whether so many are right."""
    if count < options.least:
        runs = "none runs" if count == 0 else f"only {count} run" if count > 1 else "only 1 runs"
        return down(Reason.PROCESSES, f"processes {options.said()}: {runs}, at least {options.least} should")
    if options.most is not None and count > options.most:
        return down(Reason.PROCESSES, f"processes {options.said()}: {count} run, at most {options.most} should")
    return None


def usage(group: Group, kept: Kept) -> dict[str, float]:
    """Number, processor time, age and restarts; `kept` is brought forward."""
    before, kept.before = kept.before, group
    values = {"processes": float(len(group.found))}
    oldest = min((one.started_s for one in group.found.values()), default=None)
    if before and group.uptime_s > before.uptime_s:
        values["cpu_cores"] = _cpu_s(group, before) / (group.uptime_s - before.uptime_s)
    if began_anew(group, before):
        kept.restarts += 1
    values["restarts_total"] = kept.restarts
    if oldest is not None:
        values["uptime_s"] = max(0.0, group.uptime_s - oldest)
    if group.unit_bytes is not None:
        values["memory_bytes"] = group.unit_bytes
    return values


def began_anew(group: Group, before: Group | None) -> bool:
    """Whether none is left of those that ran before, and there are others: workers that come and go are no restart."""
    if before is None or not before.found or not group.found:
        return False
    same = (pid for pid, one in group.found.items() if pid in before.found and before.found[pid].started_s == one.started_s)
    return next(same, None) is None


def _cpu_s(group: Group, before: Group) -> float:
    """What was used since then: all that a new one used, and what the others did more."""
    total = 0.0
    for pid, one in group.found.items():
        earlier = before.found.get(pid)
        same = earlier is not None and earlier.started_s == one.started_s
        total += max(0.0, one.cpu_s - earlier.cpu_s) if same and earlier else one.cpu_s
    return total


# --- looking ----------------------------------------------------------------------------------------------------------


async def _group(machine: Machine, options: ProcessOptions, timeout_s: float) -> Group | Failure:
    """The processes that match; a Failure where nobody can tell."""
    paths = [UPTIME, STATS, *([COMMANDS] if options.command else []), *([STATUSES, USERS] if options.user else [])]
    unit_pids: set[int] | None = None
    unit_bytes: float | None = None
    if options.unit:
        found = await _unit(machine, options.unit, timeout_s)
        if isinstance(found, Failure):
            return found
        unit_pids, unit_bytes = found
    paths += [options.pidfile] if options.pidfile else []
    raw = await machine.read(paths, timeout_s, CAP_BYTES)
    if UPTIME not in raw or "/proc/1/stat" not in raw:
        return unknown(Reason.PERMISSION, "processes of other users can't be seen: /proc is mounted with hidepid")
    return await asyncio.to_thread(_matching, options, raw, unit_pids, unit_bytes)


def _matching(options: ProcessOptions, raw: Mapping[str, bytes], unit_pids: set[int] | None, unit_bytes: float | None) -> Group:
    texts = {path: content.decode("utf-8", "replace") for path, content in raw.items()}
    wanted = unit_pids
    if options.pidfile:
        number = texts.get(options.pidfile, "").strip().partition("\n")[0]
        listed = {int(number)} if number.isdigit() else set()
        wanted = listed if wanted is None else wanted & listed
    uid = user_id(options.user, texts.get(USERS, "")) if options.user else None
    found = {}
    for path, text in texts.items():
        if not path.endswith("/stat") or (one := kernel.process(text)) is None or one.state in "ZX":
            continue
        if wanted is not None and one.pid not in wanted:
            continue
        if options.name and not _called(options.name, one.name):
            continue
        if options.command and not _commanded(options.command, raw.get(f"/proc/{one.pid}/cmdline", b"")):
            continue
        if options.user and uid_of(texts.get(f"/proc/{one.pid}/status", "")) != uid:
            continue
        found[one.pid] = one
    whole = unit_bytes if not any((options.name, options.command, options.user, options.pidfile)) else None
    return Group(float(texts[UPTIME].split()[0]), found, whole)


def _called(glob: str, name: str) -> bool:
    """The kernel keeps 15 bytes of a name."""
    return fnmatchcase(name, glob) or (len(name) >= 15 and fnmatchcase(name, glob[:15]))


def _commanded(glob: str, cmdline: bytes) -> bool:
    """The arguments with spaces between them."""
    text = cmdline.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")
    return bool(text) and fnmatchcase(text, glob)


def user_id(user: str | None, passwd: str) -> str | None:
    """The number of a user, as text; None where there is no such user."""
    if user is None or user.isdigit():
        return user
    lines = (line.split(":") for line in passwd.splitlines())
    return next((fields[2] for fields in lines if len(fields) > 2 and fields[0] == user), None)


def uid_of(status: str) -> str:
    """The effective user of /proc/PID/status, as text."""
    found = re.search(r"^Uid:\s+\d+\s+(\d+)", status, re.MULTILINE)
    return found[1] if found else ""


async def _unit(machine: Machine, unit: str, timeout_s: float) -> tuple[set[int], float | None] | Failure:
    """Processes and memory of a unit, of its control group."""
    ran = await machine.run(units.show(unit), timeout_s, CAP_BYTES)
    if ran.timed_out:
        return unknown(Reason.TIMEOUT, f"systemctl did not answer within {timeout_s:g} s")
    shown = next(iter(units.blocks(ran.out)), {})
    if ran.code != 0 or "ActiveState" not in shown:
        said = (ran.err or ran.out).strip().partition("\n")[0]
        return unknown(Reason.UNDECIDED, f"systemctl can't tell about {unit}: {said or f'exit {ran.code}'}")
    group = shown.get("ControlGroup", "")
    if not group:
        return set(), None
    places = [f"/sys/fs/cgroup{group}", f"/sys/fs/cgroup/systemd{group}"]
    wanted = [f"{place}{part}/cgroup.procs" for place in places for part in ("", "/*", "/*/*")]
    files = await machine.read([*wanted, f"{places[0]}/memory.current"], timeout_s, CAP_BYTES)
    pids = {int(line) for path, raw in files.items() if path.endswith("procs") for line in raw.split() if line.isdigit()}
    used = files.get(f"{places[0]}/memory.current", b"").strip()
    return pids or {int(shown.get("MainPID", "0"))} - {0}, float(used) if used.isdigit() else None


async def _details(machine: Machine, group: Group, timeout_s: float) -> dict[str, float]:
    """Memory, threads and open files of those that were found."""
    pids = sorted(group.found)
    if not pids or len(pids) > MOST_DETAILS:
        return {}
    paths = [f"/proc/{pid}/{name}" for pid in pids for name in ("status", "limits")]
    raw, handles = await asyncio.gather(machine.read(paths, timeout_s, CAP_BYTES), _handles(machine, pids, timeout_s))
    texts = {path: content.decode("utf-8", "replace") for path, content in raw.items()}
    counted = [kernel.numbers(texts.get(f"/proc/{pid}/status", ""), "VmRSS", "Threads") for pid in pids]
    values = {"threads": sum(one.get("Threads", 0.0) for one in counted)}
    if group.unit_bytes is None:
        values["memory_bytes"] = sum(one.get("VmRSS", 0.0) for one in counted) * 1024
    if len(handles) == len(pids):
        values["open_files"] = float(sum(handles.values()))
        limits = {pid: open_limit(texts.get(f"/proc/{pid}/limits", "")) for pid in pids}
        shares = [handles[pid] / limit for pid, limit in limits.items() if limit]
        if shares:
            values["open_files_used_ratio"] = max(shares)
    return values


def open_limit(limits: str) -> float | None:
    """How many files a process may hold open (the soft limit); None: no limit."""
    found = re.search(r"^Max open files\s+(\d+)", limits, re.MULTILINE)
    return float(found[1]) if found and int(found[1]) else None


async def _handles(machine: Machine, pids: Sequence[int], timeout_s: float) -> dict[int, int]:
    """How many files each holds open; those that we may not look into are left out."""
    places = [f"/proc/{pid}/fd" for pid in pids]
    try:
        ran = await machine.run(["find", *places, "-mindepth", "1", "-maxdepth", "1"], timeout_s, LIST_CAP_BYTES)
    except CannotRun:
        return {}
    if ran.timed_out or ran.cut:
        return {}
    refused = {int(pid) for pid in re.findall(r"/proc/(\d+)/fd", ran.err)}
    counted = {pid: 0 for pid in pids if pid not in refused}
    for line in ran.out.splitlines():
        pid = line.split("/")[2]
        if pid.isdigit() and int(pid) in counted:
            counted[int(pid)] += 1
    return counted
