"""The file system under the state folder: is it of a kind that SQLite can trust, is there room, is the ballast there?"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import psutil

from forewarn.app.doctor.check import FINE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import as_root
from forewarn.model.text import say
from forewarn.runtime.ballast import SIZE as BALLAST

ROOM = 256 * 1024 * 1024
"""Bytes that a few weeks of samples of one host and their journal want."""
INODES = 1000
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs", "afs"})


def look(patient: Patient) -> Iterator[Check]:
    """Room and kind of the file system, then the ballast."""
    above = existing(patient.place.path)
    shown = patient.place.shown
    kind = _kind(above)
    if kind in REMOTE:
        mend = f"FOREWARN_STATE=/var/lib/forewarn forewarn --config {shlex.quote(str(patient.folder))} run"
        yield Check("disk", PROBLEM, say("doctor.disk.remote", folder=shown, kind=kind), mend)
    room = os.statvfs(above)
    free = room.f_bavail * room.f_frsize
    full = free < ROOM
    key = "doctor.disk.full" if full else "doctor.disk.fine"
    yield Check(
        "disk", PROBLEM if full else FINE, say(key, folder=shown, free=free, wanted=ROOM), _largest(above) if full else None
    )
    if room.f_files and room.f_favail < INODES:
        mend = as_root("du", "--inodes", "-xS", _mount(above)) + " | sort -n | tail -20"
        yield Check("disk", PROBLEM, say("doctor.disk.inodes", folder=shown, free=room.f_favail), mend)
    yield from _ballast(patient, full)


def _ballast(patient: Patient, full: bool) -> Iterator[Check]:
    if not patient.place.ledger.exists():
        yield Check("disk", FINE, say("doctor.disk.not_yet", folder=patient.place.shown))
        return
    try:
        size = patient.place.ballast.stat().st_size
    except OSError:
        size = 0
    if size >= BALLAST:
        yield Check("disk", FINE, say("doctor.disk.ballast", size=size))
        return
    mend = _largest(patient.place.path) if full else as_root("systemctl", "restart", "forewarn")
    yield Check("disk", PROBLEM, say("doctor.disk.no_ballast", size=BALLAST), mend)


def _largest(path: Path) -> str:
    return as_root("du", "-xh", "--max-depth=3", _mount(path)) + " | sort -h | tail -20"


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _mount(path: Path) -> str:
    path = path.resolve()
    while not path.is_mount() and path != path.parent:
        path = path.parent
    return str(path)


def _kind(path: Path) -> str:
    mount = _mount(path)
    return next((one.fstype for one in reversed(psutil.disk_partitions(all=True)) if one.mountpoint == mount), "")
