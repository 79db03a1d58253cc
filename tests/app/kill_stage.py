"""The stage of the kill test: the demo's shop, sinks that count every arrival, and a daemon that is killed and started again."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from forewarn.app import demo_history
from forewarn.app.demo_parts import Api, Child, Shop, environment, start_daemon
from forewarn.app.demo_sinks import Arrived, Sinks
from forewarn.config.find import shipped

ANSWERS_WITHIN_S = 30.0  # on a crowded machine; how long starts took is printed, not judged
GONE = (OSError, HTTPException, ValueError)
"""What a client sees of a daemon that has just died: refused, reset, an answer cut short."""


def port_of_its_own() -> int:
    """A free port below those that the system gives to outgoing connections: nobody takes it while the daemon is dead."""
    while True:
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", random.SystemRandom().randrange(20_000, 32_000)))
            port: int = one.getsockname()[1]
            return port


class CountingSinks(Sinks):
    """Every arrival counts, repeats too. `armed` is called before the sender gets its answer."""

    def __init__(self) -> None:
        super().__init__(lambda arrived: None)
        self.raw: list[Arrived] = []
        self.armed: Callable[[Arrived], None] | None = None

    def _take(self, arrived: Arrived) -> None:
        self.raw.append(arrived)
        if self.armed is not None:
            self.armed(arrived)
        super()._take(arrived)

    async def _smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with _closed_by_a_kill(writer):
            await super()._smtp(reader, writer)

    async def _hook(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with _closed_by_a_kill(writer):
            await super()._hook(reader, writer)


class _closed_by_a_kill:
    """The sender may die in the middle of a conversation."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._writer.close()
        return kind is not None and issubclass(kind, ConnectionError | asyncio.IncompleteReadError)


class Stage:
    """The parts, and the daemon's lives. `starts` holds how long each life took to answer."""

    def __init__(self, folder: Path, shop: Shop, sinks: CountingSinks) -> None:
        self.folder, self.shop, self.sinks = folder, shop, sinks
        self.state, self.log = folder / "state", folder / "daemon.log"
        self.api = Api(port_of_its_own(), self.state)
        self.environ = environment(shop, sinks.smtp_port, sinks.hook_port)
        self.daemon: Child | None = None
        self.starts: list[float] = []

    async def start(self) -> None:
        config = shipped() / "config" / "demo"
        self.daemon = await start_daemon(config, self.state, self.api.port, self.environ, self.log)

    async def answers(self) -> None:
        """Wait until the daemon that was just started answers, for the life of it."""
        began = time.monotonic()
        assert self.daemon is not None
        while True:
            assert self.daemon.process.returncode is None, f"the daemon ended by itself:\n{self.tail()}"
            with suppress(*GONE):
                await self.api.get("/api/v1/status")
                break
            assert time.monotonic() - began < ANSWERS_WITHIN_S, f"no answer from the daemon:\n{self.tail()}"
            await asyncio.sleep(0.05)
        self.starts.append(time.monotonic() - began)

    def kill_now(self) -> None:
        """SIGKILL, to this process only."""
        assert self.daemon is not None
        if self.daemon.process.returncode is None:
            self.daemon.process.send_signal(signal.SIGKILL)

    async def killed(self) -> None:
        assert self.daemon is not None
        await self.daemon.stop(signal.SIGKILL)
        assert self.daemon.process.returncode == -signal.SIGKILL, f"the daemon ended by itself:\n{self.tail()}"

    async def stopped(self) -> int | None:
        """A clean stop; the exit status."""
        assert self.daemon is not None
        await self.daemon.stop()
        return self.daemon.process.returncode

    def tail(self) -> str:
        return self.log.read_text(encoding="utf-8")[-4000:]


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """Shop, sinks and three weeks of past; whatever runs is ended at the end."""
    sinks = CountingSinks()
    shop = Shop(folder, {name: port_of_its_own() for name in ("web-1", "web-2", "stats")})
    (folder / "state").mkdir(mode=0o700)
    await asyncio.to_thread(demo_history.write, folder / "state" / "samples.db", time.time())
    await sinks.start()
    try:
        await shop.start(demo_history.USED_NOW)
        stage = Stage(folder, shop, sinks)
        try:
            yield stage
        finally:
            if stage.daemon is not None:
                await stage.daemon.stop(signal.SIGKILL)
    finally:
        await shop.stop()
        await sinks.stop()


class Person:
    """on-call-1, who looks before each act and tries again: an answer that did not come says nothing about what was done."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.answered: list[tuple[str, str]] = []
        self.refused: list[tuple[str, str, int]] = []
        self.approved = asyncio.Event()
        self.hurried = asyncio.Event()
        """Set while the daemon may be killed; a person who has waited for long is given some quiet."""
        self.hurried.set()

    async def items(self, path: str) -> list[dict[str, Any]]:
        """What the API lists; waits while the daemon is dead."""
        while True:
            with suppress(*GONE):
                return await self._stage.api.items(f"{path}{'&' if '?' in path else '?'}limit=1000")
            await asyncio.sleep(0.05)

    async def act(self, verb: str, id: str, text: str | None = None) -> None:
        """One try. Refused because an earlier try came through (409) is as good as done."""
        if verb == "approve":
            self.approved.set()
        try:
            await self._stage.api.command(verb, id, "on-call-1", text=text)
        except HTTPError as error:
            self.refused.append((verb, id, error.code))
            error.close()
        except GONE:
            pass
        else:
            self.answered.append((verb, id))
