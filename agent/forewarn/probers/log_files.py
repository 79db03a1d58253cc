"""Which files a log probe reads: finds them, notices new, renamed and vanished ones, and says which it may not read."""

from __future__ import annotations

import glob
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from forewarn.probers.log import LogOptions
from forewarn.probers.log_events import Form
from forewarn.probers.log_packed import PACKED
from forewarn.probers.log_past import continued, left_copy, unseen
from forewarn.probers.log_source import Found, Key, Local, Place, Source
from forewarn.probers.log_tail import QUIET_S, Block, Tail, fingerprint
from forewarn.probers.reasons import Failure, Reason, unknown

GONE_S = 30.0  # how long a file without a name is read yet, counted from its last growth
MOST = 500  # files of one probe
MOST_DONE = 20  # files that are remembered after they were read, so that no later look takes them for new ones
RECENT = 1024**2  # what "recent" reads of each file
COPY_LEAST = 32  # fewer first bytes can't tell a copy from another file
SILENT = 2  # so often in a row a file grew unannounced, and it is looked at as often as if nothing were announced


@dataclass(frozen=True)
class Batch:
    """What one step read. `more`: there is more at once; `again_s`: an event waits so long for its end, at most."""

    blocks: list[Block]
    more: bool
    again_s: float | None = None

    @property
    def lines(self) -> list[str]:
        """The events, as text."""
        return [text for block in self.blocks for text in _texts(block)]


