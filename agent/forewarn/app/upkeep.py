"""What the stores need from time to time: summaries made, old samples forgotten, older versions' texts indexed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from forewarn.model.errors import StoreError
from forewarn.model.settings import Daemon
from forewarn.ports import Clock
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples

EVERY_S = 3600.0
OUTBOX_KEPT = timedelta(days=7)  # done actions: for looking at what happened lately; the messages themselves stay
ROLLED, ROLLS, ROLL_PAUSE_S = 4, 500, 0.05
"""Days of targets that are summarised in one go, so many goes an hour, and the rest between them: the others' turn."""
INDEXED_AT_ONCE, INDEX_PAUSE_S = 100, 0.1


@dataclass(frozen=True)
class Upkeep:
    """`writer` is the ledger's thread; `threads` may wait without holding up an append. `kept` is how long what is kept."""

    samples: SqliteSamples
    ledger: SqliteLedger
    clock: Clock
    writer: Executor
    threads: Executor
    kept: Callable[[], Daemon]

    async def prune(self) -> None:
        """Summarise what is over, then forget what is too old."""
        now_s, kept = self.clock.now().timestamp(), self.kept()
        if any(kept.rollups_s.values()):
            for _ in range(ROLLS):
                if not await self._on(self.threads, self.samples.roll, now_s, ROLLED):
                    break
                await asyncio.sleep(ROLL_PAUSE_S)
        for step_s, span_s in kept.rollups_s.items():
            await self._on(self.threads, self.samples.prune_rolled, step_s, now_s - span_s)
        await self._on(self.threads, self.samples.prune, now_s - kept.retention_s)
        await self._on(self.writer, self.ledger.forget_done, self.clock.now() - OUTBOX_KEPT)

    async def index(self) -> None:
        """Index for the search what an earlier version stored, in pieces, so that nothing waits long for the writer."""
        with suppress(StoreError):  # a full disk: the next start goes on
            while await self._on(self.writer, self.ledger.index, INDEXED_AT_ONCE) == INDEXED_AT_ONCE:  # noqa: ASYNC110
                await asyncio.sleep(INDEX_PAUSE_S)

    async def _on(self, pool: Executor, work: Callable[..., Any], *given: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, work, *given)
