"""The seam between following logs and where they lie: what a followed machine must be able to do, and this machine doing it.

Everything that log_files.py and log_tail.py ask goes through `Place` and `Source`; another machine is another `Place`
(log_far.py). All of it blocks and is called on a thread. Errors are OSError where they are about one file; whoever can't reach
the machine any more raises CannotReach.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from forewarn.probers.log_packed import PackedSource
from forewarn.probers.log_rights import remedy

Key = tuple[int, int]
"""Device and inode: a file, whatever it is called."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to."""

    key: Key
    size: int
    changed_s: float  # epoch seconds of the last change of its content
    regular: bool


class Source(Protocol):
    """One open file."""

    def size(self) -> int: ...

    def read(self, size: int, offset: int) -> bytes:
        """At most `size` bytes from `offset` on; fewer only at the end."""

    def close(self) -> None: ...


class Place(Protocol):
    """A machine whose files are followed."""

    def paths(self, pattern: str) -> Sequence[str]:
        """What a path or glob stands for, in order; a path without a glob as it is, whether or not it is there."""

    def look(self, path: str) -> Found: ...

    def open(self, path: str, packed: bool = False) -> Source:
        """`packed`: as it was before it was compressed; such a source is read from its beginning on, forward."""

    def watched(self, source: Source) -> str | None:
        """A path of this machine by which the kernel tells of changes to an open file; None where it can't."""

    remedy: Callable[[str], str]
    """What would let us read a path that we may not read, as the end of a sentence; nothing where that is not known."""


class LocalSource:
    """A file of this machine."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def read(self, size: int, offset: int) -> bytes:
        return os.pread(self.fd, size, offset)

    def close(self) -> None:
        os.close(self.fd)


class Local:
    """This machine."""

    def __init__(self) -> None:
        self.remedy: Callable[[str], str] = remedy

    def paths(self, pattern: str) -> Sequence[str]:
        return sorted(glob.glob(pattern)) if glob.has_magic(pattern) else [pattern]  # noqa: PTH207 (Path.glob takes no absolute patterns)

    def look(self, path: str) -> Found:
        found = Path(path).stat()
        return Found((found.st_dev, found.st_ino), found.st_size, found.st_mtime, stat.S_ISREG(found.st_mode))

    def open(self, path: str, packed: bool = False) -> Source:
        return PackedSource(path) if packed else LocalSource(path)

    def watched(self, source: Source) -> str | None:
        return f"/proc/self/fd/{source.fd}" if isinstance(source, LocalSource) else None
