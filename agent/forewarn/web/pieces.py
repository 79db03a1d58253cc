"""Rows and letters that are kept: of a page that is asked for anew, most has been written before.

A change touches one row, and all who look ask for the page again; an hour of runs touches each probe's row every half minute.
So the parts that pages are made of are written once and kept while what they show is equal, and no longer than a minute:
moments are told to the minute ("since 14:02", "tonight", late or not). The minutes of different pieces begin at different
seconds, so that no page has to write all of its rows at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from forewarn.core.reader import Reader
from forewarn.model.settings import Settings

KEPT_S = 60.0
MOST_KEPT = 2000
"""Some 2 MB when they are that many."""
Key = tuple[object, ...]
Piece = Callable[..., Markup]


@dataclass(frozen=True, slots=True)
class _Kept:
    minute: float
    settings: Settings
    shows: tuple[object, ...]
    text: Markup


class Pieces:
    """May be used by several threads. `written` counts those that were not found."""

    def __init__(self) -> None:
        self.written = 0
        self._kept: dict[Key, _Kept] = {}
        self._putting = threading.Lock()

    def writer(self, reader: Reader, settings: Settings, *about: object) -> Piece:
        """For the templates of one page: `piece(macro, name, *shows)` is `macro(*shows)`, kept under the macro's name and `name`.

        A macro may use nothing else that changes but the reader, the settings and what is in `about`.
        """

        def piece(macro: Any, name: str, *shows: object) -> Markup:
            key = (macro.name, name, reader.language, reader.zone, *about)
            kept, minute = self._kept.get(key), _minute(key, reader.now)
            if kept is None or kept.minute != minute or kept.settings is not settings or kept.shows != shows:
                kept = _Kept(minute, settings, shows, macro(*shows))
                self._put(key, kept)
            return kept.text

        return piece

    def _put(self, key: Key, kept: _Kept) -> None:
        with self._putting:
            self.written += 1
            self._kept.pop(key, None)
            self._kept[key] = kept
            while len(self._kept) > MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))


def _minute(key: Key, now: datetime) -> float:
    """The number of the minute, which begins at a second of each key's own."""
    return (now.timestamp() + hash(key) % KEPT_S) // KEPT_S
