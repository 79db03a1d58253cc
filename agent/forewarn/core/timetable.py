"""What runs next: pure, with `now` handed in.

Each (probe, target) has a phase inside its interval, spread by a hash of its name and aligned to a grid, so that about
ten plain probes share one wake-up while the load is even. A target never runs twice at once: a run that is due while the
last is under way is left out and counted. After a pause (a stopped machine, a clock that was set) each runs once at its
next phase; what was missed is counted, not caught up.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Hashable
from dataclasses import dataclass, field

GROUP = 10
LEAST_GRID_S, MOST_GRID_S = 0.010, 0.200


def grid_s(runs_per_s: float) -> float:
    """The distance between wake-ups at which about ten runs share one."""
    if runs_per_s <= 0:
        return MOST_GRID_S
    return min(MOST_GRID_S, max(LEAST_GRID_S, GROUP / runs_per_s))


def phase_s(name: str, every_s: float, grid: float) -> float:
    """Where in its interval a target runs: 0 <= phase < every_s, on the grid, the same in every process."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    return math.floor(number * every_s / grid) * grid


@dataclass(slots=True)
class Entry:
    """One target in the timetable. `due_s` is epoch seconds."""

    key: Hashable
    every_s: float
    phase_s: float
    due_s: float
    running: bool = False
    gone: bool = False


@dataclass(slots=True)
class Timetable:
    """The heap of what is due. Times are epoch seconds."""

    missed: int = 0
    _heap: list[tuple[float, int, Entry]] = field(default_factory=list)
    _entries: dict[Hashable, Entry] = field(default_factory=dict)
    _count: int = 0

    def add(self, key: Hashable, name: str, every_s: float, grid: float, now_s: float, soon: bool = False) -> None:
        """Begin to run a target; `soon` makes its first run at once instead of at its phase."""
        self.remove(key)
        entry = Entry(key, every_s, phase_s(name, every_s, grid), 0.0)
        entry.due_s = now_s if soon else self._next(entry, now_s)
        self._entries[key] = entry
        self._push(entry)

    def remove(self, key: Hashable) -> None:
        if entry := self._entries.pop(key, None):
            entry.gone = True

    def next_s(self) -> float | None:
        """When something is due next."""
        while self._heap and self._heap[0][2].gone:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now_s: float) -> list[tuple[Hashable, float]]:
        """All that is due, with its due time; each is under way until `ended`."""
        due: list[tuple[Hashable, float]] = []
        while (at := self.next_s()) is not None and at <= now_s:
            entry = heapq.heappop(self._heap)[2]
            late = math.floor(max(0.0, now_s - entry.due_s) / entry.every_s)
            self.missed += late
            if entry.running:
                self.missed += 1
            else:
                entry.running = True
                due.append((entry.key, entry.due_s + late * entry.every_s))
            entry.due_s = self._next(entry, now_s)
            self._push(entry)
        return due

    def ended(self, key: Hashable) -> None:
        if entry := self._entries.get(key):
            entry.running = False

    def set_back(self, now_s: float) -> None:
        """The clock was set back: nothing may wait for longer than its interval."""
        for entry in list(self._entries.values()):
            if entry.due_s - now_s > entry.every_s:
                fresh = Entry(entry.key, entry.every_s, entry.phase_s, 0.0, entry.running)
                fresh.due_s = self._next(fresh, now_s)
                entry.gone = True
                self._entries[entry.key] = fresh
                self._push(fresh)

    def _next(self, entry: Entry, now_s: float) -> float:
        turns = math.floor((now_s - entry.phase_s) / entry.every_s) + 1
        return entry.phase_s + turns * entry.every_s

    def _push(self, entry: Entry) -> None:
        self._count += 1
        heapq.heappush(self._heap, (entry.due_s, self._count, entry))
