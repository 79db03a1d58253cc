"""Files of a host by SFTP: no shell and no program there, only reading. All of it blocks and is called on a thread.

A file that is open stays the same file whatever it is called meanwhile, as on this machine. What SFTP does not tell is the
number of a file (its inode): whoever follows files has to know them by what stands in them.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forewarn.reach.machine import CannotReach
from forewarn.reach.ssh import CUT

if TYPE_CHECKING:
    from forewarn.reach.ssh import Ssh

OF_A_FILE = (errno.ENOENT, errno.EACCES, errno.EPERM)
"""Errors that are about one file; all others end the use of this connection."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the host says of a file. `changed_s` in whole epoch seconds."""

    size: int
    changed_s: int
    regular: bool


class FarFiles:
    """Raises OSError where a file is missing or may not be read, else CannotReach."""

    def __init__(self, ssh: Ssh, name: str, timeout_s: float) -> None:
        self._name = name
        self._client = ssh.sftp(timeout_s)

    def look(self, path: str) -> Shown:
        with self._errors(path):
            return shown(self._client.stat(path))

    def names(self, folder: str) -> list[str]:
        """What lies in a folder; nothing where there is none, or it may not be read."""
        try:
            with self._errors(folder):
                return sorted(self._client.listdir(folder))
        except OSError:
            return []

    def open(self, path: str) -> FarFile:
        with self._errors(path):
            return FarFile(self, path, self._client.open(path, "rb"))

    def close(self) -> None:
        with suppress(OSError, *CUT):
            self._client.close()

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in OF_A_FILE:
                raise type(error)(
                    error.errno, "no such file" if error.errno == errno.ENOENT else "permission denied", path
                ) from None
            raise self._gone(error) from None
        except CUT as error:
            raise self._gone(error) from None

    def _gone(self, error: BaseException) -> CannotReach:
        if isinstance(error, TimeoutError):
            return CannotReach("timeout", f"{self._name} does not answer for its files any more")
        said = " ".join(str(error).split())[:120] or type(error).__name__
        return CannotReach("reset", f"the connection to the files of {self._name} was cut: {said}")


class FarFile:
    """One open file."""

    def __init__(self, files: FarFiles, path: str, handle: Any) -> None:
        self._files, self._path, self.handle = files, path, handle

    def look(self) -> Shown:
        with self._files._errors(self._path):
            return shown(self.handle.stat())

    def read(self, size: int, offset: int) -> bytes:
        with self._files._errors(self._path):
            self.handle.seek(offset)
            return bytes(self.handle.read(size))

    def close(self) -> None:
        with suppress(OSError, *CUT):
            self.handle.close()


def shown(said: Any) -> Shown:
    """An answer of stat."""
    return Shown(int(said.st_size or 0), int(said.st_mtime or 0), stat.S_ISREG(said.st_mode or 0))
