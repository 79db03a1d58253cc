"""What an answer must be like: status, headers, body, JSON. Plain functions; nothing here touches the network."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from forewarn.probers.jsonpath import MISSING, Path, find, parse_path
from forewarn.probers.options import Options, Texts, as_list
from forewarn.probers.patterns import compile_pattern
from forewarn.probers.reasons import Failure, Reason, down

Literal = str | int | float | bool | None

_STATUS = re.compile(r"^[1-5](?:\d\d|xx)$")
_NUMBER = re.compile(r"^(<=|>=|<|>)\s*(.*)$", re.DOTALL)
_OTHER = re.compile(r"^(!=|==|~)\s+(.*)$", re.DOTALL)
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
}


def _statuses(value: object) -> object:
    given = as_list(value)
    if not isinstance(given, list | tuple) or not given:
        raise ValueError(f'{value!r} is not a status; write 200, "2xx" or a list of them')
    for one in given:
        if not _STATUS.match(str(one)):
            raise ValueError(f'"{one}" is not a status; write 200 or 2xx')
    return tuple(str(one) for one in given)


Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(_statuses),
    WithJsonSchema({"type": ["integer", "string", "array"], "examples": [200, "2xx", [200, 204]]}),
]


@dataclass(frozen=True, slots=True)
class Condition:
    """One claim about one value: `op` is ==, !=, <, <=, >, >= or ~ (RE2, anywhere in the text)."""

    op: str
    wanted: Literal
    text: str  # as people read it

    @staticmethod
    def parse(given: Literal) -> Condition:
        """From what people write: a literal, `< 500`, `!= off`, `~ regex`. Raises ValueError."""
        if not isinstance(given, str):
            return Condition("==", given, shown(given))
        found = _NUMBER.match(given)
        if found and found[1]:
            return Condition(found[1], _number(given, found[2]), f"{found[1]} {found[2]}")
        found = _OTHER.match(given)
        if not found:
            return Condition("==", given, shown(given))
        if found[1] == "~":
            compile_pattern(found[2])
            return Condition("~", found[2], f"~ {found[2]}")
        return Condition(found[1], found[2], f"{found[1]} {found[2]}" if found[1] == "!=" else shown(found[2]))

    def holds(self, value: object) -> bool:
        if self.op in _COMPARE:
            return is_number(value) and _COMPARE[self.op](value, self.wanted)  # type: ignore[arg-type]
        if self.op == "~":
            return value is not MISSING and compile_pattern(str(self.wanted)).search(as_text(value)) is not None
        if self.op == "!=":
            return value is not MISSING and not _equal(value, self.wanted) and as_text(value) != self.wanted
        return _equal(value, self.wanted)


def _number(given: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'"{given}": after < or > stands a number, e.g. "< 500"') from None


def is_number(value: object) -> bool:
    """A finite JSON number; true and false are not numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _equal(value: object, wanted: Literal) -> bool:
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shown(value: object, longest: int = 80) -> str:
    """A value in a sentence: texts quoted, long ones cut."""
    if value is MISSING:
        return "missing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else text[: longest - 3] + "..."


class Expect(Options):
    """`expect:` of a probe. Without a status, 2xx is expected."""

    status: Statuses = Field(default=("2xx",), description='200, "2xx" or a list of them')
    headers: dict[str, str] = Field(default={}, description="header -> text that it equals, or ~ regex")
    body: Texts = Field(default=(), description="text that the body contains, or ~ regex; several: all of them")
    json_: dict[str, Literal] = Field(default={}, alias="json", description="path -> literal, `< 500`, `!= off` or `~ regex`")

    @field_validator("headers", "json_")
    @classmethod
    def _conditions(cls, given: dict[str, Literal]) -> dict[str, Literal]:
        for condition in given.values():
            Condition.parse(condition)
        return given

    @field_validator("json_")
    @classmethod
    def _paths(cls, given: dict[str, Literal]) -> dict[str, Literal]:
        for path in given:
            parse_path(path)
        return given

    @field_validator("body")
    @classmethod
    def _patterns(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            if text.startswith("~ "):
                compile_pattern(text[2:])
        return given

    @cached_property
    def good_statuses(self) -> frozenset[int]:
        return frozenset(status for status in range(100, 600) if judge_status(status, self.status, None) is None)

    @cached_property
    def needles(self) -> tuple[bytes, ...] | None:
        """What the bytes of a good body hold, where nothing else is expected of an answer but its status; else None."""
        if self.headers or self.json_ or any(text.startswith("~ ") or not text.isascii() for text in self.body):
            return None
        return tuple(text.encode() for text in self.body)

    def surely(self, status: int, body: bytes) -> bool:
        """Whether all that is expected can be seen to hold at a glance. False: look closer."""
        if status not in self.good_statuses or self.needles is None:
            return False
        return all(needle in body for needle in self.needles)

    @cached_property
    def header_conditions(self) -> tuple[tuple[str, Condition], ...]:
        return tuple((name.lower(), Condition.parse(given)) for name, given in self.headers.items())

    @cached_property
    def json_conditions(self) -> tuple[tuple[str, Path, Condition], ...]:
        return tuple((path, parse_path(path), Condition.parse(given)) for path, given in self.json_.items())


def judge_status(status: int, wanted: tuple[str, ...], location: str | None) -> Failure | None:
    if any(text == str(status) or (text[1:] == "xx" and text[0] == str(status)[0]) for text in wanted):
        return None
    to = f" (to {location})" if location else ""
    return down(Reason.STATUS, f"status {status}{to}, expected {' or '.join(wanted)}")


def judge_headers(headers: Mapping[str, str], wanted: tuple[tuple[str, Condition], ...]) -> Failure | None:
    for name, condition in wanted:
        value: Any = headers.get(name, MISSING)
        if not condition.holds(value):
            return down(Reason.HEADER, f"header {name} is {shown(value)}, expected {condition.text}")
    return None


def judge_body(text: str, wanted: tuple[str, ...]) -> Failure | None:
    for one in wanted:
        regex = one.startswith("~ ")
        if (compile_pattern(one[2:]).search(text) is not None) if regex else (one in text):
            continue
        begins = f"begins with {shown(' '.join(text[:200].split()), 60)}" if text else "is empty"
        return down(Reason.BODY, f"body {begins}, expected {one if regex else shown(one)}")
    return None


def judge_json(document: object, wanted: tuple[tuple[str, Path, Condition], ...]) -> Failure | None:
    for name, path, condition in wanted:
        value = find(document, path)
        if not condition.holds(value):
            return down(Reason.JSON, f"{name} is {shown(value)}, expected {condition.text}")
    return None


def read_json(text: str) -> tuple[object, Failure | None]:
    """The document, or why there is none."""
    try:
        return json.loads(text), None
    except RecursionError:
        return None, down(Reason.JSON, "the JSON of the answer is nested too deeply")
    except ValueError as error:
        begins = f"it begins with {shown(text[:40])}" if text.strip() else "it is empty"
        what = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
        return None, down(Reason.JSON, f"the answer is not JSON ({what}); {begins}")
