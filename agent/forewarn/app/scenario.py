"""The scenario grammar of docs/scenarios.md: a story as lines of what happens and what must follow.

`parse` answers the story or raises ScenarioError with file:line and what would be right. Running it is app/stage.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forewarn.config.units import duration
from forewarn.model.errors import ForewarnError

INPUTS = ("probe", "samples", "log", "command", "delivery", "step", "restart", "jump", "reload", "tick")
WHEN = re.compile(r"^(?:\d{2}:\d{2}(?::\d{2})?|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}|\+\w+)$")


class ScenarioError(ForewarnError):
    """A line that is not in the grammar."""


@dataclass(frozen=True, slots=True)
class Line:
    """One input at `at`, the effects it claims (None: no claim made), and whether more may follow (`...`)."""

    number: int
    at: datetime
    kind: str
    words: tuple[str, ...]
    effects: tuple[str, ...] | None
    more: bool
    until: datetime | None = None  # of `samples ... to WHEN`


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    name: str
    start: datetime
    config: str
    installed: datetime | None = None  # when Forewarn first started; None: long ago
    lines: tuple[Line, ...] = field(default=())


def parse(path: Path) -> Story:
    """Read a story file."""
    reader = _Reader(path.name)
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        reader.take(number, text)
    return reader.story()


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._start: datetime | None = None
        self._config: str | None = None
        self._installed: datetime | None = None
        self._zone = ZoneInfo("UTC")
        self._lines: list[Line] = []
        self._at: datetime | None = None

    def story(self) -> Story:
        if self._start is None or self._config is None:
            raise ScenarioError(f"{self._name}:1: a story begins with `start RFC3339` and `config PATH`")
        return Story(name=self._name, start=self._start, config=self._config, installed=self._installed, lines=tuple(self._lines))

    def take(self, number: int, text: str) -> None:
        words, effects, more = _split(text)
        if not words:
            return
        try:
            self._take(number, words, effects, more)
        except (ValueError, IndexError, ZoneInfoNotFoundError, ForewarnError) as error:
            raise ScenarioError(f"{self._name}:{number}: {error}") from None

    def _take(self, number: int, words: list[str], effects: tuple[str, ...] | None, more: bool) -> None:
        match words[0]:
            case "start":
                self._start = self._at = datetime.fromisoformat(words[1]).astimezone(UTC)
            case "config":
                self._config = words[1]
            case "installed":
                self._installed = datetime.fromisoformat(words[1]).astimezone(UTC)
            case "zone":
                self._zone = ZoneInfo(words[1])
            case when if WHEN.match(when):
                self._at = self._when(when, self._at)
                if len(words) < 2 or words[1] not in INPUTS:
                    raise ValueError(f'"{" ".join(words[1:2])}" is not an input; inputs: {" ".join(INPUTS)}')
                self._lines.append(self._line(number, words[1], words[2:], effects, more))
            case other:
                raise ValueError(f'"{other}" is not a time; write HH:MM, HH:MM:SS, 2026-11-22T08:00 or +SPAN')

    def _line(self, number: int, kind: str, words: list[str], effects: tuple[str, ...] | None, more: bool) -> Line:
        at, until = self._at or datetime.now(UTC), None
        if kind == "samples" and len(words) > 2 and words[-2] == "to":
            until = self._when(words[-1], at)
            words = words[:-2]
        return Line(number, at, kind, tuple(words), effects, more, until)

    def _when(self, text: str, after: datetime | None) -> datetime:
        if after is None:
            raise ValueError("a story begins with `start RFC3339`")
        if text.startswith("+"):
            return after + timedelta(seconds=duration(text[1:]))
        if "T" in text:
            return datetime.fromisoformat(text).replace(tzinfo=self._zone).astimezone(UTC)
        hour, minute, *second = map(int, text.split(":"))
        local = after.astimezone(self._zone).replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)
        at = local.astimezone(UTC)
        return at if at >= after else (local + timedelta(days=1)).astimezone(UTC)


def _split(text: str) -> tuple[list[str], tuple[str, ...] | None, bool]:
    """The words before `->`, the effects after it, and whether the line ends in `...`."""
    words, effects = _words(text), None
    more = bool(words) and words[-1] == "..."
    if more:
        words = words[:-1]
    if "->" in words:
        at = words.index("->")
        words, claimed = words[:at], words[at + 1 :]
        joined = " ".join(claimed)
        effects = tuple(part.strip() for part in joined.split(";") if part.strip())
    return words, effects, more


class Quoted(str):
    """A word that stood in quotes: a STRING of the grammar."""

    __slots__ = ()


TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')


def _words(text: str) -> list[str]:
    r"""Words and strings; `\"` inside a string is a quote, `#` begins a comment."""
    words: list[str] = []
    for token in TOKEN.findall(text):
        if token.startswith("#"):
            break
        quoted = token.startswith('"') and token.endswith('"') and len(token) > 1
        words.append(Quoted(re.sub(r"\\(.)", r"\1", token[1:-1])) if quoted else token)
    return words
