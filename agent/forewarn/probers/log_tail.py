"""Reading files that grow: from where we were, through rotation, truncation and restarts, whole lines only.

A file is known by its inode and a fingerprint of its first bytes, not by its name:
- renamed (logrotate's `create`): the same inode under another name or none. It is read for a while yet, since the writer
  may not have noticed; the new file under the old name is read from its beginning.
- truncated (`copytruncate`): smaller than what we have read, or other first bytes: read from the beginning. A copy that
  shows up beside it is not a new file: it is read only from where we were, so that nothing counts twice or is lost.
- after a restart: the same inode and fingerprint, under any name in its folder, go on where the cursor says.
A partial last line waits for its end, and the last event of several lines for the next one or for QUIET_S. A line longer than
LONGEST is cut there and the rest of it skipped. Which files there are is log_files.py's business. All of this blocks; the
follower calls it on a thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forewarn.probers.log_events import Form
from forewarn.probers.log_source import Source

LONGEST = 1024**2  # bytes of a line
CHUNK = 512 * 1024
PRINT = 256  # first bytes that tell a file from another
QUIET_S = 1.0
"""An event of several lines is over when so long nothing was added to it."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole events in UTF-8, as log_find.py wants them."""

    text: bytes
    starts: list[int] | None = None
    inode: int = 0
    """Of the file that it is from."""

    def lines(self) -> list[str]:
        """Its lines as text; those of an event stay lines."""
        return self.text.decode("utf-8", "replace").removesuffix("\n").split("\n")


class Tail:
    """One open file. `offset` is where the first line begins that was not given out."""

    def __init__(self, path: str, source: Source, inode: int, form: Form) -> None:
        self.path, self.source, self.inode, self._form = path, source, inode, form
        self.log = path  # as it was called first: rotated files are called after it
        self.offset = 0
        self.print: tuple[int, str] = (0, "")
        self.changed_s = 0.0  # of its content, as its folder last said
        self.before_s = 0.0  # and at the look before: all that was written until then is read
        self.gone_at: float | None = None  # since when it has no name that we look at
        self.past = False  # it grows no more: done at its end
        self.watch: int | None = None  # the kernel tells of changes by this number
        self.unannounced = 0  # how often in a row it had grown without being told of
        self.position = 0  # up to where bytes were looked at
        self.more = False  # there is more to read at once
        self._grew_s: float | None = None  # when, if an event at its end still waits for more
        self._skipping = False

    @property
    def waits(self) -> bool:
        """Whether an event stands at its end that may not be over."""
        return self._grew_s is not None

    def size(self) -> int:
        return self.source.size()

    def looked(self, changed_s: float) -> None:
        """Its folder says when its content last changed."""
        self.before_s, self.changed_s = self.changed_s or changed_s, changed_s

    def to_end(self) -> None:
        """Read only what comes from now on; a last line without its end counts as old."""
        size = self.size()
        ended = size == 0 or self.source.read(1, size - 1) == b"\n"
        self.restart(size, skipping=not ended)

    def truncated(self) -> bool:
        """Whether it is not the file any more that we have read; then `restart`. Learns the fingerprint while it grows."""
        length, digest = self.print
        if self.size() < self.position or fingerprint(self.source, length) != (length, digest):
            return True
        self.learn()
        return False

    def learn(self) -> None:
        """Its fingerprint, while it has not all of its bytes."""
        if self.print[0] < PRINT:
            self.print = fingerprint(self.source)

    def read(self, now: float) -> Block | None:
        """What is there now of whole events, about CHUNK at most; None where that is nothing new."""
        size = self.size()
        quiet = self._grew_s is not None and now - self._grew_s >= QUIET_S
        if size == self.position and not quiet:
            self.more = False
            return None
        data = self.source.read(CHUNK, self.offset)
        if b"\n" not in data and len(data) == CHUNK:
            data = self.source.read(LONGEST, self.offset)
        grew, full = size != self.position, len(data) >= CHUNK
        self.position, self.more = self.offset + len(data), full
        if self._skipping:
            data = self._skipped(data)
        whole = data[: data.rfind(b"\n") + 1]
        if not whole and len(data) >= LONGEST:
            self.offset += len(data)
            self._skipping = True
            return Block(self._form.text(data[:LONGEST] + b"\n"), [0] if self._form.starts else None, self.inode)
        return self._block(whole, now if grew else self._grew_s, full, quiet)

    def restart(self, offset: int = 0, skipping: bool = False) -> None:
        """Read from `offset`; `skipping`: up to the next line's beginning, that is inside a line."""
        self.offset = self.position = offset
        self._skipping, self._grew_s = skipping, None
        self.print = fingerprint(self.source)

    def rest(self) -> Block | None:
        """What is left of a file that will not grow any more: also a last line without its end."""
        data = self.source.read(LONGEST, self.offset)
        self.offset += len(data)
        if self._skipping or not data:
            return None
        text = self._form.text(data if data.endswith(b"\n") else data + b"\n")
        return Block(text, self._form.starts(text) if self._form.starts else None, self.inode)

    def close(self) -> None:
        self.source.close()

    def stored(self) -> dict[str, Any]:
        place = {"path": self.log, "inode": self.inode, "offset": self.offset, "print": list(self.print), "skip": self._skipping}
        return {**place, "changed": self.changed_s}

    def resume(self, place: Mapping[str, Any]) -> bool:
        """Go on where a cursor says; False where this is not that file, or is not any more."""
        length, digest = place["print"]
        if fingerprint(self.source, length) != (length, digest):
            return False
        if place["offset"] > self.size() and not self.source.read(1, place["offset"] - 1):
            return False
        self.restart(place["offset"], bool(place.get("skip")))
        return True

    def _skipped(self, data: bytes) -> bytes:
        """Without the rest of a line whose beginning was given out, or is older than we are."""
        rest, newline, data = data.partition(b"\n")
        self.offset += len(rest) + len(newline)
        self._skipping = not newline
        return data

    def _block(self, whole: bytes, grew_s: float | None, full: bool, quiet: bool) -> Block | None:
        """The last event may go on, unless it is `quiet`, or fills all that was read. It is kept back as a number of lines: in
        another encoding it has another length."""
        self._grew_s = None
        if not whole:
            return None
        text, starts = self._form.text(whole), None
        if self._form.starts:
            starts = self._form.starts(text)
            if len(starts) > 1 if full else not quiet:
                self._grew_s = None if full else grew_s
                for _ in range(text.count(b"\n", starts[-1])):
                    whole = whole[: whole.rfind(b"\n", 0, len(whole) - 1) + 1]
                text, starts = text[: starts[-1]], starts[:-1]
        self.offset += len(whole)
        return Block(text, starts, self.inode) if text else None


def fingerprint(source: Source, length: int = PRINT) -> tuple[int, str]:
    """How many first bytes (at most `length`) and their digest: log lines themselves do not belong into a cursor."""
    first = source.read(length, 0)
    return len(first), hashlib.sha256(first).hexdigest()[:16]
