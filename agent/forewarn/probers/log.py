"""log: what people write for it. Matching is in log_lines.py, reading files in log_tail.py, following them in log_follow.py."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from forewarn.probers.options import Options, Texts
from forewarn.probers.patterns import compile_pattern

METRICS = {"lines_total": "lines that were read"}

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class Match(Options):
    """Lines that `match` and not `unless`. Named groups of `match`, as in (?P<user>...), become labels."""

    match: str
    unless: str | None = None

    @field_validator("match", "unless")
    @classmethod
    def _pattern(cls, given: str | None) -> str | None:
        if given is not None:
            compile_pattern(given)
        return given


def _as_match(value: object) -> object:
    return {"match": value} if isinstance(value, str) else value


_ONE: dict[str, Any] = {"match": {"type": "string"}, "unless": {"type": "string"}}
Pattern = Annotated[
    Match,
    BeforeValidator(_as_match),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "properties": _ONE, "required": ["match"], "additionalProperties": False},
            ]
        }
    ),
]


def metric_of(pattern: str) -> str:
    """The series of a pattern: errors -> errors_total."""
    return pattern if pattern.endswith("_total") else f"{pattern}_total"


class LogOptions(Options):
    """Options of a probe of kind log."""

    files: Texts = Field(min_length=1, description="files to follow, absolute paths, globs allowed")
    patterns: dict[str, Pattern] = Field(min_length=1, description="name -> RE2 pattern, or {match: ..., unless: ...}")
    start: Literal["end", "beginning"] = Field(default="end", description="where a file is begun at first sight")
    max_labels: int = Field(default=100, ge=1, le=1000, description='sets of labels that a pattern may have; the rest is "other"')

    @field_validator("files")
    @classmethod
    def _files(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for path in given:
            if not PurePath(path).is_absolute():
                raise ValueError(f'"{path}" is not an absolute path; write e.g. /var/log/{path}')
            if "**" in path:
                raise ValueError(f'"{path}": ** is not taken; write one * for each folder')
        return given

    @field_validator("patterns")
    @classmethod
    def _patterns(cls, given: dict[str, Match]) -> dict[str, Match]:
        for name in given:
            if not _NAME.match(name):
                raise ValueError(f'"{name}" can\'t name a pattern; write lower case with _, e.g. failed_logins')
            if metric_of(name) in METRICS:
                raise ValueError(f'"{name}" would count as {metric_of(name)}, which all lines are counted in; choose another name')
        if len({metric_of(name) for name in given}) < len(given):
            raise ValueError("two patterns would count into one series; give them names that differ in more than _total")
        return given
