"""Files of the version before chunks: read at once, sealed in slices while the daemon runs, nothing lost."""

from __future__ import annotations

import json
import random
import sqlite3

import pytest

from forewarn.model.series import SeriesId
from forewarn.store import seal
from forewarn.store import sqlite as store_sqlite
from forewarn.store.samples import SqliteSamples
from forewarn.store.sqlite import migrations

SERIES = [SeriesId("shop", f"web-{n // 4}", metric) for n, metric in enumerate(("connect_s", "first_byte_s", "total_s", "up") * 3)]
ODD = SeriesId("log", "web-1", "errors", (("of", "支付"),))
START = 1_760_000_000.0


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A file as schema 1 left it, and what is in it: series -> {time: value}."""
    file, known = tmp_path / "samples.db", migrations("samples")
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: known[:1])
    store_sqlite.Database(file, "samples", durable=False).close()
    monkeypatch.setattr(store_sqlite, "migrations", lambda kind: known)
    chance, held = random.Random(5), {}
    with sqlite3.connect(file) as db:
        for id, series in enumerate([*SERIES, ODD], 1):
            labels = json.dumps(series.labels, ensure_ascii=False, separators=(",", ":"))
            db.execute("INSERT INTO series VALUES (?, ?, ?, ?, ?)", (id, series.probe, series.target, series.metric, labels))
            rows = {START + 60.25 * n: chance.lognormvariate(-7, 1) for n in range(2_000) if series != ODD or chance.random() < 0.2}
            db.executemany("INSERT INTO sample VALUES (?, ?, ?)", [(id, at, value) for at, value in rows.items()])
            late = {START + 60.25 * 7: 9.0, START + 60.25 * 2_000: 1.0}  # in hot: one of two at one time, and a newer one
            db.executemany("INSERT INTO hot VALUES (?, ?, ?)", [(id, at, value) for at, value in late.items()])
            held[series] = rows | late
        db.execute("INSERT INTO cursor VALUES ('log', '{\"offset\": 7}')")
    db.close()
    return file, held


def same(store, held) -> None:
    for series, samples in held.items():
        window = store.read(series, 0, 1e11)
        assert dict(zip(window.times_s, window.values, strict=True)) == samples
        assert list(window.times_s) == sorted(samples)
        assert store.first(series) == min(samples)
    assert store.last() == {series: max(samples.items()) for series, samples in held.items()}
    assert store.cursor("log") == {"offset": 7}


def test_it_is_read_at_once_and_moves_on_in_slices(old, monkeypatch):
    file, held = old
    monkeypatch.setattr(seal, "OLD_ROWS", 1_000)
    store = SqliteSamples(file)
    same(store, held)
    steps = 0
    while store._sealer.old:
        steps += 1
        at = START + 200_000 + steps
        store.append([(SERIES[0], at, 1.0), (SERIES[0], START + 60.25 * steps, -1.0), (ODD, START - 5.5, float(steps))])
        held[SERIES[0]] |= {at: 1.0, START + 60.25 * steps: -1.0}  # newer than what the old file says of that time
        held[ODD][START - 5.5] = float(steps)
        if steps % 10 == 0:
            same(store, held)
            store.close()
            store = SqliteSamples(file)  # it goes on where it was
        assert steps < 100
    same(store, held)
    store.close()
    store = SqliteSamples(file)
    same(store, held)
    assert steps > 20 and not store._sealer.old
    with store._file.reading() as db:
        assert db.execute("SELECT count(*) FROM old").fetchone() == (0,)
    store.close()


def test_it_is_pruned_before_it_has_moved_on(old):
    file, held = old
    store = SqliteSamples(file)
    before = START + 60.25 * 1_000
    assert store.prune(before) == sum(at < before for samples in held.values() for at in samples)
    same(store, {series: {at: value for at, value in samples.items() if at >= before} for series, samples in held.items()})
    store.close()


def test_a_large_file_shrinks_when_all_has_moved_on(old):
    file, held = old
    store = SqliteSamples(file)
    with store._file.reading() as db:
        before = db.execute("PRAGMA page_count").fetchone()[0]
    while store._sealer.old:
        store.append([])
    same(store, held)
    store.close()
    assert file.stat().st_size < before * 4096 * 0.6  # random doubles: 7.5 bytes each, where a row took 20
