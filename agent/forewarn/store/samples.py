"""Samples in one SQLite file beside the ledger: appended once a second, read by detectors, the console and rehearsals.

How they lie there and move on is told in seal.py; how a chunk is written in blocks.py, columns.py and times.py. Values come
back bit by bit, times in whole microseconds. At rest a jittering latency takes some 1.3 bytes, where a row took 27.

A commit does not wait for the disk (synchronous=NORMAL): a power cut may take the last second, a crash of ours takes
nothing, and samples and the cursors of their probes are kept or lost together.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from forewarn.model.errors import StoreError
from forewarn.model.series import Counts, SeriesId, Tally, Window
from forewarn.model.slots import Slot
from forewarn.ports import Sample, SampleRun
from forewarn.store import looks, prune, rollups
from forewarn.store.seal import Sealer
from forewarn.store.shapes import SQL, HotRow, Shapes, named
from forewarn.store.sqlite import Database
from forewarn.store.states import SqliteStates

SEAL_ROWS = 20_000  # a scan of that many takes a few ms, and moving them on 100 ms
PRUNE_ROWS = 5_000  # at most so many go in one transaction, so that an append never waits long
MOST_TUPLES = 100_000


class SqliteSamples:
    """ports.Samples on SQLite. Any thread may call any method; they block.

    `append`, `append_runs` and `prune` write and wait for each other (prune lets go every few ms); the rest read a snapshot
    over connections of their own and wait for nobody. With `read_only` the file must exist and stays as it is. Raises StoreError.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._file = Database(path, "samples", durable=False, read_only=read_only, shrinks=True)
        self._shapes = Shapes()
        self._sealer = Sealer(self._file)
        self.states = SqliteStates(self._file)
        """What rules have learnt of the samples."""

    def append(self, samples: Sequence[Sample], cursors: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """Keep samples, and the cursors of the probes they came from, in one transaction.

        A value that is not a finite number is left out; of two samples of one series and time the later counts.
        """
        self._append(lambda db: self._shapes.of_samples(db, samples), cursors or {})

    def append_runs(self, runs: Sequence[SampleRun], cursors: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """The same for whole runs: a few times as fast as sample by sample."""
        self._append(lambda db: self._shapes.of_runs(db, runs), cursors or {})

    def _append(self, rows_of: Callable[[sqlite3.Connection], list[HotRow]], cursors: Mapping[str, Mapping[str, object]]) -> None:
        places = [{"probe": probe, "body": json.dumps(body)} for probe, body in cursors.items()]
        try:
            with self._file.transaction() as db:
                rows = rows_of(db)
                db.executemany(SQL["append"], rows)
                db.executemany(SQL["put_cursor"], places)
        except BaseException:
            self._shapes.forget()  # some of them may have been rolled back
            raise
        with self._file.alone():
            self._sealer.took(rows)
        self._sealer.tidy(SEAL_ROWS)

    def read(self, series: SeriesId, since_s: float, until_s: float) -> Window:
        """Samples with since_s <= time < until_s, oldest first; all of them count as fresh."""
        with self._file.reading() as db:
            found = db.execute(SQL["series_id"], named(series)).fetchone()
            if not found:
                return Window.of([])
            times, values = looks.read(db, found[0], found[1], since_s, until_s)
        return Window(times, values, len(times))

    def tally(self, series: SeriesId, tally: Tally, since_s: float, until_s: float) -> Counts:
        """The samples of `read`, only counted."""
        past = self.read(series, since_s, until_s)
        return looks.tally((past.times_s, past.values), tally.bound, tally.slot_s)

    def series(self, probe: str | None = None) -> list[SeriesId]:
        """Every series that has samples (or had, since the last prune), in the order of their first sight."""
        with self._file.reading() as db:
            return [series for _, _, series in _series(db, probe)]

    def last(self, probe: str | None = None) -> dict[SeriesId, tuple[float, float]]:
        """Time and value of the newest sample of each series."""
        with self._file.reading() as db:
            series = _series(db, probe)
            newest = looks.last(db, {id: bundle for id, bundle, _ in series})
        return {which: newest[id] for id, _, which in series if id in newest}

    def first(self, series: SeriesId) -> float | None:
        """Time of the oldest sample that is kept."""
        with self._file.reading() as db:
            found = db.execute(SQL["series_id"], named(series)).fetchone()
            return looks.first(db, found[0], found[1]) if found else None

    def roll(self, now_s: float, most: int) -> int:
        """Summarise up to `most` days that are over; answers how many there were. Call it before `prune`, until it is 0."""
        return rollups.roll(self._file, now_s, most)

    def rolled(self, series: SeriesId, since_s: float, until_s: float, step_s: int, *, sketches: bool = True) -> list[Slot]:
        """Summaries that begin in since_s <= time < until_s, oldest first; of recent days they are made of the samples."""
        with self._file.reading() as db:
            found = db.execute(SQL["series_id"], named(series)).fetchone()
            return rollups.read(db, found[0], found[1], since_s, until_s, step_s, sketches) if found else []

    def prune_rolled(self, step_s: int, before_s: float) -> int:
        """Forget summaries of days that ended before that; answers how many days of bundles."""
        return prune.rolled(self._file, step_s, before_s, PRUNE_ROWS // 50)

    def cursor(self, probe: str) -> Mapping[str, object] | None:
        """What the last append that named this probe left as its place to go on from."""
        with self._file.reading() as db:
            found = db.execute(SQL["get_cursor"], {"probe": probe}).fetchone()
        body: dict[str, object] | None = json.loads(found[0]) if found else None
        return body

    def prune(self, before_s: float) -> int:
        """Forget samples older than that, and series that have none left; answers how many samples.

        Works in slices, each a transaction of its own, so that an append in another thread gets in between.
        """
        before = prune.bound_us(before_s)
        with self._file.transaction() as db:
            gone = prune.hot(db, before)
            bundles: dict[int, list[int]] = {}
            for id, bundle, _ in _series(db, None):
                bundles.setdefault(bundle, []).append(id)
        forgotten = 0
        for bundle, ids in bundles.items():
            gone += prune.warm(self._file, bundle, before, PRUNE_ROWS)
            gone += prune.chunks(self._file, bundle, before)
            if self._sealer.old:
                gone += sum(prune.old(self._file, id, before_s, PRUNE_ROWS) for id in ids)
            with self._file.transaction() as db:
                forgotten += prune.forget_empty(db, bundle)
        with self._file.transaction() as db:
            if forgotten:
                db.execute(SQL["idle_shapes"])
                db.execute(SQL["forget_marks"])
                self._shapes.forget()
            self._sealer.pruned(db)
        self._file.shrink()
        return gone

    def close(self) -> None:
        with suppress(StoreError):  # a file that can't be written any more is closed all the same
            self._file.shrink(0.0)
        self._file.close()


def _series(db: sqlite3.Connection, probe: str | None) -> list[tuple[int, int, SeriesId]]:
    return [
        (id, bundle, SeriesId(of, target, metric, tuple((name, value) for name, value in json.loads(labels))))
        for id, bundle, of, target, metric, labels in db.execute(SQL["all_series"], {"probe": probe})
    ]
