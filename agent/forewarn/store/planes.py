"""Whole numbers as byte planes, each squeezed by itself: the floor that columns and times stand on.

Plain Python walks a list at 30-100 ns an element, so all that touches every element is one operation of the interpreter
over the whole array: slices with a step (byte planes), comprehensions over arrays, and arithmetic on one huge int whose
64-bit lanes are the elements. The planes of the low bytes are noise and are kept as they are; those of the high bytes
hold little and shrink by themselves better than behind the noise (Huffman tables of zstd are one a block).
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Sequence
from functools import cache
from typing import Any

CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_LENGTH = struct.Struct("<H")
RAW, DEFLATED = 0x8000, 0x4000
"""In a plane's length: it is kept as it was; it is Huffman codes alone, not zstd."""
MOST = 0x3FFF
FEW = 256


@cache
def _zstd() -> tuple[Any, Any]:
    import zstandard  # only here: a daemon that has not sealed anything yet does without

    form = zstandard.FORMAT_ZSTD1_MAGICLESS
    given = zstandard.ZstdCompressionParameters.from_level(
        1, format=form, min_match=7, write_content_size=False, write_checksum=False, write_dict_id=False, window_log=16
    )
    return zstandard.ZstdCompressor(compression_params=given), zstandard.ZstdDecompressor(format=form)


def compressed(plain: bytes) -> bytes:
    """Any bytes, by zstd."""
    made: bytes = _zstd()[0].compress(plain)
    return made


def decompressed(small: bytes, size: int) -> bytes:
    """Inverse of compressed; `size` is that of the plain bytes."""
    made: bytes = _zstd()[1].decompress(small, max_output_size=size) if size else b""
    return made


def squeeze(plain: bytes) -> bytes:
    """Up to MOST bytes, smaller where they can be: by zstd where something repeats, by their frequencies alone where it is chance."""
    kept, mark = plain, RAW
    if len(plain) <= FEW and 2 * len(set(plain)) > len(plain):
        return _LENGTH.pack(len(kept) | mark) + kept  # noise: a table of its signs would be longer than what it saves
    small = compressed(plain)
    if len(small) < len(kept):
        kept, mark = small, 0
        codes = zlib.compressobj(6, zlib.DEFLATED, -9, 6, zlib.Z_HUFFMAN_ONLY)  # small tables: they are cleared every time
        if len(small) > len(plain) // 16 and len(small := codes.compress(plain) + codes.flush()) < len(kept):
            kept, mark = small, DEFLATED
    return _LENGTH.pack(len(kept) | mark) + kept


def expand(squeezed: bytes, at: int, n: int) -> tuple[bytes, int]:
    """Inverse of squeeze for the `n` bytes that begin at `at`, and where they end."""
    (size,) = _LENGTH.unpack_from(squeezed, at)
    at, mark = at + 2, size & (RAW | DEFLATED)
    end = at + (size & MOST)
    kept = squeezed[at:end]
    if mark == RAW:
        return kept, end
    if mark == DEFLATED:
        return zlib.decompress(kept, -15, n), end
    return decompressed(kept, n), end


def width(most: int) -> int:
    """Bytes that a number from 0 to `most` needs."""
    return max(1, (most.bit_length() + 7) // 8)


def pack(numbers: Sequence[int], most: int) -> bytes:
    """Numbers from 0 to `most` (< 2**64), up to MOST of them: how wide they are, then the planes."""
    wide = width(most)
    code = next(size for size in CODES if size >= wide)
    flat = array(CODES[code], numbers).tobytes()
    return bytes([wide]) + b"".join(squeeze(flat[place::code]) for place in range(wide))


def unpack(packed: bytes, at: int, n: int, lane: int = 0) -> array[int]:
    """Inverse of pack for `n` numbers from `packed[at:]`; in lanes of so many bytes, 0: the narrowest that hold them."""
    wide = packed[at]
    lane = lane or next(size for size in CODES if size >= wide)
    flat, at = bytearray(n * lane), at + 1
    for place in range(wide):
        flat[place::lane], at = expand(packed, at, n)
    made = array(CODES[lane])
    made.frombytes(flat)
    return made


@cache
def ones(n: int) -> int:
    """`n` lanes of 64 bits, each 1."""
    return int.from_bytes(b"\1\0\0\0\0\0\0\0" * n, "little")


@cache
def ramp(n: int) -> int:
    """`n` lanes of 64 bits: 0, 1, 2 ..."""
    return int.from_bytes(array("Q", range(n)).tobytes(), "little")
