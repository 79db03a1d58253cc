"""What ledger and samples share: opening a SQLite file, migrating it, reading beside its writer, and plain errors.

One connection writes, under a lock, so that two threads can never share a transaction. Reads use connections of their own
(read only, a snapshot each, kept for the next reader): in WAL mode they never wait for the writer, nor it for them.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from forewarn.model.errors import StoreError

BUSY_S = 5.0
IDLE_READERS = 4
INCREMENTAL = 2
"""What SQLite calls a file that can give pages back (https://sqlite.org/pragma.html#pragma_auto_vacuum)."""
SHRINK_PAGES, REWRITE_PAGES = 256, 16_384

REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full and nothing of this was stored; free some space",
    sqlite3.SQLITE_BUSY: f"another process has kept it locked for {BUSY_S:.0f} s; end that process",
    sqlite3.SQLITE_LOCKED: "another connection keeps it locked; end the process that reads it",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; stop forewarn, move the file away and put a backup in its place, or go on without it",
    sqlite3.SQLITE_NOTADB: "this is not a database; move the file away and put a backup in its place, or go on without it",
    sqlite3.SQLITE_IOERR: "the disk answers with an error; see `dmesg` and check the disk",
    sqlite3.SQLITE_READONLY: "it can't be written; give its owner and folder back to the user that runs forewarn",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened; check that its folder exists and belongs to the user that runs forewarn",
    sqlite3.SQLITE_PERM: "it can't be opened; check that it belongs to the user that runs forewarn",
}
"""Primary result code of SQLite (https://sqlite.org/rescode.html) -> what it means for people, and what to do."""


def plain(path: Path, error: sqlite3.Error) -> StoreError:
    """The same trouble as a StoreError that names the file, the cause and the remedy."""
    code = getattr(error, "sqlite_errorcode", None)
    remedy = REMEDIES.get(code & 0xFF) if code is not None else None
    full = code is not None and code & 0xFF == sqlite3.SQLITE_FULL
    return StoreError(f"{path}: {remedy} ({error})" if remedy else f"{path}: {error}", full=full)


@cache
def queries(name: str, kind: str = "") -> dict[str, str]:
    """The `-- name: x` blocks of sql/NAME.sql; `{kind}` in them becomes the name of a table."""
    text = files("forewarn.store").joinpath("sql", f"{name}.sql").read_text("utf-8")
    blocks = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return {key: sql.strip().replace("{kind}", kind) for key, sql in zip(blocks[1::2], blocks[2::2], strict=True)}


def migrations(kind: str) -> list[tuple[int, str, str]]:
    """Number, file name and text of each migration of a kind of file, in order."""
    folder = files("forewarn.store").joinpath("migrations", kind)
    found = [(int(item.name[:4]), item.name, item.read_text("utf-8")) for item in folder.iterdir() if item.name.endswith(".sql")]
    return sorted(found)


