"""A series in a CSV file: `timestamp,value` (other columns are passed over), oldest first as it stands in the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

from forewarn.model.errors import ForewarnError

TIMES = ("timestamp", "time", "ts", "date")
VALUES = ("value", "v", "y")
FORMS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
)


class BadFile(ForewarnError):
    """A file that is not what it should be: names file, line and what would be right."""


@dataclass(frozen=True, slots=True)
class Row:
    """`text` is the time as it was written; `at_s` epoch seconds, read as UTC where it names no zone."""

    line: int
    text: str
    at_s: float
    value: float


def read(path: Path) -> list[Row]:
    """All rows with a number; a row without one is left out. Raises BadFile."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            rows = list(_rows(path, csv.reader(file)))
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from None
    except csv.Error as error:
        raise BadFile(f"{path}: not a CSV file: {error}") from None
    if not rows:
        raise BadFile(f"{path}: no row with a time and a number; write a line `timestamp,value` and rows below it")
    return rows


def _rows(path: Path, lines: Iterator[list[str]]) -> Iterator[Row]:
    head = next(lines, [])
    time, value = _columns(path, head)
    if not _is_head(head, time):
        yield from _row(path, 1, head, time, value)
    for number, line in enumerate(lines, 2):
        if line and any(cell.strip() for cell in line):
            yield from _row(path, number, line, time, value)


def _columns(path: Path, head: list[str]) -> tuple[int, int]:
    """Where time and value stand: by name, else the first and the second column."""
    names = [name.strip().lower() for name in head]
    time = next((names.index(name) for name in TIMES if name in names), 0)
    value = next((names.index(name) for name in VALUES if name in names), 1)
    if len(head) < 2 or len(head) <= max(time, value):
        raise BadFile(f"{path}:1 {len(head)} column; two are needed: timestamp,value")
    return time, value


def _is_head(head: list[str], time: int) -> bool:
    return seconds(head[time]) is None


def _row(path: Path, number: int, line: list[str], time: int, value: int) -> Iterator[Row]:
    if len(line) <= max(time, value):
        raise BadFile(f"{path}:{number} {len(line)} columns; {max(time, value) + 1} are needed: timestamp,value")
    at_s = seconds(line[time])
    if at_s is None:
        raise BadFile(f'{path}:{number} timestamp: "{line[time]}" is not a time; write 2026-11-22T10:03:20Z, or epoch seconds')
    text = line[value].strip()
    try:
        found = float(text) if text else float("nan")
    except ValueError:
        raise BadFile(f'{path}:{number} value: "{text}" is not a number') from None
    if isfinite(found):
        yield Row(number, line[time].strip(), at_s, found)


def seconds(text: str) -> float | None:
    """Epoch seconds of a written time; None where it is none."""
    text = text.strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None:
        try:
            plain = float(text)
        except ValueError:
            return next((found for form in FORMS if (found := _formed(text, form)) is not None), None)
        return plain / 1000.0 if plain > 1e11 else plain
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _formed(text: str, form: str) -> float | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
