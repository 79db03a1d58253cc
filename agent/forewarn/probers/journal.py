"""journal: what people write for it. What an entry says is in journal_read.py, following in journal_follow.py."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Any
from typing import Literal as Choice

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from forewarn.probers.matching import LINES_TOTAL, CountingOptions
from forewarn.probers.options import Texts, parse_span

METRICS = {LINES_TOTAL: "entries that were read", "entries_dropped_total": "entries beyond `most_per_s`, not matched"}

PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FIELDS = {
    "unit": "_SYSTEMD_UNIT",
    "identifier": "SYSLOG_IDENTIFIER",
    "priority": "PRIORITY",
    "host": "_HOSTNAME",
    "pid": "_PID",
    "uid": "_UID",
    "message": "MESSAGE",
}
"""Short names of fields; any other field goes by its own name, in capitals."""

_FIELD = re.compile(r"^_{0,2}[A-Z][A-Z0-9_]*$")
_UNIT = re.compile(r"^[\w@:.\\*?\[\]-]+$")


MOST_BACK_S = 366 * 86400.0
_START: dict[str, Any] = {"anyOf": [{"enum": ["end", "beginning"]}, {"type": "string", "pattern": r"^\d+(\.\d+)?(m|h|d|w)$"}]}


def _as_start(value: object) -> object:
    if value in ("end", "beginning"):
        return value
    back_s = parse_span(value)
    if not 60.0 <= back_s <= MOST_BACK_S:
        raise ValueError(f'"{value}" is out of range; write 1m to 366d')
    return back_s


class JournalOptions(CountingOptions):
    """Options of a probe of kind journal."""

    units: Texts = Field(default=(), description="only of these units (globs allowed); none: of all")
    identifiers: Texts = Field(default=(), description="only of these programs, as sshd or kernel; none: of all")
    priority: str | None = Field(default=None, description=f"this grave or worse: {', '.join(PRIORITIES)}")
    start: Annotated[Choice["end", "beginning"] | float, BeforeValidator(_as_start), WithJsonSchema(_START)] = Field(
        default="end", description="where the journal is begun at first sight: end, beginning, or so far back, e.g. 7d"
    )
    directory: str | None = Field(default=None, description="a folder with journal files; without it this machine's journal")
    instead_of: Texts = Field(
        default=(), description="logs that hold the same lines: while one of them is there and in use, this probe rests"
    )
    most_per_s: int = Field(
        default=2000, ge=1, le=100_000, description="entries that are matched a second; more are dropped and counted"
    )

    @field_validator("priority")
    @classmethod
    def _priority(cls, given: str | None) -> str | None:
        if given is not None and given not in PRIORITIES:
            raise ValueError(f'"{given}" is not a priority; write one of {", ".join(PRIORITIES)}')
        return given

    @field_validator("units", "identifiers")
    @classmethod
    def _names(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for name in given:
            if not _UNIT.match(name) or name.startswith("-"):
                raise ValueError(f'"{name}" is not a name; write e.g. sshd or nginx.service')
        return given

    @field_validator("directory", "instead_of")
    @classmethod
    def _paths(cls, given: Any) -> Any:
        for path in (given,) if isinstance(given, str) else given or ():
            if not PurePath(path).is_absolute():
                raise ValueError(f'"{path}" is not an absolute path; write e.g. /var/log/journal')
        return given

    @model_validator(mode="after")
    def _fields(self) -> JournalOptions:
        for name, one in self.patterns.items():
            for field in (*one.where, *one.labels.values()):
                if field not in FIELDS and not _FIELD.match(field):
                    raise ValueError(
                        f'patterns.{name}: "{field}" is not a field; write {", ".join(FIELDS)} or a field of the journal in capitals'
                    )
        return self


def argv(options: JournalOptions, cursor: str | None, follow: bool = True) -> list[str]:
    """How journalctl is asked: all entries after `cursor`, or those from now on, or all there are."""
    asked = ["journalctl", "--output=json", "--all", "--no-pager"]
    asked += [f"--directory={options.directory}"] if options.directory else []
    asked += [f"--unit={unit}" for unit in options.units]
    asked += [f"--identifier={name}" for name in options.identifiers]
    asked += [f"--priority={options.priority}"] if options.priority else []
    if not follow:
        return [*asked, "--lines=1000"]
    asked.append("--follow")
    if cursor:
        return [*asked, "--no-tail", f"--after-cursor={cursor}"]
    if isinstance(options.start, float):
        return [*asked, "--no-tail", f"--since=-{options.start:.0f}s"]
    return [*asked, "--no-tail"] if options.start == "beginning" else [*asked, "--lines=0"]
