"""Which lines of a block may match which patterns: in one pass over the block where Hyperscan is installed, else line by line.

Both ways answer at least the lines that match; whether one really does is the pattern's own word (log_lines.py). So both count
alike. A block is valid UTF-8, of whole lines that each end in a newline. Where lines belong together, `starts` are the places
at which their events begin, in order, the first of them 0; without it each line is an event.

Measured: performance.md of this project's documentation, section "Logs". RE2::Set tells in one pass over a line which of its
patterns match; Hyperscan in one pass over the block, at the speed of its SIMD literal matchers.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from forewarn.probers.prefilter import Unfit, prefilter

Hits = Sequence[tuple[int, int, Sequence[int]]]
"""Of events that may match, in their order: where one begins and ends (without its last newline), and the patterns' places."""

SET_MEMORY = 256 * 1024**2
"""A bound only. A set that has too little would miss lines."""
VERTICAL_TAB, NEWLINE = b"\x0b", 10
WORTH_IT = 4 * 1024**2
"""Bytes. Hyperscan takes 10 MB of memory and time to compile: logs of which fewer than this come do without it."""


class Finder(Protocol):
    """Finds the events of a block that may match."""

    def hits(self, block: bytes, starts: Sequence[int] | None = None) -> Hits: ...


def finder(patterns: Sequence[str]) -> Finder:
    """The fastest that there is here; with the package `hyperscan` (extra `speed`), and many lines, that is Hyperscan."""
    return SparingFinder(patterns) if patterns else SetFinder(patterns)


def events(block: bytes, starts: Sequence[int] | None) -> Iterator[tuple[int, int]]:
    """Where each event begins and ends."""
    if starts is not None:
        for begin, following in zip(starts, (*starts[1:], len(block)) if starts else (), strict=True):
            yield begin, following - 1
        return
    begin = 0
    while (end := block.find(b"\n", begin)) >= 0:
        yield begin, end
        begin = end + 1


class SetFinder:
    """RE2::Set on each line: exact, and slower."""

    def __init__(self, patterns: Sequence[str]) -> None:
        import re2

        options = re2.Options()
        options.log_errors = False
        options.max_mem = SET_MEMORY
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern)
        if patterns:
            self._set.Compile()
        self._any = bool(patterns)

    def hits(self, block: bytes, starts: Sequence[int] | None = None) -> Hits:
        if not self._any:
            return ()
        match = self._set.Match
        return [(begin, end, found) for begin, end in events(block, starts) if (found := match(block[begin:end]))]


class SparingFinder:
    """A set until it was given so many bytes that Hyperscan is worth it, where that is installed."""

    def __init__(self, patterns: Sequence[str], worth_it: int = WORTH_IT) -> None:
        self.by: Finder = SetFinder(patterns)
        self._patterns, self._left = patterns, worth_it

    def hits(self, block: bytes, starts: Sequence[int] | None = None) -> Hits:
        if self._left > 0:
            self._left -= len(block)
            if self._left <= 0:
                self.by = _hyperscan(self._patterns) or self.by
        return self.by.hits(block, starts)


class HyperscanFinder:
    """Hyperscan on the block for all patterns that it takes, a set on each line for the rest."""

    def __init__(self, database: Any, taken: Sequence[int], patterns: Sequence[str]) -> None:
        """`taken`: the places of the patterns that are in `database`, by their number there."""
        self._database = database
        self._patterns, self._rest = patterns, [at for at in range(len(patterns)) if at not in set(taken)]
        self._slow = SetFinder([patterns[at] for at in self._rest])
        self._exact: SetFinder | None = None
        self._lock = threading.Lock()  # a database has one scratch space

    def hits(self, block: bytes, starts: Sequence[int] | None = None) -> Hits:
        if VERTICAL_TAB in block:
            self._exact = self._exact or SetFinder(self._patterns)
            return self._exact.hits(block, starts)
        ends = self._ends(block)
        found = _by_lines(block, ends) if starts is None else _by_events(block, starts, ends)
        return self._with_rest(found, block, starts) if self._rest else found

    def _with_rest(self, found: Hits, block: bytes, starts: Sequence[int] | None) -> Hits:
        """Also what the patterns say that Hyperscan does not take."""
        more = {begin: (end, [self._rest[number] for number in numbers]) for begin, end, numbers in self._slow.hits(block, starts)}
        for begin, end, places in found:
            more[begin] = end, sorted((*places, *more.get(begin, (end, []))[1]))
        return [(begin, *more[begin]) for begin in sorted(more)]

    def _ends(self, block: bytes) -> list[tuple[int, int]]:
        """Where a match ends and of which pattern, in order; several times for one that can end in several places."""
        ends: list[tuple[int, int]] = []
        append = ends.append

        def matched(number: int, _begin: int, end: int, _flags: int, _context: object) -> None:
            append((end, number))

        with self._lock:
            self._database.scan(block, match_event_handler=matched)
        ends.sort()
        return ends


def _by_lines(block: bytes, ends: list[tuple[int, int]]) -> Hits:
    """A match that ends with a newline has crossed into the next line: what it found stands in none. One that crossed earlier
    is taken to the line in which it ends, where the pattern itself will not be found."""
    found: list[tuple[int, int, list[int]]] = []
    end, places = -1, list[int]()
    for at, number in ends:
        if at <= end:
            if number not in places:
                places.append(number)
        elif block[at - 1] != NEWLINE:
            end, places = block.find(b"\n", at), [number]
            found.append((block.rfind(b"\n", 0, at) + 1, end, places))
    return found


def _by_events(block: bytes, starts: Sequence[int], ends: list[tuple[int, int]]) -> Hits:
    found: list[tuple[int, int, list[int]]] = []
    end, places = -1, list[int]()
    for at, number in ends:
        if at <= end + 1:  # with its last newline
            if number not in places:
                places.append(number)
            continue
        place = bisect_right(starts, at - 1)
        end, places = (starts[place] if place < len(starts) else len(block)) - 1, [number]
        found.append((starts[place - 1], end, places))
    return found


def _hyperscan(patterns: Sequence[str]) -> HyperscanFinder | None:
    """None where the package is not installed, or takes none of the patterns."""
    try:
        import hyperscan
    except ImportError:
        return None
    flags = hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_UTF8
    wanted: dict[int, bytes] = {}
    for at, pattern in enumerate(patterns):
        try:
            wanted[at] = prefilter(pattern).encode()
        except Unfit:
            continue
    taken = wanted if _compiles(hyperscan, list(wanted.values()), flags) else _taken(hyperscan, wanted, flags)
    if not taken:
        return None
    database = hyperscan.Database()
    database.compile(list(taken.values()), ids=list(taken), flags=flags)
    return HyperscanFinder(database, list(taken), patterns)


def _taken(hyperscan: Any, wanted: dict[int, bytes], flags: int) -> dict[int, bytes]:
    """Those that it takes one by one, if it then takes them together."""
    alone = {at: one for at, one in wanted.items() if _compiles(hyperscan, [one], flags)}
    return alone if _compiles(hyperscan, list(alone.values()), flags) else {}


def _compiles(hyperscan: Any, expressions: Sequence[bytes], flags: int) -> bool:
    if not expressions:
        return False
    try:
        hyperscan.Database().compile(list(expressions), flags=flags)
    except hyperscan.HyperscanError:
        return False
    return True
