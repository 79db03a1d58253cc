"""The one owner: takes inputs from one queue, one at a time, and owns the state of open work.

Gather, decide, store, act: core decides without I/O; the decision's changes and actions are committed in one
transaction; only then is the new state true, are waiting people answered, and is the outbox woken. When the store fails
nothing is taken for true: the input is tried again after a pause, and the trouble shows in status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

import structlog

from forewarn.core.engine import decide
from forewarn.core.work import Decision, State
from forewarn.model.errors import Refused, StoreError
from forewarn.model.inputs import Command, Input, TimePassed
from forewarn.model.text import Say, say
from forewarn.ports import Clock, Ledger

log = structlog.get_logger("forewarn.inbox")
STORE_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class _Entry:
    given: Input | None  # None: a nudge, to see whether the owner takes anything at all
    answer: asyncio.Future[str | None] | None = None


class Inbox:
    """`put` from the loop's thread; `command` waits for the owner's answer; `run` is the owner's task."""

    def __init__(
        self,
        state: State,
        ledger: Ledger,
        clock: Clock,
        thread: Executor,
        acted: Callable[[], None],
        taken: Callable[[State, State, Decision], None],
        relieve: Callable[[StoreError], bool] = lambda _: False,
    ) -> None:
        """`relieve` makes room on a full disk, on the store's thread; False where it could not."""
        self.state = state
        self._ledger = ledger
        self._clock = clock
        self._thread = thread
        self._acted = acted
        self._taken = taken
        self._relieve = relieve
        self._queue: asyncio.Queue[_Entry] = asyncio.Queue()
        self._trouble: Say | None = None
        self.handled = 0
        self.store_errors = 0
        self.commit_s = 0.0
        """How long the newest commit took."""
        self.stored_s: float | None = None
        """When it ended, on the monotonic clock."""
        self.beats = 0
        """Grows with everything that the owner takes and with each try to store: what stands still hangs."""

    @property
    def next_at(self) -> datetime | None:
        """When a due comes next: the daemon's one job wakes then."""
        return self.state.next_at

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    @property
    def trouble(self) -> Say | None:
        """Why nothing can be stored at the moment, or None."""
        return self._trouble

    def put(self, given: Input) -> None:
        self._queue.put_nowait(_Entry(given))

    async def deliver(self, given: Input) -> None:
        """Put an input and wait until it has been stored."""
        await self._ask(given)

    async def command(
        self, verb: str, id: str | None, by: str, words: tuple[str, ...] = (), text: str | None = None, version: int | None = None
    ) -> str | None:
        """Carry out a person's wish; answers the id made or changed; raises Refused."""
        return await self._ask(Command(verb=verb, id=id, by=by, words=words, text=text, version=version))

    async def _ask(self, given: Input) -> str | None:
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Entry(given, answer))
        return await answer

    async def run(self) -> None:
        while True:
            entry = await self._queue.get()
            if entry.given is not None:
                await self._take(entry, entry.given)
                self.handled += 1
            self.beats += 1
            self._queue.task_done()

    def nudge(self) -> None:
        """Give an owner with nothing to do something to take, so that its beats tell whether it lives."""
        if self._queue.empty():
            self._queue.put_nowait(_Entry(None))

    async def idle(self) -> None:
        """Until everything that was put has been taken."""
        await self._queue.join()

    async def _take(self, entry: _Entry, given: Input) -> None:
        now = self._clock.now()
        try:
            decision = decide(self.state, given, now)
        except Refused as refused:
            _answer(entry, refused)
            return
        except Exception as bug:  # one bad input must not end the owner; the trace is what we need to mend it
            log.exception("input_failed", input=type(given).__name__)
            _answer(entry, bug)
            return
        if not decision.empty:
            await self._store(decision)
            before, self.state = self.state, self.state.after(decision)
            self._taken(before, self.state, decision)
            if decision.actions:
                self._acted()
        _answer(entry, decision.answer)

    async def _store(self, decision: Decision) -> None:
        """Commit, however long it takes: what can't be stored must not happen."""
        loop = asyncio.get_running_loop()
        while True:
            began_s = self._clock.monotonic()
            try:
                await loop.run_in_executor(self._thread, self._commit, decision)
            except StoreError as error:
                self.store_errors += 1
                if await loop.run_in_executor(self._thread, self._relieve, error):
                    continue
                if self._trouble is None:
                    log.error("store_failed", error=str(error))
                self._trouble = say("trouble.store", text=str(error))
                self.beats += 1
                await asyncio.sleep(STORE_PAUSE_S)
            else:
                self._trouble = None
                self.stored_s = self._clock.monotonic()
                self.commit_s = self.stored_s - began_s
                return

    def _commit(self, decision: Decision) -> None:
        done = (decision.done, self._clock.now()) if decision.done else None
        self._ledger.commit(decision.entities, decision.entries, decision.actions, decision.counters, done=done)

    def tick(self) -> None:
        """A due's moment has come."""
        self.put(TimePassed())


def _answer(entry: _Entry, what: str | Exception | None) -> None:
    if entry.answer is None or entry.answer.cancelled():
        return
    if isinstance(what, Exception):
        entry.answer.set_exception(what)
    else:
        entry.answer.set_result(what)
