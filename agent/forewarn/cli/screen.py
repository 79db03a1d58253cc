"""What the command line prints: words of the catalogue, aligned columns, and colour only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TextIO
from unicodedata import combining, east_asian_width

from forewarn.cli.words import phrases
from forewarn.core.tell.words import render
from forewarn.model.text import Fact, Say, harmless

COLOURS = {"red": "31", "accent": "36", "grey": "90", "bold": "1"}


class Screen:
    """One command's output in one language. `zone` is the daemon's once it is known."""

    def __init__(self, language: str, out: TextIO | None = None) -> None:
        self.language = language
        self.zone: tzinfo = datetime.now(UTC).astimezone().tzinfo or UTC
        self._out = out or sys.stdout
        self._coloured = self._out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def t(self, key: str, **facts: Fact | datetime) -> str:
        """A sentence of the catalogue; times may be datetimes or RFC 3339 texts read by `at`."""
        shown = {name: value.timestamp() if isinstance(value, datetime) else value for name, value in facts.items()}
        return render(Say(key, shown), phrases(self.language), self.zone, datetime.now(UTC))

    def word(self, key: str, otherwise: str) -> str:
        return self.t(key) if key in phrases(self.language) else otherwise

    def listed(self, parts: Iterable[str], key: str = "format.list") -> str:
        return phrases(self.language).get(key, ", ").join(parts)

    def colour(self, text: str, name: str | None) -> str:
        return f"\x1b[{COLOURS[name]}m{text}\x1b[0m" if self._coloured and name and text else text

    def say(self, text: str = "", colour: str | None = None) -> None:
        print(self.colour(clean(text), colour), file=self._out)

    def columns(self, rows: Sequence[Sequence[str]], colours: Sequence[str | None] = (), gap: str = "  ", indent: str = "") -> None:
        """Rows in columns; the last one runs on. A Chinese sign counts two."""
        cleaned = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
        widths = [max(width(row[at]) for row in cleaned if at < len(row)) for at in range(max(map(len, cleaned), default=0))]
        for row in cleaned:
            cells = [cell + " " * (widths[at] - width(cell)) if at < len(row) - 1 else cell for at, cell in enumerate(row)]
            shown = [self.colour(cell, colours[at] if at < len(colours) else None) for at, cell in enumerate(cells)]
            print((indent + gap.join(shown)).rstrip(), file=self._out)


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def clean(text: str) -> str:
    """A text without signs that would command the terminal or turn its direction; line ends and tabs stay."""
    return harmless(text)


def at(text: str | None) -> datetime | None:
    """An RFC 3339 time of a body."""
    return datetime.fromisoformat(text) if text else None
