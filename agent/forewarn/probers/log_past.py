"""What was rotated away while nobody looked: where a file that was read has gone, and which whole files came and went."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from glob import escape
from typing import Any

from forewarn.probers.log_packed import PACKED, READABLE
from forewarn.probers.log_source import Found, Key, Place, Source
from forewarn.probers.log_tail import fingerprint

MOST_MISSED = 50
"""Rotated files that are gone through for one that was followed."""
Past = tuple[str, Key | None, Source, int, bool]
"""Path, key, the open file, from where on it is new, and whether that is inside a line."""


def missed(place: Place, known: Mapping[str, Any], open_now: Collection[Key], least: int) -> Iterator[Past]:
    """What is to be read before the file that now has the name: the rest of the one of before, and all that came after it.

    `known` is its place in a cursor. A file is recognised by its inode, or as a copy by `least` or more first bytes that are
    alike; a rotated file that is neither and was written to later than the known one is new as a whole. A file that may not
    be read is passed over.
    """
    for path, found in _rotated(place, known["path"]):
        if found.key in open_now:
            continue
        try:
            source = place.open(path, packed=path.endswith(PACKED))
        except OSError:
            continue
        length, digest = known["print"]
        same_file = not path.endswith(PACKED) and found.key[1] == known["inode"]
        alike = fingerprint(source, length) == (length, digest)
        if alike and (same_file or length >= least):
            yield path, found.key, source, known["offset"], bool(known.get("skip"))
        elif _is_later(path, found, known) and not same_file and not (alike and length):
            yield path, found.key, source, 0, False
        else:
            source.close()


def _is_later(path: str, found: Found, known: Mapping[str, Any]) -> bool:
    """Whether a name is one that rotation gives (app.log.1, app.log-20261128.gz), to a file written to after the known one."""
    by_rotation = re.match(r"[.-]\d", path.removeprefix(known["path"])) is not None
    return by_rotation and bool(known.get("changed")) and found.changed_s > known["changed"] + 1


def left_copy(place: Place, known: Mapping[str, Any], open_now: Collection[Key]) -> tuple[str, Key, Source] | None:
    """The copy that was made of a file before it was truncated, if it holds more than was read."""
    length, digest = known["print"]
    for path, found in reversed(_rotated(place, known["path"])):
        if found.key in open_now or path.endswith(PACKED) or found.size <= known["offset"]:
            continue
        source = place.open(path)
        if fingerprint(source, length) == (length, digest):
            return path, found.key, source
        source.close()
    return None


def _rotated(place: Place, path: str) -> list[tuple[str, Found]]:
    """The rotated files of a log that can be read, the oldest first."""
    found = []
    for each in place.paths(f"{escape(path)}*"):
        if each == path or (each.endswith(PACKED) and not each.endswith(READABLE)):
            continue
        try:
            one = place.look(each)
        except OSError:
            continue
        if one.regular:
            found.append((each, one))
    return sorted(found, key=lambda pair: pair[1].changed_s)[-MOST_MISSED:]
