"""History from files: a CSV `timestamp,series,value`, one `timestamp,value` of a named series, or a folder of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from urllib.parse import unquote

from forewarn.app.lab.series_csv import BadFile, read, seconds
from forewarn.model.series import SeriesId
from forewarn.store.samples_memory import MemorySamples

Pairs = dict[SeriesId, list[tuple[float, float]]]


def of_files(path: Path, series: SeriesId | None) -> MemorySamples:
    """Everything in a file, or in the *.csv of a folder. `series` names what a file of two columns holds; in a folder that is
    its name (with % and two hex digits for what no file name may hold). Raises BadFile."""
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise BadFile(f"{path}: no *.csv in this folder")
    found: Pairs = {}
    for file in files:
        _take(file, series if not path.is_dir() else None, found)
    samples = MemorySamples()
    for one, pairs in found.items():
        samples.fill(one, pairs)
    return samples


def _take(path: Path, series: SeriesId | None, found: Pairs) -> None:
    head = _head(path)
    if "series" in head:
        for one, at_s, value in _long(path, head):
            found.setdefault(one, []).append((at_s, value))
        return
    if series is None:
        try:
            series = SeriesId.parse(unquote(path.stem))
        except ValueError:
            right = "name it with --series probe|target|metric, or give the file a column `series`"
            raise BadFile(f"{path}:1 two columns, and no word of which series this is; {right}") from None
    found.setdefault(series, []).extend((row.at_s, row.value) for row in read(path))


def _head(path: Path) -> list[str]:
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            return [name.strip().lower() for name in next(csv.reader(file), [])]
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from None


def _long(path: Path, head: list[str]) -> Iterator[tuple[SeriesId, float, float]]:
    """Rows of `timestamp,series,value`, in any order of columns; a row without a number is left out."""
    missing = [name for name in ("timestamp", "value") if name not in head]
    if missing:
        raise BadFile(f"{path}:1 no column {missing[0]}; write timestamp,series,value")
    time, name, value = head.index("timestamp"), head.index("series"), head.index("value")
    known: dict[str, SeriesId] = {}
    text, at_s = "", 0.0
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = csv.reader(file)
        next(lines, None)
        for number, line in enumerate(lines, 2):
            if not line:
                continue
            if len(line) < len(head):
                raise BadFile(f"{path}:{number} {len(line)} columns; {len(head)} are needed")
            if line[time] != text:
                text, at_s = line[time], _seconds(path, number, line[time])
            series = known.get(line[name]) or known.setdefault(line[name], _series(path, number, line[name]))
            figure = _number(path, number, line[value])
            if isfinite(figure):
                yield series, at_s, figure


def _seconds(path: Path, number: int, text: str) -> float:
    at_s = seconds(text)
    if at_s is None:
        raise BadFile(f'{path}:{number} timestamp: "{text}" is not a time; write 2026-11-22T10:03:20Z, or epoch seconds')
    return at_s


def _series(path: Path, number: int, text: str) -> SeriesId:
    try:
        return SeriesId.parse(text.strip())
    except ValueError as error:
        raise BadFile(f"{path}:{number} series: {error}") from None


def _number(path: Path, number: int, text: str) -> float:
    try:
        return float(text) if text.strip() else float("nan")
    except ValueError:
        raise BadFile(f'{path}:{number} value: "{text}" is not a number') from None
