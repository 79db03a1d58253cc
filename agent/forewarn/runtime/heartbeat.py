"""Tells a watcher outside that Forewarn gets on, so that somebody notices when it does not: a dead-man's switch.

A ping says more than "the process is there". It is sent only when the owner of all decisions has just taken something
and the store takes what is decided. Otherwise it is left out, and the watcher raises its voice: that is its purpose.
It is an HTTP GET; a watcher that answers 405 gets a POST (https://healthchecks.io/docs/http_api/ takes both).
"""

from __future__ import annotations

import asyncio
import http.client
from base64 import b64encode
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import structlog

from forewarn.model.settings import Heartbeat
from forewarn.model.text import Say, say
from forewarn.ports import Clock
from forewarn.reach.call import Request, exchange
from forewarn.reach.wire import Line, on_thread
from forewarn.runtime.telemetry import Telemetry

log = structlog.get_logger("forewarn.heartbeat")
TIMEOUT_S = 10.0
PROGRESS_S = 5.0
"""So long the owner has to take the nudge that precedes a ping."""
IDLE_S = 5.0
"""Without a watcher the configuration is looked at again after so long: a reload may bring one."""
READ_BYTES = 256


@dataclass(slots=True)
class Beaten:
    """How the pings went. `failures` and `left_out` count those in a row."""

    sent: int = 0
    failures: int = 0
    left_out: int = 0
    why: str = ""


class Pacemaker:
    """`run` is the task. `alive` answers whether the owner takes what comes and the store keeps it; it may wait a while."""

    def __init__(
        self,
        wanted: Callable[[], Heartbeat | None],
        alive: Callable[[], Awaitable[bool]],
        clock: Clock,
        threads: Executor | None,
        telemetry: Telemetry,
    ) -> None:
        self._wanted, self._alive, self._clock, self._threads, self._telemetry = wanted, alive, clock, threads, telemetry
        self.beaten = Beaten()

    @property
    def trouble(self) -> Say | None:
        """For status and console: the newest ping did not arrive, or was left out."""
        beat, beaten = self._wanted(), self.beaten
        if beat is None or not (beaten.failures or beaten.left_out):
            return None
        if beaten.left_out:
            return say("trouble.heartbeat_left_out", host=host_of(beat), count=beaten.left_out)
        return say("trouble.heartbeat", host=host_of(beat), count=beaten.failures, why=beaten.why)

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        while True:
            beat = self._wanted()
            if beat is None:
                self.beaten = Beaten()
                await sleep(IDLE_S)
                continue
            began_s = self._clock.monotonic()
            await self.beat(beat)
            await sleep(max(1.0, beat.every_s - (self._clock.monotonic() - began_s)))

    async def beat(self, beat: Heartbeat) -> None:
        """One ping, or none where there is nothing to be told. Never raises and never takes longer than TIMEOUT_S."""
        if not await self._alive():
            self._left_out(beat)
            return
        self.beaten.left_out = 0
        why = await self._ping(beat)
        if why is None:
            self._arrived(beat)
        else:
            self._failed(beat, why)

    async def _ping(self, beat: Heartbeat) -> str | None:
        """Why the watcher did not take it, without a word of its address; None if it did."""
        try:
            return await on_thread(lambda line: _tried(beat, line), TIMEOUT_S, self._threads)
        except TimeoutError as error:  # the thread itself hangs, in the resolver
            return str(error)

    def _arrived(self, beat: Heartbeat) -> None:
        if self.beaten.failures:
            log.info("heartbeat_again", host=host_of(beat), failed=self.beaten.failures)
        self.beaten.failures, self.beaten.why = 0, ""
        self.beaten.sent += 1
        self._telemetry.count("forewarn_heartbeats_total", result="sent")

    def _failed(self, beat: Heartbeat, why: str) -> None:
        if not self.beaten.failures:
            log.warning("heartbeat_failed", host=host_of(beat), why=why)
        self.beaten.failures += 1
        self.beaten.why = why
        self._telemetry.count("forewarn_heartbeats_total", result="failed")

    def _left_out(self, beat: Heartbeat) -> None:
        if not self.beaten.left_out:
            log.error("heartbeat_left_out", host=host_of(beat), why="the owner does not get on, or nothing can be stored")
        self.beaten.left_out += 1
        self._telemetry.count("forewarn_heartbeats_total", result="left_out")


def host_of(beat: Heartbeat) -> str:
    """The part of the address that is no secret."""
    return urlsplit(beat.url.reveal()).hostname or "?"


def _tried(beat: Heartbeat, line: Line) -> str | None:
    url = beat.url.reveal()
    try:
        reply = exchange(Request(method="GET", url=url, headers=_headers(url)), line, READ_BYTES)
        if reply.status == 405:
            reply = exchange(Request(method="POST", url=url, headers=_headers(url), body=b""), line, READ_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return line.why(error)[1]
    return None if 200 <= reply.status < 300 else f"HTTP {reply.status}"


def _headers(url: str) -> dict[str, str]:
    """`user:password@` of the address is sent as basic authentication."""
    parts = urlsplit(url)
    headers = {"User-Agent": "forewarn", "Connection": "close"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
    return headers
