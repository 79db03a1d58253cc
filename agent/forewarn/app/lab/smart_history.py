"""The risk of many drives over their life, from a history of their counters: the daemon's own model, row by row.

A folder holds drives.csv.gz, of which only drive and model are read, and changes.csv.gz: drive, hours (power-on) and the raw
SMART values smart_5, smart_187 ... at each hour at which one changed. At each row only that row and those before it are known.
"""

from __future__ import annotations

import csv
import gzip
from array import array
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import nan
from pathlib import Path

from forewarn.app.lab.series_csv import BadFile
from forewarn.core.detect.risk_model import HORIZON_S, fitted, prior
from forewarn.core.detect.risk_track import AGE, Track, followed
from forewarn.model.series import Window

COLUMNS = {
    "smart_5": "reallocated_total",
    "smart_10": "spin_retries_total",
    "smart_12": "power_cycles_total",
    "smart_187": "reported_uncorrectable_total",
    "smart_188": "command_timeouts_total",
    "smart_189": "high_fly_writes_total",
    "smart_196": "reallocation_events_total",
    "smart_197": "pending_sectors",
    "smart_198": "uncorrectable_sectors",
}
PACKED = "smart_188"
"""Three counters in one; the lowest 16 bits are the total."""

Tracks = dict[str, Track]
Look = tuple[float, bool, Tracks]
"""Hours, whether a row stands there, and the counters as they were known then."""


def read(folder: Path) -> tuple[dict[int, str], int]:
    """Drive -> model, and the size of the history for a progress bar. Raises BadFile."""
    path = folder / "drives.csv.gz"
    try:
        with gzip.open(path, "rt", newline="", encoding="utf-8", errors="replace") as file:
            rows = csv.DictReader(file)
            if not {"drive", "model"} <= set(rows.fieldnames or ()):
                raise BadFile(f"{path}:1 the columns drive and model are needed")
            drives = {int(row["drive"]): row["model"] or "" for row in rows}
        return drives, (folder / "changes.csv.gz").stat().st_size
    except (OSError, EOFError, csv.Error, ValueError) as error:
        raise _bad(path, error) from None


def write(drives: dict[int, str], folder: Path, out: Path, progress: Callable[[int], None]) -> int:
    """Write drive,hours,score for every row; the score is the probability within 30 days. How many rows. Raises BadFile."""
    count = 0
    try:
        with out.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("drive", "hours", "score"))
            for drive, looks in tracks_at(folder, lambda drive, hours: [], progress):
                model = prior(drives.get(drive, ""))
                for hours, _, tracks in looks:
                    rows.writerow((drive, f"{hours:g}", f"{fitted(tracks, hours * 3600, model, HORIZON_S):.6g}"))
                    count += 1
    except OSError as error:
        raise _bad(Path(error.filename or out), error) from None
    return count


def tracks_at(
    folder: Path, also: Callable[[int, array[float]], list[float]], progress: Callable[[int], None] = lambda done: None
) -> Iterator[tuple[int, Iterator[Look]]]:
    """Each drive with its counters at each of its rows, and at the hours that `also` names (after its first row)."""
    path = folder / "changes.csv.gz"
    size = path.stat().st_size if path.is_file() else 0
    known = _changes(path, lambda done: progress(done // 3))  # reading is about a third of the work
    for number, (drive, rows) in enumerate(known.items()):
        progress(round(size / 3 + size * 2 / 3 * number / len(known)))
        yield drive, _looks(rows, also(drive, rows))


def _looks(rows: array[float], also: list[float]) -> Iterator[Look]:
    width = len(COLUMNS) + 1
    begins = range(0, len(rows), width)
    moments = sorted([(rows[at], True, at) for at in begins] + [(hours, False, -1) for hours in also if hours >= rows[0]])
    tracks: Tracks = {}
    for hours, is_row, at in moments:
        if is_row:
            _follow(tracks, AGE, hours, hours * 3600)
            for name, value in zip(COLUMNS.values(), rows[at + 1 : at + width], strict=True):
                if value == value:
                    _follow(tracks, name, hours, value)
        yield hours, is_row, tracks


def _follow(tracks: Tracks, name: str, hours: float, value: float) -> None:
    tracks[name] = followed(tracks.get(name), Window(array("d", [hours * 3600]), array("d", [value]), 1))


def _changes(path: Path, progress: Callable[[int], None]) -> dict[int, array[float]]:
    """Drive -> its rows one after the other: hours and the values of COLUMNS, nan where it has none. In the order of hours."""
    found: dict[int, array[float]] = {}
    try:
        with path.open("rb") as raw, gzip.open(raw, "rt", newline="", encoding="ascii", errors="replace") as file:
            rows = csv.reader(file)
            head = next(rows, [])
            if not {"drive", "hours"} <= set(head):
                raise BadFile(f"{path}:1 the columns drive and hours are needed")
            drive, hours = head.index("drive"), head.index("hours")
            places = [(name, head.index(name) if name in head else None) for name in COLUMNS]
            for number, row in enumerate(rows, 2):
                if number % 4096 == 0:
                    progress(raw.tell())
                values = found.setdefault(int(row[drive]), array("d"))
                values.append(float(row[hours]))
                values.extend(_value(name, row[at]) if at is not None else nan for name, at in places)
    except (OSError, EOFError, csv.Error, ValueError, IndexError) as error:
        raise _bad(path, error) from None
    return {drive: _ordered(values) for drive, values in found.items()}


def _value(name: str, cell: str) -> float:
    return nan if not cell else float(int(float(cell)) & 0xFFFF) if name == PACKED else float(cell)


def _ordered(values: array[float]) -> array[float]:
    width = len(COLUMNS) + 1
    hours = values[::width]
    if all(before <= after for before, after in pairwise(hours)):
        return values
    order = sorted(range(len(hours)), key=lambda at: hours[at])
    return array("d", (value for at in order for value in values[at * width : (at + 1) * width]))


def _bad(path: Path, error: Exception) -> BadFile:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BadFile(f"{path}: {said}; a history is drives.csv.gz and changes.csv.gz, see forewarn lab smart --help")
