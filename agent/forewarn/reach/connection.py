"""The connection to one host: opened when it is first needed, kept, opened anew when it broke, and not tried too often.

A host that is away is asked again after a pause that grows; until then everybody who wants it hears at once why.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from forewarn.model.map import Host
from forewarn.reach.door import addresses, connected, judge
from forewarn.reach.known_hosts import Key, Known, known
from forewarn.reach.machine import CannotReach
from forewarn.reach.turns import Lane, Turns

if TYPE_CHECKING:
    from forewarn.reach.far_files import FarFiles
    from forewarn.reach.ssh import Command, Ssh

CONNECT_S = 10.0
"""How long a host may take to answer at all; and again for keys and log-in, from its turn on."""
WAY_S = 3 * CONNECT_S
"""The same with the look-up of its name, or with the hosts before it."""
COMMANDS = 4
"""At once on one host; sshd opens ten (MaxSessions)."""
PAUSES_S = (1.0, 2.0, 5.0, 15.0, 30.0)
LOCKED_PAUSES_S = (30.0, 60.0, 120.0, 300.0)
"""After a log-in that was refused: tools that lock out who knocks too often count these."""
LEAVE_S = 0.25
"""So long the message that ends a command may take to leave."""
STALLED_S = 2.0
"""A connection on which a command could not be handed over for so long is given up."""
OPENINGS, STARTS = 8, 32
"""Hosts that log in, and commands that begin, at once in the whole process."""
PATIENCE_S = 1.0
MOST_THREADS = 256
"""Threads for blocking calls, made when needed: each host holds one at most, whatever hangs."""
GREETING = "forewarn-"


@dataclass(frozen=True)
class Shared:
    """What the connections of a process share. `clock` answers seconds that never go back; `tell` is told when a host goes
    away (`host_away`, with host, reason, why) and comes back (`host_back`)."""

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="ssh"))
    opening: Turns = field(default_factory=lambda: Turns(OPENINGS, PATIENCE_S))
    starting: Turns = field(default_factory=lambda: Turns(STARTS, PATIENCE_S))
    clock: Callable[[], float] = time.monotonic
    tell: Callable[..., object] = lambda event, **facts: None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command: the first bytes of both streams, all their sizes, and the exit status if it ended with one."""

    code: int | None
    kept: tuple[bytes, bytes]
    sizes: tuple[int, int]
    timed_out: bool


