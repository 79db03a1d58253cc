"""One consistent copy of ledger and samples while a daemon writes them, as one file; and looking whether a copy is whole.

Each database is copied from one moment: the copying connection holds a snapshot, so the daemon goes on and the copy does not
begin again. Samples come first: after a restore the log followers then go on at places that the ledger has not passed, and
what it has seen already it recognises; the other way round lines could be skipped.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, cast

from forewarn.model.errors import StoreError
from forewarn.store.sqlite import BUSY_S, plain

NAMES = ("samples.db", "ledger.db")
PAGES = 500
Progress = Callable[[str, int, int], None]
"""Takes the name of a database, pages done, and pages in all."""


def back_up(folder: Path, file: Path, progress: Progress) -> int:
    """Write `file` (a tar) from the databases in `folder`; answers its bytes. Raises StoreError, and leaves nothing half done.

    A file that is there already is replaced only when the new one is whole and on the disk.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".forewarn-backup-", dir=file.absolute().parent) as place:
            half = Path(place) / "backup.tar"
            with tarfile.open(half, "w") as tar:
                for name in NAMES:
                    copy = Path(place) / name
                    _copied(folder / name, copy, progress)
                    _sound(copy)
                    tar.add(copy, name, filter=_owners_alone)
                    copy.unlink()
            half.chmod(0o600)
            with half.open("rb") as written:
                os.fsync(written.fileno())
            size = half.stat().st_size
            half.replace(file)
            return size
    except OSError as error:
        raise StoreError(f"{file}: it can't be written ({error.strerror or error}); name a file in a folder with room") from error


def check(file: Path) -> dict[str, int]:
    """Bytes of each database in a backup that is whole. Raises StoreError otherwise."""
    try:
        with tempfile.TemporaryDirectory(prefix="forewarn-check-") as place, tarfile.open(file, "r:") as tar:
            sizes = {}
            for name in NAMES:
                with (Path(place) / name).open("wb") as out:
                    shutil.copyfileobj(cast("IO[bytes]", tar.extractfile(name)), out)
                _sound(Path(place) / name)
                sizes[name] = (Path(place) / name).stat().st_size
            return sizes
    except FileNotFoundError as error:
        raise StoreError(f"{file}: there is no such file; name a copy that forewarn backup wrote") from error
    except (OSError, KeyError, AttributeError, tarfile.TarError) as error:
        raise StoreError(f"{file}: this is not a backup of forewarn, or a part of one ({error}); take another copy") from error


def _copied(source: Path, copy: Path, progress: Progress) -> None:
    if not source.exists():
        raise StoreError(f"{source}: there is no such file; start forewarn once, or set FOREWARN_STATE to its folder")
    try:
        given = f"{source.absolute().as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(given, uri=True, timeout=BUSY_S, isolation_level=None)) as here,
            closing(sqlite3.connect(copy)) as there,
        ):
            here.execute("BEGIN")
            here.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the moment that is copied
            here.backup(there, pages=PAGES, sleep=0.0, progress=lambda _, left, pages: progress(source.name, pages - left, pages))
            there.execute("PRAGMA journal_mode = DELETE")  # one file, without a -wal beside it
    except sqlite3.Error as error:
        raise plain(source, error) from error


def _sound(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
            said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise plain(file, error) from error
    if said != "ok":
        raise StoreError(f"{file.name}: the copy is not whole: {said}; the original may be damaged, look with `forewarn doctor`")


def _owners_alone(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.uid, member.gid, member.uname, member.gname = 0o600, 0, 0, "", ""
    return member
