"""Logs as templates: what is new, bursting, vanished, or together for the first time, from a moment on."""

from __future__ import annotations

import gzip
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, cast

from forewarn.app.lab.series_csv import BadFile
from forewarn.core.detect.templates.change import Change, changes, parts
from forewarn.core.detect.templates.events import Event, Events, severity
from forewarn.core.detect.templates.miner import Miner
from forewarn.probers.log_time import Clockwork

MOST = 20_000
"""Templates that are kept apart."""
BATCH = 4096
STRETCH_S, STRETCH_LINES = 10.0, 50
"""What counts as together: lines so near in time, or where no times are read, in number."""
EXAMPLE = 500
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?$")
_MINUTE = re.compile(r"(?<![:\d])\d{1,2}:\d\d$")


@dataclass(frozen=True, slots=True)
class File:
    """What was read of a file: for each line its event, and its time in epoch seconds where times were asked for."""

    path: str
    events: Sequence[Event]
    times: Sequence[float]


@dataclass(frozen=True, slots=True)
class Example:
    """A line of a template: the first one in the time after, else the first at all."""

    file: str
    line: int
    text: str


class Logs:
    """Lines of all files, in the order of the files; templates carry the same number wherever they come."""

    def __init__(self, messages: bool, timed: bool, now_s: float) -> None:
        """`messages`: lines have no header. `timed`: times are read too; `now_s` tells the year where none is written."""
        self._messages, self._timed, self._now_s = messages, timed, now_s
        self._miner = Miner(MOST)
        self._levels: dict[int, str | None] = {}
        self.files: list[File] = []

    def read(self, path: Path, progress: Callable[[float], None]) -> None:
        """Read a file; `progress` is told bytes. Raises OSError."""
        events, times = list[Event](), list[float]()
        reader, clockwork = Events(self._miner, self._messages), Clockwork()
        known: dict[str, float | None] = {}
        for lines, done in _batches(path):
            found = reader.of(lines)
            events += found
            if self._timed:
                self._read_times(lines, found, times, clockwork, known)
            progress(done)
        for event in events:
            if event.level:
                self._levels.setdefault(event.template, event.level)
        self.files.append(File(str(path), events, times))

    def _read_times(
        self, lines: list[str], found: list[Event], times: list[float], clockwork: Clockwork, known: dict[str, float | None]
    ) -> None:
        """A line without a time has that of the line before it."""
        last = times[-1] if times else float("-inf")
        for line, event in zip(lines, found, strict=True):
            if event.time is not None:
                text = line[event.time : event.time + 36]
                if text not in known:
                    if len(known) > 50_000:
                        known.clear()
                    known[text] = clockwork.time_of(text.encode(), self._now_s)
                read = known[text]
                last = last if read is None else read
            times.append(last)

    def settle(self) -> None:
        """All lines are read: templates that turned out to be one have one number now."""
        self._miner.settle()

    @property
    def lines(self) -> int:
        return sum(len(file.events) for file in self.files)

    def numbers(self) -> Iterator[int]:
        """The template of each line."""
        root = self._miner.root
        return (root(event.template) for file in self.files for event in file.events)

    def text(self, number: int) -> str:
        return self._miner.text(number)

    def level(self, number: int) -> str | None:
        return next((level for one, level in self._levels.items() if self._miner.root(one) == number), None)

    def trouble(self) -> dict[int, int]:
        """How bad each template sounds: 0, 1 or 2."""
        levels = {self._miner.root(one): level for one, level in self._levels.items()}
        return {one: severity(levels.get(one), self._miner.text(one)) for one in set(self.numbers())}

    def moment(self, written: str) -> float:
        """The moment that someone means: a time in any form that logs have, or HH:MM on the last day of these. Raises BadFile."""
        last = max((file.times[-1] for file in self.files if file.times), default=float("-inf"))
        if last == float("-inf"):
            raise BadFile("no line has a time that can be read, so nothing can be told before from after; leave --around out")
        if clock := _CLOCK.match(written.strip()):
            at_s = _on_the_last_day(last, *(int(part or 0) for part in clock.groups()))
        else:
            whole = f"{written}:00" if _MINUTE.search(written) else written
            at_s = Clockwork().time_of(whole.encode(), self._now_s)
        if at_s is None:
            raise BadFile(f'--around: "{written}" is not a time; write e.g. 2026-11-23T10:00:00 or 10:00')
        return at_s

    def changes(self, around_s: float | None) -> tuple[list[Change], int, list[int]]:
        """The differences; how many lines are before; and which line (counted through all files) each index of a change means."""
        numbers = list(self.numbers())
        if around_s is None:
            split = len(numbers) // 2
            before, after = parts([(number, at // STRETCH_LINES) for at, number in enumerate(numbers)], split)
            ratio = (len(numbers) - split) / max(1, split)
            return changes(before, after, ratio, self.trouble()), split, list(range(len(numbers)))
        times = [time for file in self.files for time in file.times]
        order = sorted((at for at in range(len(numbers)) if times[at] > float("-inf")), key=times.__getitem__)
        split = bisect_left(order, around_s, key=times.__getitem__)
        if not 0 < split < len(order):
            first, last = (datetime.fromtimestamp(times[order[at]], UTC).isoformat(" ") for at in (0, -1))
            raise BadFile(f"--around: no line lies {'before' if not split else 'after'} it; the lines are of {first} to {last}")
        before, after = parts([(numbers[at], int(times[at] // STRETCH_S)) for at in order], split)
        ratio = max(1.0, times[order[-1]] - around_s) / max(1.0, around_s - times[order[0]])
        return changes(before, after, ratio, self.trouble()), split, order

    def example(self, index: int) -> Example:
        """A line, counted through all files."""
        for file in self.files:
            if index < len(file.events):
                return Example(file.path, index + 1, _line(Path(file.path), index)[:EXAMPLE])
            index -= len(file.events)
        raise IndexError(index)


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _batches(path: Path) -> Iterator[tuple[list[str], float]]:
    """Lines, some thousand at a time, and how many bytes of the file are read by then. What is no UTF-8 shows as U+FFFD."""
    done = 0
    with _open(path) as file:
        while raw := file.readlines(256 * 1024):
            lines = [line.decode("utf-8", "replace").rstrip("\r\n") for line in raw]
            if not done and lines[0].startswith("\ufeff"):
                lines[0] = lines[0][1:]
            done += sum(map(len, raw))
            yield lines, done


def _line(path: Path, index: int) -> str:
    with _open(path) as file:
        for at, raw in enumerate(file):
            if at == index:
                return raw.decode("utf-8", "replace").rstrip("\r\n")
    return ""


def _on_the_last_day(last_s: float, hour: int, minute: int, second: int) -> float | None:
    """The newest moment of that time of day up to `last_s`; None for a time that no clock shows."""
    day = datetime.fromtimestamp(last_s, UTC).astimezone()
    try:
        at = day.replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError:
        return None
    return (at if at <= day else at - timedelta(days=1)).timestamp()
