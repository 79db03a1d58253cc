"""What every handler needs, in one place, and the two ways in which a trouble is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from forewarn.core.reader import Body, Reader
from forewarn.model.errors import NotFound, Refused, StoreError
from forewarn.model.series import SeriesId, Window
from forewarn.model.settings import Settings
from forewarn.ports import Clock, Commands, Ledger, Stats
from forewarn.web.feed import Changes
from forewarn.web.language import reader_of
from forewarn.web.links import Links
from forewarn.web.reads import Live, Reads
from forewarn.web.said import Trouble, Unanswerable, of_command

if TYPE_CHECKING:
    from jinja2 import Environment

COMMAND_S = 15.0
"""How long a person waits for the owner of the state before being told that it is busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    ledger: Ledger
    stats: Stats
    settings: Callable[[], Settings]
    commands: Commands
    clock: Clock
    links: Links
    metrics: Callable[[], str]
    reload: Callable[[], Awaitable[Body]]
    history: Callable[[SeriesId, float, float], Awaitable[Window]]
    reads: Reads
    feed: Changes
    pages: Environment

    def reader(self, connection: HTTPConnection) -> Reader:
        return reader_of(connection, self.settings(), self.clock.now())

    def live(self) -> Live:
        """Taken on the loop, to which the daemon's own figures belong."""
        return Live.of(self.stats)

    def locked(self) -> bool:
        """Whether pages need the cookie: as soon as a customer is configured."""
        return bool(self.settings().customers)

    async def read(self, what: Callable[..., Body], *given: object) -> Body:
        """Ask the store in a thread; raises Unanswerable (503) when it can't answer."""
        try:
            return await run_in_threadpool(what, *given)
        except StoreError as error:
            raise Unanswerable(Trouble(503, "web.store", {"detail": str(error)})) from error

    async def past(self, series: Sequence[SeriesId], begin: datetime, end: datetime) -> list[Window]:
        """The stored samples of each series; raises Unanswerable (503) when the store can't answer."""
        try:
            return [await self.history(one, begin.timestamp(), end.timestamp()) for one in series]
        except StoreError as error:
            raise Unanswerable(Trouble(503, "web.store", {"detail": str(error)})) from error

    async def command(
        self, verb: str, id: str | None, by: str, words: tuple[str, ...], text: str | None, version: int | None
    ) -> str | None:
        """Put a wish in the owner's queue and wait; raises Unanswerable with the reason when it isn't carried out."""
        try:
            async with asyncio.timeout(COMMAND_S):
                return await self.commands(verb, id, by, words, text, version)
        except (Refused, NotFound) as error:
            raise Unanswerable(of_command(error, id)) from error
        except StoreError as error:
            raise Unanswerable(Trouble(503, "web.store", {"detail": str(error)})) from error
        except TimeoutError as error:
            raise Unanswerable(Trouble(503, "web.busy", {"wait_s": COMMAND_S})) from error


def as_json(trouble: Trouble, reader: Reader) -> Response:
    headers = {"www-authenticate": "Bearer"} if trouble.status == 401 else None
    return JSONResponse({"error": reader.tell(trouble.say), "key": trouble.key}, trouble.status, headers)
