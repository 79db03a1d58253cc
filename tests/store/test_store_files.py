"""Files of other versions, damaged files, full disks: each ends in a message that names the file and the remedy."""

from __future__ import annotations

import json
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from ledger_things import T0, at, entry, incident, message, send

from forewarn.model.errors import StoreError
from forewarn.model.message import MessageKind
from forewarn.store import sqlite as store_sqlite
from forewarn.store.codec import encode
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples
from forewarn.store.sqlite import migrations, queries, statements

STORES = {"ledger": SqliteLedger, "samples": SqliteSamples}


@pytest.fixture(params=STORES)
def kind(request):
    return request.param


@pytest.fixture
def file(tmp_path, kind) -> Path:
    return tmp_path / f"{kind}.db"


def make(kind: str, file: Path) -> None:
    STORES[kind](file).close()


def change(file: Path, *sql: str) -> None:
    db = sqlite3.connect(file)
    for statement in sql:
        db.execute(statement)
    db.commit()
    db.close()


def test_a_file_is_its_owners_alone(kind, file):
    make(kind, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_of_a_newer_version_is_refused_and_left_alone(kind, file):
    make(kind, file)
    change(file, "INSERT INTO schema_version VALUES (99, '0099_future.sql')")
    for read_only in (False, True):
        with pytest.raises(
            StoreError, match=r"\.db: a newer forewarn wrote it \(schema 99, this one knows \d+\); start that version"
        ):
            STORES[kind](file, read_only=read_only)
    change(file, "DELETE FROM schema_version WHERE version = 99")
    make(kind, file)


def test_an_older_file_is_brought_up_in_one_step_or_not_at_all(kind, file, monkeypatch):
    make(kind, file)
    known = migrations(kind)
    n = len(known) + 1
    more = [
        *known,
        (n, "note.sql", "CREATE TABLE note (x TEXT); -- a comment; with a semicolon\nINSERT INTO note\n VALUES ('a;b');"),
    ]
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: more)
    with pytest.raises(StoreError, match=rf"an older forewarn wrote it \(schema {n - 1}, now {n}\); start `forewarn run` once"):
        STORES[kind](file, read_only=True)
    monkeypatch.setattr(
        store_sqlite, "migrations", lambda kind: [*more, (n + 1, "bad.sql", "CREATE TABLE other (y);\nCREATE TABLE note (x);")]
    )
    with pytest.raises(StoreError, match="table note already exists"):
        STORES[kind](file)
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: more)
    make(kind, file)
    db = sqlite3.connect(file)
    assert db.execute("SELECT x FROM note").fetchall() == [("a;b",)]
    assert db.execute("SELECT version, file FROM schema_version").fetchall() == [*(one[:2] for one in known), (n, "note.sql")]
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'other'").fetchone() == (0,)
    db.close()


def test_what_an_older_forewarn_left_to_do_gets_its_urgency(tmp_path, monkeypatch):
    file, known = tmp_path / "ledger.db", migrations("ledger")
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: known[:2])
    make("ledger", file)
    notice = replace(message(2), kind=MessageKind.NOTICE)
    with sqlite3.connect(file) as db:
        for n, thing in enumerate((notice, message(1), replace(notice, id="M-3")), 1):
            db.execute("INSERT INTO message (n, id, state, body) VALUES (?, ?, 'queued', ?)", (n, thing.id, encode(thing)))
            old = json.loads(encode(send(n, message=thing.id)))
            del old["urgency"]
            row = (n, f"A-{n}", thing.id, send(n).at.timestamp(), json.dumps(old))
            db.execute("INSERT INTO outbox (n, id, kind, ref, at, again, body) VALUES (?, ?, 'send', ?, ?, 1, ?)", row)
    db.close()
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: known)
    ledger = SqliteLedger(file)
    assert [action.message for action in ledger.claim("me", at(), at(60), 2)] == ["M-1", "M-2"]
    ledger.close()


