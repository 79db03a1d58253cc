"""Runs an argument vector on this machine: no shell, own session, a deadline for the whole group, capped output."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass

from forewarn.model.errors import ForewarnError
from forewarn.reach.mask import mask

AFTER_EXIT_S = 0.25  # how long children that were left behind may still write to our pipes
AFTER_KILL_S = 2.0  # a process that hangs in the kernel doesn't even die of SIGKILL: we go on without it
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR")
"""Variables that a program gets from us: the daemon's own environment may hold secrets."""


WATCHER: ContextVar[Callable[[Callable[[], str]], None] | None] = ContextVar("forewarn_watcher", default=None)
"""Whoever wants to see what a program says while it runs sets this before: it is given a function that answers it so far."""


class CannotRun(ForewarnError):
    """The program could not be started at all; nothing of it ran."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program did. `code` is its exit status, minus the signal's number where one ended it; `cut`: output was
    longer than the cap; `timed_out`: it was killed at the deadline, so `code` says nothing about its work."""

    code: int
    out: str
    err: str
    cut: bool
    timed_out: bool


class _Output(asyncio.SubprocessProtocol):
    """Takes all that is written and keeps the first `cap` bytes of each stream: a writer never waits for us."""

    def __init__(self, cap: int) -> None:
        loop = asyncio.get_running_loop()
        self.cap = cap
        self.kept = {1: bytearray(), 2: bytearray()}
        self.sizes = {1: 0, 2: 0}
        self.exited: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()  # exited, and both pipes are at their end

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        data = data.encode() if isinstance(data, str) else data
        self.sizes[fd] += len(data)
        self.kept[fd] += data[: max(0, self.cap - len(self.kept[fd]))]

    def so_far(self, secrets: Sequence[str]) -> str:
        """Whole lines of what was said until now: a secret is never seen in two halves."""
        lines = [bytes(self.kept[fd][: self.cap]).rpartition(b"\n")[0] for fd in (1, 2)]
        return "\n".join(mask(part.decode("utf-8", "replace"), *secrets) for part in lines if part)

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


async def run(
    argv: Sequence[str],
    timeout_s: float,
    cap_bytes: int = 16_384,
    env: Mapping[str, str] | None = None,
    secrets: Sequence[str] = (),
) -> Ran:
    """Run `argv` and wait for it, at most `timeout_s`; then its whole process group is killed.

    `env` is added to a small part of our environment (KEPT and LC_*); `cap_bytes` bounds each of out and err; `secrets`
    and what looks like one are masked in both. Raises CannotRun when the program is missing or may not be executed.
    """
    spare = max((len(secret.encode()) for secret in secrets), default=0)  # so that a secret across the cap is seen whole
    output = _Output(cap_bytes + spare)
    transport = await _start(argv, _environment(env), output)
    if watcher := WATCHER.get():
        watcher(lambda: output.so_far(secrets))
    try:
        await asyncio.wait({output.exited}, timeout=timeout_s)
        timed_out = not output.exited.done()
        if timed_out:
            _kill_group(transport.get_pid())
            await asyncio.wait({output.exited}, timeout=AFTER_KILL_S)
        await asyncio.wait({output.closed}, timeout=AFTER_EXIT_S)
    finally:
        if not output.exited.done():
            _kill_group(transport.get_pid())
        transport.close()
    code = transport.get_returncode()
    out, err = (text_of(bytes(output.kept[fd]), output.sizes[fd] > cap_bytes, cap_bytes, secrets) for fd in (1, 2))
    return Ran(-signal.SIGKILL if code is None else code, out, err, max(output.sizes.values()) > cap_bytes, timed_out)


async def _start(argv: Sequence[str], env: Mapping[str, str], output: _Output) -> asyncio.SubprocessTransport:
    if not argv:
        raise CannotRun("there is nothing to run: the argument vector is empty")
    program, pipe = argv[0], asyncio.subprocess.PIPE
    try:
        transport, _ = await asyncio.get_running_loop().subprocess_exec(
            lambda: output,
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env=dict(env),
            start_new_session=True,
        )
    except FileNotFoundError:
        where = "no such file" if "/" in program else f"not on PATH ({env.get('PATH', '')})"
        raise CannotRun(f'the program "{program}" is missing: {where}; install it or name its full path') from None
    except (OSError, ValueError) as error:
        raise CannotRun(f'the program "{program}" can\'t be started: {getattr(error, "strerror", None) or error}') from None
    return transport


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("LC_")}
    return {"PATH": os.defpath, **kept, **(extra or {})}


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def text_of(kept: bytes, is_cut: bool, cap: int, secrets: Sequence[str]) -> str:
    """What is shown of a stream. Where it was cut, a secret's beginning may stand at the end: that goes too."""
    text = mask(kept.decode("utf-8", "replace"), *secrets)
    if not is_cut:
        return text
    text = text[:cap]
    for secret in secrets:
        left = next((size for size in range(min(len(secret) - 1, len(text)), 0, -1) if text.endswith(secret[:size])), 0)
        text = text[: len(text) - left]
    return text
