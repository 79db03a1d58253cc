"""Files of another machine as a Place: what is followed here is followed there alike.

SFTP tells no inodes. So each file gets a number of ours, and is known again:
- while it is open, by the open file: a path leads to it if both have the same size and time at once, and the same beginning.
  (The path is looked at before and after the open file: it lies between, or they are not the same.) Where the path was that
  of the open file before, its beginning need not be read.
- else by its first bytes (PRINT of them), which a cursor keeps: after a cut or a restart, under any name.
Two files of one name with the same first PRINT bytes, one after the other while nobody was connected, are taken for one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import has_magic
from typing import TYPE_CHECKING, Any

from forewarn.probers.log_packed import PackedSource
from forewarn.probers.log_source import Found, Source
from forewarn.probers.log_tail import PRINT

if TYPE_CHECKING:
    from forewarn.reach.far_files import FarFile, FarFiles, Shown

DEVICE = -1
"""Of all keys of far files; their numbers are ours."""
NOWHERE = ""


@dataclass(slots=True)
class _Met:
    """A file that is not open, as it was last looked at under this path: its number and its first bytes' length and digest."""

    number: int
    length: int
    digest: str


class FarSource:
    """One open file of another machine."""

    def __init__(self, path: str, file: FarFile, number: int, forget: Callable[[FarSource], None]) -> None:
        self.path, self.file, self.number, self._forget = path, file, number, forget

    def size(self) -> int:
        return self.file.look().size

    def read(self, size: int, offset: int) -> bytes:
        return self.file.read(size, offset)

    def close(self) -> None:
        self._forget(self)
        self.file.close()


class FarPlace:
    """`known` are the places of a cursor, which tell the numbers of before."""

    def __init__(self, files: FarFiles, known: Iterable[Mapping[str, Any]] = ()) -> None:
        self._files = files
        self._seeds = [one for one in known if one["print"][0]]
        self._open: list[FarSource] = []
        self._met: dict[str, _Met] = {}
        self.remedy: Callable[[str], str] = lambda path: NOWHERE

    def paths(self, pattern: str) -> Sequence[str]:
        if not has_magic(pattern):
            return [pattern]
        found = ["/"]
        *folders, last = pattern.strip("/").split("/")
        for part in folders:
            found = [f"{folder}{name}/" for folder in found for name in self._named(folder, part)]
        return sorted(f"{folder}{name}" for folder in found for name in self._named(folder, last))

    def look(self, path: str) -> Found:
        said = self._files.look(path)
        number = self._number(path, said) if said.regular else 0
        return Found((DEVICE, number), said.size, float(said.changed_s), said.regular)

    def open(self, path: str, packed: bool = False) -> Source:
        file = self._files.open(path)
        if packed:
            return PackedSource(path, file.handle)
        known = self._met.get(path) or self._meet(path, file.read(PRINT, 0))
        source = FarSource(path, file, known.number, self._open.remove)
        self._open.append(source)
        return source

    def watched(self, source: Source) -> str | None:
        return None

    def close(self) -> None:
        self._files.close()

    def _named(self, folder: str, part: str) -> list[str]:
        """As a shell has it: a star leaves hidden names out."""
        if not has_magic(part):
            return [part]
        names = self._files.names(folder)
        return [name for name in names if fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))]

    def _number(self, path: str, said: Shown) -> int:
        for source in sorted(self._open, key=lambda source: source.path != path):
            if self._leads_to(path, said, source):
                source.path = path
                self._met[path] = _Met(source.number, 0, "")
                return source.number
        file = self._files.open(path)
        try:
            return self._meet(path, file.read(PRINT, 0)).number
        finally:
            file.close()

    def _leads_to(self, path: str, before: Shown, source: FarSource) -> bool:
        now = source.file.look()
        if not (before.size <= now.size and before.changed_s <= now.changed_s):
            return False
        after = self._files.look(path)
        if not (now.size <= after.size and now.changed_s <= after.changed_s):
            return False
        if source.path == path:
            return True
        file = self._files.open(path)
        try:
            first, theirs = file.read(PRINT, 0), source.read(PRINT, 0)
        finally:
            file.close()
        return first[: len(theirs)] == theirs[: len(first)] and bool(first) == bool(theirs)

    def _meet(self, path: str, first: bytes) -> _Met:
        """The number of a file that is not open, by its first bytes."""
        met = self._met.get(path)
        taken = {source.number for source in self._open}
        if met is None or met.number in taken or _digest(first[: met.length]) != met.digest:
            seeds = [seed for seed in self._seeds if _is(first, seed) and seed["inode"] not in taken]
            seeds.sort(key=lambda seed: seed.get("path") != path)
            met = _Met(int(seeds[0]["inode"]) if seeds else secrets.randbits(53), 0, "")
        met.length, met.digest = len(first), _digest(first)
        self._met[path] = met
        return met


def _digest(first: bytes) -> str:
    return hashlib.sha256(first).hexdigest()[:16]


def _is(first: bytes, seed: Mapping[str, Any]) -> bool:
    length, digest = seed["print"]
    return bool(len(first) >= length and _digest(first[:length]) == digest)
