"""What every handler needs, in one place, and the two ways in which a trouble is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response, StreamingResponse

from forewarn.core.reader import Body, Reader
from forewarn.core.show import entry
from forewarn.model.errors import NotFound, Refused, StoreError
from forewarn.model.hindsight import Hindsight
from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.ports import Clock, Commands, Ledger, Stats
from forewarn.web.columns import Past, step_for
from forewarn.web.feed import Changes
from forewarn.web.language import reader_of
from forewarn.web.links import Links
from forewarn.web.pieces import Pieces
from forewarn.web.reads import Live, Reads
from forewarn.web.said import Trouble, Unanswerable, missed, of_command
from forewarn.web.shared import Shared

if TYPE_CHECKING:
    from jinja2 import Environment

COMMAND_S = 15.0
"""How long a person waits for the owner of the state before being told that it is busy."""
CHANGED = "refused.version"
AT_ONCE = 2
"""Threads that read and render."""
_LIMITERS: WeakKeyDictionary[asyncio.AbstractEventLoop, CapacityLimiter] = WeakKeyDictionary()
T = TypeVar("T")


def _threads(loop: asyncio.AbstractEventLoop) -> CapacityLimiter:
    return _LIMITERS.setdefault(loop, CapacityLimiter(AT_ONCE))


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
    hindsight: Callable[[Probe], Hindsight]
    history: Callable[[SeriesId, float, float, int], Awaitable[Past]]
    reads: Reads
    feed: Changes
    pages: Environment
    shared: Shared
    pieces: Pieces

    def reader(self, connection: HTTPConnection) -> Reader:
        return reader_of(connection, self.settings(), self.clock.now())

    async def live(self, names: Sequence[str] = ()) -> Live:
        """Taken on the loop, to which the daemon's own figures belong; with these probes in full."""
        live = await Live.of(self.stats)
        return replace(live, views=await self.stats.views(names)) if names else live

    def locked(self) -> bool:
        """Whether pages need the cookie: as soon as a customer is configured."""
        return bool(self.settings().customers)

    async def read(self, what: Callable[..., T], *given: object) -> T:
        """Ask the store, and make the answer, in a thread; raises Unanswerable (503) when the store can't answer.

        Few at a time: more threads would make no page sooner, and each takes the interpreter from the probes.
        """
        try:
            return await run_sync(what, *given, limiter=_threads(asyncio.get_running_loop()))
        except StoreError as error:
            raise Unanswerable(Trouble(503, "web.store", {"detail": str(error)})) from error

    async def past(self, series: Sequence[SeriesId], begin: datetime, end: datetime) -> list[Past]:
        """What is stored of each series: samples for hours, summaries for weeks; raises Unanswerable (503) when the store
        can't answer."""
        daemon, span_s = self.settings().daemon, (end - begin).total_seconds()
        step = step_for(span_s, daemon.retention_s, daemon.rollups_s)
        try:
            return [await self.history(one, begin.timestamp(), end.timestamp(), step) for one in series]
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
            trouble = of_command(error, id)
            if trouble.key == CHANGED and id and version is not None:
                trouble = replace(trouble, missed=await self.read(missed, self.ledger, id, version))
            raise Unanswerable(trouble) from error
        except StoreError as error:
            raise Unanswerable(Trouble(503, "web.store", {"detail": str(error)})) from error
        except TimeoutError as error:
            raise Unanswerable(Trouble(503, "web.busy", {"wait_s": COMMAND_S})) from error


def as_json(trouble: Trouble, reader: Reader) -> Response:
    headers = {"www-authenticate": "Bearer"} if trouble.status == 401 else None
    body: Body = {"error": reader.tell(trouble.say), "key": trouble.key}
    if trouble.missed:
        changes = [entry(line, reader) for line in trouble.missed.changes]
        body |= {"id": trouble.missed.id, "version": trouble.missed.version, "changes": changes}
    return JSONResponse(body, trouble.status, headers)


def streamed(desk: Desk, connection: HTTPConnection) -> Response:
    """Server-sent events, from where this viewer was."""
    events = desk.feed.events(connection.headers.get("last-event-id"))
    return StreamingResponse(events, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
