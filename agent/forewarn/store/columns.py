"""The values of one series inside a chunk: the smallest of a few encodings that gives back every bit.

- `SAME`: one value for all.
- `WHOLE`: every value is k / 10**e for whole k and the least fitting e below EXPONENTS: latencies in whole microseconds, counts, ratios
  of two digits. The k above their least, as planes.
- `STEPS`: the same, but the differences between neighbours: counters, and gauges that move slowly.
- `BITS`: the eight bytes of each value, as planes: what no shorter decimal describes.
- `FEW`: up to 255 different values, the number of each as one plane.

A value counts as k / 10**e only if dividing gives back its very bits (so -0.0 does not); `encode` has compared all of them.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable
from itertools import accumulate
from operator import sub

from forewarn.store.planes import CODES, pack, unpack, width

SAME, WHOLE, STEPS, BITS, FEW = range(5)
_ONE = struct.Struct("<d")
_WHOLE = struct.Struct("<Bq")  # e, least
_STEPS = struct.Struct("<Bqq")  # e, first, least step
LIMIT = 2**53
EXPONENTS = 10
TRIED = 32
"""So many values tell noise from what moves slowly."""

Decode = Callable[[Iterable[int]], Iterable[float]]
_DIVIDED: dict[int, Decode] = {  # written out: a constant divisor is half as dear as one in a variable
    0: lambda whole: whole,
    1: lambda whole: [k / 1e1 for k in whole],
    2: lambda whole: [k / 1e2 for k in whole],
    3: lambda whole: [k / 1e3 for k in whole],
    4: lambda whole: [k / 1e4 for k in whole],
    5: lambda whole: [k / 1e5 for k in whole],
    6: lambda whole: [k / 1e6 for k in whole],
    7: lambda whole: [k / 1e7 for k in whole],
    8: lambda whole: [k / 1e8 for k in whole],
    9: lambda whole: [k / 1e9 for k in whole],
}


def encode(values: array[float]) -> tuple[int, bytes]:
    """Which encoding, and the bytes. `values` is not empty and holds finite numbers."""
    flat = values.tobytes()
    if flat == flat[:8] * len(values):
        return SAME, flat[:8]
    whole = _whole(values, flat)
    made = _of_whole(*whole) if whole else _as_bits(flat)
    few = set(values)
    if len(few) <= 255 and 0.0 not in few and len(made[1]) > 9 * len(few):  # 0.0 and -0.0 are equal, and are whole at least once
        made = min(made, _as_few(values, sorted(few)), key=lambda one: len(one[1]))
    return made


def decode(kind: int, packed: bytes, n: int) -> array[float]:
    """Inverse of encode."""
    if kind == SAME:
        return array("d", _ONE.unpack(packed) * n)
    if kind == WHOLE:
        e, least = _WHOLE.unpack_from(packed)
        whole: Iterable[int] = unpack(packed, _WHOLE.size, n)
        return array("d", _DIVIDED[e]([least + k for k in whole] if least else whole))
    if kind == STEPS:
        e, first, least = _STEPS.unpack_from(packed)
        steps = unpack(packed, _STEPS.size, n - 1)
        return array("d", _DIVIDED[e](accumulate([least + k for k in steps] if least else steps, initial=first)))
    if kind == FEW:
        table = array("d")
        table.frombytes(packed[1 : 1 + 8 * packed[0]])
        return array("d", map(table.tolist().__getitem__, unpack(packed, 1 + 8 * packed[0], n)))
    made = array("d")
    made.frombytes(unpack(packed, 0, n, 8).tobytes())
    return made


def _whole(values: array[float], flat: bytes) -> tuple[int, list[int]] | None:
    """The first e of EXPONENTS for which all of them are whole, and these."""
    least, most = min(values), max(values)
    beyond = max(most, -least)
    if beyond >= LIMIT:
        return None
    for e in range(_exponent(values[:: len(values) // 8 + 1]), EXPONENTS):
        if beyond * 10.0**e >= LIMIT:
            return None
        whole = _rounded(values, 10.0**e, least)
        if array("d", _DIVIDED[e](whole)).tobytes() == flat:
            return e, whole
    return None


def _exponent(some: Iterable[float]) -> int:
    """The least e that a few of them allow; what is whole for one is so for every larger one. EXPONENTS: none."""
    e = 0
    for value in some:
        while round(value * 10.0**e) / 10.0**e != value:
            e += 1
            if e == EXPONENTS:
                return e
    return e


def _rounded(values: array[float], scale: float, least: float) -> list[int]:
    return [int(value * scale + 0.5) for value in values] if least >= 0 else [round(value * scale) for value in values]


def _of_whole(e: int, whole: list[int]) -> tuple[int, bytes]:
    least = min(whole)
    most = max(whole) - least
    some = list(map(sub, whole[1:TRIED], whole))
    if max(some) - min(some) < most:  # noise would have steps twice as wide as itself
        steps = list(map(sub, whole[1:], whole))
        least_step = min(steps)
        most_step = max(steps) - least_step
        if most_step < most:
            return STEPS, _STEPS.pack(e, whole[0], least_step) + pack([step - least_step for step in steps], most_step)
    if least > 0 and width(most + least) == width(most):
        most, least = most + least, 0  # as small, and decoded without an addition
    return WHOLE, _WHOLE.pack(e, least) + pack([k - least for k in whole] if least else whole, most)


def _as_bits(flat: bytes) -> tuple[int, bytes]:
    lanes = array(CODES[8])
    lanes.frombytes(flat)
    return BITS, pack(lanes, 2**64 - 1)


def _as_few(values: array[float], few: list[float]) -> tuple[int, bytes]:
    places = {value: place for place, value in enumerate(few)}
    return FEW, bytes([len(few)]) + array("d", few).tobytes() + pack([places[value] for value in values], len(few) - 1)
