"""A machine that probers and steps look at or act on: this one, or a host over SSH. Both answer alike."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from glob import glob
from typing import Protocol

from forewarn.model.probe import Target
from forewarn.reach.local import Ran, run

READ_CAP_BYTES = 1_048_576
"""The most that is read of one file."""
PART_BYTES = 65_536
HERE = "local"


class Machine(Protocol):
    """Where something is looked at or done."""

    name: str
    """`local`, or the host's name as people write it in `where:`."""

    async def run(self, argv: Sequence[str], timeout_s: float, cap_bytes: int = 16_384, *, secrets: Sequence[str] = ()) -> Ran:
        """Run an argument vector, no shell, ended at `timeout_s` in all; out and err are capped and masked.

        Raises CannotRun when the program could not be started, and nothing of it ran.
        """

    async def read(self, paths: Sequence[str], timeout_s: float, cap_bytes: int = READ_CAP_BYTES) -> Mapping[str, bytes]:
        """Files by path or glob, each at most `cap_bytes`; those that are absent or may not be read are left out.

        One exchange, however many files: kernel files of one look belong to about the same moment.
        """


class Here:
    """This machine."""

    name = HERE

    async def run(self, argv: Sequence[str], timeout_s: float, cap_bytes: int = 16_384, *, secrets: Sequence[str] = ()) -> Ran:
        return await run(argv, timeout_s, cap_bytes, secrets=secrets)

    async def read(self, paths: Sequence[str], timeout_s: float, cap_bytes: int = READ_CAP_BYTES) -> Mapping[str, bytes]:
        async with asyncio.timeout(timeout_s):
            return await asyncio.to_thread(_read, paths, cap_bytes)


MachineOf = Callable[[Target], Machine]
"""Where a target is to be looked at."""


def always_here(target: Target) -> Machine:
    """On this machine, whatever the target."""
    return Here()


def _read(paths: Sequence[str], cap_bytes: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in (one for given in paths for one in (sorted(glob(given)) if any(sign in given for sign in "*?[") else [given])):
        try:
            found[path] = _whole(path, cap_bytes)
        except OSError:
            continue
    return found


def _whole(path: str, cap_bytes: int) -> bytes:
    """The plain calls: a look reads dozens of small kernel files, and a file object for each costs as much as the reading."""
    file, parts, left = os.open(path, os.O_RDONLY | os.O_CLOEXEC), [], cap_bytes
    try:
        while left > 0 and (part := os.read(file, min(left, PART_BYTES))):  # the kernel may hand out a page at a time
            parts.append(part)
            left -= len(part)
    finally:
        os.close(file)
    return b"".join(parts)
