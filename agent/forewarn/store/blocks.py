"""Runs of a bundle as columns: what is sealed into a chunk, and read out of it.

A bundle is up to BUNDLE series of one probe and target, whose samples come from the same runs: a block keeps their times once.
A series that was absent in a run has NaN there, which no sample can be. In a chunk (the bytes of a block) a series
can be read without looking at the others:

    version, runs, series, length of times | ids | kinds | lengths | times | columns

Where a series is absent in some runs its kind is marked, and its column begins with one byte a run, squeezed.
"""

from __future__ import annotations

import math
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, pairwise

from forewarn.model.errors import StoreError
from forewarn.store import columns, times
from forewarn.store.planes import expand, squeeze

BUNDLE = 32
VERSION = 1
_HEAD = struct.Struct("<BHHH")
_ABSENCES = 0x80
_NAN = math.nan

Pairs = tuple["array[float]", "array[float]"]
"""Times in seconds and values of one series, oldest first."""


@dataclass(slots=True)
class Block:
    """Times in microseconds, strictly ascending, and by series id the values of each run, NaN where it had none."""

    times_us: array[int] = field(default_factory=lambda: array("q"))
    series: dict[int, array[float]] = field(default_factory=dict)

    def cut(self, begin: int, end: int) -> Block:
        """These runs of it, without the series that have nothing there."""
        taken = {id: values[begin:end] for id, values in self.series.items()}
        return Block(self.times_us[begin:end], {id: values for id, values in taken.items() if not all(map(math.isnan, values))})

    def since(self, since_us: int) -> Block:
        """What of it is not older."""
        return self.cut(bisect_left(self.times_us, since_us), len(self.times_us)) if self.times_us[0] < since_us else self


Row = tuple[int, int, bytes]
"""Shape, microseconds, float64 values of the shape's series in its order."""


def of_rows(rows: Sequence[Row], shapes: Mapping[int, Sequence[int]]) -> Block:
    """Rows ordered by time, of two at one time the later one last. Nearly always all of one shape, each time once."""
    first, when = rows[0][0], array("q", [t for _, t, _ in rows])
    if all(shape == first for shape, _, _ in rows) and all(a < b for a, b in pairwise(when)):
        flat, ids = array("d"), shapes[first]
        flat.frombytes(b"".join(body for _, _, body in rows))
        return Block(when, {id: flat[place :: len(ids)] for place, id in enumerate(ids)})
    found: dict[int, dict[int, float]] = {}
    for shape, at, body in rows:
        ids = shapes[shape]
        found.setdefault(at, {}).update(zip(ids, struct.unpack(f"<{len(ids)}d", body), strict=True))
    return _of_runs(found)


def joined(blocks: Sequence[Block]) -> Block:
    """One of several; where two have a sample of the same series and time, the later block's counts."""
    if len(blocks) == 1:
        return blocks[0]
    same = all(a.series.keys() == b.series.keys() and a.times_us[-1] < b.times_us[0] for a, b in pairwise(blocks))
    if same:
        made = Block(array("q"), {id: array("d") for id in blocks[0].series})
        for block in blocks:
            made.times_us.extend(block.times_us)
            for id, values in block.series.items():
                made.series[id].extend(values)
        return made
    found: dict[int, dict[int, float]] = {}
    for block in blocks:
        for id, values in block.series.items():
            for at, value in zip(block.times_us, values, strict=True):
                if value == value:
                    found.setdefault(at, {})[id] = value
    return _of_runs(found)


def _of_runs(found: Mapping[int, Mapping[int, float]]) -> Block:
    when = array("q", sorted(found))
    ids = dict.fromkeys(id for at in when for id in found[at])
    runs = [found[at] for at in when]
    return Block(when, {id: array("d", [run.get(id, _NAN) for run in runs]) for id in ids})


def encode(block: Block) -> bytes:
    """The chunk of a block of at least one and at most planes.MOST runs."""
    when = times.encode(block.times_us)
    kinds, parts = bytearray(), list[bytes]()
    for values in block.series.values():
        kind, part = _column(values)
        kinds.append(kind)
        parts.append(part)
    head = _HEAD.pack(VERSION, len(block.times_us), len(parts), len(when))
    lengths = struct.pack(f"<{len(parts)}I", *map(len, parts))
    return b"".join([head, struct.pack(f"<{len(parts)}I", *block.series), kinds, lengths, when, *parts])


