"""How full file systems are: here by statvfs, on another machine by df; the same series either way.

A network file system may hang for as long as its server is away. Here it is asked on a thread of its own and not again
before that thread has come back; elsewhere its df is given up, and asked again only after a pause.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forewarn.probers.host_readings import Reading
from forewarn.probers.mounts import Mount
from forewarn.reach.local import CannotRun
from forewarn.reach.machine import Machine

MOUNT_S = 1.0
"""How long the network file systems may take to answer, all together."""
AGAIN_S = 300.0
"""After that long, one on another machine that hung is asked again."""
DF_CAP_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Room:
    """Of one file system, in bytes; `free` is what ordinary users can have. Inodes are 0 where it has no fixed number of them."""

    used: float
    free: float
    inodes: float = 0.0
    inodes_used: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mount said: its room; None with a trouble, and `hung` when it does not answer at all."""

    mount: Mount
    room: Room | None
    trouble: str | None = None
    hung: bool = False


def figures(answer: Answer) -> Iterator[Reading]:
    """Use as df shows it: of the room that ordinary users have, so that 1 is where their writes fail."""
    labels, room = (("mount", answer.mount.where),), answer.room
    if answer.mount.remote:
        yield "fs_hung", labels, float(answer.hung)
    if room is None:
        return
    if not answer.mount.remote:
        yield "fs_readonly", labels, float(answer.mount.readonly)
    if room.used + room.free > 0:
        yield "fs_used_ratio", labels, room.used / (room.used + room.free)
        yield "fs_free_bytes", labels, room.free
    if room.inodes > 0:
        yield "fs_inodes_used_ratio", labels, room.inodes_used / room.inodes


def room_of(found: os.statvfs_result) -> Room:
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    return Room(used, found.f_bavail * found.f_frsize, found.f_files, found.f_files - found.f_ffree)


# --- here -------------------------------------------------------------------------------------------------------------


class Statvfs:
    """Blocks; called on one of the prober's threads."""

    def __init__(self) -> None:
        self._hung: dict[str, threading.Thread] = {}

    def ask(self, mounts: Sequence[Mount]) -> list[Answer]:
        until = time.monotonic() + MOUNT_S
        return [self._one(mount, until) for mount in mounts]

    def _one(self, mount: Mount, until: float) -> Answer:
        try:
            found = self._remote(mount.where, until) if mount.remote else os.statvfs(mount.where)
        except OSError as error:
            return Answer(mount, None, f"{mount.where} can't be read: {error.strerror}")
        return Answer(mount, room_of(found)) if found else silent(mount)

    def _remote(self, where: str, until: float) -> os.statvfs_result | None:
        """None when it hangs."""
        if (stuck := self._hung.get(where)) and stuck.is_alive():
            return None
        answers: list[os.statvfs_result | OSError] = []
        asking = threading.Thread(target=_statvfs, args=(where, answers), name=f"statvfs {where}", daemon=True)
        self._hung[where] = asking
        asking.start()
        asking.join(max(0.02, until - time.monotonic()))
        if answers and isinstance(answers[0], OSError):
            raise answers[0]
        return answers[0] if answers else None  # type: ignore[return-value]


def silent(mount: Mount) -> Answer:
    """One that does not answer."""
    return Answer(mount, None, f"{mount.where} ({mount.kind}) does not answer", hung=True)


def _statvfs(where: str, answers: list[os.statvfs_result | OSError]) -> None:
    try:
        answers.append(os.statvfs(where))
    except OSError as error:
        answers.append(error)


# --- on another machine -----------------------------------------------------------------------------------------------


class Df:
    """By df, whose POSIX form every Unix has. Local file systems in one call, each network one in its own."""

    def __init__(self) -> None:
        self._hung: dict[tuple[str, str], float] = {}

    async def ask(self, machine: Machine, mounts: Sequence[Mount], timeout_s: float) -> list[Answer]:
        local = [mount for mount in mounts if not mount.remote]
        remote = [mount for mount in mounts if mount.remote]
        each = (self._remote(machine, mount, min(MOUNT_S, timeout_s)) for mount in remote)
        here, there = await asyncio.gather(self._local(machine, local, timeout_s), asyncio.gather(*each))
        return [*here, *there]

    async def _local(self, machine: Machine, mounts: list[Mount], timeout_s: float) -> list[Answer]:
        rooms = await _df(machine, mounts, timeout_s) if mounts else {}
        if rooms is None:
            return [Answer(mount, None, "df did not end in time") for mount in mounts[:1]]
        return [
            Answer(mount, rooms.get(mount.where), None if mount.where in rooms else f"{mount.where} can't be read by df")
            for mount in mounts
        ]

    async def _remote(self, machine: Machine, mount: Mount, timeout_s: float) -> Answer:
        key = machine.name, mount.where
        if time.monotonic() < self._hung.get(key, 0.0):
            return silent(mount)
        rooms = await _df(machine, [mount], timeout_s)
        if rooms is None:
            self._hung[key] = time.monotonic() + AGAIN_S
            return silent(mount)
        self._hung.pop(key, None)
        room = rooms.get(mount.where)
        return Answer(mount, room, None if room else f"{mount.where} can't be read by df")


async def _df(machine: Machine, mounts: Sequence[Mount], timeout_s: float) -> dict[str, Room] | None:
    """Room by place; None when df did not end. Raises CannotRun where there is none."""
    places = [mount.where for mount in mounts]
    sizes, inodes = await asyncio.gather(
        machine.run(["df", "-P", "-k", "--", *places], timeout_s, DF_CAP_BYTES),
        machine.run(["df", "-P", "-i", "--", *places], timeout_s, DF_CAP_BYTES),
        return_exceptions=True,
    )
    if isinstance(sizes, BaseException):
        raise sizes
    if sizes.timed_out:
        return None
    counts = "" if isinstance(inodes, CannotRun) else inodes.out if not isinstance(inodes, BaseException) else ""
    return rooms_of(sizes.out, counts, places)


def rooms_of(sizes: str, inodes: str, places: Sequence[str]) -> dict[str, Room]:
    """Of `df -P -k` and `df -P -i`. Lines end in one of `places`, which tells a name with spaces from its columns."""
    room, nodes = _table(sizes, places), _table(inodes, places)
    found = {}
    for place, (_, used, free) in room.items():
        total, taken, _ = nodes.get(place, (0.0, 0.0, 0.0))
        found[place] = Room(used * 1024, free * 1024, total, taken)
    return found


def _table(text: str, places: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """Total, used and available by place; a line that holds `-` instead of figures is passed over."""
    found = {}
    for line in text.splitlines()[1:]:
        place = max((one for one in places if line.endswith(f" {one}")), key=len, default=None)
        fields = line[: -len(place)].split() if place else []
        if place and len(fields) >= 5 and all(field.isdigit() for field in fields[-4:-1]):
            total, used, free = map(float, fields[-4:-1])
            found[place] = (total, used, free)
    return found
