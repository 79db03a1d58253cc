"""Reading: what chunks, warm and hot rows hold of a series, and what an older version left, as one line of samples.

Parts are taken in their order of age, so that of two samples at one time the later counts. All of it happens on one
connection that sees one moment of the file: a chunk that is being made out of warm rows is seen before or after, never both.
"""

from __future__ import annotations

import math
import sqlite3
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from forewarn.model.series import Bound, Counts
from forewarn.store.blocks import Chunk, Pairs, Row, merged, trimmed
from forewarn.store.shapes import SQL, known_shapes
from forewarn.store.times import US, micros

_VALUE = struct.Struct("<d")
EVER = (-(2**62), 2**62)
EARLIEST = (-math.inf,)
Shapes = Mapping[int, "array[int]"]


def span_us(since_s: float, until_s: float) -> dict[str, int]:
    """Bounds for a query, not tighter than the seconds."""
    least, most = EVER[0] / US, EVER[1] / US
    return {"since": micros(max(least, min(most, since_s))) - 1, "until": micros(max(least, min(most, until_s))) + 1}


def read(db: sqlite3.Connection, id: int, bundle: int, since_s: float, until_s: float) -> Pairs:
    """Samples with since_s <= time < until_s, oldest first."""
    given = {"id": id, "bundle": bundle, **span_us(since_s, until_s)}
    parts = [_old(db, id, since_s, until_s)]
    for _, t0, _, since, data in db.execute(SQL["chunks"], given):
        pairs = Chunk(data).pairs(id)
        parts.append(trimmed(pairs, since / US, math.inf) if since > t0 else pairs)
    shapes = known_shapes(db.execute(SQL["shapes"], given))
    for rows in (SQL["read_warm"], SQL["read_hot"]):
        parts.append(_line(_picked(db.execute(rows, given), shapes, id)))
    return trimmed(merged(parts), since_s, until_s)


def tally(pairs: Pairs, bound: Bound, slot_s: float) -> Counts:
    """Samples and not good ones of each slot that has any."""
    when, values = pairs
    found: Counts = []
    begin = 0
    while begin < len(when):
        slot = int(when[begin] / slot_s)
        end = bisect_left(when, (slot + 1) * slot_s, begin)
        end = max(end, begin + 1)
        some = values[begin:end]
        fine = bound.good(min(some)) and bound.good(max(some))  # then all of them are
        found.append((slot * slot_s, end - begin, 0 if fine else sum(not bound.good(value) for value in some)))
        begin = end
    return found


def first(db: sqlite3.Connection, id: int, bundle: int) -> float | None:
    """Time of the oldest sample."""
    return next_time(db, id, bundle, -math.inf)


def next_time(db: sqlite3.Connection, id: int, bundle: int, since_s: float) -> float | None:
    """Time of the oldest sample that is not before that."""
    bound = span_us(since_s, math.inf)["since"] + 1
    times = [db.execute(SQL["first_old"], {"id": id, "since": since_s}).fetchone()[0]]
    spans = sorted(
        (max(t0, since, bound), chunk) for chunk, t0, t1, since in db.execute(SQL["chunk_spans"], {"bundle": bundle}) if t1 >= bound
    )
    for begin, chunk in spans:
        if any(at is not None and at * US <= begin for at in times):
            break
        when, _ = trimmed(_chunk(db, chunk).pairs(id), begin / US, math.inf)
        times.append(when[0] if when else None)
    shapes = known_shapes(db.execute(SQL["shapes"], {"bundle": bundle}))
    given = {"bundle": bundle, "since": bound, "until": EVER[1]}
    warm = db.execute(SQL["read_warm"], given)
    times.append(next((at / US for shape, at, _ in warm if id in shapes[shape]), None))
    hot = db.execute(SQL["read_hot"], given)
    times.append(min((at / US for shape, at, _ in hot if id in shapes[shape]), default=None))
    return min((at for at in times if at is not None), default=None)


