"""Eight megabytes that are given up when the disk is full, so that the news of it can still be stored.

The bytes are random: a file system that compresses, or that keeps holes for zeros, would give no room back for others.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

SIZE = 8 * 1024 * 1024
ROOM = 3 * SIZE
"""Free bytes from which on it is built anew: itself, and as much again twice for those who filled the disk."""
_PIECE = 256 * 1024


class Ballast:
    """The file `ballast` in the state folder. All methods touch the disk: call them on the store's thread."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path, self._size = path, size

    @property
    def there(self) -> bool:
        """Whether there is something to give up."""
        try:
            return self._path.stat().st_size >= self._size
        except OSError:
            return False

    def free_bytes(self) -> int:
        """What others may still write here."""
        try:
            room = os.statvfs(self._path.parent)
        except OSError:
            return 0
        return room.f_bavail * room.f_frsize

    def build(self, room: int = ROOM) -> bool:
        """Make it where `room` bytes are free and it is not there yet; True if it is there afterwards."""
        if self.there:
            return True
        if self.free_bytes() < room:
            return False
        try:
            with open(self._path, "wb", opener=_private) as out:
                for _ in range(0, self._size, _PIECE):
                    out.write(os.urandom(min(_PIECE, self._size)))
                out.flush()
                os.fsync(out.fileno())
        except OSError:
            self.give_up()  # half of it would only stand in the way
            return False
        return True

    def give_up(self) -> bool:
        """Delete it; True if that made room."""
        had = self.there
        with suppress(OSError):
            self._path.unlink()
            return had
        return False


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
