"""The kernel tells when a followed file or its folder has changed (inotify), so that nobody has to look.

One descriptor for all followers of the process. The first change is passed on at once, those of the next COALESCE_S
together: a busy log wakes us twenty times a second at most, a log that rests never. A change that is missed (the queue
overflows) only means that everything is looked at. Source: inotify(7).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

COALESCE_S = 0.05
NONBLOCK, CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
MODIFY, MOVED_FROM, MOVED_TO, CREATE, DELETE, Q_OVERFLOW, IGNORED = 0x2, 0x40, 0x80, 0x100, 0x200, 0x4000, 0x8000
FILE = MODIFY
FOLDER = MOVED_FROM | MOVED_TO | CREATE | DELETE | 0x01000000  # only if it is a folder
OVERFLOWN = -1
_EVENT = struct.Struct("iIII")

Told = Callable[[set[int]], None]
"""Gets the watches that have changed; OVERFLOWN among them: some are not known. Called on the loop's thread."""


class Wake:
    """`watch` and `forget` may be called from any thread; `tell` gets what has changed, on the thread of `loop`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Raises OSError where the kernel has no such thing left (fs.inotify.max_user_instances)."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._called(self._libc.inotify_init1, NONBLOCK | CLOEXEC)
        self._loop = loop
        self._resume: asyncio.TimerHandle | None = None
        self._tellers: dict[int, list[Told]] = {}
        self._lock = threading.Lock()
        loop.add_reader(self._fd, self._ready)

    def watch(self, path: str, mask: int, told: Told) -> int | None:
        """The number of a watch; one file has one, whatever it is called and however often it is asked for. None where there
        can't be one."""
        with self._lock:
            try:
                number = self._called(self._libc.inotify_add_watch, self._fd, os.fsencode(path), mask)
            except OSError:
                return None
            tellers = self._tellers.setdefault(number, [])
            if told not in tellers:
                tellers.append(told)
            return number

    def forget(self, number: int, told: Told) -> None:
        """Undo one `watch`."""
        with self._lock:
            tellers = self._tellers.get(number, [])
            if told in tellers:
                tellers.remove(told)
            if not tellers and self._tellers.pop(number, None) is not None:
                with suppress(OSError):  # the file is gone, and the watch with it
                    self._called(self._libc.inotify_rm_watch, self._fd, number)

    def close(self) -> None:
        """No more is told."""
        if self._resume:
            self._resume.cancel()
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _ready(self) -> None:
        """Pass on what has come, and be deaf for a moment."""
        changed: dict[Told, set[int]] = {}
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return
        with self._lock:
            for number, mask in _events(data):
                if mask & Q_OVERFLOW:
                    for told in {told for tellers in self._tellers.values() for told in tellers}:
                        changed.setdefault(told, set()).add(OVERFLOWN)
                elif mask & IGNORED:
                    self._tellers.pop(number, None)
                else:
                    for told in self._tellers.get(number, ()):
                        changed.setdefault(told, set()).add(number)
        self._loop.remove_reader(self._fd)
        self._resume = self._loop.call_later(COALESCE_S, self._loop.add_reader, self._fd, self._ready)
        for told, numbers in changed.items():
            told(numbers)

    def _called(self, function: Callable[..., int], *arguments: object) -> int:
        result = function(*arguments)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result


def _events(data: bytes) -> Iterator[tuple[int, int]]:
    """Watch and mask of each."""
    at = 0
    while at < len(data):
        number, mask, _cookie, length = _EVENT.unpack_from(data, at)
        yield number, mask
        at += _EVENT.size + length
