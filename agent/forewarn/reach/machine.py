"""A machine that probers and steps look at or act on: this one, or a host over SSH. Both answer alike.

A prober of a kind that may look elsewhere takes `machines` when it is made, and asks `machines(target.where)` at each run:
the same name may be another host after a reload. It lets CannotReach pass: who runs the prober makes of it the run
`could not look`, with the reason, in one place for all kinds.

The table of probers and the configuration import this: what runs something is imported when it runs.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping, Sequence
from glob import glob
from typing import TYPE_CHECKING, Protocol

from forewarn.model.errors import ForewarnError

if TYPE_CHECKING:
    from forewarn.reach.far_files import FarFiles
    from forewarn.reach.local import Ran


class CannotReach(ForewarnError):
    """A machine could not be reached: nothing can be said about what would have been seen there.

    `reason` is a word of the closed list in probers/reasons.py; the text is one sentence with what to do. `begun`: the
    program had been handed over, so it may have run.
    """

    def __init__(self, reason: str, detail: str, *, begun: bool = False) -> None:
        super().__init__(detail)
        self.reason, self.begun = reason, begun


READ_CAP_BYTES = 1_048_576
"""The most that is read of one file."""
PART_BYTES = 65_536
HERE = "local"
GLOB = frozenset("*?[")


class Machine(Protocol):
    """Where something is looked at or done."""

    @property
    def name(self) -> str:
        """`local`, or the host's name as people write it in `where:`."""

    @property
    def account(self) -> str:
        """Who programs run as there."""

    async def run(self, argv: Sequence[str], timeout_s: float, cap_bytes: int = 16_384, *, secrets: Sequence[str] = ()) -> Ran:
        """Run an argument vector, no shell, ended at `timeout_s` in all; out and err are capped and masked.

        Raises CannotRun when the program could not be started, and nothing of it ran; CannotReach.
        """

    async def read(self, paths: Sequence[str], timeout_s: float, cap_bytes: int = READ_CAP_BYTES) -> Mapping[str, bytes]:
        """Files by path or glob, each at most `cap_bytes`; those that are absent or may not be read are left out.

        One exchange, however many files: kernel files of one look belong to about the same moment. Raises TimeoutError,
        CannotReach.
        """

    async def files(self, timeout_s: float) -> FarFiles | None:
        """Its files, to be followed on a thread, each exchange within `timeout_s`; None on this machine, where they can be
        had without. Raises CannotReach."""


Machines = Callable[[str], Machine]
"""The machine of a name. A name that nothing has answers a machine that can't be reached."""


class Here:
    """This machine."""

    name = HERE

    @property
    def account(self) -> str:
        try:
            return pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            return str(os.geteuid())

    async def run(self, argv: Sequence[str], timeout_s: float, cap_bytes: int = 16_384, *, secrets: Sequence[str] = ()) -> Ran:
        from forewarn.reach.local import run

        return await run(argv, timeout_s, cap_bytes, secrets=secrets)

    async def read(self, paths: Sequence[str], timeout_s: float, cap_bytes: int = READ_CAP_BYTES) -> Mapping[str, bytes]:
        import asyncio

        async with asyncio.timeout(timeout_s):
            return await asyncio.to_thread(_read, paths, cap_bytes)

    async def files(self, timeout_s: float) -> FarFiles | None:
        return None


class Unknown:
    """A name that no host of the configuration has."""

    account = ""

    def __init__(self, name: str) -> None:
        self.name = name

    async def run(self, argv: Sequence[str], timeout_s: float, cap_bytes: int = 16_384, *, secrets: Sequence[str] = ()) -> Ran:
        raise self._nowhere()

    async def read(self, paths: Sequence[str], timeout_s: float, cap_bytes: int = READ_CAP_BYTES) -> Mapping[str, bytes]:
        raise self._nowhere()

    async def files(self, timeout_s: float) -> FarFiles | None:
        raise self._nowhere()

    def _nowhere(self) -> CannotReach:
        return CannotReach("config", f'there is no host "{self.name}" in config/hosts.yaml')


def only_here(where: str) -> Machine:
    """The Machines of a process that knows no hosts."""
    return Here() if where == HERE else Unknown(where)


def _read(paths: Sequence[str], cap_bytes: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in (one for given in paths for one in _matching(given)):
        try:
            found[path] = _whole(path, cap_bytes)
        except OSError:
            continue
    return found


def _matching(path: str) -> list[str]:
    """As a shell has it: unlike pathlib's, a star leaves hidden names out."""
    return sorted(glob(path)) if GLOB & set(path) else [path]  # noqa: PTH207


def _whole(path: str, cap_bytes: int) -> bytes:
    """The plain calls: a look reads dozens of small kernel files, and a file object for each costs as much as the reading."""
    file, parts, left = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), [], cap_bytes
    try:
        while left > 0 and (part := os.read(file, min(left, PART_BYTES))):  # the kernel may hand out a page at a time
            parts.append(part)
            left -= len(part)
    finally:
        os.close(file)
    return b"".join(parts)
