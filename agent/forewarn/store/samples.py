"""Samples in one SQLite file beside the ledger: appended once a second, read by detectors, the console and rehearsals.

Measured on 200 series, 1.7 million rows: appending to a B-tree by (series, time) touches a page for each series and costs
six times as much as appending to a table without an index; reading one series out of the latter means scanning all. So rows
go to `hot`, unindexed, and every SEAL_ROWS of them move on, sorted, to `sample`. A read looks at both.

A commit does not wait for the disk (synchronous=NORMAL): a power cut may take the last second, a crash of ours takes
nothing, and samples and the cursors of their probes are kept or lost together.
"""

from __future__ import annotations

import json
import math
import sqlite3
from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from forewarn.model.series import Counts, SeriesId, Tally, Window
from forewarn.ports import Row, Sample
from forewarn.store.codec import clean
from forewarn.store.sqlite import Database, queries

SQL = queries("samples")
SEAL_ROWS = 20_000  # a scan of that many takes 1 ms, and sealing them 50 ms
PRUNE_ROWS = 5_000  # at most so many go in one transaction, so that an append never waits long
MOST_TUPLES = 100_000

Rows = list[tuple[float, float]]


class SqliteSamples:
    """ports.Samples on SQLite. Any thread may call any method; they block.

    `append` and `prune` write and wait for each other (prune lets go every few ms); the rest read a snapshot over connections
    of their own and wait for nobody. With `read_only` the file must exist and stays as it is. Raises StoreError.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._file = Database(path, "samples", durable=False, read_only=read_only)
        self._ids: dict[SeriesId, int] = {}  # of the writer; touched inside transactions only
        self._tuples: dict[int, tuple[tuple[SeriesId, ...], tuple[int, ...]]] = {}  # by identity, which the tuple itself keeps
        with self._file.reading() as db:
            self._hot: int = db.execute(SQL["hot_rows"]).fetchone()[0]

    def append(self, samples: Sequence[Sample], cursors: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """Keep samples, and the cursors of the probes they came from, in one transaction.

        A value that is not a finite number is left out; of two samples of one series and time the later counts.
        """
        places = [{"probe": probe, "body": json.dumps(body)} for probe, body in (cursors or {}).items()]
        self._append(lambda db: self._rows(db, samples), places)

    def _append(self, find: Callable[[sqlite3.Connection], list[tuple[int, float, float]]], places: list[dict[str, str]]) -> None:
        try:
            with self._file.transaction() as db:
                rows = find(db)
                db.executemany(SQL["append"], rows)
                db.executemany(SQL["put_cursor"], places)
                hot = self._hot + len(rows)
                if hot >= SEAL_ROWS:
                    db.execute(SQL["seal"])
                    db.execute(SQL["empty_hot"])
                    hot = 0
        except BaseException:
            self._forget()  # some of them may have been rolled back
            raise
        self._hot = hot

    def append_runs(self, rows: Sequence[Row], cursors: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """The same for what whole runs gave; a tuple of series that has come before is known by its identity."""
        places = [{"probe": probe, "body": json.dumps(body)} for probe, body in (cursors or {}).items()]
        self._append(lambda db: self._run_rows(db, rows), places)

    def _run_rows(self, db: sqlite3.Connection, rows: Sequence[Row]) -> list[tuple[int, float, float]]:
        known, found = self._tuples, list[tuple[int, float, float]]()
        for many, at, values in rows:
            kept = known.get(id(many))
            if kept is None or kept[0] is not many:
                if len(known) >= MOST_TUPLES:
                    known.clear()
                kept = known[id(many)] = (many, tuple(self._id(db, series) for series in many))
            found += [(number, at, value) for number, value in zip(kept[1], values, strict=True) if value - value == 0.0]
        return found

    def _id(self, db: sqlite3.Connection, series: SeriesId) -> int:
        number = self._ids.get(series)
        if number is None:
            given = _columns(series)
            db.execute(SQL["add_series"], given)
            number = self._ids[series] = db.execute(SQL["series_id"], given).fetchone()[0]
        return number

    def _rows(self, db: sqlite3.Connection, samples: Sequence[Sample]) -> list[tuple[int, float, float]]:
        return [(self._id(db, series), at, value) for series, at, value in samples if math.isfinite(value)]

    def read(self, series: SeriesId, since_s: float, until_s: float) -> Window:
        """Samples with since_s <= time < until_s, oldest first; all of them count as fresh."""
        with self._file.reading() as db:
            found = db.execute(SQL["series_id"], _columns(series)).fetchone()
            if not found:
                return Window.of([])
            given = {"id": found[0], "since": since_s, "until": until_s}
            rows = _merged(db.execute(SQL["read_sealed"], given).fetchall(), db.execute(SQL["read_hot"], given).fetchall())
        times, values = zip(*rows, strict=True) if rows else ((), ())
        return Window(array("d", times), array("d", values), len(rows))

    def tally(self, series: SeriesId, tally: Tally, since_s: float, until_s: float) -> Counts:
        """The samples of `read`, only counted: some ten times as fast."""
        with self._file.reading() as db:
            found = db.execute(SQL["series_id"], _columns(series)).fetchone()
            if not found:
                return []
            given = {"id": found[0], "since": since_s, "until": until_s, "slot": tally.slot_s}
            given |= {"above": tally.bound.above, "below": tally.bound.below}
            rows: Counts = db.execute(SQL["tally"], given).fetchall()
        return rows

    def series(self, probe: str | None = None) -> list[SeriesId]:
        """Every series that has samples (or had, since the last prune), in the order of their first sight."""
        with self._file.reading() as db:
            return list(_series(db, probe).values())

    def last(self, probe: str | None = None) -> dict[SeriesId, tuple[float, float]]:
        """Time and value of the newest sample of each series."""
        newest: dict[int, tuple[float, float]] = {}
        with self._file.reading() as db:
            series = _series(db, probe)
            for id in series:
                if found := db.execute(SQL["last_sealed"], {"id": id}).fetchone():
                    newest[id] = found
            for id, at, value in db.execute(SQL["last_hot"]):
                if id not in newest or at >= newest[id][0]:
                    newest[id] = (at, value)
        return {which: newest[id] for id, which in series.items() if id in newest}

    def first(self, series: SeriesId) -> float | None:
        """Time of the oldest sample that is kept."""
        with self._file.reading() as db:
            found = db.execute(SQL["series_id"], _columns(series)).fetchone()
            at: float | None = db.execute(SQL["first"], {"id": found[0]}).fetchone()[0] if found else None
        return at

    def cursor(self, probe: str) -> Mapping[str, object] | None:
        """What the last append that named this probe left as its place to go on from."""
        with self._file.reading() as db:
            found = db.execute(SQL["get_cursor"], {"probe": probe}).fetchone()
        body: dict[str, object] | None = json.loads(found[0]) if found else None
        return body

    def prune(self, before_s: float) -> int:
        """Forget samples older than that, and series that have none left; answers how many samples.

        Works in slices of PRUNE_ROWS, each a transaction of its own, so that an append in another thread gets in between.
        """
        with self._file.transaction() as db:
            gone = db.execute(SQL["prune_hot"], {"before": before_s}).rowcount
            self._hot -= gone
            series = list(_series(db, None))
        for id in series:
            slice_rows = PRUNE_ROWS
            while slice_rows == PRUNE_ROWS:
                with self._file.transaction() as db:
                    slice_rows = db.execute(SQL["prune_series"], {"id": id, "before": before_s, "most": PRUNE_ROWS}).rowcount
                gone += slice_rows
        with self._file.transaction() as db:
            if db.execute(SQL["forget_empty"]).rowcount:
                self._forget()
        return gone

    def _forget(self) -> None:
        self._ids.clear()
        self._tuples.clear()

    def close(self) -> None:
        self._file.close()


def _columns(series: SeriesId) -> dict[str, str]:
    labels = json.dumps(series.labels, ensure_ascii=False, separators=(",", ":"))
    return {"probe": clean(series.probe), "target": clean(series.target), "metric": series.metric, "labels": clean(labels)}


def _series(db: sqlite3.Connection, probe: str | None) -> dict[int, SeriesId]:
    return {
        id: SeriesId(of, target, metric, tuple((name, value) for name, value in json.loads(labels)))
        for id, of, target, metric, labels in db.execute(SQL["all_series"], {"probe": probe})
    }


def _merged(sealed: Rows, hot: Rows) -> Rows:
    """Both, oldest first, the later of two samples at one time; `hot` comes as it was appended."""
    joined = sealed[-1:] + hot
    if all(before[0] < after[0] for before, after in pairwise(joined)):
        return sealed + hot
    return sorted({**dict(sealed), **dict(hot)}.items())
