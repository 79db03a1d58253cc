"""Looks at disks for kind smart: runs smartctl here, or reads what forewarn-smart.service wrote as root.

One run looks at every disk. A disk that sleeps, is virtual or may not be read gives no sample and is named in the run's
detail; the run is unknown only when no disk could be seen at all. Series go by serial number, so a disk that comes back
as another device goes on where it stood.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers.reasons import Reason, failed, unknown
from forewarn.probers.smart import SmartOptions
from forewarn.probers.smart_answer import Disk, Unseen, disk_of
from forewarn.probers.smart_collect import CAP_BYTES, argv_for, devices_of, place, vendor_file
from forewarn.reach.local import CannotRun
from forewarn.reach.machine import Machine, Machines, only_here

AT_ONCE = 4
"""Disks that are asked at the same time."""
STALE_INTERVALS = 3.0
ALL = "local"
"""The target that stands for every disk of this machine."""
NO_DISK = "smartctl finds no disk that could tell about itself; the disks of most virtual machines can't"
ENABLE = "systemctl enable --now forewarn-smart.timer"

Found = list[Disk | Unseen]


class SmartProber:
    """Remembers which disk was last seen at which device, so that a sleeping one keeps its name."""

    def __init__(self, machines: Machines = only_here) -> None:
        self._machines = machines
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="smart")
        self._columns: dict[tuple[str, str], tuple[Column, ...]] = {}
        self._serials: dict[tuple[str, str], str] = {}

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        options: SmartOptions = probe.options  # type: ignore[assignment]
        begun_s, begun = time.time(), time.monotonic()
        only = None if target.address == ALL else target.address
        found = None
        if target.where == ALL:
            found = await self._files(options, only, begun_s - STALE_INTERVALS * probe.every_s)
        elif options.source == "file":
            found = [
                Unseen("", Reason.CONFIG, "source: file reads files of this machine; on hosts smartctl is run: take source out")
            ]
        if found is None:
            found = await ask_all(self._machines(target.where), smartctl(options), only, probe.timeout_s)
        kept = [self._named(target.where, one) for one in found if not _left_out(one, options.skip)]
        return self._run(probe, target, kept, begun_s, max(0.0, begun_s - at_s), time.monotonic() - begun)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _files(self, options: SmartOptions, only: str | None, oldest_s: float) -> Found | None:
        """What the files say; None where smartctl is to be run instead."""

        def read() -> Found | None:
            wanted = options.source == "file" or (options.source == "auto" and Path(options.folder).is_dir())
            return read_files(options.folder, only, oldest_s) if wanted else None

        return await asyncio.get_running_loop().run_in_executor(self._pool, read)

    def _named(self, where: str, one: Disk | Unseen) -> Disk | Unseen:
        if isinstance(one, Disk):
            self._serials[where, one.device] = one.serial
            return one
        return one if one.serial else replace(one, serial=self._serials.get((where, one.device)))

    def _run(self, probe: Probe, target: Target, found: Found, at_s: float, late_s: float, took_s: float) -> ProbeRun:
        disks = {one.serial: one for one in reversed(found) if isinstance(one, Disk)}  # two ways to one disk are one disk
        unseen = [one for one in found if isinstance(one, Unseen)]
        if not disks:
            why = unknown(unseen[0].reason, "; ".join(one.detail for one in unseen)) if unseen else unknown(Reason.MISSING, NO_DISK)
            return failed(probe, target, why, at_s, late_s, took_s)
        seen = [disks[serial] for serial in sorted(disks)]
        columns: tuple[Column, ...] = tuple((metric, disk.labels) for disk in seen for metric in disk.values)
        before = self._columns.get((probe.name, target.name))
        columns = self._columns[probe.name, target.name] = before if before == columns else columns
        notes = [one.detail for one in unseen] + [disk.note for disk in seen if disk.note]
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=at_s,
            outcome=Outcome.UP,
            columns=columns,
            values=tuple(value for disk in seen for value in disk.values.values()),
            detail="; ".join(notes) or None,
            lateness_s=late_s,
            took_s=took_s,
            hidden=tuple(("serial", one.serial or "*") for one in unseen if one.serial or one.reason is Reason.ASLEEP),
        )


def _left_out(one: Disk | Unseen, skip: tuple[str, ...]) -> bool:
    names = (one.device, one.serial, one.model) if isinstance(one, Disk) else (one.device, one.serial or "")
    return any(fnmatchcase(name, glob) for name in names for glob in skip)


# --- asking smartctl --------------------------------------------------------------------------------------------------


def smartctl(options: SmartOptions) -> tuple[str, ...]:
    """What runs smartctl: through sudo where it is wanted, which asks nobody for a password."""
    return ("sudo", "-n", options.program) if options.sudo else (options.program,)


async def ask_all(machine: Machine, program: tuple[str, ...], only: str | None, timeout_s: float) -> Found:
    """Every disk of a machine, or `only` that one, within `timeout_s` in all."""
    end = time.monotonic() + timeout_s
    try:
        if only is not None:
            return [await _ask(machine, program, only, None, end)]
        scan = await machine.run([*program, "--json", "--scan"], timeout_s, CAP_BYTES)
        vendors = await machine.read([vendor_file("*")], max(0.1, end - time.monotonic()))
        devices = devices_of(
            _parsed(scan.out), lambda device: vendors.get(vendor_file(device), b"").decode("ascii", "replace").strip()
        )
        if devices is None and scan.err.startswith("sudo:"):
            return [Unseen("", Reason.PERMISSION, f"{' '.join(scan.err.split())[:120]} (docs/ssh.md has the line for sudoers)")]
        if devices is None:
            said = "no end in time" if scan.timed_out else " ".join((scan.out or scan.err).split())[:120] or f"exit {scan.code}"
            reason = Reason.TIMEOUT if scan.timed_out else Reason.UNDECIDED
            return [Unseen("", reason, f"smartctl --scan gave no list of disks: {said}; version 7.0 or newer is needed")]
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(device: str, kind: str | None) -> Disk | Unseen:
            async with gate:
                return await _ask(machine, program, device, kind, end)

        return list(await asyncio.gather(*(one(device, kind) for device, kind in devices)))
    except CannotRun as error:
        return [Unseen("", Reason.NO_TOOL, f"{error} (package smartmontools)")]


async def _ask(machine: Machine, program: tuple[str, ...], device: str, kind: str | None, end: float) -> Disk | Unseen:
    left_s = end - time.monotonic()
    name = place(device, kind)
    if left_s <= 0:
        return Unseen(name, Reason.TIMEOUT, f"{name}: no time was left")
    ran = await machine.run([*program[:-1], *argv_for(program[-1], device, kind)], left_s, CAP_BYTES)
    if ran.timed_out:
        return Unseen(name, Reason.TIMEOUT, f"{name}: smartctl did not end in time")
    return disk_of(name, ran.code, _parsed(ran.out))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


# --- reading what the privileged unit wrote ---------------------------------------------------------------------------


def read_files(folder: str, only: str | None, oldest_s: float) -> Found:
    """Every disk's file; what was written before `oldest_s` (epoch seconds) tells nothing about now."""
    scan = _document(Path(folder, "scan.json"))
    if isinstance(scan, Unseen):
        return [scan]
    if error := scan.get("error"):
        return [Unseen("", Reason.NO_TOOL if "missing" in str(error) else Reason.UNDECIDED, str(error)[:200])]
    if age := _stale(scan, oldest_s):
        return [Unseen("", Reason.STALE, f"the disks were last read {age} min ago; see journalctl -u forewarn-smart")]
    found = [_from_file(path, oldest_s) for path in sorted(Path(folder).glob("disk-*.json"))]
    return [one for one in found if only in (None, one.device)]


