"""Python's garbage collector, told what lives as long as the daemon.

It holds up everything while it walks: half a second over what five thousand probes keep in windows and rules. All of that
lives until the next reload, so it is set aside (`gc.freeze`), once when the daemon has begun and once more when every target
has been looked at: lines and judges are made at a target's first run. What is set aside still goes when nobody refers to it any more; only cycles
in it would stay, and runs leave none behind.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

THRESHOLD = (5_000, 5, 100)
"""What a run leaves goes by counting, and the collector need not walk it every 700 objects; 5,000 take it some 3 ms."""
LOOK_EVERY_S, LONGEST_S = 1.0, 120.0
AFTER_S = 5.0
"""Until the store has numbers for the newest series."""


def begin() -> None:
    """When the files are read and before the daemon is made: at Python's own threshold the collector would take a sixth of a
    start. What reading left behind must not be set aside with what stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLD)


def settle() -> None:
    """Set aside what is there now; cycles among the youngest go first."""
    gc.collect(0)
    gc.freeze()


async def settle_later(waits: Callable[[], bool]) -> None:
    """Once more when nothing `waits` for its first look any more, after two minutes at most: some are looked at once a day."""
    for _ in range(int(LONGEST_S / LOOK_EVERY_S)):
        await asyncio.sleep(LOOK_EVERY_S)
        if not waits():
            break
    await asyncio.sleep(AFTER_S)
    settle()
