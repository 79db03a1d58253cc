"""What the options of all kinds have in common: unknown keys are errors, values never change, sizes carry units."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([kMG]i?B|B)$")
_SPAN = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_FACTOR = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "kiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


class Options(BaseModel):
    """Base of every kind's options."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def parse_size(value: object) -> int:
    """Bytes of `64 kB`, `1 MiB` or a plain number of bytes; raises ValueError with what would be right."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    text = str(value).strip().replace("KiB", "kiB").replace("KB", "kB")
    found = _SIZE.match(text)
    if not found:
        raise ValueError(f'"{value}" is not a size; write 64kB or 1MiB')
    return int(float(found[1]) * _FACTOR[found[2]])


def size_text(size: int) -> str:
    """A size as people write it: the largest binary unit that divides it, else bytes."""
    for unit in ("GiB", "MiB", "kiB"):
        if size and size % _FACTOR[unit] == 0:
            return f"{size // _FACTOR[unit]} {unit.replace('k', 'K')}"
    return f"{size} B"


def parse_span(value: object) -> float:
    """Seconds of `10s` or `5m`; a number is seconds already (a value that was read before). Raises ValueError with what would
    be right."""
    if isinstance(value, float):
        return value
    found = _SPAN.match(str(value).strip())
    if not found:
        raise ValueError(f'"{value}" is not a duration; write 30s, 5m or 1d')
    return float(found[1]) * _SECONDS[found[2]]


def as_list(value: object) -> object:
    """One text where a list may stand."""
    return (value,) if isinstance(value, str | int) else value


Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema({"type": ["string", "integer"], "examples": ["64kB", "1MiB"]})]
Span = Annotated[
    float,
    BeforeValidator(parse_span),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d|w)$", "examples": ["30s", "5m", "1d"]}),
]
Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
