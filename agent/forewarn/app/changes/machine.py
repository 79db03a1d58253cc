"""What this machine is, compared with what it was: its boot, kernel, disks and units. Pure but for `read_disks`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from forewarn.app.changes import Seen

STARTED = ("systemctl", "show", "--no-pager", "--property=Id,ActiveState,ActiveEnterTimestamp", "--timestamp=unix", "*.service")
"""When each service began to run."""
QUIET = re.compile(r"^(systemd-|user@|user-runtime-dir@|session-|getty@|apt-|dpkg-|fstrim|logrotate|man-db|phpsessionclean|motd-)")
"""Services that come and go by themselves: timers' work, sessions, systemd's own."""
MOST_UNITS = 20


@dataclass(frozen=True, slots=True)
class Facts:
    """`boot` is the boot's id, `booted_s` its time (epoch seconds), `disks` device -> serial number, `units` service -> when it
    began to run (epoch seconds)."""

    boot: str = ""
    booted_s: float = 0.0
    kernel: str = ""
    disks: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)


def compared(before: Facts | None, now: Facts, at: datetime) -> list[Seen]:
    """What is different. At first sight only the last boot is told: it has a date."""
    found: list[Seen] = []
    booted = datetime.fromtimestamp(now.booted_s, UTC) if now.booted_s else at
    if now.boot and (before is None or before.boot != now.boot):
        kernel = f" (kernel {now.kernel})" if now.kernel else ""
        found.append(Seen("reboot", booted, f"the machine was started{kernel}", f"reboot:{now.boot}"))
    if before is None:
        return found
    if before.kernel and now.kernel and before.kernel != now.kernel:
        found.append(Seen("kernel", booted, f"kernel {before.kernel} → {now.kernel}", f"kernel:{now.boot}"))
    found += _disks(before.disks, now.disks, at)
    if before.boot == now.boot:
        found += _units(before.units, now.units)
    return found


def _disks(before: Mapping[str, str], now: Mapping[str, str], at: datetime) -> list[Seen]:
    if not before:
        return []
    gone, came = set(before.values()) - set(now.values()), set(now.values()) - set(before.values())
    found = []
    for device, serial in sorted(now.items()):
        old = before.get(device)
        if serial in came:
            text = f"disk {serial} in place of {old} ({device})" if old in gone else f"disk {serial} was added ({device})"
            found.append(Seen("disk", at, text, f"disk:{serial}:{at.date()}"))
    replaced = {before[device] for device in now if device in before and now[device] in came}
    found += [Seen("disk", at, f"disk {serial} is gone", f"disk-gone:{serial}:{at.date()}") for serial in sorted(gone - replaced)]
    return found


def _units(before: Mapping[str, float], now: Mapping[str, float]) -> list[Seen]:
    """Services that run since another moment than before."""
    found = []
    for unit, since_s in sorted(now.items()):
        if not since_s or QUIET.match(unit) or before.get(unit) in (None, since_s):
            continue
        at = datetime.fromtimestamp(since_s, UTC)
        found.append(Seen("unit", at, f"{unit} was started", f"unit:{unit}:{since_s:.0f}"))
    return found[:MOST_UNITS]


def units_of(shown: str) -> dict[str, float]:
    """Services that run, of STARTED's output."""
    found = {}
    for block in shown.split("\n\n"):
        lines = dict(line.partition("=")[::2] for line in block.splitlines())
        moment = lines.get("ActiveEnterTimestamp", "").removeprefix("@")
        if lines.get("ActiveState") == "active" and moment.isdigit() and lines.get("Id"):
            found[lines["Id"]] = float(moment)
    return found


def read_disks(sys: Path) -> dict[str, str]:
    """Serial numbers, or world-wide names, of whole disks by device."""
    found = {}
    with suppress(OSError):
        for folder in sorted((sys / "block").iterdir()):
            for name in ("device/serial", "serial", "device/wwid", "wwid"):
                with suppress(OSError):
                    if text := (folder / name).read_text("utf-8", "replace").strip():
                        found[folder.name] = text
                        break
    return found


def read(proc: Path, sys: Path) -> Facts:
    """All but the units. What can't be read is left empty."""
    boot, kernel, stat = (_text(proc / name) for name in ("sys/kernel/random/boot_id", "sys/kernel/osrelease", "stat"))
    booted = re.search(r"^btime (\d+)$", stat, re.MULTILINE)
    return Facts(boot.strip(), float(booted[1]) if booted else 0.0, kernel.strip(), read_disks(sys))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
