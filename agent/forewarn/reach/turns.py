"""How work for many hosts shares this process, so that hosts that hang never hold up the others.

A `Lane` is one host's: its blocking calls take turns, so that a host that hangs holds one thread, and no other host's. A
`Turns` bounds how many begin something dear at once; a place is held for a short time only, so that those who hang give
it up, and hosts that failed last stand behind all others.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from itertools import count
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class Lane:
    """One host's blocking calls, one after the other, on a pool that all hosts share."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._busy: asyncio.Future[object] | None = None

    async def do(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """`work` on a thread. Who is cancelled while it runs leaves it behind: the next waits for its end all the same."""
        while self._busy and not self._busy.done():
            await asyncio.wait({self._busy})
        future = asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*given, **named))
        future.add_done_callback(_heard)
        self._busy = future  # type: ignore[assignment]
        return await asyncio.shield(future)


def _heard(future: asyncio.Future[T]) -> None:
    """An error that nobody waits for any more is no news."""
    if not future.cancelled():
        future.exception()


class Turns:
    """`places` may work at once, each for at most `patience_s`; after that it goes on, and the next begins beside it."""

    def __init__(self, places: int, patience_s: float) -> None:
        self._free, self._patience_s = places, patience_s
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._numbers = count()

    @asynccontextmanager
    async def turn(self, *, last: bool = False) -> AsyncIterator[None]:
        """Waits for a place; with `last` behind all who are not."""
        await self._begin(last)
        given_up = False

        def give_up() -> None:
            nonlocal given_up
            if not given_up:
                given_up = True
                self._end()

        timer = asyncio.get_running_loop().call_later(self._patience_s, give_up)
        try:
            yield
        finally:
            timer.cancel()
            give_up()

    async def _begin(self, last: bool) -> None:
        if self._free > 0:
            self._free -= 1
            return
        mine = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (last, next(self._numbers), mine))
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # the place came too late
                self._end()
            raise

    def _end(self) -> None:
        while self._waiting:
            _, _, mine = heapq.heappop(self._waiting)
            if not mine.done():
                mine.set_result(None)
                return
        self._free += 1
