"""What rules have learnt, in the file of the samples: kept whole or not at all, also by a process that is killed."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
import zlib
from pathlib import Path

import pytest

from forewarn.model.errors import StoreError
from forewarn.model.kept import Kept
from forewarn.store import backup
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples


def kept(rule: str, series: str = "p|t|load", data: bytes = b"x", probe: str = "p") -> Kept:
    return Kept(probe, rule, series, 2**32 - 1, 12.5, data)


@pytest.fixture
def store(tmp_path):
    made = SqliteSamples(tmp_path / "samples.db")
    yield made.states
    made.close()


def test_the_newest_of_each_rule_and_series_counts(store):
    store.put([kept("a"), kept("b"), kept("a", 'p|t|m{of="支付"}')])
    store.put([kept("a", data=b"\0new"), kept("a", probe="q")])
    assert store.of("p") == [kept("a", data=b"\0new"), kept("a", 'p|t|m{of="支付"}'), kept("b")]
    store.drop([("p", "b", "p|t|load"), ("p", "nobody", "knows")])
    assert {one.key for one in store.of("p")} == {("p", "a", "p|t|load"), ("p", "a", 'p|t|m{of="支付"}')}
    store.only(["q"])
    assert store.of("p") == [] and store.of("q") == [kept("a", probe="q")]


def test_a_name_of_half_characters_harms_nothing(store):
    store.put([kept("a", "p|t|m\udc80", probe="p\udc80")])
    assert [one.rule for one in store.of("p\udc80")] == ["a"]


def test_it_is_all_or_nothing(store):
    store.put([kept("a")])
    with pytest.raises(StoreError):
        store.put([kept("a", data=b"new"), kept("b", data=None)])  # type: ignore[arg-type]
    assert store.of("p") == [kept("a")]


def test_it_is_in_the_backup(tmp_path):
    (tmp_path / "state").mkdir()
    SqliteLedger(tmp_path / "state" / "ledger.db").close()
    samples = SqliteSamples(tmp_path / "state" / "samples.db")
    samples.states.put([kept("a", data=bytes(range(256)))])
    backup.back_up(tmp_path / "state", tmp_path / "copy.tar", lambda *given: None)
    samples.close()
    (tmp_path / "again").mkdir()
    subprocess.run(["tar", "-xf", str(tmp_path / "copy.tar"), "-C", str(tmp_path / "again")], check=True)
    again = SqliteSamples(tmp_path / "again" / "samples.db")
    assert again.states.of("p") == [kept("a", data=bytes(range(256)))]
    again.close()


WRITER = """
    import random, sys, zlib
    from pathlib import Path
    from forewarn.model.kept import Kept
    from forewarn.model.series import SeriesId
    from forewarn.store.samples import SqliteSamples

    store, n, chance = SqliteSamples(Path(sys.argv[1]) / "samples.db"), int(sys.argv[2]), random.Random(sys.argv[2])
    while True:
        n += 1
        store.append([(SeriesId("p", "t", "load"), float(n), 1.0)])
        body = chance.randbytes(chance.randrange(2_000))
        data = zlib.crc32(body).to_bytes(4, "little") + body
        store.states.put([Kept("p", "a", f"p|t|m{k}", 1, float(n), data) for k in range(60)])
        sys.stdout.write(f"{n}\\n")
        sys.stdout.flush()
"""


def test_a_killed_writer_leaves_one_moment_whole(tmp_path, request):
    chance, n = random.Random(request.node.name), 0
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path), str(n)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(chance.uniform(0, 0.1))
        child.send_signal(signal.SIGKILL)
        said = [first, *child.stdout.read().splitlines(keepends=True)]
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
        reported = max(int(line) for line in said if line.endswith("\n"))
        store = SqliteSamples(tmp_path / "samples.db")
        rows = store.states.of("p")
        assert len(rows) == 60 and len({(one.seen_s, one.data) for one in rows}) == 1
        assert rows[0].seen_s >= reported
        assert zlib.crc32(rows[0].data[4:]) == int.from_bytes(rows[0].data[:4], "little")
        n = int(rows[0].seen_s) + 1
        store.close()


def test_a_file_of_the_version_before_gets_the_table(tmp_path, monkeypatch):
    from forewarn.store import sqlite as store_sqlite

    known = store_sqlite.migrations("samples")
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: known[:3])
    store_sqlite.Database(tmp_path / "samples.db", "samples", durable=False).close()
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: known)
    store = SqliteSamples(tmp_path / "samples.db")
    store.states.put([kept("a")])
    assert store.states.of("p") == [kept("a")]
    store.close()
    with sqlite3.connect(Path(tmp_path / "samples.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