class Files:
    """All files of one probe. `start` is end, beginning or recent (the last RECENT bytes); `cursor` is that of `stored`."""

    def __init__(
        self, options: LogOptions, start: str, cursor: Mapping[str, Any] | None = None, place: Place | None = None
    ) -> None:
        self._globs, self._start, self._form = options.files, start, Form.of(options)
        self._place: Place = place or Local()
        self._tails: dict[Key, Tail] = {}
        self._blind: dict[str, str] = dict.fromkeys((cursor or {}).get("blind", ()), "")  # path -> why it is not read
        self._places: list[Mapping[str, Any]] = list((cursor or {}).get("files", ()))  # of the cursor, not taken up yet
        self._at_start, self._gone_on = tuple(self._places), set[str]()  # of the cursor; paths that still are what they were
        self._done: list[Mapping[str, Any]] = list((cursor or {}).get("done", ()))  # files that were read to their end and let go
        self._known_globs = frozenset((cursor or {}).get("globs", ()))
        self._looked = False
        self._left_out = 0
        self._past = 0  # files of before that were read once, for their keys
        self._lock = threading.Lock()

    def step(self, now: float, changed: Collection[int] | None = None) -> Batch:
        """Read what is there, at most about a CHUNK of each file. `now` is monotonic seconds.

        `changed`: the watches (`Tail.watch`) of files that have changed; only those are read. None: look at all names and files.
        """
        with self._lock:
            return self._step(now, changed)

    @property
    def tails(self) -> list[Tail]:
        """What is open now."""
        return list(self._tails.values())

    def watched(self, tail: Tail) -> str | None:
        """See Place."""
        return self._place.watched(tail.source)

    def folders(self) -> set[str]:
        """Where files of these names come and go: their folders, and those that have such folders."""
        found: set[str] = set()
        for one in self._globs:
            folder = PurePath(one).parent
            while glob.has_magic(str(folder)):
                found.update(self._place.paths(str(folder)))
                folder = folder.parent
            found.add(str(folder))
        return found

    @property
    def silent(self) -> bool:
        """Whether a file grows without the kernel telling of it, as on a network file system, or is not watched at all."""
        return any(not tail.past and (tail.watch is None or tail.unannounced >= SILENT) for tail in self._tails.values())

    def stored(self) -> dict[str, Any]:
        """For the cursor: where each file is read on."""
        places = [*self._places, *(tail.stored() for tail in self._tails.values())]
        return {"files": places, "globs": list(self._globs), "blind": sorted(self._blind), "done": self._done}

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
        local = isinstance(self._place, Local) and _journal_only()
        hint = "; this machine keeps its log in the journal only: a probe of kind journal reads that" if local else ""
        return unknown(Reason.MISSING, f"there is no such file: {', '.join(self._globs)}{hint}")

    def close(self) -> None:
        """Also from another thread, while a step is under way."""
        with self._lock:
            for key in list(self._tails):
                self._drop(key)

    # --- reading ---

    def _step(self, now: float, changed: Collection[int] | None) -> Batch:
        if changed is None:
            self._look(now)
        blocks: list[Block] = []
        more = waits = False
        for key, tail in list(self._tails.items()):
            if changed is not None and tail.watch not in changed and not (tail.past or tail.waits or tail.more):
                continue
            try:
                blocks += self._read(key, tail, now, announced=changed is not None)
            except OSError as error:  # e.g. a stale NFS handle: opened again at the next look
                self._blind[tail.path] = f"{tail.path} can't be read: {error.strerror}"
                if not tail.past and len(self._places) < MOST:
                    self._places.append(tail.stored())
                self._drop(key)
                continue
            if key in self._tails:
                more, waits = more or tail.more, waits or tail.waits
        return Batch(blocks, more or any(tail.past or tail.more for tail in self._tails.values()), QUIET_S if waits else None)

    def _read(self, key: Key, tail: Tail, now: float, announced: bool) -> Iterator[Block]:
        if tail.truncated():
            self._go_on_truncated(tail)
        before = tail.position
        if block := tail.read(now):
            yield block
        grew = tail.position != before
        tail.unannounced = 0 if announced else tail.unannounced + 1 if grew else tail.unannounced
        if tail.more or (tail.gone_at is None and not tail.past):
            return
        if grew and tail.gone_at is not None:
            tail.gone_at = now
        if tail.past or (tail.gone_at is not None and now - tail.gone_at >= GONE_S):
            if block := tail.rest():
                yield block
            self._drop(key)

    def _go_on_truncated(self, tail: Tail) -> None:
        """What was written between our last look and the truncation stands only in the copy, and what was between that one
        and the next only in the next copy."""
        self._forget(tail)
        if tail.print[0] >= COPY_LEAST and (copy := left_copy(self._place, tail.stored(), self._tails)):
            self._open_past(*copy, tail.log, offset=tail.offset, skip=tail.stored()["skip"])
        tail.restart()
        if tail.before_s:
            self._find_unseen(tail.log, tail.before_s)

    # --- finding ---

    def _look(self, now: float) -> None:
        first, self._looked = not self._looked, True
        self._blind, blind = {}, self._blind
        paths = {path: one for one in self._globs for path in self._expand(one)}
        self._left_out = max(0, len(paths) - MOST)
        named, rotated = set(), dict[str, float]()
        before = {tail.path: tail.changed_s for tail in self._tails.values() if tail.changed_s}
        for path in list(paths)[:MOST]:
            found = self._see(path)
            if found is None:
                continue
            named.add(found.key)
            tail = self._tails.get(found.key)
            if tail is None and path in before:
                rotated[path] = before[path]
            if tail is None and (tail := self._open(path, found.key)):
                self._begin(tail, old=path in blind or (first and paths[path] not in self._known_globs), blind=path in blind)
            elif tail and tail.path != path and not self._is(tail.path, found.key):
                tail.path = path
            if tail:
                tail.looked(found.changed_s)
        if first:
            self._find_missed()
        for path, since_s in rotated.items():
            self._find_unseen(path, since_s)
        for key, tail in self._tails.items():
            tail.gone_at = None if key in named else tail.gone_at or now

    def _expand(self, one: str) -> Iterator[str]:
        """Packed old files are not logs that grow."""
        paths = self._place.paths(one)
        yield from paths if list(paths) == [one] else (path for path in paths if not path.endswith(PACKED))

    def _see(self, path: str) -> Found | None:
        """A file that can be followed; else None, and why unless it just isn't there."""
        try:
            found = self._place.look(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._blind[path] = f"{path} can't be read: {_words(error)}{self._place.remedy(path)}"
            return None
        if not found.regular:
            self._blind[path] = f"{path} is not a file"
            return None
        return found

    def _is(self, path: str, key: Key) -> bool:
        try:
            return self._place.look(path).key == key
        except OSError:
            return False

    def _open(self, path: str, key: Key) -> Tail | None:
        try:
            tail = Tail(path, self._place.open(path), key[1], self._form)
        except OSError as error:
            self._blind[path] = f"{path} can't be read: {_words(error)}{self._place.remedy(path)}"
            return None
        self._tails[key] = tail
        return tail

    def _begin(self, tail: Tail, old: bool, blind: bool) -> None:
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
                if place["print"][0]:  # one that was empty may have been filled and truncated since, or be another
                    self._gone_on.add(tail.path)
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
                and fingerprint(tail.source, length) == (length, digest)
            ):
                tail.restart(place["offset"], place["skip"])
                return True
        return False

    def _find_missed(self) -> None:
        """Files that were rotated away while we did not look, what rotation has made of them, and those between them and now."""
        places, self._places = self._places, []
        for place in places:
            if past := continued(self._place, place, set(self._tails), COPY_LEAST):
                self._open_past(*past[:3], place["path"], offset=past[3], skip=past[4])
            elif not self._there(place["path"]):  # away, or shut: perhaps it comes back as it was
                self._places.append(place)
        away = {place["path"] for place in self._places}
        since: dict[str, float] = {}
        for place in self._at_start:
            since[place["path"]] = max(place.get("changed", 0), since.get(place["path"], 0))
        for path, since_s in since.items():
            if since_s and path not in self._gone_on | away:
                self._find_unseen(path, since_s)

    def _find_unseen(self, path: str, since_s: float) -> None:
        """Files that had a name after `since_s` and were rotated away before we saw them."""
        known = [*self._at_start, *self._done, *(tail.stored() for tail in self._tails.values())]
        for past in unseen(self._place, path, since_s, set(self._tails), known):
            self._open_past(*past[:3], path, offset=0, skip=False)

    def _there(self, path: str) -> bool:
        try:
            self._place.look(path)
        except OSError:
            return False
        return True

    def _open_past(self, path: str, key: Key | None, source: Source, log: str, *, offset: int, skip: bool) -> None:
        self._past += 1
        with suppress(OSError):  # a damaged one is said when it is read
            source.read(1, offset)  # what is packed knows its size only as far as it was unpacked, and seems cut off before that
        tail = Tail(path, source, (key or (0, 0))[1], self._form)
        tail.log = log
        tail.past = key is None or path.endswith(PACKED)
        tail.restart(offset, skip)
        tail.more = True
        self._tails[key or (-1, self._past)] = tail

    def _drop(self, key: Key) -> None:
        tail = self._tails.pop(key)
        if tail.past or tail.gone_at is not None:
            with suppress(OSError):
                tail.learn()
            self._forget(tail)
        tail.close()

    def _forget(self, tail: Tail) -> None:
        """Only that this was read stays known."""
        self._done = [*self._done[1 - MOST_DONE :], {"inode": tail.inode, "print": list(tail.print)}]


def _texts(block: Block) -> Iterator[str]:
    from forewarn.probers.log_find import events

    for begin, end in events(block.text, block.starts):
        yield block.text[begin:end].decode()


def _journal_only() -> bool:
    return Path("/run/systemd/journal").is_dir() and not Path("/var/log/syslog").exists() and not Path("/var/log/messages").exists()


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
