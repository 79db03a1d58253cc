"""Detector states as bytes and back, bit by bit, so that what was learnt outlives a restart.

A state is a frozen value: a dataclass or a named tuple of numbers, texts, moments, and more of the like. Which classes may stand
in it is read from the annotations of its own class, so that a detector needs nothing of its own to be kept. The bytes carry a
*form*, a checksum of the names and fields of all these classes: what another version wrote in another form is not taken for
something that it is not, but is `Unreadable`, and the caller lets the detector learn from the samples instead.

    version, form, checksum of what follows | squeezed: one tagged value; floats in a row as their eight byte planes

A change of what a field *means* (the places of a histogram, say) does not show in its name: then the detector's own `form`
(core/detect/__init__.py) is raised by one.
"""

from __future__ import annotations

import struct
import types
import zlib
from array import array
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

VERSION = 1
MOST = 256 * 1024
"""Bytes of a state before they are squeezed: what is larger is not kept, and not read."""
_HEAD = struct.Struct("<BII")
_FLOAT = struct.Struct("<d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
NONE, TRUE, FALSE, INT, FLOAT, TEXT, MOMENT, FLOATS, TUPLE, LIST, ARRAY, MAP, OBJECT, ENUM = range(14)
_SWAPS = array("H", b"\1\0")[0] != 1


class Unreadable(ValueError):
    """A state that can't be kept, or bytes that are none of this form."""


class Form:
    """How the states of one class are kept."""

    def __init__(self, state: type, number: int = 1) -> None:
        self.classes = sorted(_classes(state), key=lambda one: one.__qualname__)
        self._names = [_names(one) for one in self.classes]
        self._place = {one: place for place, one in enumerate(self.classes)}
        told = [f"{one.__qualname__}({','.join(names)})" for one, names in zip(self.classes, self._names, strict=True)]
        self.check = zlib.crc32(f"{number};{';'.join(told)}".encode())

    def packed(self, state: object) -> bytes:
        """The state as bytes. Raises Unreadable for what is too large, or holds what no annotation names."""
        out = bytearray()
        try:
            self._write(out, state)
        except (struct.error, KeyError, OverflowError, RecursionError) as error:
            raise Unreadable(f"{type(state).__name__} holds what can't be kept: {error!r}") from error
        if len(out) > MOST:
            raise Unreadable(f"{type(state).__name__} takes {len(out)} bytes, and {MOST} are kept at most")
        body = zlib.compress(out, 6)
        return _HEAD.pack(VERSION, self.check, zlib.crc32(body)) + body

    def unpacked(self, data: bytes) -> Any:
        """Inverse of packed. Raises Unreadable for anything else."""
        try:
            version, form, check = _HEAD.unpack_from(data)
            body = data[_HEAD.size :]
            if zlib.crc32(body) != check:
                raise Unreadable("the bytes are damaged")
            if (version, form) != (VERSION, self.check):
                raise Unreadable("another version kept it in another form")
            opener = zlib.decompressobj()
            plain = opener.decompress(body, MOST)
            if opener.unconsumed_tail or not opener.eof:
                raise Unreadable("the bytes are not whole")
            state, end = self._read(plain, 0)
        except (struct.error, zlib.error, ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
            raise error if isinstance(error, Unreadable) else Unreadable(f"the bytes are damaged: {error!r}") from error
        if end != len(plain):
            raise Unreadable("the bytes are more than a state")
        return state

    # --- writing ---

    def _write(self, out: bytearray, one: Any) -> None:
        kind = type(one)
        if kind is float:
            out.append(FLOAT)
            out += _FLOAT.pack(one)
        elif one is None or kind is bool:
            out.append(NONE if one is None else TRUE if one else FALSE)
        elif kind is int:
            out.append(INT)
            _digits(out, one * 2 if one >= 0 else -one * 2 - 1)
        elif kind in (tuple, list):
            self._write_row(out, one, TUPLE if kind is tuple else LIST)
        elif kind in self._place:
            self._write_object(out, one, self._place[kind])
        elif kind is str:
            _text(out, TEXT, one)
        elif kind is array:
            out.append(ARRAY)
            out.append(ord(one.typecode))
            _digits(out, len(one))
            out += _planes(one)
        elif kind is datetime:
            out.append(MOMENT)
            _digits(out, (one - _EPOCH) // _US)
        elif isinstance(one, Mapping):
            out.append(MAP)
            _digits(out, len(one))
            for key, value in one.items():
                self._write(out, key)
                self._write(out, value)
        else:
            raise Unreadable(f"{kind.__name__} is no part of a state")

    def _write_row(self, out: bytearray, row: Any, tag: int) -> None:
        if len(row) > 1 and tag == TUPLE and all(type(one) is float for one in row):
            out.append(FLOATS)
            _digits(out, len(row))
            out += _planes(array("d", row))
            return
        out.append(tag)
        _digits(out, len(row))
        for one in row:
            self._write(out, one)

    def _write_object(self, out: bytearray, one: Any, place: int) -> None:
        if isinstance(one, Enum):
            _text(out, ENUM, str(one.value))
            _digits(out, place)
            return
        out.append(OBJECT)
        _digits(out, place)
        for name in self._names[place]:
            self._write(out, getattr(one, name))

    # --- reading ---

    def _read(self, data: bytes, at: int) -> tuple[Any, int]:
        tag, at = data[at], at + 1
        if tag in (NONE, TRUE, FALSE):
            return (None if tag == NONE else tag == TRUE), at
        if tag == FLOAT:
            return _FLOAT.unpack_from(data, at)[0], at + 8
        if tag == OBJECT:
            return self._read_object(data, at)
        if tag == ARRAY:
            n, begin = _number(data, at + 1)
            return _planed(chr(data[at]), data, begin, n)
        n, at = _number(data, at)
        if tag == INT:
            return (n // 2 if n % 2 == 0 else -(n + 1) // 2), at
        if tag == MOMENT:
            return _EPOCH + n * _US, at
        if tag == FLOATS:
            row, at = _planed("d", data, at, n)
            return tuple(row), at
        if tag in (TEXT, ENUM):
            text, at = data[at : at + n].decode("utf-8", "surrogatepass"), at + n
            if tag == TEXT:
                return text, at
            place, at = _number(data, at)
            return self.classes[place](text), at
        return self._read_many(tag, data, at, n)

    def _read_many(self, tag: int, data: bytes, at: int, n: int) -> tuple[Any, int]:
        found = []
        for _ in range(2 * n if tag == MAP else n):
            one, at = self._read(data, at)
            found.append(one)
        if tag == MAP:
            return dict(zip(found[::2], found[1::2], strict=True)), at
        if tag not in (TUPLE, LIST):
            raise Unreadable(f"{tag} is no tag")
        return (tuple(found) if tag == TUPLE else found), at

    def _read_object(self, data: bytes, at: int) -> tuple[Any, int]:
        place, at = _number(data, at)
        given = {}
        for name in self._names[place]:
            given[name], at = self._read(data, at)
        return self.classes[place](**given), at


@cache
def form_of(step: Callable[..., Any], number: int = 1) -> Form:
    """That of a detector: its `step(options, state, window, now)` answers a pair, and the first of it is the state."""
    return Form(get_args(_hints(step)["return"])[0], number)


def _classes(kind: Any) -> set[type]:
    """Dataclasses, named tuples and enums that a value of this annotation may hold."""
    found: set[type] = set()
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        if get_origin(one) is not None or isinstance(one, types.UnionType):
            waiting += [of for of in get_args(one) if of is not Ellipsis]
        elif isinstance(one, type) and one not in found and _known(one):
            found.add(one)
            waiting += [] if issubclass(one, Enum) else [_hints(one)[name] for name in _names(one)]
    return found


def _hints(one: Any) -> dict[str, Any]:
    return get_type_hints(one, localns={"array": list})  # array[float] is for type checkers alone


def _known(kind: type) -> bool:
    return is_dataclass(kind) or issubclass(kind, Enum) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))


def _names(kind: type) -> tuple[str, ...]:
    if issubclass(kind, Enum):
        return tuple(str(one.value) for one in kind)
    named: tuple[str, ...] | None = getattr(kind, "_fields", None)
    if named is None and is_dataclass(kind):
        named = tuple(one.name for one in fields(kind) if one.init)
    return named or ()


def _digits(out: bytearray, number: int) -> None:
    """A whole number, 0 and up, in base 128."""
    if number < 0:
        raise OverflowError("a moment before 1970")
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _number(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return number, at
        shift += 7


def _text(out: bytearray, tag: int, text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    out.append(tag)
    _digits(out, len(raw))
    out += raw


def _planes(row: array[Any]) -> bytes:
    """First bytes, then second bytes ...: neighbours are alike, and shrink together."""
    row = row[:]
    if _SWAPS:
        row.byteswap()
    flat = row.tobytes()
    return b"".join(flat[place :: row.itemsize] for place in range(row.itemsize))


def _planed(code: str, data: bytes, at: int, n: int) -> tuple[array[Any], int]:
    made = array(code)
    size = n * made.itemsize
    if len(data) - at < size:
        raise Unreadable("the bytes end too early")
    flat = bytearray(size)
    for place in range(made.itemsize):
        flat[place :: made.itemsize] = data[at + place * n : at + (place + 1) * n]
    made.frombytes(flat)
    if _SWAPS:
        made.byteswap()
    return made, at + size
