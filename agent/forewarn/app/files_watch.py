"""Whether the files have changed since the running set was read from them: the set that runs is then older than they are.

Looked at slowly and cheaply: sizes and times of the files, and only where those moved the content of that one file. A
file that was only touched, or changed and changed back, is the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from forewarn.model.text import Say, say

PARTS = ("config", "probes", "playbooks")
ENDINGS = (".yaml", ".yml")
NAMED = 3
"""Files that are named; the rest is counted."""

Stamp = tuple[int, int]
"""Size in bytes, and time of the last change in ns."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a folder at one moment, by their path in it: when they changed, and a hash of what they held."""

    stamps: Mapping[str, Stamp]
    hashes: Mapping[str, bytes]

    @staticmethod
    def of(folder: Path) -> Snapshot:
        stamps = dict(_stamps(folder))
        return Snapshot(stamps, {name: _hash(folder / name) for name in stamps})


class FilesWatch:
    """`changed` blocks on the disk. `adopt` takes the snapshot of a set that was applied; make it before reading the set."""

    def __init__(self, folder: Path, loaded: Snapshot) -> None:
        self._folder, self._loaded = folder, loaded
        self._looked: dict[str, tuple[Stamp, bytes]] = {}
        self.names: tuple[str, ...] = ()
        """Files that differ, as the last look saw it."""

    def adopt(self, loaded: Snapshot) -> None:
        self._loaded = loaded
        self._looked.clear()
        self.names = ()

    def look(self) -> tuple[str, ...]:
        """Names of the files that were added, removed or changed."""
        now = dict(_stamps(self._folder))
        moved = {name for name in now if self._loaded.stamps.get(name) != now[name]}
        differ = {name for name in moved if self._content(name, now[name]) != self._loaded.hashes.get(name)}
        self.names = tuple(sorted(differ | (set(self._loaded.stamps) - set(now))))
        return self.names

    @property
    def trouble(self) -> Say | None:
        """For status and console: what changed, and the command that applies it."""
        if not self.names:
            return None
        shown = ", ".join(self.names[:NAMED])
        if len(self.names) > NAMED:
            return say("trouble.older_more", files=shown, more=len(self.names) - NAMED)
        return say("trouble.older", files=shown)

    def _content(self, name: str, stamp: Stamp) -> bytes:
        known = self._looked.get(name)
        if known is None or known[0] != stamp:
            known = self._looked[name] = (stamp, _hash(self._folder / name))
        return known[1]


def _stamps(folder: Path) -> Iterator[tuple[str, Stamp]]:
    for part in PARTS:
        for above, folders, names in os.walk(folder / part):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(above, name)
                if name.startswith(".") or not name.endswith(ENDINGS):
                    continue
                try:
                    found = path.stat()
                except OSError:
                    continue  # removed in between
                yield path.relative_to(folder).as_posix(), (found.st_size, found.st_mtime_ns)


def _hash(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b""
