"""Summaries of days that are over, kept for longer than the samples: by slots of five minutes and of an hour.

A day of a bundle is one row for each length of slot. Its fields lie in a chunk like samples do (blocks.py), the slots as its
runs; the sketches, which differ in length, follow: for each series and slot the number of bins, then the step from the
last bin and the count of each, in base-128 digits, all of it squeezed. A day is summarised LATE_S after its end, once;
a sample that comes still later is kept, and not in the summary.
"""

from __future__ import annotations

import math
import sqlite3
import struct
from array import array
from collections.abc import Iterator, Sequence

from forewarn.model.slots import STEPS_S, Slot, slots_of
from forewarn.store import blocks, looks
from forewarn.store.blocks import Block, Chunk
from forewarn.store.planes import compressed, decompressed
from forewarn.store.shapes import SQL
from forewarn.store.sqlite import Database
from forewarn.store.times import US

DAY_S = 86_400
LATE_S = 3_600.0
FIELDS = 4  # count, mean, least, most
_SIZES = struct.Struct("<II")  # of the chunk, of the sketches before they were squeezed


def roll(file: Database, now_s: float, most: int) -> int:
    """Summarise up to `most` days of bundles, each in a transaction of its own; answers how many were done."""
    end = math.floor((now_s - LATE_S) / DAY_S) * DAY_S
    with file.reading() as db:
        waiting = db.execute(SQL["to_roll"], {"end": end, "most": most}).fetchall()
    for bundle, until in waiting:
        with file.transaction() as db:
            _roll(db, bundle, until, end)
    return len(waiting)


def _roll(db: sqlite3.Connection, bundle: int, until: int | None, end: int) -> None:
    """The first day from `until` on (None: ever) that has samples; how far we are is noted."""
    ids = [id for (id,) in db.execute(SQL["ids_of_bundle"], {"bundle": bundle})]
    begin = -math.inf if until is None else until
    starts = [looks.next_time(db, id, bundle, begin) for id in ids]
    first = min((at for at in starts if at is not None and at < end), default=None)
    if first is None:
        db.execute(SQL["mark"], {"bundle": bundle, "until": end})
        return
    day = math.floor(first / DAY_S) * DAY_S
    series = {id: looks.read(db, id, bundle, day, day + DAY_S) for id in ids}
    for step in STEPS_S:
        slots = {id: slots_of(*pairs, step) for id, pairs in series.items() if pairs[0]}
        db.execute(SQL["add_rolled"], {"step": step, "bundle": bundle, "day": day, "data": encode(slots)})
    db.execute(SQL["mark"], {"bundle": bundle, "until": day + DAY_S})


def encode(series: dict[int, list[Slot]]) -> bytes:
    """Series id -> its slots, as bytes."""
    when = sorted({slot.at_s for slots in series.values() for slot in slots})
    block, sketches = Block(array("q", [round(at * US) for at in when])), bytearray()
    for id, slots in series.items():
        by_time = {slot.at_s: slot for slot in slots}
        for place, name in enumerate(("count", "mean", "least", "most")):
            values = [float(getattr(by_time[at], name)) if at in by_time else math.nan for at in when]
            block.series[id * FIELDS + place] = array("d", values)
        for slot in slots:
            _write(sketches, sorted(slot.inner.items()))
    chunk = blocks.encode(block)
    return _SIZES.pack(len(chunk), len(sketches)) + chunk + compressed(bytes(sketches))


def decode(data: bytes, id: int, sketches: bool = True) -> list[Slot]:
    """The slots of one series; all sketches before its own have to be read to come to these."""
    length, size = _SIZES.unpack_from(data)
    chunk = Chunk(data[_SIZES.size : _SIZES.size + length])
    if id * FIELDS not in chunk.ids:
        return []
    when, counts = chunk.pairs(id * FIELDS)
    means, least, most = (chunk.pairs(id * FIELDS + place)[1] for place in (1, 2, 3))
    rows = zip(when, counts, means, least, most, strict=True)
    if not sketches:
        return [Slot(at, int(count), mean, low, high) for at, count, mean, low, high in rows]
    numbers = _numbers(decompressed(data[_SIZES.size + length :], size))
    for other in chunk.ids[: chunk.ids.index(id * FIELDS) : FIELDS]:
        for _ in range(len(chunk.pairs(other)[0])):
            _read(numbers)
    return [Slot(at, int(count), mean, low, high, _read(numbers)) for at, count, mean, low, high in rows]


def read(
    db: sqlite3.Connection, id: int, bundle: int, since_s: float, until_s: float, step_s: int, sketches: bool = True
) -> list[Slot]:
    """Slots that begin in since_s <= time < until_s: of summarised days, and of the samples after these."""
    given = {"step": step_s, "bundle": bundle, "since": since_s - DAY_S, "until": until_s}
    found = [slot for (data,) in db.execute(SQL["read_rolled"], given) for slot in decode(data, id, sketches)]
    marked = db.execute(SQL["marked"], given).fetchone()
    begin = max(marked[0] if marked else -math.inf, math.floor(max(since_s, -1e12) / step_s) * step_s)
    end = math.ceil(min(until_s, 1e12) / step_s) * step_s
    if begin < end:
        found += slots_of(*looks.read(db, id, bundle, begin, end), step_s, sketches)
    return [slot for slot in found if since_s <= slot.at_s < until_s]


def holds(db: sqlite3.Connection, bundle: int) -> set[int]:
    """Series of a bundle that have summaries."""
    rows = db.execute(SQL["all_rolled"], {"bundle": bundle})
    return {id // FIELDS for (data,) in rows for id in Chunk(data[_SIZES.size : _SIZES.size + _SIZES.unpack_from(data)[0]]).ids}


def _write(out: bytearray, bins: Sequence[tuple[int, int]]) -> None:
    last = 0
    _digits(out, len(bins))
    for number, count in bins:
        step = number - last
        _digits(out, step * 2 if step >= 0 else -step * 2 - 1)
        _digits(out, count)
        last = number


def _digits(out: bytearray, number: int) -> None:
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _numbers(data: bytes) -> Iterator[int]:
    number, shift = 0, 0
    for byte in data:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield number
            number, shift = 0, 0


def _read(numbers: Iterator[int]) -> dict[int, int]:
    bins, last = {}, 0
    for _ in range(next(numbers)):
        step = next(numbers)
        last += step // 2 if step % 2 == 0 else -(step + 1) // 2
        bins[last] = next(numbers)
    return bins
