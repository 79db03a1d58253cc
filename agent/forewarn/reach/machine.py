"""A machine that probers and steps look at or act on: this one, or a host over SSH. Both answer alike."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Protocol

from forewarn.reach.local import Ran, run

READ_CAP_BYTES = 1_048_576
"""The most that is read of one file."""
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


def _read(paths: Sequence[str], cap_bytes: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in (one for given in paths for one in (sorted(glob(given)) if any(sign in given for sign in "*?[") else [given])):
        try:
            with Path(path).open("rb") as file:
                found[path] = file.read(cap_bytes)
        except OSError:
            continue
    return found