def last(db: sqlite3.Connection, series: Mapping[int, int]) -> dict[int, tuple[float, float]]:
    """Time and value of the newest sample of each id; `series` is id -> bundle."""
    bundles: dict[int, set[int]] = {}
    for id, bundle in series.items():
        bundles.setdefault(bundle, set()).add(id)
    newest: dict[int, tuple[float, float]] = {}
    for bundle, ids in bundles.items():
        newest |= _last_sealed(db, bundle, ids)
    shapes, latest = known_shapes(db.execute(SQL["all_shapes"])), dict[int, tuple[int, bytes]]()
    for shape, at, body in db.execute(SQL["last_hot"]):
        latest.pop(shape, None)  # so that the order is that of the latest rows
        latest[shape] = (at, body)
    for shape, (at, body) in latest.items():
        for place, id in enumerate(shapes[shape]):
            if id in series and (id not in newest or at / US >= newest[id][0]):
                newest[id] = (at / US, _VALUE.unpack_from(body, 8 * place)[0])
    return newest


def _last_sealed(db: sqlite3.Connection, bundle: int, ids: set[int]) -> dict[int, tuple[float, float]]:
    shapes, newest = known_shapes(db.execute(SQL["shapes"], {"bundle": bundle})), dict[int, tuple[float, float]]()
    for shape, at, body in db.execute(SQL["bundle_last_warm"], {"bundle": bundle}):
        for place, id in enumerate(shapes[shape]):
            if id in ids and id not in newest:
                newest[id] = (at / US, _VALUE.unpack_from(body, 8 * place)[0])
        if len(newest) == len(ids):
            break
    _last_in_chunks(db, bundle, ids, newest)
    for id in ids:
        found = db.execute(SQL["last_old"], {"id": id}).fetchone()
        if found and (id not in newest or found[0] > newest[id][0]):
            newest[id] = found
    return newest


def _last_in_chunks(db: sqlite3.Connection, bundle: int, ids: set[int], newest: dict[int, tuple[float, float]]) -> None:
    """Add what the warm rows did not know, or what is newer since they came late."""
    found: dict[int, tuple[float, int, float]] = {}  # time, chunk, value: the order in which they count
    spans = db.execute(SQL["chunk_spans"], {"bundle": bundle}).fetchall()
    for chunk, t0, t1, since in sorted(spans, key=lambda span: span[2], reverse=True):
        wanted = [id for id in ids if newest.get(id, EARLIEST)[0] < t1 / US and found.get(id, EARLIEST)[0] <= t1 / US]
        if not wanted:
            continue
        opened = _chunk(db, chunk)
        for id in wanted:
            when, values = trimmed(opened.pairs(id), since / US, math.inf) if since > t0 else opened.pairs(id)
            if when:
                found[id] = max(found.get(id, (-math.inf, 0, 0.0)), (when[-1], chunk, values[-1]), key=lambda one: one[:2])
    for id, (at, _, value) in found.items():
        if id not in newest or at > newest[id][0]:
            newest[id] = (at, value)


def _chunk(db: sqlite3.Connection, id: int) -> Chunk:
    return Chunk(db.execute(SQL["body"], {"id": id}).fetchone()[0])


def _old(db: sqlite3.Connection, id: int, since_s: float, until_s: float) -> Pairs:
    rows = db.execute(SQL["read_old"], {"id": id, "since": since_s, "until": until_s}).fetchall()
    return _line((micros(at), value) for at, value in rows) if rows else (array("d"), array("d"))


def _picked(rows: Iterable[Row], shapes: Shapes, id: int) -> Iterator[tuple[int, float]]:
    places = {shape: 8 * ids.index(id) for shape, ids in shapes.items() if id in ids}
    return ((at, _VALUE.unpack_from(body, places[shape])[0]) for shape, at, body in rows if shape in places)


def _line(rows: Iterable[tuple[int, float]]) -> Pairs:
    """Samples as they were appended, in order and the later one of two at one time."""
    found = list(rows)
    if not all(a[0] < b[0] for a, b in pairwise(found)):
        found = sorted(dict(found).items())
    return array("d", [at / US for at, _ in found]), array("d", [value for _, value in found])
