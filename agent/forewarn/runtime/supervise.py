"""Keeps the daemon's tasks running, and tells systemd how it is.

A task that is essential (the owner, the outbox) ends the daemon when it fails: systemd starts it again from what is
stored, which is safer than going on with half of it. Any other task is started again after a pause.
Source for the messages: sd_notify(3).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping

import structlog

from forewarn.ports import Clock

log = structlog.get_logger("forewarn.supervise")
PAUSES_S = (1.0, 2.0, 5.0, 15.0, 30.0)
STEADY_S = 60.0
"""A task that ran for so long begins again with the shortest pause."""

Sleep = Callable[[float], Awaitable[None]]


async def supervise(
    name: str, work: Callable[[], Awaitable[None]], clock: Clock, *, essential: bool = False, sleep: Sleep = asyncio.sleep
) -> None:
    """Run `work` until it ends by itself. Its failure is logged with its trace, then raised if it is essential, else it
    is started again. To be run as a task of the daemon's TaskGroup, which a raised failure ends."""
    failures = 0
    while True:
        began = clock.monotonic()
        try:
            return await work()
        except Exception as error:
            if essential:
                log.exception("task_failed", task=name, error=f"{type(error).__name__}; the daemon ends")
                raise
            failures = 0 if clock.monotonic() - began >= STEADY_S else failures
            pause = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
            failures += 1
            log.exception("task_failed", task=name, error=f"{type(error).__name__}; again in {pause:g} s")
        await sleep(pause)


def start(
    group: asyncio.TaskGroup, name: str, work: Callable[[], Awaitable[None]], clock: Clock, *, essential: bool = False
) -> asyncio.Task[None]:
    """A supervised task of `group`, named for traces and `asyncio` tools."""
    return group.create_task(supervise(name, work, clock, essential=essential), name=name)


class Notifier:
    """What systemd is told; silent where nobody listens. Reads NOTIFY_SOCKET and WATCHDOG_USEC once.

    They leave `environ`, so that programs which we start do not speak for us.
    """

    def __init__(self, environ: dict[str, str] | os._Environ[str] | None = None, pid: int | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._address = environ.pop("NOTIFY_SOCKET", None)
        self.watchdog_s = _watchdog_s(environ, os.getpid() if pid is None else pid)
        for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
            environ.pop(name, None)

    @property
    def listening(self) -> bool:
        return self._address is not None

    def ready(self, status: str = "") -> None:
        """The daemon is up (also after a reload)."""
        self._tell("READY=1" + (f"\nSTATUS={_line(status)}" if status else ""))

    def status(self, text: str) -> None:
        """One line that `systemctl status` shows."""
        self._tell(f"STATUS={_line(text)}")

    def reloading(self, clock: Clock) -> None:
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={int(clock.monotonic() * 1e6)}")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """Feeds the watchdog; call it at least every `watchdog_s / 2`, from the loop that must not hang."""
        self._tell("WATCHDOG=1")

    def _tell(self, text: str) -> None:
        """Never blocks and never raises: that systemd does not listen must not stop us."""
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as channel:
                channel.connect(address)
                channel.send(text.encode())
        except OSError as error:
            log.warning("systemd_not_told", error=str(error))


def _watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """How often systemd wants to hear from us, in seconds; None: not at all, or from another process."""
    usec, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID")
    if not usec.isdigit() or int(usec) == 0 or (whose and whose != str(pid)):
        return None
    return int(usec) / 1e6


def _line(text: str) -> str:
    return " ".join(text.split())
