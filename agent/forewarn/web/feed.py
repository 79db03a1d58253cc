"""Live changes: a counter and the ids that moved, as server-sent events.

    id: 3f2a-17                         which life of the daemon, and how many changes it has seen
    event: change
    data: {"count": 17, "ids": ["INC-3", "M-7"]}

What happens within COALESCED_S is one event, written once for all who listen. Who reconnects says by Last-Event-ID what they
saw last and gets what came since; where that is forgotten, or of another life, `"all": true` says that everything may be
different. Who does not read is let go when MOST_WAITING events wait for them: the browser reconnects, and nothing of what
they missed stands in our memory. All of it belongs to the loop's thread.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence

from forewarn.ports import Entity

HEARTBEAT_S = 15.0
COALESCED_S = 0.1
MOST_WAITING = 50
MOST_KEPT = 200
"""Events that somebody who reconnects can still get."""
MOST_LISTENERS = 500
QUIET = b": quiet\n\n"


class _Listener:
    """What waits for one viewer. `lost`: they did not read, and are let go."""

    def __init__(self) -> None:
        self.waiting: deque[bytes] = deque()
        self.lost = False
        self._woken: asyncio.Future[None] | None = None

    def put(self, event: bytes) -> None:
        self.waiting.append(event)
        if len(self.waiting) > MOST_WAITING:
            self.lost = True
            self.waiting.clear()
        self.wake()

    def wake(self) -> None:
        if self._woken and not self._woken.done():
            self._woken.set_result(None)

    async def wait(self) -> None:
        self._woken = asyncio.get_running_loop().create_future()
        await self._woken


class Changes:
    """ports.Feed. `close` ends every stream, so that the server can stop."""

    def __init__(self) -> None:
        self.count = 0
        self.closed = False
        self._life = secrets.token_hex(3)
        self._listeners: set[_Listener] = set()
        self._kept: deque[tuple[int, list[str]]] = deque()
        self._told = self._forgotten = 0  # the count of the newest event, and of the newest that is kept no more
        self._ids: dict[str, None] = {}
        self._soon: asyncio.TimerHandle | None = None
        self._beat: asyncio.TimerHandle | None = None

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def publish(self, entities: Sequence[Entity]) -> None:
        """Tell every listener, in a moment, that these have changed."""
        self.count += 1
        self._ids.update(dict.fromkeys(id for thing in entities if (id := getattr(thing, "id", None))))
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(COALESCED_S, self.tell)

    def tell(self) -> None:
        """Tell now what has been published."""
        if self._soon:
            self._soon.cancel()
            self._soon = None
        ids, self._ids = list(self._ids), {}
        self._told = self.count
        self._kept.append((self._told, ids))
        if len(self._kept) > MOST_KEPT:
            self._forgotten = self._kept.popleft()[0]
        event = self._event(ids)
        for listener in self._listeners:
            listener.put(event)
        self._listeners = {listener for listener in self._listeners if not listener.lost}

    def close(self) -> None:
        """End every stream, and every one that begins from now on."""
        self.closed = True
        for timer in (self._soon, self._beat):
            if timer:
                timer.cancel()
        for listener in self._listeners:
            listener.wake()

    async def events(self, last: str | None = None) -> AsyncIterator[bytes]:
        """An event stream: where we stand at once, then each change; a comment when it is quiet. `last` is the id of the last
        event that this viewer saw."""
        if len(self._listeners) >= MOST_LISTENERS:
            return
        listener = _Listener()
        self._listeners.add(listener)
        self._beat = self._beat or asyncio.get_running_loop().call_later(HEARTBEAT_S, self._quiet)
        try:
            yield self._greeting(last)
            while not (listener.lost or (self.closed and not listener.waiting)):
                if listener.waiting:
                    pending = b"".join(listener.waiting)
                    listener.waiting.clear()
                    yield pending
                else:
                    await listener.wait()
        finally:
            self._listeners.discard(listener)

    def _quiet(self) -> None:
        """So that neither end takes silence for death; one timer for all."""
        self._beat = asyncio.get_running_loop().call_later(HEARTBEAT_S, self._quiet) if self._listeners else None
        for listener in self._listeners:
            if not listener.waiting:
                listener.put(QUIET)

    def _greeting(self, last: str | None) -> bytes:
        """To a new viewer the count alone; to one who comes back what came since, or that all may be different."""
        if not last:
            return self._event([])
        life, _, seen = last.partition("-")
        if life != self._life or not seen.isdecimal() or int(seen) < self._forgotten:
            return self._event([], all_of_it=True)
        since: Iterable[str] = (id for count, ids in self._kept if count > int(seen) for id in ids)
        return self._event(list(dict.fromkeys(since)))

    def _event(self, ids: list[str], all_of_it: bool = False) -> bytes:
        data = {"count": self._told, "ids": ids, **({"all": True} if all_of_it else {})}
        return f"id: {self._life}-{self._told}\nevent: change\ndata: {json.dumps(data)}\n\n".encode()
