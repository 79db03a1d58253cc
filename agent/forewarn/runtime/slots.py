"""How much the outbox does at once: a few things in all, some of them kept for pages, and little to any one place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from forewarn.model.actions import Action
from forewarn.model.message import Message

SLOTS = 8
PAGE_SLOTS = 2  # of SLOTS, kept for pages
LANE = 2  # at once to one address


@dataclass(frozen=True, slots=True)
class Job:
    """An action with what it needs. `rank` 0 is a page, lower goes first; `lanes` name what it shares with other jobs,
    each with how many may be there at once."""

    action: Action
    message: Message | None
    rank: int
    lanes: tuple[tuple[str, int], ...]


class Room:
    """How much more may begin, given the jobs that are at work."""

    def __init__(self, busy: Collection[Job]) -> None:
        self._slots = SLOTS - len(busy)
        self._pages = sum(job.rank == 0 for job in busy)
        self._lanes: dict[str, int] = {}
        for job in busy:
            self._enter(job)

    def take(self, job: Job) -> bool:
        """Whether `job` may begin; if so its place is taken."""
        kept = 0 if job.rank == 0 else max(0, PAGE_SLOTS - self._pages)
        if self._slots <= kept or any(self._lanes.get(lane, 0) >= most for lane, most in job.lanes):
            return False
        self._slots -= 1
        self._pages += job.rank == 0
        self._enter(job)
        return True

    def _enter(self, job: Job) -> None:
        for lane, _ in job.lanes:
            self._lanes[lane] = self._lanes.get(lane, 0) + 1
