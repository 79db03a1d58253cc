"""Looks through file systems for kind growth: sizes and times of files, nothing of their contents.

On one thread of its own that yields to everything else: half of the time it rests, it has a low priority, it ends at the
probe's time-out, and links and other file systems are not followed.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers.growth import GrowthOptions
from forewarn.probers.growth_pace import SEEN, Ages, Fill, fill, pace
from forewarn.probers.host_readings import any_of
from forewarn.probers.mounts import Mount, real_mounts
from forewarn.probers.reasons import Reason, failed, unknown

BATCH = 256
NICE = 15
IN_TIME = 0.9
"""The share of the time-out that walks may take."""
BLOCK_BYTES = 512
PACKAGED = frozenset({"usr", "bin", "sbin", "lib", "lib32", "lib64", "boot", "snap"})
CACHES = "var/cache"
"""Below the root: what packages brought has the times of their building, and caches those of a server. They are looked at, so
that it is known how much was seen, and say nothing about growth."""


class GrowthProber:
    """`mountinfo` tells what is mounted; `clock` is epoch seconds."""

    def __init__(self, mountinfo: Path = Path("/proc/self/mountinfo"), clock: Callable[[], float] = time.time) -> None:
        self._mountinfo, self._clock = mountinfo, clock
        self._pool = ThreadPoolExecutor(1, "growth", initializer=_yielding)
        self._stop = threading.Event()
        self._columns: dict[str, tuple[Column, ...]] = {}

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        options: GrowthOptions = probe.options  # type: ignore[assignment]
        begun_s, begun = self._clock(), time.monotonic()
        stop = threading.Event()
        until = begun + IN_TIME * probe.timeout_s
        try:
            look = asyncio.get_running_loop().run_in_executor(self._pool, self._all, options, begun_s, until, stop)
            found, troubles = await look
        except OSError as error:
            why = unknown(Reason.PERMISSION, f"file systems can't be read: {error.strerror}")
            return failed(probe, target, why, begun_s, max(0.0, begun_s - at_s), time.monotonic() - begun)
        finally:
            stop.set()
        columns, values = [], []
        for mount, (dates, seen) in found.items():
            for metric, value in _figures(dates, seen):
                columns.append((metric, (("mount", mount),)))
                values.append(value)
        made: tuple[Column, ...] = tuple(columns)
        self._columns[probe.name] = made if self._columns.get(probe.name) != made else self._columns[probe.name]
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=begun_s,
            outcome=Outcome.UP,
            columns=self._columns[probe.name],
            values=tuple(values),
            detail="; ".join(troubles.values()) or None,
            lateness_s=max(0.0, begun_s - at_s),
            took_s=time.monotonic() - begun,
            hidden=tuple(("mount", mount) for mount in troubles),
        )

    def close(self) -> None:
        self._stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _all(
        self, options: GrowthOptions, now_s: float, until: float, stop: threading.Event
    ) -> tuple[dict[str, tuple[Fill, float]], dict[str, str]]:
        """Of each file system its dates and the share that was seen, or why nothing is said."""
        found: dict[str, tuple[Fill, float]] = {}
        troubles: dict[str, str] = {}
        for mount in self._mounts(options):
            room = os.statvfs(mount.where)
            used, free = (room.f_blocks - room.f_bfree) * room.f_frsize, room.f_bavail * room.f_frsize
            ages = walk(
                mount.where, now_s, options.most_files, lambda: self._stop.is_set() or stop.is_set() or time.monotonic() > until
            )
            seen = min(1.0, ages.seen / used) if used else 1.0
            if ages.cut:
                troubles[mount.where] = f"{mount.where} has too many files to look through: {ages.files} were looked at"
            elif seen < SEEN:
                troubles[mount.where] = (
                    f"of what is used on {mount.where} only {seen:.0%} can be seen, too little to tell its growth"
                )
            else:
                found[mount.where] = fill(pace(ages, now_s), free, seen), seen
        return found, troubles

    def _mounts(self, options: GrowthOptions) -> list[Mount]:
        mounts = real_mounts(self._mountinfo.read_text("utf-8", "surrogateescape"), os.path.isdir)
        return [
            mount
            for mount in mounts
            if not (mount.remote or mount.readonly)
            and any_of(options.mounts, mount.where)
            and not any_of(options.skip_mounts, mount.where)
        ]


def _figures(dates: Fill, seen: float) -> tuple[tuple[str, float], ...]:
    """What is likely comes after its bounds: a rule that looks at it has them already."""
    return (
        ("fs_full_earliest_s", dates.earliest_s),
        ("fs_full_latest_s", dates.latest_s),
        ("fs_full_s", dates.likely_s),
        ("fs_growth_bytes", dates.a_day),
        ("fs_seen_ratio", seen),
    )


def walk(root: str, now_s: float, most: int, over: Callable[[], bool], sleep: Callable[[float], None] = time.sleep) -> Ages:
    """All files below `root` on its own file system, at most `most`; ends early when it is `over`."""
    ages, linked = Ages(), set[int]()
    folders, device = [(root, False)], Path(root).stat().st_dev
    begun, left = time.monotonic(), BATCH
    while folders:
        folder, packaged = folders.pop()
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                ages.files += 1
                with suppress(OSError):
                    _take(entry, ages, folders, linked, device, packaged or _brought(root, entry), now_s)
                left -= 1
                if left == 0:
                    if over() or ages.files >= most:
                        ages.cut = True
                        return ages
                    sleep(time.monotonic() - begun)
                    begun, left = time.monotonic(), BATCH
    return ages


def _take(
    entry: os.DirEntry[str],
    ages: Ages,
    folders: list[tuple[str, bool]],
    linked: set[int],
    device: int,
    packaged: bool,
    now_s: float,
) -> None:
    """One entry: a folder of the same file system is gone into later, a file counts once."""
    found = entry.stat(follow_symlinks=False)
    ages.first_s = min(ages.first_s, found.st_ctime)
    if entry.is_dir(follow_symlinks=False):
        if found.st_dev == device:
            folders.append((entry.path, packaged))
        return
    if found.st_nlink > 1:
        if found.st_ino in linked:
            return
        linked.add(found.st_ino)
    size = found.st_blocks * BLOCK_BYTES
    ages.seen += size
    if not packaged:
        ages.add(size, now_s - found.st_mtime)


def _brought(root: str, entry: os.DirEntry[str]) -> bool:
    """Whether what lies there was brought by packages, or is a cache: only on the file system of the root."""
    if root != "/":
        return False
    path = entry.path.lstrip("/")
    return path == CACHES or path in PACKAGED


def _yielding() -> None:
    """This thread alone gets a low priority."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
