"""Reading files that grow: from where we were, through rotation, truncation and restarts, whole lines only.

A file is known by its inode and a fingerprint of its first bytes, not by its name:
- renamed (logrotate's `create`): the same inode under another name or none. It is read for a while yet, since the writer
  may not have noticed; the new file under the old name is read from its beginning.
- truncated (`copytruncate`): smaller than what we have read, or other first bytes: read from the beginning. A copy that
  shows up beside it is not a new file: it is read only from where we were, so that nothing counts twice or is lost.
- after a restart: the same inode and fingerprint, under any name in its folder, go on where the cursor says.
A partial last line waits for its end. A line longer than LONGEST is cut there and the rest of it skipped.
Which files there are is log_files.py's business. All of this blocks; the follower calls it on a thread.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

LONGEST = 1024**2  # bytes of a line
CHUNK = 256 * 1024
PRINT = 256  # first bytes that tell a file from another


class Tail:
    """One open file. `offset` is where the first line begins that was not given out whole."""

    def __init__(self, path: str, fd: int, inode: int) -> None:
        self.path, self.fd, self.inode = path, fd, inode
        self.offset = 0
        self.print: tuple[int, str] = (0, "")
        self.gone_at: float | None = None  # since when it has no name that we look at
        self._part = b""
        self._skipping = False

    @property
    def position(self) -> int:
        """Up to where bytes were taken."""
        return self.offset + len(self._part)

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def to_end(self) -> None:
        """Read only what comes from now on; a last line without its end counts as old."""
        size = self.size()
        ended = size == 0 or os.pread(self.fd, 1, size - 1) == b"\n"
        self.restart(size, skipping=not ended)

    def read(self) -> list[str]:
        """Whole lines that are there now, at most about CHUNK bytes of them; none when there is nothing new."""
        if self._truncated():
            self.restart()
        data = os.pread(self.fd, CHUNK, self.position)
        if not data:
            return []
        return self._lines(data)

    def restart(self, offset: int = 0, skipping: bool = False) -> None:
        """Read from `offset`; `skipping`: up to the next line's beginning, that is inside a line."""
        self.offset, self._part, self._skipping = offset, b"", skipping
        self.print = fingerprint(self.fd)

    def rest(self) -> list[str]:
        """The last line of a file that will not grow any more, even without its end."""
        part, self._part = self._part, b""
        self.offset += len(part)
        return [_text(part)] if part and not self._skipping else []

    def close(self) -> None:
        os.close(self.fd)

    def stored(self) -> dict[str, Any]:
        return {"path": self.path, "inode": self.inode, "offset": self.offset, "print": list(self.print), "skip": self._skipping}

    def resume(self, place: Mapping[str, Any]) -> bool:
        """Go on where a cursor says; False where this is not that file, or is not any more."""
        length, digest = place["print"]
        if place["offset"] > self.size() or fingerprint(self.fd, length) != (length, digest):
            return False
        self.restart(place["offset"], bool(place.get("skip")))
        return True

    def _truncated(self) -> bool:
        length, digest = self.print
        if self.size() < self.position or fingerprint(self.fd, length) != (length, digest):
            return True
        if length < PRINT:
            self.print = fingerprint(self.fd)
        return False

    def _lines(self, data: bytes) -> list[str]:
        data = self._part + data
        if self._skipping:
            rest, newline, data = data.partition(b"\n")
            self.offset += len(rest) + len(newline)
            self._skipping = not newline
        whole, newline, part = data.rpartition(b"\n")
        lines = [_text(line[:LONGEST]) for line in whole.split(b"\n")] if newline else []
        self.offset += len(whole) + len(newline)
        if len(part) >= LONGEST:
            lines.append(_text(part[:LONGEST]))
            self.offset += len(part)
            part, self._skipping = b"", True
        self._part = part
        return lines


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", "replace")


def fingerprint(fd: int, length: int = PRINT) -> tuple[int, str]:
    """How many first bytes (at most `length`) and their digest: log lines themselves do not belong into a cursor."""
    first = os.pread(fd, length, 0)
    return len(first), hashlib.sha256(first).hexdigest()[:16]
