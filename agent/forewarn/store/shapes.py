"""From samples and runs to rows of `hot`: which series stand where in a row, known to the writer by heart.

The engine hands in the same tuple of series run after run, so it is found by identity, without hashing a series. Everything
here is touched inside the writer's transactions only; after one that failed it is forgotten, since the file is without it.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from math import isfinite

from forewarn.model.series import SeriesId
from forewarn.ports import Plan, Sample, SampleRun
from forewarn.store.blocks import BUNDLE
from forewarn.store.codec import clean
from forewarn.store.sqlite import queries
from forewarn.store.times import US, micros

SQL = queries("samples")
MOST_PLANS = 50_000
HotRow = tuple[int, int, int, bytes]
"""Bundle, shape, microseconds, values."""
Piece = tuple[int, int, tuple[int, ...]]
"""Of a plan: bundle, shape, and which of its values are these; () for all."""


class Shapes:
    """What the writer knows of series, bundles and shapes."""

    def __init__(self) -> None:
        self._ids: dict[SeriesId, tuple[int, int]] = {}  # id, bundle: only of series that come one by one
        self._shapes: dict[bytes, int] = {}
        self._plans: dict[int, tuple[Plan, list[Piece]]] = {}  # by identity of the plan, which is kept alive by it
        self._next_bundle = 0  # 0: to be asked for, which means looking through all hot rows

    def forget(self) -> None:
        self._ids.clear()
        self._shapes.clear()
        self._plans.clear()
        self._next_bundle = 0

    def of_samples(self, db: sqlite3.Connection, samples: Sequence[Sample]) -> list[HotRow]:
        """Neighbours of one bundle and time share a row."""
        rows: list[HotRow] = []
        ids, run = self._ids, dict[int, float]()
        now, bundle = 0.0, 0
        for series, at, value in samples:
            if not isfinite(value):
                continue
            known = ids.get(series)
            if known is None:
                known = ids[series] = self._placed_one(db, series)
            if at != now or known[1] != bundle or known[0] in run:
                if run:
                    rows.append((bundle, self._shape(db, bundle, tuple(run)), micros(now), _packed(tuple(run.values()))))
                run, now, bundle = {}, at, known[1]
            run[known[0]] = value
        if run:
            rows.append((bundle, self._shape(db, bundle, tuple(run)), micros(now), _packed(tuple(run.values()))))
        return rows

    def of_runs(self, db: sqlite3.Connection, runs: Sequence[SampleRun]) -> list[HotRow]:
        """A row for each run, or for each bundle of one that is wide."""
        rows: list[HotRow] = []
        plans = self._plans
        for plan, at, values in runs:
            if not isfinite(sum(values)):  # not even their sum
                rows += self.of_samples(db, [(series, at, value) for series, value in zip(plan, values, strict=True)])
                continue
            known = plans.get(id(plan))
            if known is None or known[0] is not plan:
                known = self._plan(db, plan)
            for bundle, shape, places in known[1]:
                some = [values[place] for place in places] if places else values
                rows.append((bundle, shape, round(at * US), _packed(some)))
        return rows

    def _plan(self, db: sqlite3.Connection, plan: Plan) -> tuple[Plan, list[Piece]]:
        if len(self._plans) >= MOST_PLANS:  # of a caller who makes a new tuple for every run
            self._plans.clear()
        bundles: dict[int, dict[int, int]] = {}
        for place, (which, bundle) in enumerate(self._placed(db, plan)):
            bundles.setdefault(bundle, {})[which] = place
        pieces = []
        for bundle, places in bundles.items():
            shape = self._shape(db, bundle, tuple(places))
            pieces.append((bundle, shape, () if len(places) == len(plan) else tuple(places.values())))
        known = self._plans[id(plan)] = (plan, pieces)
        return known

    def _shape(self, db: sqlite3.Connection, bundle: int, ids: tuple[int, ...]) -> int:
        series = array("I", ids).tobytes()
        shape = self._shapes.get(series)
        if shape is None:
            given = {"bundle": bundle, "series": series}
            db.execute(SQL["add_shape"], given)
            shape = self._shapes[series] = db.execute(SQL["shape_id"], given).fetchone()[0]
        return shape

    def _placed_one(self, db: sqlite3.Connection, series: SeriesId) -> tuple[int, int]:
        """Id and bundle of a series, which begins if it is new."""
        given = named(series)
        found: tuple[int, int] | None = db.execute(SQL["series_id"], given).fetchone()
        return found or self._begun(db, given)

    def _placed(self, db: sqlite3.Connection, plan: Plan) -> list[tuple[int, int]]:
        """The same for all series of a plan. They are nearly always of one target, and asked for together: thousands begin at once."""
        known: dict[tuple[object, object], dict[tuple[object, object], tuple[int, int]]] = {}
        found = []
        for series in plan:
            given = named(series)
            home, own = (given["probe"], given["target"]), (given["metric"], given["labels"])
            if home not in known:
                known[home] = {(metric, labels): (id, bundle) for id, bundle, metric, labels in db.execute(SQL["of_target"], given)}
            if own not in known[home]:
                known[home][own] = self._begun(db, given)
            found.append(known[home][own])
        return found

    def _begun(self, db: sqlite3.Connection, given: dict[str, object]) -> tuple[int, int]:
        """A new series, in a bundle of its target that has room, or in a new one."""
        room = db.execute(SQL["bundle_with_room"], given | {"most": BUNDLE}).fetchone()
        if room:
            bundle: int = room[0]
        else:
            bundle = self._next_bundle or db.execute(SQL["new_bundle"]).fetchone()[0]
            self._next_bundle = bundle + 1
        id = db.execute(SQL["add_series"], given | {"bundle": bundle}).lastrowid
        assert id is not None
        return id, bundle


def named(series: SeriesId) -> dict[str, object]:
    labels = json.dumps(series.labels, ensure_ascii=False, separators=(",", ":"))
    return {"probe": clean(series.probe), "target": clean(series.target), "metric": series.metric, "labels": clean(labels)}


def known_shapes(found: Iterable[tuple[int, bytes]]) -> dict[int, array[int]]:
    """Shape -> ids of its series in their order."""
    made = {}
    for shape, series in found:
        made[shape] = array("I")
        made[shape].frombytes(series)
    return made


@cache
def _packer(n: int) -> struct.Struct:
    return struct.Struct(f"<{n}d")


def _packed(values: Sequence[float]) -> bytes:
    return _packer(len(values)).pack(*values)
