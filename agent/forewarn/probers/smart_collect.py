"""Reads the disks' SMART data as root and writes it for the daemon: `python -I -m forewarn.probers.smart_collect FOLDER`.

The only part of Forewarn that runs with rights, so it is small, has no options, reads nothing that users write, and uses
the standard library only. It judges nothing: what smartctl said is passed on as it is, one file a disk, replaced whole.
A sleeping disk is left asleep (`-n standby`) and `--scan` opens no device. Exit 0: done, also where there is no disk;
1: smartctl is missing or something could not be read or written; 2: wrong use.
"""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

SMARTCTL = ("/usr/sbin/smartctl", "/usr/bin/smartctl", "/sbin/smartctl", "/usr/local/sbin/smartctl")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
CAP_BYTES = 1 << 20
DISK_S, ALL_S = 20.0, 100.0  # the unit's TimeoutStartSec is 120
MOST_DISKS = 256


def main(argv: list[str]) -> int:
    """Read every disk into the folder that `argv` names."""
    if len(argv) != 1 or argv[0].startswith("-"):
        _tell("usage: python -I -m forewarn.probers.smart_collect FOLDER")
        return 2
    try:
        folder = _opened(argv[0])
    except OSError as error:
        _tell(f"{argv[0]} can't be used: {error.strerror or error}")
        return 1
    try:
        return _collect(folder, next((one for one in SMARTCTL if os.access(one, os.X_OK)), None))
    except OSError as error:
        _tell(f"{argv[0]} can't be written: {error.strerror or error}")
        return 1
    finally:
        os.close(folder)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")  # the journal


def _opened(path: str) -> int:
    """A real folder of ours that nobody else can write; raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    about = os.fstat(folder)
    if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o022:
        os.close(folder)
        raise PermissionError(1, "it must be owned by the user who runs this, and writable by nobody else")
    return folder


def _collect(folder: int, smartctl: str | None) -> int:
    begun = time.monotonic()
    if smartctl is None:
        _write(folder, "scan.json", {"at": time.time(), "error": "smartctl is missing; install smartmontools"})
        _tell("smartctl is missing; install smartmontools")
        return 1
    code, scan, said = _run([smartctl, "--json", "--scan"], DISK_S)
    devices = devices_of(scan)
    if devices is None:
        _write(folder, "scan.json", {"at": time.time(), "error": f"smartctl --scan ended with {code}: {said}"})
        _tell(f"smartctl --scan ended with {code}: {said}")
        return 1
    late = []
    for device, kind in devices:
        if time.monotonic() - begun > ALL_S - DISK_S:
            late.append(device)
            continue
        _read(folder, smartctl, device, kind)
    _write(folder, "scan.json", {"at": time.time(), "devices": [device for device, _ in devices]})
    _tidy(folder, {file_name(device, kind) for device, kind in devices})
    if late:
        _tell(f"no time was left for {', '.join(late)}")
    return 1 if late else 0


def vendor_here(device: str) -> str:
    """What this machine's kernel says who made a disk; `ATA` for SATA disks. Nothing where it says nothing."""
    try:
        return Path(vendor_file(device)).read_text("ascii", "replace").strip()
    except OSError:
        return ""


def vendor_file(device: str) -> str:
    return f"/sys/block/{Path(device).name}/device/vendor"


def devices_of(scan: Any, vendor: Callable[[str], str] = vendor_here) -> list[tuple[str, str | None]] | None:
    """Devices, each with the kind that smartctl must be told, if any; None where the scan gave no answer."""
    if not isinstance(scan, dict) or "smartctl" not in scan:
        return None
    listed = scan.get("devices")
    found: list[tuple[str, str | None]] = []
    for one in listed if isinstance(listed, list) else ():
        name, kind = (one.get("name"), one.get("type")) if isinstance(one, dict) else (None, None)
        if isinstance(name, str) and name.startswith("/dev/") and len(found) < MOST_DISKS:
            found.append((name, _kind(name, kind if isinstance(kind, str) else "", vendor)))
    return found


def _kind(device: str, listed: str, vendor: Callable[[str], str]) -> str | None:
    """What smartctl must be told: what stands behind a controller, and SATA where the kernel says so, since finding that
    out can wake a sleeping disk."""
    if "," in listed:
        return listed
    return "sat" if listed == "scsi" and vendor(device) == "ATA" else None


def place(device: str, kind: str | None) -> str:
    """How people tell disks behind one device apart."""
    return f"{device} {kind}" if kind and "," in kind else device


def _read(folder: int, smartctl: str, device: str, kind: str | None) -> None:
    code, answer, said = _run(argv_for(smartctl, device, kind), DISK_S)
    name = file_name(device, kind)
    document = {"at": time.time(), "device": place(device, kind), "exit": code, "answer": answer}
    if answer is None:
        document["said"] = said
    if not isinstance(answer, dict) or not answer.get("serial_number"):
        document["before"] = _before(folder, name)  # which disk sleeps here
    _write(folder, name, document)


def argv_for(smartctl: str, device: str, kind: str | None) -> list[str]:
    """All of a disk's health, unless it sleeps: then exit status 3 and nothing is touched."""
    return [smartctl, "--json", "-n", "standby,3", "-a", *(("-d", kind) if kind else ()), device]


def file_name(device: str, kind: str | None) -> str:
    return "disk-" + re.sub(r"[^A-Za-z0-9]+", "-", place(device, kind).removeprefix("/dev/")) + ".json"


def _run(argv: list[str], limit_s: float) -> tuple[int, Any, str]:
    """Exit status, the parsed answer (None where it is no JSON) and the beginning of what was said instead."""
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT, cwd="/"
    )
    timer = threading.Timer(limit_s, process.kill)
    timer.start()
    try:
        assert process.stdout
        out = process.stdout.read(CAP_BYTES + 1)
        if len(out) > CAP_BYTES:
            process.kill()
        process.stdout.close()
        code = process.wait()
    finally:
        timer.cancel()
    text = out.decode("utf-8", "replace")
    try:
        return code, json.loads(text), ""
    except ValueError:
        return code, None, " ".join(text.split())[:200] or ("no end in time" if code == -9 else "nothing")


def _before(folder: int, name: str) -> dict[str, str]:
    """Serial number and model that were read at this place last."""
    try:
        with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb") as file:
            document = json.loads(file.read(CAP_BYTES))
        answer = document.get("answer")
        known = answer if isinstance(answer, dict) and answer.get("serial_number") else document.get("before") or {}
        return {key: str(known[key]) for key in ("serial_number", "model_name") if known.get(key)}
    except (OSError, ValueError, AttributeError):
        return {}


def _write(folder: int, name: str, document: dict[str, Any]) -> None:
    """Replace a file whole; a link that stands there is replaced, never followed."""
    part = f".{name}.part"
    _remove(folder, part)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640, dir_fd=folder), "w") as file:
        json.dump(document, file)
    os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)


def _tidy(folder: int, kept: set[str]) -> None:
    """Disks that are no longer there leave no file."""
    for name in os.listdir(folder):
        if name.startswith("disk-") and name.endswith(".json") and name not in kept:
            _remove(folder, name)


def _remove(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