def _column(values: array[float]) -> tuple[int, bytes]:
    if math.isfinite(sum(values)):  # then each of them is; the other way round it may not be
        return columns.encode(values)
    there = bytes([value == value for value in values])
    if all(there):
        return columns.encode(values)
    kind, part = columns.encode(array("d", compress(values, there)))
    return kind | _ABSENCES, squeeze(there) + part


class Chunk:
    """A chunk, to be read series by series. Raises StoreError for bytes that a newer version wrote."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        version, self.runs, count, self._when = _HEAD.unpack_from(data)
        if version != VERSION:
            raise StoreError(
                f"samples: a newer forewarn wrote this part (form {version}, this one knows {VERSION}); start that one"
            )
        at = _HEAD.size
        ids = struct.unpack_from(f"<{count}I", data, at)
        self._places = {id: place for place, id in enumerate(ids)}
        self._kinds = at + 4 * count
        lengths = struct.unpack_from(f"<{count}I", data, self._kinds + count)
        self._begin = self._kinds + 5 * count
        ends = [self._begin + self._when]
        for length in lengths:
            ends.append(ends[-1] + length)
        self._ends = ends

    @property
    def ids(self) -> list[int]:
        return list(self._places)

    def times_s(self) -> array[float]:
        return times.decode(self._data[self._begin : self._ends[0]], self.runs)

    def pairs(self, id: int) -> Pairs:
        """The samples of one series; none where it is not in here."""
        values, there = self._values(id)
        if values is None:
            return array("d"), array("d")
        when = self.times_s()
        return (array("d", compress(when, there)) if there else when), values

    def between(self, since_s: float, until_s: float) -> int:
        """How many samples of all series lie in there."""
        kinds = self._data[self._kinds : self._kinds + len(self._places)]
        dense = sum(not kind & _ABSENCES for kind in kinds)
        when = self.times_s()
        found = dense * (bisect_left(when, until_s) - bisect_left(when, since_s))
        for id, kind in zip(self._places, kinds, strict=True):
            if kind & _ABSENCES:
                when = self.pairs(id)[0]
                found += bisect_left(when, until_s) - bisect_left(when, since_s)
        return found

    def _values(self, id: int) -> tuple[array[float] | None, bytes]:
        place = self._places.get(id)
        if place is None:
            return None, b""
        kind, part = self._data[self._kinds + place], self._data[self._ends[place] : self._ends[place + 1]]
        if not kind & _ABSENCES:
            return columns.decode(kind, part, self.runs), b""
        there, at = expand(part, 0, self.runs)
        return columns.decode(kind & ~_ABSENCES, part[at:], sum(there)), there

    def block(self) -> Block:
        """All of it."""
        made = Block(array("q", map(times.micros, self.times_s())))
        for id in self._places:
            values, there = self._values(id)
            assert values is not None
            if there:
                present = iter(values)
                values = array("d", [next(present) if here else _NAN for here in there])
            made.series[id] = values
        return made


def merged(parts: Iterable[Pairs]) -> Pairs:
    """Of one series; `parts` by age: of two samples at one time the one in the later part counts."""
    by_age = [part for part in parts if part[0]]
    by_time = sorted(by_age, key=lambda part: part[0][0])
    if all(a[0][-1] < b[0][0] for a, b in pairwise(by_time)):
        when, values = array("d"), array("d")
        for part in by_time:
            when.extend(part[0])
            values.extend(part[1])
        return when, values
    found: dict[float, float] = {}
    for part in by_age:
        found.update(zip(*part, strict=True))
    when = array("d", sorted(found))
    return when, array("d", [found[at] for at in when])


def trimmed(pairs: Pairs, since_s: float, until_s: float) -> Pairs:
    """Of these, since_s <= time < until_s."""
    when, values = pairs
    if not when or (since_s <= when[0] and when[-1] < until_s):
        return pairs
    begin, end = bisect_left(when, since_s), bisect_left(when, until_s)
    return when[begin:end], values[begin:end]