class Database:
    """One SQLite file with one writer and any number of readers. All methods may be called from any thread.

    `kind` names its folder of migrations. `durable`: a commit has reached the disk when it returns (synchronous=FULL);
    otherwise a power cut may take the last second, and never more than whole transactions.
    With `read_only` the file must be there, stays as it is, and `transaction` can't be used. `shrinks`: `shrink` gives room back.
    Raises StoreError, here and from `transaction` and `reading`.
    """

    def __init__(self, path: Path, kind: str, *, durable: bool, read_only: bool = False, shrinks: bool = False) -> None:
        self.path = path
        self._kind = kind
        self._writing = threading.RLock()
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        self._writer: sqlite3.Connection | None = None
        if read_only and not path.exists():
            raise StoreError(f"{path}: there is no such file; start forewarn once, or set FOREWARN_STATE to its folder")
        try:
            if not read_only:
                self._open_writer(durable, shrinks)
            with self.reading() as db:
                self._check(db)
        except BaseException:
            self.close()
            raise

    def _open_writer(self, durable: bool, shrinks: bool) -> None:
        with suppress(OSError):  # sqlite3.connect says it better
            self.path.touch(mode=0o600)  # its -wal and -shm get the same rights
        try:
            self._writer = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            if shrinks:
                self._writer.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a new file; an older one gets it by `shrink`
            mode = self._writer.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise StoreError(
                    f"{self.path}: this file system can't share memory; set FOREWARN_STATE to a folder on a local disk"
                )
            self._writer.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with self.transaction() as db:
                self._migrate(db)
        except sqlite3.Error as error:
            raise plain(self.path, error) from error

    def _migrate(self, db: sqlite3.Connection) -> None:
        db.create_function("field", 2, field, deterministic=True)
        db.create_function("field_s", 2, field_s, deterministic=True)
        db.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, file TEXT NOT NULL) STRICT")
        for number, name, text in migrations(self._kind):
            if number > version_of(db):
                for statement in statements(text):
                    db.execute(statement)
                db.execute("INSERT INTO schema_version VALUES (?, ?)", (number, name))

    def _check(self, db: sqlite3.Connection) -> None:
        has, known = version_of(db), migrations(self._kind)[-1][0]
        if has > known:
            raise StoreError(
                f"{self.path}: a newer forewarn wrote it (schema {has}, this one knows {known}); "
                "start that version, or set FOREWARN_STATE to another folder"
            )
        if has < known:
            raise StoreError(f"{self.path}: an older forewarn wrote it (schema {has}, now {known}); start `forewarn run` once")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The writer inside one transaction: all of it is kept when the block ends, nothing when it raises."""
        with self._writing:
            if self._writer is None:
                raise StoreError(f"{self.path}: it is closed, or was opened for reading only")
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except sqlite3.Error as error:
                raise plain(self.path, error) from error
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No transaction is under way while the block lasts."""
        with self._writing:
            yield

    def shrink(self, spare: float = 0.1) -> None:
        """Give the disk back what is free in the file, but for a share of it: the next rows come soon.

        In slices; a file that an older version made is written anew once, if what is in it is small.
        """
        with self._writing:
            if self._writer is None:
                return
            pages, free, kind = (self._pragma(name) for name in ("page_count", "freelist_count", "auto_vacuum"))
        if kind == INCREMENTAL:
            for _ in range(math.ceil((free - spare * pages) / SHRINK_PAGES)):
                with self._writing, self._plain():  # `execute` would free one page only
                    self._writer.executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES})")
        elif free > pages // 2 and pages - free <= REWRITE_PAGES:
            with self._writing, self._plain():
                self._writer.execute("PRAGMA auto_vacuum = INCREMENTAL")
                self._writer.execute("VACUUM")

    def _pragma(self, name: str) -> int:
        assert self._writer is not None
        with self._plain():
            found: int = self._writer.execute(f"PRAGMA {name}").fetchone()[0]
        return found

    @contextmanager
    def _plain(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise plain(self.path, error) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection that sees one moment of the file until the block ends."""
        db = None
        try:
            db = self._reader()
            db.execute("BEGIN")
            yield db
            db.execute("COMMIT")
        except sqlite3.Error as error:
            raise plain(self.path, error) from error
        finally:
            if db is not None:
                self._give_back(db)

    def _reader(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"{self.path}: it is closed")
        try:
            return self._idle.pop()
        except IndexError:
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)

    def _give_back(self, db: sqlite3.Connection) -> None:
        if self._closed or db.in_transaction or len(self._idle) >= IDLE_READERS:
            db.close()  # in a transaction still: its reader failed, and the next one starts afresh
        else:
            self._idle.append(db)

    def close(self) -> None:
        """Safe to call twice. A read that is under way ends first."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None


def field(body: str, name: str) -> str | None:
    """A text at the top of a JSON body, for migrations that copy it into a column."""
    found = json.loads(body).get(name)
    return None if found is None else str(found)


def field_s(body: str, name: str) -> float | None:
    """A moment at the top of a JSON body, in epoch seconds."""
    found = field(body, name)
    return None if found is None else datetime.fromisoformat(found).timestamp()


def version_of(db: sqlite3.Connection) -> int:
    """The number of the last migration that was applied; 0 for a file that forewarn did not make."""
    if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'").fetchone()[0]:
        return 0
    found: int | None = db.execute("SELECT max(version) FROM schema_version").fetchone()[0]
    return found or 0


def statements(text: str) -> Iterator[str]:
    """The SQL statements of a script one by one, so that all of them can share a transaction (executescript commits)."""
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
