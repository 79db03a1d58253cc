"""Many HTTP exchanges at once: libcurl's multi interface on one private epoll, whose descriptor asyncio watches.

asyncio sees one readable descriptor, however many connections are open, so that the loop's own bookkeeping is paid once a
wake-up and not once a socket. Handles are pooled; a handle that last did the same kind of request gets only its address
and deadline anew (2 us instead of 15). Every exchange has a fresh connection and a full handshake.
Source: https://everything.curl.dev/transfers/drive/multi-socket.html
"""

from __future__ import annotations

import asyncio
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pycurl

from forewarn.probers.answer import Answer, Broken, Times, bare, split

READ_AT_ONCE = 16
"""Events of one wake-up: a step of a TLS handshake takes up to a millisecond, and what else is due must not wait for all."""

TIMES = (
    pycurl.NAMELOOKUP_TIME_T, pycurl.CONNECT_TIME_T, pycurl.APPCONNECT_TIME_T, pycurl.PRETRANSFER_TIME_T,
    pycurl.STARTTRANSFER_TIME_T, pycurl.TOTAL_TIME_T,
)  # fmt: skip
_IN = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
_MASKS = {pycurl.POLL_IN: select.EPOLLIN, pycurl.POLL_OUT: select.EPOLLOUT, pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT}


class Exchange:
    """A pooled handle and what comes in on it. `setup` is what the handle is set to; None: nothing yet."""

    def __init__(self) -> None:
        self.handle: Any = pycurl.Curl()
        self.handle.exchange = self
        self.setup: object = None
        self.told = False  # addresses of names
        self.reads_certificate = False
        self.job: Any = None
        self.url = ""
        self.timeout_s = 0.0
        self.max_body = 0
        self.keep_body = False
        self.body = bytearray()
        self.size = 0
        self.head: list[bytes] = []

    def begin(self, job: Any, url: str, timeout_s: float, max_body: int, keep_body: bool) -> None:
        self.job, self.url, self.timeout_s, self.max_body, self.keep_body = job, url, timeout_s, max_body, keep_body
        self.body, self.size, self.head = bytearray(), 0, []
        self.handle.setopt(pycurl.URL, url)
        self.handle.setopt(pycurl.TIMEOUT_MS, max(1, round((timeout_s - job.resolve_s) * 1000)))

    def write(self, data: bytes) -> int:
        """Takes a piece of the body; answering less than its length ends the exchange."""
        self.size += len(data)
        if self.size > self.max_body:
            return 0
        if self.keep_body:
            self.body += data
        return len(data)

    def write_head(self, line: bytes) -> None:
        if line.startswith(b"HTTP/"):  # of the next leg after a redirect, or after a 1xx
            self.head = []
        self.head.append(line)

    def times(self) -> Times:
        """libcurl's, and before each what looking up the name took us."""
        found = map(self.handle.getinfo, TIMES)
        before = round(self.job.resolve_s * 1e6)
        return Times(*(at + before if at else 0 for at in found)) if before else Times(*found)

    def answer(self, certificate_s: float | None) -> Answer:
        status = self.handle.getinfo(pycurl.RESPONSE_CODE)
        location = self.handle.getinfo(pycurl.REDIRECT_URL) if 300 <= status < 400 else None
        return Answer(
            status=status,
            phases=split(self.times()),
            size_bytes=self.size,
            body=bytes(self.body),
            charset=_charset(self.handle.getinfo(pycurl.CONTENT_TYPE)) if self.body else "utf-8",
            headers=_headers(self.head),
            location=bare(location) if location else None,
            certificate_s=certificate_s,
        )

    def broken(self, code: int, message: str) -> Broken:
        return Broken(
            url=self.url,
            code=code,
            message=message,
            os_errno=self.handle.getinfo(pycurl.OS_ERRNO),
            times=self.times(),
            size_bytes=self.size,
            timeout_s=self.timeout_s,
            max_body=self.max_body,
            too_big=self.size > self.max_body,
        )


