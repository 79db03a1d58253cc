"""What answers at the daemon's door: the console and the API, imported and made when somebody asks for the first time.

Pages, templates and what they are made with are 6 MB that a daemon needs only while people look. The first answer waits for
them for some tenths of a second, in a thread; probes go on meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from forewarn.ports import Entity


class Front:
    """An ASGI application. `make` answers the real one, whose `state.feed` is a ports.Feed; it is called once, in a thread."""

    def __init__(self, make: Callable[[], Starlette]) -> None:
        self._make = make
        self._app: Starlette | None = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._making:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
            app = self._app
        await app(scope, receive, send)

    def publish(self, entities: Sequence[Entity]) -> None:
        """Tell those who look; nobody does before the first has asked."""
        if self._app:
            self._app.state.feed.publish(entities)

    def close(self) -> None:
        """End the streams of those who look."""
        if self._app:
            self._app.state.feed.close()