def _from_file(path: Path, oldest_s: float) -> Disk | Unseen:
    document = _document(path)
    if isinstance(document, Unseen):
        return document
    device, code = str(document.get("device") or path.stem), document.get("exit")
    if age := _stale(document, oldest_s):
        return Unseen(device, Reason.STALE, f"{device} was last read {age} min ago; see journalctl -u forewarn-smart")
    one = disk_of(device, code if isinstance(code, int) else 0, document.get("answer"))
    before = document.get("before")
    if isinstance(one, Unseen) and not one.serial and isinstance(before, dict) and before.get("serial_number"):
        return replace(one, serial=str(before["serial_number"]))
    return one


def _document(path: Path) -> dict[str, Any] | Unseen:
    """A file's JSON object; a link or a device that stands there is not read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Unseen(path.name, Reason.UNDECIDED, f"{path} is not a plain file")
            document = json.loads(file.read(CAP_BYTES + 1))
    except FileNotFoundError:
        return Unseen("", Reason.MISSING, f"there is no {path}: {ENABLE}")
    except PermissionError:
        return Unseen("", Reason.PERMISSION, f"{path} may not be read; the daemon's user must be in the group forewarn")
    except (OSError, ValueError) as error:
        return Unseen(path.name, Reason.UNDECIDED, f"{path} can't be read: {error}")
    return document if isinstance(document, dict) else Unseen(path.name, Reason.UNDECIDED, f"{path} holds no object")


def _stale(document: dict[str, Any], oldest_s: float) -> int | None:
    """Minutes before now that it was written, where that is too long ago."""
    at = document.get("at")
    at_s = float(at) if isinstance(at, int | float) else 0.0
    return None if at_s >= oldest_s else max(1, round((time.time() - at_s) / 60))