Ended = Callable[[Exchange, int, str], None]
"""Takes an exchange that is over, libcurl's code (0: it went well) and its words."""


class Curl:
    """The multi handle, its epoll and its one timer. Everything happens on the loop's thread."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0  # when _timer fires
        self._wanted_at: float | None = None  # when libcurl wants to be called
        self._multi: Any = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._want)
        self._loop.add_reader(self._epoll.fileno(), self._readable)

    def add(self, exchange: Exchange) -> None:
        """Raises pycurl.error where the handle can't be used."""
        self._multi.add_handle(exchange.handle)

    def drop(self, exchange: Exchange) -> None:
        self._multi.remove_handle(exchange.handle)

    def go(self) -> None:
        """Begin what was added: all of it in this one wake-up."""
        self._act(pycurl.SOCKET_TIMEOUT, 0)
        self._settle()

    def close(self) -> None:
        """Give everything back. libcurl waits for look-ups that are under way (seconds, when no name server answers), so
        that part runs on a thread that nobody waits for."""
        self._loop.remove_reader(self._epoll.fileno())
        if self._timer:
            self._timer.cancel()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, None)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, None)
        self._epoll.close()
        closing = threading.Thread(target=self._multi.close, name="curl-close", daemon=True)
        closing.start()
        closing.join(0.05)

    def _socket(self, what: int, fd: int, multi: object, data: object) -> None:
        """libcurl tells which descriptors it waits for."""
        if what == pycurl.POLL_REMOVE:
            self._watched.discard(fd)
            with suppress(OSError):  # closed already: epoll has forgotten it by itself
                self._epoll.unregister(fd)
            return
        mask = _MASKS[what]
        if fd in self._watched:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.register(fd, mask)
            self._watched.add(fd)

    def _want(self, ms: int) -> None:
        """libcurl tells when it wants to be called; it does so several times in one action, so `_settle` looks at the last."""
        self._wanted_at = None if ms < 0 else time.monotonic() + ms / 1000

    def _settle(self) -> None:
        """After every action: hand out what has ended, and see that libcurl is called in time. A timer that fires too early
        is cheaper than one that is set anew each time."""
        self._reap()
        if self._wanted_at is not None and (self._timer is None or self._wanted_at < self._timer_at):
            if self._timer:
                self._timer.cancel()
            self._timer_at = self._wanted_at
            self._timer = self._loop.call_later(max(0.0, self._wanted_at - time.monotonic()), self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._wanted_at is not None and self._wanted_at <= time.monotonic():
            self._wanted_at = None
            self._act(pycurl.SOCKET_TIMEOUT, 0)
        self._settle()

    def _readable(self) -> None:
        for fd, event in self._epoll.poll(0, READ_AT_ONCE):
            flags = (pycurl.CSELECT_IN if event & _IN else 0) | (pycurl.CSELECT_OUT if event & select.EPOLLOUT else 0)
            self._act(fd, flags)
        self._settle()

    def _act(self, fd: int, flags: int) -> None:
        result = pycurl.E_CALL_MULTI_PERFORM
        while result == pycurl.E_CALL_MULTI_PERFORM:
            result, _ = self._multi.socket_action(fd, flags)

    def _reap(self) -> None:
        queued = 1
        while queued:
            queued, good, bad = self._multi.info_read()
            for handle in good:
                self._over(handle, 0, "")
            for handle, code, message in bad:
                self._over(handle, code, message)

    def _over(self, handle: Any, code: int, message: str) -> None:
        self._multi.remove_handle(handle)
        self._ended(handle.exchange, code, message)


def _charset(content_type: str | None) -> str:
    _, found, charset = (content_type or "").partition("charset=")
    return charset.split(";")[0].strip(" \"'").lower() if found else "utf-8"


def _headers(lines: list[bytes]) -> dict[str, str]:
    pairs = (line.decode("iso-8859-1").partition(":") for line in lines if b":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
