"""Brings samples and cursors to the store, once a second, on its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor

import structlog

from forewarn.model.errors import StoreError
from forewarn.ports import Sample, Samples

log = structlog.get_logger("forewarn.keeper")
KEPT_SAMPLES = 200_000
"""Samples that wait while the store fails; beyond it the oldest are lost, and said so."""


class Keeper:
    """Collects on the loop's thread; a cursor is stored in one transaction with the samples of its run."""

    def __init__(self, samples: Samples, thread: Executor) -> None:
        self._samples, self._thread = samples, thread
        self._waiting: list[Sample] = []
        self._cursors: dict[str, Mapping[str, object]] = {}  # not stored yet
        self._latest: dict[str, Mapping[str, object]] = {}
        self.failing = False
        self.lost = 0
        self.wanted = asyncio.Event()
        """Set when a flush should not wait: a follower has found its first place. Dying before that is stored would make the
        next life begin at the end of the file again, behind lines that this one has acted on."""

    def add(self, probe: str, samples: Sequence[Sample], cursor: Mapping[str, object] | None) -> None:
        """Keep a run's samples with the next flush."""
        self._waiting += samples
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
        samples, self._waiting = self._waiting, []
        cursors, self._cursors = self._cursors, {}
        if not samples and not cursors:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._samples.append, samples, cursors)
            self.failing = False
        except StoreError as error:
            self.failing = True
            waiting = samples + self._waiting
            lost = max(0, len(waiting) - KEPT_SAMPLES)
            self.lost += lost
            self._waiting, self._cursors = waiting[lost:], {**cursors, **self._cursors}
            log.error("samples_not_stored", error=str(error), waiting=len(self._waiting), lost=self.lost)
