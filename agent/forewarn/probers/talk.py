"""Plain TCP connections, many at once: each a small state machine, all on one private epoll whose descriptor asyncio watches.

For what needs no library: a connection, and perhaps a question and its answer. On a near network the question goes out right
behind the connection, without a wake-up in between. Deadlines stand in one dict a time-out, in the order in which they were
set: one timer, nothing to cancel, and nothing is held of a talk that is over.
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

READ_AT_ONCE = 32
"""Events of one wake-up: after a standstill hundreds of answers lie there, and what else is due must not wait for all of them."""
READ_SIZE = 65_536
READS_AT_ONCE = 4
"""Pieces taken from one connection before the others have their turn: an endless answer must not hold them up."""
KIND = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
Address = tuple[Any, ...]


class Spoilt(Exception):
    """What came is no answer: the reader's own code for it, and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


class Reader(Protocol):
    """Takes an answer piece by piece."""

    def feed(self, data: bytes) -> bool:
        """True when the answer is complete. Raises Spoilt when it can't become one."""

    def end(self) -> None:
        """The other side has said its last word. Raises Spoilt when that makes no answer."""


class Talk:
    """One connection. Times are monotonic seconds, 0.0 where the point was not reached. `error` is the system's number;
    `late`: the deadline came first; `spoilt`: what was wrong with the answer."""

    __slots__ = (
        "address", "begun", "connected", "error", "family", "first", "job", "late", "reader", "request", "sent", "sock",
        "spoilt", "timeout_s", "until",
    )  # fmt: skip

    def __init__(self, job: Any, family: int, address: Address, request: bytes, reader: Reader | None, timeout_s: float) -> None:
        """Without a reader the talk is over once it is connected and the request is out."""
        self.job, self.family, self.address, self.request, self.reader = job, family, address, request, reader
        self.timeout_s = timeout_s
        self.begun = self.connected = self.first = self.until = 0.0
        self.sent = self.error = 0
        self.late = False
        self.spoilt: Spoilt | None = None
        self.sock = socket.SocketType(family, KIND)

    def begin(self) -> bool:
        """Connect, and ask at once where that is possible; True when all is over already."""
        problem = self._connect()
        if self.error:
            return True
        if self.request:
            return self._ask()
        return problem == 0 and self._stands()

    def _connect(self) -> int:
        """Begin to; what the kernel says at once. What is neither 0 nor EINPROGRESS is an `error`."""
        self.begun = time.monotonic()
        problem = self.sock.connect_ex(self.address)
        if problem not in (0, errno.EINPROGRESS):
            self.error = problem
        return problem

    @property
    def asking(self) -> bool:
        """Whether it waits for room to write, as also for the connection; else for what comes."""
        return not self.connected or self.sent < len(self.request)

    def go_on(self) -> bool:
        """The socket is ready; True when all is over."""
        if not self.connected:
            self.error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if self.error:
                return True
            if not self.request:
                return self._stands()
        if self.sent < len(self.request):
            return self._ask()
        return self._hear()

    def close(self) -> None:
        self.sock.close()

    def _stands(self) -> bool:
        self.connected = time.monotonic()
        return self.reader is None

    def _ask(self) -> bool:
        """As much as the socket takes; one that is still connecting takes nothing."""
        try:
            self.sent += self.sock.send(self.request[self.sent :] if self.sent else self.request)
        except BlockingIOError:
            return False
        except OSError as error:
            self.error = error.errno or errno.EIO
            return True
        self.connected = self.connected or time.monotonic()
        return self.reader is None and self.sent == len(self.request)

    def _hear(self) -> bool:
        reader = self.reader
        assert reader is not None
        for _ in range(READS_AT_ONCE):
            try:
                data = self.sock.recv(READ_SIZE)
                if not data:
                    reader.end()
                    return True
                self.first = self.first or time.monotonic()
                if reader.feed(data):
                    return True
            except BlockingIOError:
                return False
            except OSError as error:
                self.error = error.errno or errno.EIO
                return True
            except Spoilt as spoilt:
                self.spoilt = spoilt
                return True
            if len(data) < READ_SIZE:
                return False
        return False


class Talks:
    """All open talks of one engine. Everything happens on the loop's thread; `ended` takes each one once, closed already."""

    def __init__(self, ended: Callable[[Talk], None]) -> None:
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._open: dict[int, Talk] = {}
        self._deadlines: dict[float, dict[int, Talk]] = {}  # by time-out, then by descriptor
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._loop.add_reader(self._epoll.fileno(), self._readable)

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, talk: Talk) -> None:
        if talk.begin():
            self._over(talk)
            return
        fd = talk.sock.fileno()
        self._open[fd] = talk
        self._epoll.register(fd, select.EPOLLOUT if talk.asking else select.EPOLLIN)
        talk.until = talk.begun + talk.timeout_s
        line = self._deadlines.get(talk.timeout_s)
        if line is None:
            line = self._deadlines[talk.timeout_s] = {}
        line[fd] = talk
        if self._timer is None or talk.until < self._timer_at:
            self._alarm(talk.until)

    def close(self) -> Iterator[Talk]:
        """Give everything back; answers what was under way."""
        self._loop.remove_reader(self._epoll.fileno())
        if self._timer:
            self._timer.cancel()
        talks, self._open = list(self._open.values()), {}
        self._deadlines.clear()
        for talk in talks:
            talk.close()
        self._epoll.close()
        return iter(talks)

    def _readable(self) -> None:
        talks, asked, heard = self._open, select.EPOLLOUT, select.EPOLLIN
        for fd, event in self._epoll.poll(0, READ_AT_ONCE):
            talk = talks.get(fd)
            if talk is None:
                continue
            if talk.go_on():
                del talks[fd]
                del self._deadlines[talk.timeout_s][fd]
                self._over(talk)
            elif event & asked and not talk.asking:
                self._epoll.modify(fd, heard)
            elif event & heard and talk.asking:
                self._epoll.modify(fd, asked)

    def _over(self, talk: Talk) -> None:
        """The socket is closed before anybody hears of it: the epoll forgets it by itself."""
        talk.close()
        self._ended(talk)

    def _alarm(self, at: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(max(0.0, at - time.monotonic()), self._look)

    def _look(self) -> None:
        """End what is late, and find the next deadline. What has come already is read first: the loop may have stood still."""
        self._readable()
        self._timer, now, next_at = None, time.monotonic(), 0.0
        for timeout_s, line in list(self._deadlines.items()):
            while (fd := next(iter(line), None)) is not None and line[fd].until <= now:
                talk = line.pop(fd)
                talk.late = True
                del self._open[fd]
                self._over(talk)
            if fd is None:
                self._deadlines.pop(timeout_s, None)
            elif not next_at or line[fd].until < next_at:
                next_at = line[fd].until
        if next_at:
            self._alarm(next_at)
