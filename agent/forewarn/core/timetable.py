"""What runs next: pure, with `now` handed in.

Each (probe, target) has a phase inside its interval, spread by a hash of its name and aligned to a grid, so that about
ten plain probes share one wake-up while the load is even. A target never runs twice at once: a run that is due while the
last is under way is left out and counted; one that never reports is given up. After a pause (a stopped machine, a clock
that was set) each runs once and then at its phase; what was missed is counted, not caught up. Where many have waited, that
one run is spread too: a storm of probes would hit the targets, and our own loop, just when all has come back.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Hashable
from dataclasses import dataclass, field

GROUP, TLS_GROUP = 10, 2
"""Runs that share a wake-up; a handshake is computed in one go, and ten of them would wait for each other."""
LEAST_GRID_S, MOST_GRID_S = 0.010, 5.0
FIRST_RUNS_PER_S = 50.0
STORM_S, STORM_RUNS = 1.0, 50
"""Of those that are late by more than so many seconds, so many begin at once; the rest is spread."""
SPREAD_S = 30.0
MOST_AT_ONCE = 50
"""Runs that one call hands out: after a short standstill hundreds are due, and begun in one go they would be the next one."""


def grid_s(runs_per_s: float, group: int = GROUP) -> float:
    """The distance between wake-ups at which about so many runs share one."""
    if runs_per_s <= 0:
        return MOST_GRID_S
    return min(MOST_GRID_S, max(LEAST_GRID_S, group / runs_per_s))


def share(name: str) -> float:
    """A number in [0, 1) for a name, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def phase_s(name: str, every_s: float, grid: float) -> float:
    """Where in its interval a target runs: 0 <= phase < every_s, on the grid."""
    return math.floor(share(name) * every_s / grid) * grid


def first_s(name: str, every_s: float, targets: int, grid: float) -> float:
    """How long a target's first run waits after the start: at once for few targets, spread out for thousands."""
    return math.floor(share(name) * min(every_s, (targets // GROUP) * GROUP / FIRST_RUNS_PER_S) / grid) * grid


@dataclass(slots=True)
class Entry:
    """One target in the timetable. `due_s` and `began_s` are epoch seconds; `most_s`: after so long a run is given up."""

    key: Hashable
    every_s: float
    phase_s: float
    most_s: float
    due_s: float
    began_s: float | None = None
    gone: bool = False


@dataclass(slots=True)
class Timetable:
    """The heap of what is due. Times are epoch seconds."""

    missed: int = 0
    under_way: int = 0
    _heap: list[tuple[float, int, Entry]] = field(default_factory=list)
    _entries: dict[Hashable, Entry] = field(default_factory=dict)
    _count: int = 0

    def add(
        self,
        key: Hashable,
        name: str,
        every_s: float,
        grid: float,
        now_s: float,
        *,
        first_s: float | None = None,
        most_s: float = math.inf,
    ) -> None:
        """Begin to run a target: the first time so many seconds from now, or at its phase."""
        self.remove(key)
        phase = phase_s(name, every_s, grid)
        due = next_due(phase, every_s, now_s) if first_s is None else now_s + first_s
        self._enter(Entry(key, every_s, phase, most_s, due))

    def remove(self, key: Hashable) -> None:
        """Run it no more; a run that is under way goes on."""
        if entry := self._entries.pop(key, None):
            entry.gone = True
            self.under_way -= entry.began_s is not None

    def next_s(self) -> float | None:
        """When something is due next."""
        while self._heap and self._heap[0][2].gone:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now_s: float) -> list[tuple[Hashable, float]]:
        """What is due, with its due time; each is under way until `ended`. After MOST_AT_ONCE the rest is for the next call:
        `next_s` has passed then."""
        due: list[tuple[Hashable, float]] = []
        while (at := self.next_s()) is not None and at <= now_s and (len(due) < MOST_AT_ONCE or now_s - at > STORM_S):
            entry = heapq.heappop(self._heap)[2]
            if now_s - entry.due_s > STORM_S and len(due) >= STORM_RUNS:
                self._put_off(entry, now_s)
                continue
            late = math.floor((now_s - entry.due_s) / entry.every_s)
            self.missed += late
            if entry.began_s is None or not 0 <= now_s - entry.began_s <= entry.most_s:
                due.append((entry.key, entry.due_s + late * entry.every_s))
                self.under_way += entry.began_s is None
                entry.began_s = now_s
            else:
                self.missed += 1
            entry.due_s = next_due(entry.phase_s, entry.every_s, now_s)
            self._push(entry)
        return due

    def _put_off(self, entry: Entry, now_s: float) -> None:
        """Run it a little later, where its share of the interval lies in the next seconds."""
        self.missed += math.floor((now_s - entry.due_s) / entry.every_s)
        entry.due_s = now_s + LEAST_GRID_S + entry.phase_s / entry.every_s * min(entry.every_s, SPREAD_S)
        self._push(entry)

    def ended(self, key: Hashable) -> None:
        """A run has reported."""
        entry = self._entries.get(key)
        if entry and entry.began_s is not None:
            entry.began_s = None
            self.under_way -= 1

    def set_back(self, now_s: float) -> None:
        """The clock was set back: nothing may wait for longer than its interval."""
        for entry in list(self._entries.values()):
            if entry.due_s - now_s > entry.every_s:
                entry.gone = True
                due = next_due(entry.phase_s, entry.every_s, now_s)
                self._enter(Entry(entry.key, entry.every_s, entry.phase_s, entry.most_s, due, entry.began_s))

    def _enter(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        self._push(entry)

    def _push(self, entry: Entry) -> None:
        self._count += 1
        heapq.heappush(self._heap, (entry.due_s, self._count, entry))


def next_due(phase: float, every_s: float, now_s: float) -> float:
    """The first moment after `now_s` that has this phase."""
    due = phase + (math.floor((now_s - phase) / every_s) + 1) * every_s
    return due if due > now_s else due + every_s  # at epoch seconds a float's last digit can be lost
