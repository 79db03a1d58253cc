"""Brings samples and cursors to the store, once a second, on its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

import structlog

from forewarn.model.errors import StoreError
from forewarn.ports import Sample, Samples

log = structlog.get_logger("forewarn.keeper")
KEPT_SAMPLES = 200_000
"""Samples that wait while the store fails; beyond it the oldest are lost, and said so."""


class Keeper:
    """Collects on the loop's thread; a cursor is stored in one transaction with the samples of its run.

    `relieve` makes room on a full disk. What it made is for the ledger: while `held` samples wait here.
    """

    def __init__(
        self,
        samples: Samples,
        thread: Executor,
        relieve: Callable[[StoreError], bool] = lambda _: False,
        held: Callable[[], bool] = lambda: False,
    ) -> None:
        self._samples, self._thread = samples, thread
        self._relieve, self._held = relieve, held
        self._waiting: list[Sample] = []
        self._cursors: dict[str, Mapping[str, object]] = {}  # not stored yet
        self._latest: dict[str, Mapping[str, object]] = {}
        self.failing = False
        self.lost = 0
        self.errors = 0
        self.some = asyncio.Event()
        """Set while anything waits."""
        self.wanted = asyncio.Event()
        """Set when a flush should not wait: a follower has found its first place. Dying before that is stored would make the
        next life begin at the end of the file again, behind lines that this one has acted on."""

    def add(self, probe: str, samples: Sequence[Sample], cursor: Mapping[str, object] | None) -> None:
        """Keep a run's samples with the next flush."""
        self._waiting += samples
        self.some.set()
        if cursor is not None:
            if probe not in self._latest:
                self.wanted.set()
            self._cursors[probe] = self._latest[probe] = cursor

    def cursor(self, probe: str) -> Mapping[str, object] | None:
        """Where a follower goes on: that of its newest run, stored or not."""
        return self._latest.get(probe)

    def remember(self, probe: str, cursor: Mapping[str, object] | None) -> None:
        """The stored cursor, as it was read at a start."""
        if cursor is not None:
            self._latest.setdefault(probe, cursor)

    async def flush(self) -> None:
        """Store what has come. A store that fails keeps it waiting, within bounds."""
        self.wanted.clear()
        if self._held():
            self._trim()
            return
        samples, self._waiting = self._waiting, []
        cursors, self._cursors = self._cursors, {}
        self.some.clear()
        if not samples and not cursors:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._samples.append, samples, cursors)
            self.failing = False
        except StoreError as error:
            first, self.failing = not self.failing, True
            self.errors += 1
            self._waiting, self._cursors = samples + self._waiting, {**cursors, **self._cursors}
            self.some.set()
            self._trim()
            if first:
                log.error("samples_not_stored", error=str(error), waiting=len(self._waiting), lost=self.lost)
            await asyncio.get_running_loop().run_in_executor(self._thread, self._relieve, error)

    @property
    def waiting(self) -> int:
        """Samples that are not stored yet."""
        return len(self._waiting)

    def _trim(self) -> None:
        lost = max(0, len(self._waiting) - KEPT_SAMPLES)
        self.lost += lost
        del self._waiting[:lost]
