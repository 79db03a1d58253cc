"""log: what people write for it. Matching is in log_lines.py, reading files in log_tail.py, following them in log_follow.py."""

from __future__ import annotations

import codecs
from pathlib import PurePath
from typing import Annotated, Any
from typing import Literal as Choice
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from forewarn.probers.matching import LINES_TOTAL, CountingOptions, Pattern, metric_of
from forewarn.probers.options import Options, Texts
from forewarn.probers.patterns import compile_pattern

TEMPLATE_TOTAL, TEMPLATE = "template_total", "template"
METRICS = {LINES_TOTAL: "lines that were read"}

ENCODINGS = ("utf-8", "latin-1", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251", "cp1252")
"""Those in which a newline's byte is never part of another character."""


class Events(Options):
    """How lines are put together: `indented` ones belong to the line before, or all up to the next one that matches `begin`."""

    begin: str | None = None

    @field_validator("begin")
    @classmethod
    def _pattern(cls, given: str | None) -> str | None:
        if given is not None:
            compile_pattern(given)
        return given


def _as_events(value: object) -> object:
    if value == "indented":
        return {}
    if isinstance(value, str):
        raise ValueError(f"\"{value}\" is not a way to put lines together; write indented, or {{begin: '^\\d{{4}}-'}}")
    if isinstance(value, dict) and not value:
        raise ValueError("write indented, or {begin: PATTERN}")
    return value


_EVENTS: dict[str, Any] = {
    "anyOf": [
        {"const": "indented"},
        {
            "type": "object",
            "properties": {"begin": {"type": "string", "description": "RE2 pattern of the lines at which an event begins"}},
            "required": ["begin"],
            "additionalProperties": False,
        },
    ]
}


class LogOptions(CountingOptions):
    """Options of a probe of kind log."""

    patterns: dict[str, Pattern] = Field(
        default={},
        description="name -> RE2 pattern, or {match: ..., unless: ..., where: {field: condition}, labels: {label: field}}; "
        "may be left out with templates: true",
    )
    files: Texts = Field(min_length=1, description="files to follow, absolute paths, globs allowed")
    start: Choice["end", "beginning"] = Field(default="end", description="where a file is begun at first sight")
    optional: bool = Field(default=False, description="that none of the files is there is no trouble: the probe rests")
    json_: bool = Field(
        default=False, alias="json", description="each line is a JSON object, whose fields `where` and `labels` name"
    )
    events: Annotated[Events | None, BeforeValidator(_as_events), WithJsonSchema(_EVENTS)] = Field(
        default=None, description="lines that belong together, as stack traces: indented, or {begin: PATTERN}"
    )
    templates: bool = Field(
        default=False,
        description="count lines by what they say, as template_total{template=...}; the rarest beyond max_labels as other",
    )
    encoding: str = Field(default="utf-8", description=f"of the files: {', '.join(ENCODINGS)}")
    zone: str | None = Field(default=None, description="time zone of times that name none, e.g. Asia/Shanghai (this machine's)")

    @field_validator("files")
    @classmethod
    def _files(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for path in given:
            if not PurePath(path).is_absolute():
                right = f"/{path}" if path.startswith("var/") else f"/var/log/{path}"
                raise ValueError(f'"{path}" is not an absolute path; write e.g. {right}')
            if "**" in path:
                raise ValueError(f'"{path}": ** is not taken; write one * for each folder')
        return given

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, given: str) -> str:
        try:
            name = codecs.lookup(given).name
        except LookupError:
            name = ""
        known = {codecs.lookup(one).name for one in ENCODINGS}
        if name in ("gb2312", "gbk"):  # parts of it
            name = "gb18030"
        if name not in known:
            raise ValueError(f'"{given}" is not an encoding that is read; write one of {", ".join(ENCODINGS)}')
        return name

    @field_validator("zone")
    @classmethod
    def _zone(cls, given: str | None) -> str | None:
        try:
            return given if given is None or ZoneInfo(given) else None
        except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
            raise ValueError(f'"{given}" is not a time zone; write e.g. Asia/Shanghai or UTC') from None
        except KeyError:
            raise ValueError(f'"{given}" is not a time zone; write e.g. Asia/Shanghai or UTC') from None

    @model_validator(mode="after")
    def _fields(self) -> LogOptions:
        for name, one in self.patterns.items():
            if one.fields and not self.json_:
                raise ValueError(f'patterns.{name}: "where" and "labels" name fields, which only JSON lines have; write json: true')
        if not self.patterns and not self.templates:
            raise ValueError("nothing would be counted; write patterns, or templates: true")
        if self.templates and any(metric_of(name) == TEMPLATE_TOTAL for name in self.patterns):
            raise ValueError(f"templates: true counts in {TEMPLATE_TOTAL}; choose another name for the pattern")
        if self.json_ and self.events:
            raise ValueError("json: true means one object a line; leave `events` out")
        return self

    @property
    def labelled(self) -> dict[str, tuple[str, ...]]:
        return super().labelled | ({TEMPLATE_TOTAL: (TEMPLATE,)} if self.templates else {})

    @property
    def own_metrics(self) -> tuple[str, ...]:
        """Metrics beside those of the patterns."""
        return (TEMPLATE_TOTAL,) if self.templates else ()
