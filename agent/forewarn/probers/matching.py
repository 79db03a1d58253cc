"""What people write for probes that count matches in text: patterns, and what of a match becomes a label."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from forewarn.probers.expect import Condition, Literal
from forewarn.probers.jsonpath import Path, parse_path
from forewarn.probers.options import Options
from forewarn.probers.patterns import compile_pattern

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
LINES_TOTAL = "lines_total"


def metric_of(pattern: str) -> str:
    """The series of a pattern: errors -> errors_total."""
    return pattern if pattern.endswith("_total") else f"{pattern}_total"


def field_path(text: str) -> Path:
    """The steps of `$.a.b`, or of `a.b`; raises ValueError."""
    return parse_path(text if text.startswith("$") else f"$.{text}")


class Match(Options):
    """Lines that `match` and not `unless`, and whose fields are as `where` says. Named groups of `match`, as in
    (?P<user>...), and the fields that `labels` names become labels."""

    match: str | None = None
    unless: str | None = None
    where: dict[str, Literal] = {}
    labels: dict[str, str] = {}

    @field_validator("match", "unless")
    @classmethod
    def _pattern(cls, given: str | None) -> str | None:
        if given is not None:
            compile_pattern(given)
        return given

    @field_validator("where")
    @classmethod
    def _where(cls, given: dict[str, Literal]) -> dict[str, Literal]:
        for path, condition in given.items():
            field_path(path)
            Condition.parse(condition)
        return given

    @field_validator("labels")
    @classmethod
    def _labels(cls, given: dict[str, str]) -> dict[str, str]:
        for name, path in given.items():
            if not _NAME.match(name):
                raise ValueError(f'"{name}" can\'t name a label; write lower case with _, e.g. tenant')
            field_path(path)
        return given

    @model_validator(mode="after")
    def _something(self) -> Match:
        if self.match is None and not self.where:
            raise ValueError("a pattern needs `match`, or `where` for lines with fields")
        twice = sorted(set(self.labels) & set(self.groups))
        if twice:
            raise ValueError(f'the label "{twice[0]}" comes from `match` and from `labels`; give one of them another name')
        return self

    @property
    def groups(self) -> tuple[str, ...]:
        """The named groups of `match`."""
        return tuple(compile_pattern(self.match).groupindex) if self.match is not None else ()

    @property
    def fields(self) -> bool:
        """Whether the line's fields are wanted."""
        return bool(self.where or self.labels)

    @cached_property
    def conditions(self) -> tuple[tuple[Path, Condition], ...]:
        return tuple((field_path(path), Condition.parse(given)) for path, given in self.where.items())

    @cached_property
    def label_paths(self) -> tuple[tuple[str, Path], ...]:
        return tuple((name, field_path(path)) for name, path in self.labels.items())


def _as_match(value: object) -> object:
    return {"match": value} if isinstance(value, str) else value


_ONE: dict[str, Any] = {
    "match": {"type": "string", "description": "RE2 pattern; named groups become labels"},
    "unless": {"type": "string", "description": "lines that match this too are not counted"},
    "where": {
        "type": "object",
        "description": "field -> literal, `< 500`, `!= off` or `~ regex`; all must hold",
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    },
    "labels": {"type": "object", "description": "label -> field", "additionalProperties": {"type": "string"}},
}
Pattern = Annotated[
    Match,
    BeforeValidator(_as_match),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": _ONE,
                    "anyOf": [{"required": ["match"]}, {"required": ["where"]}],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class CountingOptions(Options):
    """What all kinds that count matches have in common."""

    patterns: dict[str, Pattern] = Field(
        min_length=1,
        description="name -> RE2 pattern, or {match: ..., unless: ..., where: {field: condition}, labels: {label: field}}",
    )
    max_labels: int = Field(default=100, ge=1, le=1000, description='sets of labels that a pattern may have; the rest is "other"')

    @field_validator("patterns")
    @classmethod
    def _patterns(cls, given: dict[str, Match]) -> dict[str, Match]:
        for name in given:
            if not _NAME.match(name):
                raise ValueError(f'"{name}" can\'t name a pattern; write lower case with _, e.g. failed_logins')
            if metric_of(name) == LINES_TOTAL:
                raise ValueError(f'"{name}" would count as {LINES_TOTAL}, which all lines are counted in; choose another name')
        if len({metric_of(name) for name in given}) < len(given):
            raise ValueError("two patterns would count into one series; give them names that differ in more than _total")
        return given

    @property
    def labelled(self) -> dict[str, tuple[str, ...]]:
        """Metrics that are counted, with their labels in order."""
        return {metric_of(name): tuple(sorted((*one.groups, *one.labels))) for name, one in self.patterns.items()}
