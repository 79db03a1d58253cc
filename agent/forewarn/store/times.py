"""The times of a chunk, shared by all its series.

A time is kept as the float64 next to its whole microsecond. Between 2004 and 2038 these floats lie 2**-22 s apart, and as
64-bit whole numbers they are linear in time: so a chunk keeps how far each lies from an even grid, and reading it is
arithmetic on one huge int with a lane for each. 15,625 us are 65,536 such steps, so on a grid of whole multiples of them the
distance can be kept in microseconds (`GRID_US`), two bits less each. Earlier or later times (tests, a clock that is wrong)
are kept as they are.
"""

from __future__ import annotations

import struct
from array import array
from functools import cache
from itertools import accumulate, pairwise

from forewarn.store.planes import ones, pack, ramp, unpack

GRID, STEPS, PLAIN, GRID_US = range(4)
_HEAD = struct.Struct("<BQQ")  # kind, first, step
US = 1_000_000
LINEAR = (2**30 * US, 2**31 * US)
ROUND_US, ROUND = 15_625, 2**16
"""So many microseconds are exactly so many steps of the floats."""
NEAR_US, SHIFT = 2**20, 36
PER_US = round(ROUND / ROUND_US * 2**SHIFT)
"""Steps to a microsecond, times 2**SHIFT. For distances below NEAR_US it is off by less than 2**-15 step, and no multiple of
1/15,625 lies as near to a half: rounding comes out right. The product fits into a lane."""


def micros(at_s: float) -> int:
    """What is kept of a time."""
    return round(at_s * US)


def encode(times_us: array[int]) -> bytes:
    """Strictly ascending microseconds, at least one."""
    n = len(times_us)
    bits = array("Q")
    bits.frombytes(array("d", [us / US for us in times_us]).tobytes())
    if not (LINEAR[0] <= times_us[0] and times_us[-1] < LINEAR[1]):
        return _HEAD.pack(PLAIN, 0, 0) + pack(bits, 2**64 - 1)
    gaps = [b - a for a, b in pairwise(bits)]
    step = sorted(gaps)[n // 2 - 1 if n > 1 else 0] if gaps else 0
    if len(set(gaps)) <= 1:
        return _grid(bits, step)
    made = _grid_us(times_us, step * ROUND_US // ROUND)
    return made if made else min(_grid(bits, step), _steps(bits, gaps), key=len)


def _grid_us(times_us: array[int], step_us: int) -> bytes | None:
    """None where they are not near such a grid."""
    step_us = (step_us + ROUND_US // 2) // ROUND_US * ROUND_US
    off = (
        [us - at for us, at in zip(times_us, range(0, step_us * len(times_us), step_us), strict=True)] if step_us else [0, NEAR_US]
    )
    first = min(off) // ROUND_US * ROUND_US
    most = max(off) - first
    if most >= NEAR_US or first < LINEAR[0]:
        return None
    bits = int.from_bytes(struct.pack("<d", first / US), "little")
    head = _HEAD.pack(GRID_US, bits, step_us // ROUND_US * ROUND)
    return head + (pack([one - first for one in off], most) if most else b"")


def _grid(bits: array[int], step: int) -> bytes:
    off = [bit - at for bit, at in zip(bits, range(0, step * len(bits) + 1, step or 1), strict=False)] if step else list(bits)
    first = min(off)
    head = _HEAD.pack(GRID, first, step)
    most = max(off) - first
    return head + (pack([one - first for one in off], most) if most else b"")


def _steps(bits: array[int], gaps: list[int]) -> bytes:
    least = min(gaps, default=0)
    return _HEAD.pack(STEPS, bits[0], least) + pack([gap - least for gap in gaps], max(gaps, default=0) - least)


@cache
def _halves(n: int) -> int:
    return ones(n) << (SHIFT - 1)


@cache
def _low(n: int) -> int:
    return ones(n) * ((1 << (64 - SHIFT)) - 1)


def decode(packed: bytes, n: int) -> array[float]:
    """Seconds since the epoch."""
    kind, first, step = _HEAD.unpack_from(packed)
    made = array("d")
    if kind == GRID_US:
        lanes = first * ones(n) + step * ramp(n)
        if len(packed) > _HEAD.size:
            off = int.from_bytes(unpack(packed, _HEAD.size, n, 8).tobytes(), "little")
            lanes += ((off * PER_US + _halves(n)) >> SHIFT) & _low(n)
        made.frombytes(lanes.to_bytes(8 * n, "little"))
    elif kind == GRID:
        lanes = first * ones(n) + step * ramp(n)
        if len(packed) > _HEAD.size:
            lanes += int.from_bytes(unpack(packed, _HEAD.size, n, 8).tobytes(), "little")
        made.frombytes(lanes.to_bytes(8 * n, "little"))
    elif kind == STEPS:
        gaps = unpack(packed, _HEAD.size, n - 1)
        made.frombytes(array("Q", accumulate([step + gap for gap in gaps], initial=first)).tobytes())
    else:
        made.frombytes(unpack(packed, _HEAD.size, n, 8).tobytes())
    return made
