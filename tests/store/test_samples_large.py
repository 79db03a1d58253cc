"""A file of the first version with half a million samples, or two: how many slices it takes, and that a kill in the middle costs nothing."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from forewarn.model.series import SeriesId
from forewarn.store import seal
from forewarn.store import sqlite as store_sqlite
from forewarn.store.samples import SqliteSamples
from forewarn.store.sqlite import migrations

SERIES, START, STEP = 40, 1_780_000_000, 30


@pytest.fixture(params=[12_500, pytest.param(50_000, marks=pytest.mark.slow)])
def each(request):
    """Samples of a series."""
    return request.param


@pytest.fixture
def large(tmp_path, monkeypatch, each):
    file, known = tmp_path / "samples.db", migrations("samples")
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: known[:1])
    store_sqlite.Database(file, "samples", durable=False).close()
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: known)
    with sqlite3.connect(file) as db:
        for id in range(1, SERIES + 1):
            db.execute("INSERT INTO series VALUES (?, 'shop', ?, ?, '[]')", (id, f"web-{(id - 1) // 4}", f"m{id % 4}_s"))
        db.execute(
            "WITH RECURSIVE one(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM one WHERE n + 1 < ?), "
            "whose(id) AS (SELECT id FROM series) "
            "INSERT INTO sample SELECT id, ? + n * ?, ((n * 7919 + id) % 1000) / 1e3 FROM whose, one",
            (each, START, STEP),
        )
    db.close()
    return file


def left(file: Path) -> int:
    with sqlite3.connect(file) as db:
        found: int = db.execute("SELECT count(*) FROM old").fetchone()[0]
    db.close()
    return found


CONVERTER = """
    import sys
    from pathlib import Path
    from forewarn.store.samples import SqliteSamples

    store = SqliteSamples(Path(sys.argv[1]))
    print("open", flush=True)
    while store._sealer.old:
        store.append([])
        print("step", flush=True)
"""


def test_old_samples_move_on_in_slices_and_a_kill_costs_nothing(large, each, request):
    chance, left_over, rows = random.Random(request.node.name), [], SERIES * each
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(CONVERTER), str(large)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        while child.stdout.readline() != "step\n":
            pass
        time.sleep(chance.uniform(0, 0.3))
        child.send_signal(signal.SIGKILL)
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
        left_over.append(left(large))
    assert rows > left_over[0] > left_over[1] > 0, left_over  # what was done stays done

    store, steps = SqliteSamples(large), 0
    while store._sealer.old:
        store.append([])  # as once a second, with or without samples
        steps += 1
    assert steps <= 1.2 * rows / seal.OLD_ROWS + SERIES, "two million samples take two minutes, a slice a second"
    for id in (1, 2, 23, SERIES):
        window = store.read(SeriesId("shop", f"web-{(id - 1) // 4}", f"m{id % 4}_s"), 0, 1e11)
        assert list(window.times_s) == [START + n * STEP for n in range(each)]
        assert list(window.values) == [((n * 7919 + id) % 1000) / 1e3 for n in range(each)]
    store.close()
    assert left(large) == 0 and large.stat().st_size < rows * 3
    with sqlite3.connect(large) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
