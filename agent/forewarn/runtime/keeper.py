"""Brings samples and cursors to the store, once a second, on its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

import structlog

from forewarn.model.errors import StoreError
from forewarn.ports import SampleRun, Samples

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
        self._waiting: list[SampleRun] = []
        self._cursors: dict[str, Mapping[str, object]] = {}  # not stored yet
        self._latest: dict[str, Mapping[str, object]] = {}
        self.failing = False
        self.lost = 0
        self.errors = 0
        self._some = False
        self.some = asyncio.Event()
        """Set while anything waits."""
        self.wanted = asyncio.Event()
        """Set when a flush should not wait: a follower has found its first place. Dying before that is stored would make the
        next life begin at the end of the file again, behind lines that this one has acted on."""

    def add(self, probe: str, row: SampleRun | None, cursor: Mapping[str, object] | None) -> None:
        """Keep what a run gave with the next flush."""
        if row is not None:
            self._waiting.append(row)
        if not self._some:
            self._some = True
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
        rows, self._waiting = self._waiting, []
        cursors, self._cursors = self._cursors, {}
        self.some.clear()
        self._some = False
        if not rows and not cursors:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._samples.append_runs, rows, cursors)
            self.failing = False
        except StoreError as error:
            first, self.failing = not self.failing, True
            self.errors += 1
            self._waiting, self._cursors = rows + self._waiting, {**cursors, **self._cursors}
            self._some = True
            self.some.set()
            self._trim()
            if first:
                log.error("samples_not_stored", error=str(error), waiting=self.waiting, lost=self.lost)
            await asyncio.get_running_loop().run_in_executor(self._thread, self._relieve, error)

    @property
    def waiting(self) -> int:
        """Samples that are not stored yet."""
        return sum(len(values) for _, _, values in self._waiting)

    def _trim(self) -> None:
        """Give up the oldest runs beyond the bound."""
        beyond, gone = self.waiting - KEPT_SAMPLES, 0
        for at, (_, _, values) in enumerate(self._waiting):
            if gone >= beyond:
                del self._waiting[:at]
                break
            gone += len(values)
        self.lost += gone
