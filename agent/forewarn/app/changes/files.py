"""Configuration files that changed, by hash: a content is read, hashed and forgotten, and nothing of it is kept or told.

A file is hashed only when its size or times differ from those of the last look, so a look costs a few microseconds a file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from forewarn.app.changes import Seen

MOST_FILES, MOST_BYTES = 10_000, 1_048_576
NAMED = 4
CERTIFICATES = (".pem", ".crt", ".cer")
BEGINS = b"-----BEGIN CERTIFICATE-----"
SKIP = (
    "*.swp", "*~", "*.bak", "*.dpkg-*", "*.rpmnew", "*.rpmsave", "*/.git/*", "*/.#*", "*.lock",
    "/etc/mtab", "/etc/ld.so.cache", "/etc/resolv.conf", "/etc/adjtime", "/etc/machine-id", "/etc/ssl/certs/*", "/etc/alternatives/*",
    "/etc/blkid.tab*", "/etc/cups/subscriptions.conf*", "/etc/lvm/*", "/etc/passwd-", "/etc/shadow-", "/etc/group-", "/etc/gshadow-",
)  # fmt: skip
"""What machines write for themselves, and what editors leave."""

Mark = tuple[int, int, int, str, bool]
"""Size, modified (ns), inode, hash of the content ("" where it may not be read), and whether it is a certificate."""


def look(folders: Sequence[str], before: Mapping[str, Mark], skip: Sequence[str] = SKIP) -> dict[str, Mark]:
    """Every file below the folders, by path. Links are not followed out of them."""
    found: dict[str, Mark] = {}
    for path in _walk(folders, skip):
        with suppress(OSError):
            stat = os.stat(path)  # noqa: PTH116
            known = before.get(path)
            now = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
            found[path] = known if known and tuple(known[:3]) == now else (*now, *_hash(path, stat.st_size))
        if len(found) >= MOST_FILES:
            break
    return found


def _walk(folders: Sequence[str], skip: Sequence[str]) -> Iterator[str]:
    for folder in folders:
        for place, below, names in os.walk(folder):
            below.sort()
            for name in sorted(names):
                path = os.path.join(place, name)  # noqa: PTH118 - thousands of them, at every look
                if not any(fnmatchcase(path, glob) for glob in skip) and os.path.isfile(path):  # noqa: PTH113
                    yield path


def _hash(path: str, size: int) -> tuple[str, bool]:
    if size > MOST_BYTES:
        return "", False
    try:
        content = Path(path).read_bytes()
    except OSError:
        return "", False
    return hashlib.sha256(content).hexdigest(), path.endswith(CERTIFICATES) and BEGINS in content


def compared(before: Mapping[str, Mark], now: Mapping[str, Mark], at: datetime) -> list[Seen]:
    """What is different: certificates one by one, all other files as one change."""
    touched = {path: mark for path, mark in now.items() if path in before and _differs(before[path], mark)}
    found = []
    for path, mark in sorted(touched.items()):
        if mark[4]:
            found.append(
                Seen("certificate", _moment(mark, at), f"certificate {path} was renewed", f"certificate:{path}:{mark[3][:16]}")
            )
    plain = {path: mark for path, mark in touched.items() if not mark[4]}
    names = [*sorted(plain), *(f"{path} (new)" for path in sorted(set(now) - set(before)))]
    names += [f"{path} (gone)" for path in sorted(set(before) - set(now))]
    if names:
        more = len(names) - NAMED
        text = ", ".join(names[:NAMED]) + (f" +{more}" if more > 0 else "")
        whole = hashlib.sha256("\n".join(f"{name}{now.get(name, (0, 0, 0, ''))[3]}" for name in names).encode()).hexdigest()
        newest = max((_moment(mark, at) for mark in plain.values()), default=at)
        found.append(Seen("config", newest, text, f"config:{whole[:24]}:{newest.isoformat()}"))
    return found


def _differs(before: Mark, now: Mark) -> bool:
    """By content; of one that may not be read, by size and time."""
    return before[3] != now[3] if before[3] and now[3] else tuple(before[:2]) != tuple(now[:2])


def _moment(mark: Mark, at: datetime) -> datetime:
    """When it was written; a time that can't be is that of the look."""
    written = datetime.fromtimestamp(mark[1] / 1e9, UTC)
    return written if written <= at else at
