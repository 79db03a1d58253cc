"""Looks up names for all probers: a phase of its own, with a time-out, a bound on how many are asked at once, and a cache.

The system's resolver blocks and tells no TTL, so it is asked on a few threads, and its answer holds for TTL_S: a probe that
runs more rarely sees each run a fresh look-up. A name that is being asked for is asked once, however many wait. Of an answer
with a thousand addresses MOST_ADDRESSES are kept. Failures are not kept.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

TTL_S = 30.0
TIMEOUT_S = 5.0
MOST_AT_ONCE = 8
MOST_ADDRESSES = 16
MOST_KEPT = 20_000
"""Names; beyond it all are forgotten, and asked for anew."""


@dataclass(frozen=True, slots=True)
class Found:
    """Addresses as texts, best first; none with the reason why. `late`: no answer in time, not an answer without any."""

    addresses: tuple[str, ...] = ()
    why: str | None = None
    late: bool = False


Taker = Callable[[Found], None]
Key = tuple[str, int]


class Names:
    """One for an engine, on its loop. `family` is 4, 6, or 0 for either."""

    def __init__(
        self, lookup: Callable[..., list[Any]] = socket.getaddrinfo, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._lookup, self._monotonic = lookup, monotonic
        self._known: dict[Key, tuple[float, Found]] = {}
        self._waiting: dict[Key, dict[int, Taker]] = {}
        self._queue: SimpleQueue[tuple[Key, asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._threads = 0
        self._idle = 0
        self._number = 0

    def known(self, host: str, family: int) -> Found | None:
        """What was found lately."""
        kept = self._known.get((host, family))
        return kept[1] if kept and kept[0] > self._monotonic() else None

    def ask(self, host: str, family: int, taker: Taker, timeout_s: float = TIMEOUT_S) -> None:
        """`taker` is called once, later, on the loop."""
        loop, key = asyncio.get_running_loop(), (host, family)
        self._number += 1
        number = self._number
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = {}
            self._put(key, loop)
        alarm = loop.call_later(timeout_s, self._give_up, key, number)

        def take(found: Found) -> None:
            alarm.cancel()
            taker(found)

        waiting[number] = take

    def close(self) -> None:
        """Whoever waits is not told; a thread that still waits for the system ends by itself."""
        self._waiting.clear()
        for _ in range(self._threads):
            self._queue.put(None)

    def _put(self, key: Key, loop: asyncio.AbstractEventLoop) -> None:
        self._queue.put((key, loop))
        if self._threads < MOST_AT_ONCE and self._queue.qsize() > self._idle:
            self._threads += 1
            threading.Thread(target=self._work, name=f"names-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._idle += 1
            given = self._queue.get()
            self._idle -= 1
            if given is None:
                return
            (host, family), loop = given
            found = self._look_up(host, family)
            try:
                loop.call_soon_threadsafe(self._answered, (host, family), found)
            except RuntimeError:  # the loop is closed
                return

    def _look_up(self, host: str, family: int) -> Found:
        kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
        try:
            answers = self._lookup(host, None, family=kinds.get(family, socket.AF_UNSPEC), type=socket.SOCK_STREAM)
        except OSError as error:
            return Found(why=(error.strerror or str(error)).lower())
        except UnicodeError:
            return Found(why="no name can be like that")
        addresses = dict.fromkeys(answer[4][0] for answer in answers)
        return Found(tuple(addresses)[:MOST_ADDRESSES]) if addresses else Found(why="no address")

    def _answered(self, key: Key, found: Found) -> None:
        if found.addresses:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[key] = (self._monotonic() + TTL_S, found)
        for taker in self._waiting.pop(key, {}).values():
            taker(found)

    def _give_up(self, key: Key, number: int) -> None:
        """One who waited is told; the question stays asked, and its answer serves the next."""
        waiting = self._waiting.get(key)
        if waiting and (taker := waiting.pop(number, None)):
            taker(Found(why="no answer in time", late=True))
