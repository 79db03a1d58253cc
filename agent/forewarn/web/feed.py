"""Live changes: a counter and the ids that moved, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

from forewarn.ports import Entity

HEARTBEAT_S = 15.0
MOST_WAITING = 100
Event = tuple[int, list[str]]


class Changes:
    """ports.Feed. All of it belongs to the loop's thread; a listener that doesn't read loses the oldest, not us."""

    def __init__(self) -> None:
        self.count = 0
        self._listeners: set[asyncio.Queue[Event | None]] = set()

    def publish(self, entities: Sequence[Entity]) -> None:
        """Tell every listener that these have changed."""
        self.count += 1
        event = (self.count, [id for thing in entities if (id := getattr(thing, "id", None))])
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    async def events(self) -> AsyncIterator[str]:
        """Text of an event stream: the counter at once, then each change; a comment when it is quiet."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(MOST_WAITING)
        self._listeners.add(queue)
        try:
            yield _event(self.count, [])
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield ": quiet\n\n"
                    continue
                if event is None:
                    return
                yield _event(*event)
        finally:
            self._listeners.discard(queue)


def _event(count: int, ids: list[str]) -> str:
    return f"id: {count}\nevent: change\ndata: {json.dumps({'count': count, 'ids': ids})}\n\n"
