"""Forgetting samples that are too old, in slices, so that an append in another thread gets in between."""

from __future__ import annotations

import math
import sqlite3

from forewarn.store import rollups
from forewarn.store.blocks import Chunk
from forewarn.store.seal import drop
from forewarn.store.shapes import SQL, known_shapes
from forewarn.store.sqlite import Database
from forewarn.store.times import US

CHUNKS = 20
"""That are looked at in one transaction."""


def bound_us(before_s: float) -> int:
    """The first whole microsecond that is not before it, as times come back."""
    bound = math.floor(before_s * US) - 1
    while bound / US < before_s:
        bound += 1
    return bound


def hot(db: sqlite3.Connection, before: int) -> int:
    """Rows that never got further; answers how many samples."""
    shapes = known_shapes(db.execute(SQL["all_shapes"]))
    gone: int = sum(len(shapes[shape]) * rows for shape, rows in db.execute(SQL["old_hot"], {"before": before}))
    db.execute(SQL["prune_hot"], {"before": before})
    return gone


def warm(file: Database, bundle: int, before: int, most: int) -> int:
    """In transactions of `most` rows."""
    gone = 0
    while True:
        with file.transaction() as db:
            rows = db.execute(SQL["old_warm"], {"bundle": bundle, "before": before, "most": most}).fetchall()
            if not rows:
                return gone
            shapes = known_shapes(db.execute(SQL["shapes"], {"bundle": bundle}))
            gone += sum(len(shapes[shape]) for shape, _, _ in rows)
            db.execute(SQL["prune_warm"], {"bundle": bundle, "t": rows[-1][1], "n": rows[-1][2]})


def chunks(file: Database, bundle: int, before: int) -> int:
    """A chunk goes when all of it is too old; of one that is so in part it is noted from when on it counts."""
    gone = 0
    while True:
        with file.transaction() as db:
            rows = db.execute(SQL["old_chunks"], {"bundle": bundle, "before": before, "most": CHUNKS}).fetchall()
            for chunk, t1, since, data in rows:
                gone += Chunk(data).between(since / US, before / US)
                if t1 < before:
                    drop(db, bundle, chunk)
                else:
                    db.execute(SQL["trim"], {"bundle": bundle, "id": chunk, "before": before})
        if len(rows) < CHUNKS:
            return gone


def old(file: Database, id: int, before_s: float, most: int) -> int:
    """What an older version kept of a series."""
    gone, rows = 0, most
    while rows == most:
        with file.transaction() as db:
            rows = db.execute(SQL["prune_old"], {"id": id, "before": before_s, "most": most}).rowcount
        gone += rows
    return gone


def rolled(file: Database, step_s: int, before_s: float, most: int) -> int:
    """Days of summaries all of which is older; answers how many rows."""
    gone, rows = 0, most
    while rows == most:
        with file.transaction() as db:
            given = {"step": step_s, "day": math.floor(before_s - rollups.DAY_S), "most": most}
            rows = db.execute(SQL["prune_rolled"], given).rowcount
        gone += rows
    return gone


def forget_empty(db: sqlite3.Connection, bundle: int) -> int:
    """Forget the series of a bundle that have neither samples nor summaries left; answers how many."""
    given = {"bundle": bundle}
    empty = {id for (id,) in db.execute(SQL["ids_of_bundle"], given)}
    shapes = known_shapes(db.execute(SQL["shapes"], given))
    for (shape,) in db.execute(SQL["used_shapes"], given):
        empty -= set(shapes[shape])
    for chunk, _, _, since in db.execute(SQL["chunk_spans"], given).fetchall() if empty else ():
        opened = Chunk(db.execute(SQL["body"], {"id": chunk}).fetchone()[0])
        empty -= {id for id in empty.intersection(opened.ids) if opened.pairs(id)[0][-1] * US >= since - 1}
    empty -= {id for id in empty if db.execute(SQL["first_old"], {"id": id, "since": -math.inf}).fetchone()[0] is not None}
    empty -= rollups.holds(db, bundle) if empty else set()
    for id in empty:
        db.execute(SQL["forget_series"], {"id": id})
    return len(empty)
