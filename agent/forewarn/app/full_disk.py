"""What happens when the disk under the state folder is full: room is made, somebody is told, and Forewarn goes on.

A write fails for want of room -> the ballast is given up, on the store's thread, and the write is tried again. That room
is for the ledger: samples wait in memory. An incident is declared in Forewarn's own name, so that the page about it is
stored and sent like any other. If even then nothing can be stored, the page is sent as it is: unrecorded, and it says so.
When there is room again the ballast is built anew and the incident ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from datetime import datetime
from typing import TypeVar

import structlog

from forewarn.core.tell.words import render
from forewarn.model.errors import DeliveryError, Refused, StoreError
from forewarn.model.level import Level
from forewarn.model.map import Person
from forewarn.model.message import Envelope
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say
from forewarn.ports import Clock, Transport
from forewarn.runtime.ballast import ROOM, Ballast
from forewarn.runtime.inbox import Inbox

log = structlog.get_logger("forewarn.disk")
T = TypeVar("T")
ME = "forewarn"
TIGHT = 64 * 1024
"""Bytes below which any failure of the store counts as one for want of room."""
LEVEL = Level.P1
AGAIN_S = 60.0
"""After so long an unrecorded page that nobody's channel took is tried again."""


class FullDisk:
    """`look` is called every few seconds on the loop; `relieve` by whoever could not store, on the store's thread."""

    def __init__(
        self,
        ballast: Ballast,
        folder: str,
        inbox: Callable[[], Inbox],
        settings: Callable[[], Settings],
        transports: Callable[[], Mapping[str, Transport]],
        clock: Clock,
        thread: Executor,
    ) -> None:
        self._ballast, self._folder = ballast, folder
        self._inbox, self._settings, self._transports = inbox, settings, transports
        self._clock, self._thread = clock, thread
        self._since: datetime | None = None
        self._declared: asyncio.Task[str | None] | None = None
        self._paged_s: float | None = None
        self._reached: str | None = None
        self.there = True
        """Whether the ballast is there, as the last look saw it."""

    @property
    def full(self) -> bool:
        """From the first write that failed for want of room until the ballast is there again."""
        return self._since is not None

    @property
    def trouble(self) -> Say | None:
        """For status and console."""
        if self._since is not None:
            return say("trouble.disk_full", folder=self._folder, since=self._since.timestamp())
        return None if self.there else say("trouble.no_ballast", folder=self._folder, wanted=ROOM)

    def relieve(self, error: StoreError) -> bool:
        """Give up the ballast where room is what is missing; True if that made some."""
        if not (error.full or self._ballast.free_bytes() < TIGHT):
            return False
        self.begin()
        return self._ballast.give_up()

    def begin(self) -> None:
        """There is no room, as of now."""
        if self._since is None:
            self._since = self._clock.now()

    async def look(self) -> None:
        """Build what is missing, tell what is to be told."""
        if self._since is None:
            self.there = await self._on_thread(self._ballast.build)
            return
        self.there = False
        if self._declared is None:
            log.error("disk_full", folder=self._folder, what="the ballast was given up; samples wait in memory")
            self._declared = asyncio.create_task(self._declare(), name="disk full")
            return
        if self._inbox().trouble and not self._declared.done():
            await self._page_unrecorded()
        elif await self._on_thread(self._ballast.build):
            await self._over()

    async def _on_thread(self, work: Callable[[], bool]) -> bool:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # --- the incident ---

    async def _declare(self) -> str | None:
        settings = self._settings()
        words = [str(LEVEL), *([ME] if ME in settings.services else [])]
        title = self._words(say("disk_full.title", folder=self._folder))
        return await self._wish("declare", None, tuple(words), title)

    async def _over(self) -> None:
        """There is room: the incident ends, unless somebody has ended it already."""
        declared, self._declared = self._declared, None
        self._since = self._paged_s = self._reached = None
        self.there = True
        log.info("disk_has_room", folder=self._folder)
        id = declared.result() if declared and declared.done() and not declared.cancelled() else None
        if id:
            await self._wish("resolve", id, (), self._words(say("disk_full.over", folder=self._folder)))

    async def _wish(self, verb: str, id: str | None, words: tuple[str, ...], text: str) -> str | None:
        try:
            return await self._inbox().command(verb, id, ME, words, text)
        except Refused as refused:
            log.warning("disk_full_not_told", verb=verb, why=refused.say.key)
            return None

    def _words(self, what: Say) -> str:
        daemon = self._settings().daemon
        return render(what, self._settings().phrases[daemon.language], daemon.zone, self._clock.now())

    # --- the page that can't be stored ---

    async def _page_unrecorded(self) -> None:
        """The first person of the escalation whom any channel reaches, once an episode."""
        now_s = self._clock.monotonic()
        if self._reached or (self._paged_s is not None and now_s - self._paged_s < AGAIN_S):
            return
        self._paged_s = now_s
        for person in to_call(self._settings(), self._clock.now()):
            if await self._send(person):
                self._reached = person.name
                return
        log.error("page_not_sent", why="no channel of anybody took the unrecorded page about the full disk")

    async def _send(self, person: Person) -> bool:
        settings = self._settings()
        envelope = self._envelope(person, settings)
        for channel in person.channels:
            transport = self._transports().get(channel.kind)
            if transport is None:
                continue
            try:
                await transport(envelope, channel, settings.daemon.send_timeout_s)
            except DeliveryError as error:
                log.warning("page_failed", to=person.name, channel=channel.kind, recorded=False, detail=error.detail)
            else:
                log.warning("page_sent", to=person.name, channel=channel.kind, recorded=False, title=envelope.subject)
                return True
        return False

    def _envelope(self, person: Person, settings: Settings) -> Envelope:
        now = self._clock.now()

        def words(what: Say) -> str:
            return render(what, settings.phrases[person.language], person.zone, now)

        since = (self._since or now).timestamp()
        return Envelope(
            message="unrecorded",
            kind="page",
            subkind=None,
            to=person.name,
            subject=words(say("disk_full.title", folder=self._folder)),
            text=words(say("disk_full.unrecorded", folder=self._folder, since=since)),
            key=f"disk-full-{since:.0f}-{person.name}",
            language=person.language,
            incident=None,
        )


def with_room(relieve: Callable[[StoreError], bool], make: Callable[..., T], *given: object) -> T:
    """What `make` makes; on a full disk once more after room was made. Blocks."""
    try:
        return make(*given)
    except StoreError as error:
        if not relieve(error):
            raise
        return make(*given)


def to_call(settings: Settings, now: datetime) -> Iterator[Person]:
    """Whom Forewarn's own troubles call, in order: its service's escalation, else the default, else any."""
    service = settings.services.get(ME)
    own = (service.team,) if service and service.team else ()
    wanted = (*own, "default", *settings.escalations)
    steps = next((settings.escalations[name] for name in wanted if name in settings.escalations), ())
    for step in steps:
        name = settings.rotas[step.to].on_duty(now) if step.to in settings.rotas else step.to
        if name in settings.people:
            yield settings.people[name]
