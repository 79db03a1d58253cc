"""How much the outbox does at once: a few things in all, some of them kept for pages, and little to any one place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from forewarn.model.actions import Action
from forewarn.model.message import Message, MessageKind

SLOTS = 8
PAGE_SLOTS = 2  # of SLOTS, kept for pages
LANE = 2  # at once to one address; a page may be a third


@dataclass(frozen=True, slots=True)
class Job:
    """An action with what it needs; `lanes` name what it shares with other jobs,
    each with how many may be there at once. `account` is whose budget it uses (budget.py)."""

    action: Action
    message: Message | None
    lanes: tuple[tuple[str, int], ...]
    account: str = ""

    @property
    def page(self) -> bool:
        return self.message is not None and self.message.kind is MessageKind.PAGE


class Room:
    """How much more may begin, given the jobs that are at work."""

    def __init__(self, busy: Collection[Job]) -> None:
        self._slots = SLOTS - len(busy)
        self._pages = sum(job.page for job in busy)
        self._lanes: dict[str, int] = {}
        for job in busy:
            self._enter(job)

    def has_slot(self, *, page: bool) -> bool:
        """Whether anything more may begin: a page, or something else."""
        return self._slots > (0 if page else max(0, PAGE_SLOTS - self._pages))

    def take(self, job: Job) -> bool:
        """Whether `job` may begin; if so its place is taken."""
        if not self.has_slot(page=job.page) or any(self._lanes.get(lane, 0) >= most for lane, most in job.lanes):
            return False
        self._slots -= 1
        self._pages += job.page
        self._enter(job)
        return True

    def _enter(self, job: Job) -> None:
        for lane, _ in job.lanes:
            self._lanes[lane] = self._lanes.get(lane, 0) + 1