def test_every_migration_is_numbered_without_gaps(kind):
    assert [number for number, _, _ in migrations(kind)] == list(range(1, len(migrations(kind)) + 1))
    assert all("".join(statements(text)).strip() == text.strip() for _, _, text in migrations(kind))


def test_named_queries_are_all_there():
    assert queries("each", "run")["get"] == "SELECT body FROM run WHERE id = :id"
    assert all(queries(name).values() for name in ("ledger", "each", "samples"))


def test_something_else_in_its_place(kind, file):
    file.write_bytes(b"these are the notes of a meeting, not a database\n" * 200)
    with pytest.raises(StoreError, match=rf"{kind}\.db: this is not a database; move the file away and put a backup in its place"):
        STORES[kind](file)
    assert file.read_bytes().startswith(b"these are the notes")


def test_a_damaged_page_says_so(tmp_path):
    file = tmp_path / "ledger.db"
    make("ledger", file)
    tables = file.stat().st_size  # what it needs to open
    ledger = SqliteLedger(file)
    for n in range(1, 400):
        ledger.commit([message(n)], (), (), {})
    ledger.close()
    with file.open("r+b") as out:
        out.seek(tables)
        out.write(b"\xff" * (file.stat().st_size - tables))
    ledger = SqliteLedger(file)
    with pytest.raises(StoreError, match=r"ledger\.db: the file is damaged; stop forewarn, move the file away and put a backup"):
        ledger.load()
    ledger.close()


def test_a_full_disk_leaves_whole_transactions_and_goes_on_afterwards(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    with ledger._file.transaction() as db:
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0] + 3}")
    stored = 0
    with pytest.raises(StoreError, match=r"ledger\.db: the disk is full and nothing of this was stored; free some space"):
        for stored in range(1, 999):
            ledger.commit(
                [incident(stored), message(stored, incident=f"INC-{stored}")], [entry(incident=f"INC-{stored}")], [send(stored)], {}
            )
    assert ledger.counts("incident") == {"open": stored - 1} and ledger.counts("message") == {"queued": stored - 1}
    assert ledger.get(f"INC-{stored}") is None
    with ledger._file.transaction() as db:
        db.execute("PRAGMA max_page_count = 100000")
    ledger.commit([incident(stored)], (), [send(stored)], {})
    assert len(ledger.claim("me", at(9999), at(10000), 9999)) == stored
    ledger.close()


def test_a_lock_that_does_not_end_says_so(kind, file, monkeypatch):
    monkeypatch.setattr(store_sqlite, "BUSY_S", 0.01)
    store = STORES[kind](file)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=rf"{kind}\.db: another process has kept it locked for 5 s; end that process"):
        store.commit([incident(1)], (), (), {}) if kind == "ledger" else store.append([], {"log": {}})
    other.execute("ROLLBACK")
    other.close()
    store.close()


def test_a_folder_that_is_not_there(kind, tmp_path):
    with pytest.raises(StoreError, match=r"nowhere/x\.db: it can't be opened; check that its folder exists"):
        STORES[kind](tmp_path / "nowhere" / "x.db")


def test_reading_only_makes_and_changes_nothing(tmp_path, kind, file):
    with pytest.raises(StoreError, match=r"there is no such file; start forewarn once, or set FOREWARN_STATE"):
        STORES[kind](file, read_only=True)
    assert list(tmp_path.iterdir()) == []
    make(kind, file)
    before = file.read_bytes()
    store = STORES[kind](file, read_only=True)
    with pytest.raises(StoreError, match="opened for reading only"):
        store.commit([incident(1)], (), (), {}) if kind == "ledger" else store.prune(1.0)
    store.close()
    assert file.read_bytes() == before


def test_one_looks_on_while_the_other_writes(tmp_path):
    writer = SqliteLedger(tmp_path / "ledger.db", T0)
    reader = SqliteLedger(tmp_path / "ledger.db", read_only=True)
    for n in range(1, 4):
        writer.commit([incident(n)], (), (), {})
        assert reader.counts("incident") == {"open": n}
    assert reader.load().first_start == T0
    reader.close()
    writer.close()
