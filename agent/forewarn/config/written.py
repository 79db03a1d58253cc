"""What all files that people write have in common: the base of their models, and the types of their values.

The types read text into what the inside works with (a duration into seconds) and give the JSON Schema its pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from forewarn.config import times, units
from forewarn.config.problems import Wrong
from forewarn.model.due import Span


class Written(BaseModel):
    """Base of everything that people write: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


_NAME = re.compile(r"\w[\w.\-]*")


def name_of(value: str) -> str:
    """A name as it is; raises Wrong."""
    if not _NAME.fullmatch(value) or len(value) > 100:
        raise Wrong(
            f"{units.shown(value)} is not a name",
            "write letters, digits, dots, dashes and underscores, beginning with a letter or digit",
        )
    return value


_TAG_VALUE = re.compile(r"[\w/][\w.\-@:/]*")


def tag_of(value: str) -> str:
    """A tag as it is: a name, or word=value; raises Wrong."""
    word, equals, given = value.partition("=")
    if not equals:
        return name_of(value)
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", word):
        raise Wrong(f"{units.shown(value)} gives a value to something that is no word", "write unit=nginx.service")
    if not _TAG_VALUE.fullmatch(given) or len(given) > 200:
        raise Wrong(
            f"{units.shown(value)} has a value that steps can't take", "write unit=nginx.service: letters, digits, . - @ : /"
        )
    return value


def one_or_more(value: object) -> object:
    """One text where a list of texts may stand."""
    return [value] if isinstance(value, str) else value


def _text_schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


def _positive(read: Callable[[object], float]) -> Callable[[object], float]:
    def more_than_zero(value: object) -> float:
        number = read(value)
        if number <= 0:
            raise Wrong(f"{units.shown(value)} is not more than zero", "write a longer one, e.g. 10s")
        return number

    return more_than_zero


def _readable(read: Callable[[object, tzinfo], object]) -> Callable[[str], str]:
    def as_it_is(value: str) -> str:
        read(value, UTC)
        return value

    return as_it_is


_DURATION_SCHEMA = _text_schema(r"^\d+(\.\d+)?(ms|s|m|h|d|w)$", "10s", "500ms", "5m", "3h", "3d")
_SHARE_SCHEMA = WithJsonSchema({"type": ["string", "number"], "examples": ["60%", 0.6]})

Name = Annotated[str, AfterValidator(name_of)]
Duration = Annotated[float, BeforeValidator(units.duration), _DURATION_SCHEMA]
Positive = Annotated[float, BeforeValidator(_positive(units.duration)), _DURATION_SCHEMA]
Limit = Annotated[Span, PlainValidator(units.span), _text_schema(r"^(\d+(\.\d+)?(ms|s|m|h|d|w)|[1-9]\d*wd)$", "15m", "4h", "5wd")]
Share = Annotated[float, BeforeValidator(units.share), _SHARE_SCHEMA]
Zone = Annotated[
    tzinfo, PlainValidator(lambda value: times.zone(str(value))), _text_schema(r"^[A-Za-z]", "Asia/Shanghai", "UTC", "local")
]
Tag = Annotated[str, AfterValidator(tag_of)]
"""A word that playbooks and holds match; `word=value` also gives playbooks a word to put into their steps."""
Texts = Annotated[
    tuple[str, ...], BeforeValidator(one_or_more), WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}})
]
Weekly = Annotated[
    str,
    AfterValidator(_readable(times.weekly)),
    _text_schema(r"\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}", "Mon-Fri 10:00-12:00", "22:00-07:00"),
]
"""Hours of the week: checked, and read when the zone of whoever wrote them is known."""
Moment = Annotated[
    str, AfterValidator(_readable(times.moment)), _text_schema(r"^\d{4}-\d{2}-\d{2}", "2026-01-05T09:00 Asia/Shanghai")
]
"""A date and time: checked, and read likewise."""
Value = Annotated[Any, WithJsonSchema({"type": ["string", "number"], "examples": ["500ms", "95%", "10GB", "90C", 100]})]
"""A limit that is read later, in the unit of its metric."""


def described(text: str, *examples: object, **named: Any) -> Any:
    """A field with its description; an example stands in errors and schemas."""
    return Field(description=text, examples=list(examples) or None, **named)
