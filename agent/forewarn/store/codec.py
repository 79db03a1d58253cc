"""Frozen dataclasses to JSON text and back.

The text is what pydantic reads and writes for the dataclass, field by field; fields that a text lacks get their default, fields
that it has too many are left out, so that a ledger outlives additions to the model. Not-a-number and infinity are kept (as
JavaScript's NaN and Infinity, which Python's json and pydantic both read). Moments are written in UTC; one without a zone
is refused, because nobody could tell later what it meant.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from forewarn.model.errors import StoreError

MOST_KNOWN = 2048
"""Things that lists and pages have shown lately: some 5 MB when they are that many."""
T = TypeVar("T")


_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    """Made when first needed: the import of this module costs nothing."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def encode(thing: object) -> str:
    """A frozen dataclass as JSON text; raises StoreError if something in it can't be kept (a secret, a bare time)."""
    try:
        fields = _adapter(type(thing)).dump_python(thing)
        return clean(json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=_moment))
    except (TypeError, ValueError) as error:
        raise StoreError(f"{_name(thing)} can't be stored: {error}") from error


def decode(kind: type[T], text: str) -> T:
    """Inverse of encode(); raises StoreError naming the field that can't be read."""
    try:
        found: T = _adapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise StoreError(f"a stored {kind.__name__} can't be read: {place}: {first['msg']}; it begins {text[:60]}") from error
    return found


def known(kind: type[T], text: str) -> T:
    """decode() for what is read again and again: things are frozen, so the same text is the same thing."""
    found: T = _known(cast(Hashable, kind), text)
    return found


@lru_cache(maxsize=MOST_KNOWN)
def _known(kind: type[Any], text: str) -> Any:
    return decode(kind, text)


def clean(text: str) -> str:
    """`text` without the half characters that a broken log line can bring, and that no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _moment(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} has no form in JSON")
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.astimezone(UTC).isoformat()


def _name(thing: object) -> str:
    return f"{type(thing).__name__} {getattr(thing, 'id', '')}".rstrip()
