"""What was rotated away while nobody looked: where a file that was read has gone, and which whole files came and went."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from glob import escape
from typing import Any

from forewarn.probers.log_packed import PACKED, READABLE
from forewarn.probers.log_source import Found, Key, Place, Source
from forewarn.probers.log_tail import fingerprint

MOST_MISSED = 50
"""Rotated files that are gone through for one that was followed."""
_ROTATED, _LAST_ROTATED = re.compile(r"[.-]\d"), re.compile(r"[.-]\d[\d.-]*$")
Past = tuple[str, Key | None, Source, int, bool]
"""Path, key, the open file, from where on it is new, and whether that is inside a line."""


def continued(place: Place, known: Mapping[str, Any], open_now: Collection[Key], least: int) -> Past | None:
    """The rest of a file that was followed, whatever it is called now: by its inode, or by `least` or more first bytes.

    `known` is its place in a cursor. A file that may not be read is passed over.
    """
    length, digest = known["print"]
    for path, found in _near(place, _log(known["path"])):
        packed = path.endswith(PACKED)
        same = not packed and found.key[1] == known["inode"]
        if found.key in open_now or not (same or length >= least):
            continue
        try:
            source = place.open(path, packed)
        except OSError:
            continue
        if fingerprint(source, length) == (length, digest):
            return path, found.key, source, known["offset"], bool(known.get("skip"))
        source.close()
    return None


def unseen(
    place: Place, path: str, since_s: float, open_now: Collection[Key], known: Sequence[Mapping[str, Any]]
) -> Iterator[Past]:
    """Whole files that came and went while nobody looked: rotated, written to after `since_s`, and none of those `known`.

    Only its first bytes tell that a file is a known one: the inode of one that was packed is given to the next.
    """
    prints: dict[int, set[str]] = {}
    for one in known:
        prints.setdefault(one["print"][0], set()).add(one["print"][1])
    prints.pop(0, None)
    for each, found in _near(place, path):
        by_rotation = _ROTATED.match(each.removeprefix(path)) is not None
        if not by_rotation or found.changed_s < since_s or found.key in open_now:
            continue
        try:
            source = place.open(each, each.endswith(PACKED))
        except OSError:
            continue
        if any(fingerprint(source, length)[1] in digests for length, digests in prints.items()):
            source.close()
            continue
        length, digest = fingerprint(source)
        prints.setdefault(length, set()).add(digest)  # it may be there twice: while it is being packed
        yield each, found.key, source, 0, False


def left_copy(place: Place, known: Mapping[str, Any], open_now: Collection[Key]) -> tuple[str, Key, Source] | None:
    """The copy that was made of a file before it was truncated, if it holds more than was read."""
    length, digest = known["print"]
    for path, found in reversed(_near(place, known["path"])):
        if found.key in open_now or path == known["path"] or path.endswith(PACKED) or found.size <= known["offset"]:
            continue
        try:
            source = place.open(path)
        except OSError:
            continue
        if fingerprint(source, length) == (length, digest):
            return path, found.key, source
        source.close()
    return None


def _log(path: str) -> str:
    """The log that a rotated file was, by its name: it may have been renamed again, to another number."""
    return _LAST_ROTATED.sub("", path)


def _near(place: Place, path: str) -> list[tuple[str, Found]]:
    """A log and its rotated files that can be read, the oldest first."""
    found = []
    for each in place.paths(f"{escape(path)}*"):
        if each.endswith(PACKED) and not each.endswith(READABLE):
            continue
        try:
            one = place.look(each)
        except OSError:
            continue
        if one.regular:
            found.append((each, one))
    return sorted(found, key=lambda pair: pair[1].changed_s)[-MOST_MISSED:]
