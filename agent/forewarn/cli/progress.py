"""A bar with the time left, on the terminal only: output that is piped stays clean."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sized
from typing import Protocol, TextIO, TypeVar

T = TypeVar("T", covariant=True)
CELLS = 24
SHOWN_AFTER_S, EVERY_S = 0.5, 0.1


class Listed(Protocol[T]):
    """What can be gone through and has a length."""

    def __iter__(self) -> Iterator[T]: ...
    def __len__(self) -> int: ...


class Progress:
    """`with Progress("reading", 100) as bar: bar(10)`. Nothing is shown of work that ends within half a second."""

    def __init__(self, label: str, total: float, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._label, self._total, self._clock = label, total, clock
        self._out = out or sys.stderr
        self._shows = self._out.isatty()
        self._begun_s = self._last_s = clock()
        self._shown = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def __call__(self, done: float) -> None:
        """So much of the total is done."""
        now_s = self._clock()
        if not self._shows or now_s - self._begun_s < SHOWN_AFTER_S or now_s - self._last_s < EVERY_S:
            return
        self._last_s, self._shown = now_s, True
        share = min(1.0, done / self._total) if self._total else 1.0
        left = (now_s - self._begun_s) * (1 - share) / share if share else 0.0
        full = round(CELLS * share)
        bar = "█" * full + "░" * (CELLS - full)
        self._out.write(f"\r\x1b[K{self._label} {bar} {share:4.0%}{_left(left) if share else ''}")
        self._out.flush()


def tracked(label: str, items: Listed[T]) -> Iterator[T]:
    """The items, with a bar for those that have been gone through."""
    assert isinstance(items, Sized)
    with Progress(label, len(items)) as bar:
        for at, item in enumerate(items):
            bar(at)
            yield item


def _left(seconds: float) -> str:
    whole = round(seconds)
    return f"  {whole // 60}:{whole % 60:02d}"
