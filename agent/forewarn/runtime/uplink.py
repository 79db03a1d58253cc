"""Whether this machine has a way out at all, so that its own trouble is not taken for everybody else's.

With `daemon.uplink` (a few host:port that nearly always answer) it is cut off when none of them takes a connection, twice in a
row. Without it nothing is sent anywhere: it is cut off when the default route that it had is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger("forewarn.uplink")
EVERY_S = 5.0
SOONEST_S = 1.0
"""Looks at the earliest so long after the last, however often somebody suspects something."""
TIMEOUT_S = 3.0
AGREE = 2
"""Looks in a row that must find no way out; one that finds it is enough to be back."""
_UP, _REJECT = 0x1, 0x200  # flags of a route; see linux/route.h


class Uplink:
    """`run` looks again and again; `cut_off` is what it found."""

    def __init__(
        self,
        places: Callable[[], tuple[str, ...]],
        proc: Path = Path("/proc/net"),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._places, self._proc, self._sleep = places, proc, sleep
        self._bad = 0
        self._had_route = False
        self._suspected = asyncio.Event()
        self.cut_off = False

    def suspect(self) -> None:
        """Somebody outside did not answer: look soon."""
        self._suspected.set()

    async def run(self) -> None:
        while True:
            await self.look()
            await self._sleep(SOONEST_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S - SOONEST_S):
                    await self._suspected.wait()
            self._suspected.clear()

    async def look(self) -> None:
        """One look."""
        places = self._places()
        way = any(await asyncio.gather(*(_answers(place) for place in places))) if places else self._routed()
        self._bad = 0 if way else self._bad + 1
        before, self.cut_off = self.cut_off, self._bad >= (AGREE if places else 1)
        if self.cut_off is not before:
            log.warning("cut_off" if self.cut_off else "connected_again", asked=", ".join(places) or "default route")

    def _routed(self) -> bool:
        """Whether there is a default route, or never was one."""
        there = _four(self._proc / "route") or _six(self._proc / "ipv6_route")
        self._had_route = self._had_route or there
        return there or not self._had_route


async def _answers(place: str) -> bool:
    host, _, port = place.rpartition(":")
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except OSError:
        return False
    writer.close()
    return True


def _four(file: Path) -> bool:
    """Source: proc(5), /proc/net/route: interface, destination, gateway, flags ... in hexadecimal."""
    rows = (line.split() for line in _lines(file)[1:])
    return any(len(row) > 3 and row[1] == "00000000" and int(row[3], 16) & _UP and not int(row[3], 16) & _REJECT for row in rows)


def _six(file: Path) -> bool:
    """/proc/net/ipv6_route: destination, prefix length, ..., flags, interface."""
    rows = (line.split() for line in _lines(file))
    return any(
        len(row) > 9 and row[0] == "0" * 32 and row[1] == "00" and row[9] != "lo" and not int(row[8], 16) & _REJECT for row in rows
    )


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("ascii").splitlines()
    except OSError:
        return []