class Connection:
    """One host's. `jump` is the connection to the host that it is reached through."""

    def __init__(self, host: Host, shared: Shared, jump: Connection | None = None) -> None:
        self.host, self.jump, self._shared = host, jump, shared
        self._lane = Lane(shared.pool)
        self._room = asyncio.Semaphore(COMMANDS)
        self._ssh: Ssh | None = None
        self._opening: asyncio.Task[Ssh | CannotReach] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._away: CannotReach | None = None
        self._failures, self._again_at = 0, 0.0
        self._closed = False

    async def run(self, text: str, timeout_s: float, cap: int) -> Done:
        """Run a command, for at most `timeout_s` in all; what is under way then is ended. Raises CannotReach."""
        end = asyncio.get_running_loop().time() + timeout_s
        async with self._place(end, timeout_s):
            command, timed_out = await self._started(text, cap, end), False
            code: int | None = None
            ended = False
            try:
                async with asyncio.timeout_at(end):
                    code = await command.ended(self._lane)
                ended = True
            except TimeoutError:
                timed_out = True
            finally:
                leaving = self._let_go(command, kill=not ended)
            if timed_out:
                await asyncio.wait({leaving}, timeout=LEAVE_S)
            out, err = (bytes(kept) for kept in command.kept)
            return Done(code, (out, err), (command.sizes[0], command.sizes[1]), timed_out)

    async def files(self, timeout_s: float) -> FarFiles:
        """The host's files, each exchange within `timeout_s`; on the kept connection. Raises CannotReach."""
        ssh = await self.opened(asyncio.get_running_loop().time() + timeout_s)
        make = import_module("forewarn.reach.far_files").FarFiles
        try:
            async with asyncio.timeout(timeout_s):
                return await self._lane.do(make, ssh, self.host.name, timeout_s)
        except TimeoutError:
            raise CannotReach("unreachable", f"{self.host.name} does not open its files within {timeout_s:g} s") from None
        except CannotReach as away:
            if away.reason == "reset":
                self._drop()
            raise

    async def opened(self, end: float) -> Ssh:
        """The connection, by `end` (the loop's time). Raises CannotReach."""
        if self._ssh and self._ssh.alive:
            return self._ssh
        if self._closed:
            raise CannotReach("config", f"{self.host.name} was taken out of config/hosts.yaml, or changed")
        if self._opening is None:
            if self._away and self._shared.clock() < self._again_at:
                raise CannotReach(self._away.reason, str(self._away))
            self._opening = asyncio.create_task(self._open(), name=f"ssh {self.host.name}")
        task = self._opening
        await asyncio.wait({task}, timeout=max(0.0, end - asyncio.get_running_loop().time()))
        if not task.done():
            raise CannotReach("unreachable", f"{self.host.name} ({self.host.place}) has not let us in yet; it goes on being tried")
        result = task.result()
        if isinstance(result, CannotReach):
            raise CannotReach(result.reason, str(result))
        return result

    async def shown(self) -> Key:
        """The key that the host shows now, whether or not it is known. Raises CannotReach."""
        library, ssh, sock = await self._lane.do(_library), None, None
        try:
            async with asyncio.timeout(2 * CONNECT_S):
                sock = await self._way()
                ssh = library.Ssh(self.host, sock, frozenset())
                key: Key = await ssh.key()
                return key
        except TimeoutError:
            raise CannotReach(
                "unreachable", f"{self.host.name} ({self.host.place}) shows no key within {2 * CONNECT_S:g} s"
            ) from None
        finally:
            for one in (ssh, sock):
                if one:
                    one.close()

    def close(self) -> None:
        """For good; what runs is cut."""
        self._closed = True
        if self._opening:
            self._opening.cancel()
        self._drop()

    # --- commands ---

    @asynccontextmanager
    async def _place(self, end: float, timeout_s: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(end):
                await self._room.acquire()
        except TimeoutError:
            why = f"{COMMANDS} commands are still under way on {self.host.name} after {timeout_s:g} s"
            raise CannotReach("timeout", why) from None
        try:
            yield
        finally:
            self._room.release()

    async def _started(self, text: str, cap: int, end: float) -> Command:
        """A command that the host has begun. A kept connection that turns out to be dead is replaced once, as long as
        nothing was handed over."""
        ssh = await self.opened(end)
        command = await self._try(ssh, text, cap, end)
        if command is None:
            ssh = await self.opened(end)
            command = await self._try(ssh, text, cap, end)
        if command is None:
            raise CannotReach("reset", f"{self.host.name} ({self.host.place}) cuts each connection")
        return command

    async def _try(self, ssh: Ssh, text: str, cap: int, end: float) -> Command | None:
        loop, command = asyncio.get_running_loop(), _library().Command(ssh, text, cap)
        begun = loop.time()
        try:
            async with asyncio.timeout_at(end), self._shared.starting.turn():
                await self._lane.do(command.start, max(0.1, end - loop.time()))
        except TimeoutError:
            self._let_go(command, kill=True)
            if loop.time() - begun >= STALLED_S:
                self._drop()
            raise CannotReach("unreachable", f"{self.host.name} does not take commands any more", begun=command.handed) from None
        except CannotReach:
            self._let_go(command, kill=False)
            if ssh.alive or command.handed:
                raise
            self._drop()
            return None
        except asyncio.CancelledError:
            self._let_go(command, kill=True)
            raise
        return command  # type: ignore[no-any-return]

    def _let_go(self, command: Command, *, kill: bool) -> asyncio.Task[None]:
        task = asyncio.create_task(self._leave(command, kill))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task

    async def _leave(self, command: Command, kill: bool) -> None:
        with suppress(RuntimeError):  # the pool is closed, and the connection with it
            await self._lane.do(command.close, kill=kill)

    def _drop(self) -> None:
        ssh, self._ssh = self._ssh, None
        if ssh:
            ssh.close()

    # --- opening ---

    async def _open(self) -> Ssh | CannotReach:
        self._drop()
        try:
            ssh = await self._connect()
        except CannotReach as away:
            pauses = LOCKED_PAUSES_S if away.reason == "auth" else PAUSES_S
            self._again_at = self._shared.clock() + pauses[min(self._failures, len(pauses) - 1)]
            if self._away is None or self._away.reason != away.reason:
                self._shared.tell("host_away", host=self.host.name, reason=away.reason, why=str(away))
            self._away, self._failures = away, self._failures + 1
            return away
        finally:
            self._opening = None
        if self._away:
            self._shared.tell("host_back", host=self.host.name)
        self._away, self._failures, self._ssh = None, 0, ssh
        return ssh

    async def _connect(self) -> Ssh:
        host, loop = self.host, asyncio.get_running_loop()
        library = await self._lane.do(_library)
        keys = await self._lane.do(library.keys_for, host)
        files = await self._lane.do(_known, host)
        stage, ssh, sock = "answer", None, None
        try:
            async with asyncio.timeout(WAY_S) as limit:
                sock = await self._way()
                limit.reschedule(None)
                async with self._shared.opening.turn(last=self._failures > 0):
                    limit.reschedule(loop.time() + CONNECT_S)
                    stage = "exchange keys"
                    ssh = library.Ssh(host, sock, frozenset(one.key.kind for one in files if not one.revoked))
                    judge(host, files, await ssh.key())
                    stage = f"let {host.user} in"
                    await ssh.log_in(keys)
                    stage = "run a first command"
                    await self._greet(library.Command(ssh, f"echo {(word := GREETING + secrets.token_hex(8))}", 4096), word)
            return ssh  # type: ignore[no-any-return]
        except BaseException as error:
            for one in (ssh, sock):
                if one:
                    one.close()
            if isinstance(error, TimeoutError):
                why = f"{host.name} ({host.place}) does not {stage} within {CONNECT_S:g} s"
                raise CannotReach("unreachable", why) from None
            raise
        finally:
            library.let_go(keys)

    async def _way(self) -> Any:
        """A socket to the host, which has begun to speak; or a tunnel through the host before it."""
        loop = asyncio.get_running_loop()
        if self.jump is None:
            return await connected(self.host, await self._lane.do(addresses, self.host), CONNECT_S)
        try:
            before = await self.jump.opened(loop.time() + CONNECT_S)
        except CannotReach as away:
            why = f"{self.host.name} is reached through {self.jump.host.name}, and that can't be: {away}"
            raise CannotReach("jump", why) from None
        return await self._lane.do(before.tunnel, self.host, CONNECT_S)

    async def _greet(self, command: Command, word: str) -> None:
        """A first command shows that the account runs what it is handed: the answer of a locked shell would else be taken
        for the answer of a program."""
        await self._lane.do(command.start, CONNECT_S)
        await command.ended(self._lane)
        self._let_go(command, kill=False)
        out, err = (bytes(kept).decode("utf-8", "replace") for kept in command.kept)
        if out.strip() == word:
            return
        said = " ".join((out.replace(word, "") or err).split())[:120]
        user, name = self.host.user, self.host.name
        if word in out:
            why = f'the login files of {user} on {name} print "{said}" before each command; make them silent unless at a terminal'
            raise CannotReach("protocol", why)
        why = f'{name} lets {user} in and runs nothing (it says "{said}"); give the account a shell: usermod -s /bin/sh {user}'
        raise CannotReach("auth", why)


def _library() -> Any:
    """paramiko is imported when a host is first reached: it costs half a second."""
    return import_module("forewarn.reach.ssh")


def _known(host: Host) -> list[Known]:
    """What is known of the host's keys. Blocks. Raises CannotReach."""
    try:
        return [] if host.fingerprints else known(host.known_hosts, host.address, host.port)
    except OSError as error:
        raise CannotReach("permission", f"{error.filename} can't be read, so no key of a host is known: {error.strerror}") from None
