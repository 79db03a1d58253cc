"""Python's garbage collector, told what lives as long as the daemon; and the C library, told to be sparing.

It holds up everything while it walks: half a second over what five thousand probes keep in windows and rules. All of that
lives until the next reload, so it is set aside (`gc.freeze`): once when the daemon has begun, and once more when every target
has been looked at, since lines and judges are made at a target's first run. What is set aside still goes when nobody refers
to it any more; only cycles in it would stay, and runs leave none behind.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable

THRESHOLD = (2_000, 5, 100)
"""What a run leaves goes by counting, and the collector need not walk it every 700 objects; of 2,000 it is done in a ms."""
LOOK_EVERY_S, LONGEST_S = 1.0, 120.0
AFTER_S = 5.0
"""Until the store has numbers for the newest series."""
ONE_ARENA = (-8, 1)
"""M_ARENA_MAX of mallopt(3). By its own choice the C library has a heap for each of our threads, and what a thread needed once
stays with its heap; they rarely run at the same time, so one heap is enough."""


def begin() -> None:
    """When the files are read and before the daemon is made: at Python's own threshold the collector would take a sixth of a
    start. What reading left behind must not be set aside with what stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLD)
    _c_library("mallopt", *ONE_ARENA)


def settle() -> None:
    """Set aside what is there now; cycles among the youngest go first, and memory that is free goes back to the system."""
    gc.collect(0)
    gc.freeze()
    _c_library("malloc_trim", 0)


def _c_library(name: str, *given: int) -> None:
    """Call what only glibc has."""
    call = getattr(ctypes.CDLL(None), name, None)
    if call is not None:
        call(*given)


class Settling:
    """Settles once more when nothing `waits` for its first look any more: after the start, and after each reload."""

    def __init__(self, waits: Callable[[], bool]) -> None:
        self._waits = waits
        self._wanted = asyncio.Event()
        self._wanted.set()

    def again(self) -> None:
        """Other probes are there now."""
        self._wanted.set()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._looked()
            settle()

    async def _looked(self) -> None:
        """Two minutes at most: some targets are looked at once a day."""
        for _ in range(int(LONGEST_S / LOOK_EVERY_S)):
            await asyncio.sleep(LOOK_EVERY_S)
            if not self._waits():
                break
        await asyncio.sleep(AFTER_S)
