"""Which files a log probe reads: finds them, notices new, renamed and vanished ones, and says which it may not read."""

from __future__ import annotations

import glob
import grp
import os
import pwd
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forewarn.probers.log_tail import CHUNK, Tail, fingerprint
from forewarn.probers.reasons import Failure, Reason, unknown

LOOK_S = 1.0  # how often the names are looked at anew
GONE_S = 30.0  # how long a file without a name is read yet, counted from its last growth
MOST = 200  # files of one probe
RECENT = 1024**2  # what "recent" reads of each file
COPY_LEAST = 32  # fewer first bytes can't tell a copy from another file
PACKED = (".gz", ".xz", ".bz2", ".zst", ".zip", ".lz4")

Key = tuple[int, int]  # device and inode


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step read. `more`: there is more at once."""

    lines: list[str]
    more: bool


class Files:
    """All files of one probe. `start` is end, beginning or recent (the last RECENT bytes); `cursor` is that of `stored`."""

    def __init__(self, globs: Sequence[str], start: str, cursor: Mapping[str, Any] | None = None) -> None:
        self._globs, self._start = tuple(globs), start
        self._tails: dict[Key, Tail] = {}
        self._blind: dict[str, str] = dict.fromkeys((cursor or {}).get("blind", ()), "")  # path -> why it is not read
        self._places: list[Mapping[str, Any]] = list((cursor or {}).get("files", ()))  # of the cursor, not taken up yet
        self._known_globs = frozenset((cursor or {}).get("globs", ()))
        self._looked_at: float | None = None
        self._left_out = 0
        self._lock = threading.Lock()

    def step(self, now: float) -> Batch:
        """Read what is there, at most about CHUNK of each file. `now` is monotonic seconds."""
        with self._lock:
            return self._step(now)

    def _step(self, now: float) -> Batch:
        if self._looked_at is None or now - self._looked_at >= LOOK_S:
            self._look(now)
        lines: list[str] = []
        more = False
        for key, tail in list(self._tails.items()):
            before = tail.position
            try:
                lines += tail.read()
            except OSError as error:  # e.g. a stale NFS handle: opened again at the next look
                self._blind[tail.path] = f"{tail.path} can't be read: {error.strerror}"
                self._drop(key)
                continue
            more = more or tail.position - before >= CHUNK
            if tail.gone_at is None:
                continue
            if tail.position != before:
                tail.gone_at = now
            elif now - tail.gone_at >= GONE_S:
                lines += tail.rest()
                self._drop(key)
        return Batch(lines, more)

    def stored(self) -> dict[str, Any]:
        """For the cursor: where each file is read on."""
        places = [*self._places, *(tail.stored() for tail in self._tails.values())]
        return {"files": places, "globs": list(self._globs), "blind": sorted(self._blind)}

    def trouble(self) -> str | None:
        """What is not read although it is there, and what would help."""
        told = [why for why in self._blind.values() if why]
        if self._left_out:
            told.append(f"{self._left_out} files are left out: a probe reads at most {MOST}")
        return "; ".join(told) or None

    def failure(self) -> Failure | None:
        """Why nothing can be read; None where anything is."""
        if self._tails:
            return None
        trouble = self.trouble()
        if trouble:
            return unknown(Reason.PERMISSION, trouble)
        hint = "; this machine keeps its log in the journal only: install rsyslog to have files" if _journal_only() else ""
        return unknown(Reason.MISSING, f"there is no such file: {', '.join(self._globs)}{hint}")

    def close(self) -> None:
        """Also from another thread, while a step is under way."""
        with self._lock:
            for key in list(self._tails):
                self._drop(key)

    def _look(self, now: float) -> None:
        first, self._looked_at = self._looked_at is None, now
        self._blind, blind = {}, self._blind
        paths = dict(pair for one in self._globs for pair in _expand(one))
        self._left_out = max(0, len(paths) - MOST)
        named = set()
        for path in list(paths)[:MOST]:
            key = self._see(path)
            if key is None:
                continue
            named.add(key)
            tail = self._tails.get(key)
            if tail is None and (tail := self._open(path, key)):
                self._place(tail, old=path in blind or (first and paths[path] not in self._known_globs), blind=path in blind)
            elif tail and key != _key(tail.path):
                tail.path = path
        if first:
            self._find_renamed()
        for key, tail in self._tails.items():
            tail.gone_at = None if key in named else tail.gone_at or now

    def _see(self, path: str) -> Key | None:
        """The key of a file that can be followed; else None, and why unless it just isn't there."""
        try:
            found = Path(path).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._blind[path] = f"{path} can't be read: {_words(error)}{_remedy(path)}"
            return None
        if not stat.S_ISREG(found.st_mode):
            self._blind[path] = f"{path} is not a file"
            return None
        return found.st_dev, found.st_ino

    def _open(self, path: str, key: Key) -> Tail | None:
        try:
            tail = Tail(path, os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY), key[1])
        except OSError as error:
            self._blind[path] = f"{path} can't be read: {_words(error)}{_remedy(path)}"
            return None
        self._tails[key] = tail
        return tail

    def _place(self, tail: Tail, old: bool, blind: bool) -> None:
        """Where a file is begun. `old`: it was there before we looked; `blind`: and we could not read it then."""
        if self._resumed(tail) or self._copied(tail):
            return
        if not old or (self._start == "beginning" and not blind):
            tail.restart()
        elif self._start == "recent":
            begin = max(0, tail.size() - RECENT)
            tail.restart(begin, skipping=begin > 0)
        else:
            tail.to_end()

    def _resumed(self, tail: Tail) -> bool:
        for place in self._places:
            if place["inode"] == tail.inode and tail.resume(place):
                self._places.remove(place)
                return True
        return False

    def _copied(self, tail: Tail) -> bool:
        """Whether this is what copytruncate left of a file that we read: then only what we had not read is new."""
        known = [other.stored() for other in self._tails.values() if other is not tail]
        for place in (*known, *self._places):
            length, digest = place["print"]
            if (
                length >= COPY_LEAST
                and tail.path.startswith(place["path"])
                and tail.path != place["path"]
                and place["offset"] <= tail.size()
                and fingerprint(tail.fd, length) == (length, digest)
            ):
                tail.restart(place["offset"], place["skip"])
                return True
        return False

    def _find_renamed(self) -> None:
        """Files that were rotated away while we did not look: the same inode under a longer name in the same folder."""
        places, self._places = self._places, []
        for place in places:
            if _key(place["path"]) is None:  # away, or shut: perhaps it comes back as it was
                self._places.append(place)
            for path in sorted(glob.glob(f"{glob.escape(place['path'])}*")):  # noqa: PTH207 (Path.glob takes no absolute patterns)
                key = None if path.endswith(PACKED) else self._see(path)
                if key is None or key in self._tails or key[1] != place["inode"]:
                    continue
                tail = self._open(path, key)
                if tail and not tail.resume(place):
                    self._drop(key)

    def _drop(self, key: Key) -> None:
        self._tails.pop(key).close()


def _journal_only() -> bool:
    return Path("/run/systemd/journal").is_dir() and not Path("/var/log/syslog").exists() and not Path("/var/log/messages").exists()


def _expand(one: str) -> Iterator[tuple[str, str]]:
    """(path, the glob it comes from); packed old files are not logs that grow."""
    if not glob.has_magic(one):
        yield one, one
        return
    for path in sorted(glob.glob(one)):  # noqa: PTH207
        if not path.endswith(PACKED):
            yield path, one


def _key(path: str) -> Key | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _remedy(path: str) -> str:
    """What would let us read `path`: the group of the file, or of the first folder on the way that shuts us out."""
    place = Path(path)
    for one in (*reversed(place.parents), place):
        try:
            found = one.stat()
        except OSError:
            break
        bits = stat.S_IRGRP if one == place else stat.S_IXGRP
        if os.access(one, os.R_OK if one == place else os.X_OK):
            continue
        if found.st_mode & bits:
            return f"; add the user {_user()} to the group {_group(found.st_gid)}"
        return f"; only its owner may read {one}, so change its mode or owner"
    return ""


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
