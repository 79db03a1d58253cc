"""The console's server without its clock: uvicorn wakes ten times a second to see whether it should stop and what the date is.

Here it sleeps until it is told to stop, and the date of an answer is read when the answer is made (RFC 9110, 6.6.1).
"""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class QuietServer(uvicorn.Server):
    """Serves `app` with these settings of uvicorn's; `leave` ends it."""

    def __init__(self, app: ASGIApp, **settings: Any) -> None:
        super().__init__(uvicorn.Config(_dated(app), date_header=False, server_header=False, **settings))
        self._leave = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._leave.wait()

    def leave(self) -> None:
        self.should_exit = True
        self._leave.set()


def _dated(app: ASGIApp) -> ASGIApp:
    async def dated(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(b"date", formatdate(usegmt=True).encode()), *message.get("headers", ())]
            await send(message)

        await app(scope, receive, with_date)

    return dated
