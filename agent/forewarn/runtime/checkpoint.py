"""Keeps what rules have learnt: every few minutes, in small pieces on the store's thread, and all of it at a stop.

States are values that nobody changes, so the loop only picks them up (`learnt` of a watch) and the store's thread makes bytes of
them. Each is kept with the time of the newest sample that it has seen: after a crash the samples since then are looked at again, so
that it does not matter how long ago that was, and a large site may be kept in turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol

import structlog

from forewarn.core.detect import DETECTORS, keeping
from forewarn.model.errors import StoreError
from forewarn.model.kept import Kept, Key
from forewarn.model.probe import Probe
from forewarn.ports import Clock
from forewarn.runtime.judge import Judge
from forewarn.runtime.line import Line
from forewarn.runtime.lines import Lines
from forewarn.runtime.recollect import Recollection, text_of

log = structlog.get_logger("forewarn.checkpoint")
EVERY_S = 300.0
MOST = 2_000
"""States that are kept in one round; those that waited longest come first."""
AT_ONCE = 50
"""States in one transaction: some 10 ms of work, during which the loop gets its turns."""
SLICE_S = 0.002
LOOKED = 256


class States(Protocol):
    """Where it is kept (store/states.py). Methods block and raise StoreError."""

    def put(self, states: Sequence[Kept]) -> None: ...
    def of(self, probe: str) -> list[Kept]: ...
    def drop(self, keys: Iterable[Key]) -> None: ...
    def only(self, probes: Collection[str]) -> None: ...


Picked = tuple[Judge, Key, float, Any]
"""A judge, its key, the time of the newest sample that its state has seen, and the state."""


class Checkpoints:
    """Of all watches. Without `states` nothing is kept. `held`: while it is true nothing is written (a full disk)."""

    def __init__(
        self,
        states: States | None,
        thread: Executor,
        watches: Mapping[str, Lines],
        clock: Clock,
        held: Callable[[], bool] = lambda: False,
    ) -> None:
        self._states, self._thread, self._watches, self._clock, self._held = states, thread, watches, clock, held
        self._known: set[Key] = set()  # what lies in the store
        self._said: set[str] = set()
        self.failing = False
        self.turn = asyncio.Lock()
        """Held while watches come and go, so that what is only on its way is not taken for gone."""

    # --- at a start, on the store's thread ---

    def recollect(self, probe: Probe) -> Recollection:
        """What is kept of a probe's rules. What can't be read at all is as if it weren't there: the samples are."""
        if self._states is None or not _learns(probe):
            return Recollection()
        try:
            rows = self._states.of(probe.name)
        except StoreError as error:
            log.error("learnt_not_read", probe=probe.name, error=str(error))
            return Recollection()
        self._known.update(row.key for row in rows)
        return Recollection(rows)

    # --- while it runs, on the loop ---

    async def begin(self) -> None:
        """After all watches are warm: forget the probes that are gone."""
        if self._states is not None and not self._held():
            await self._on(self._states.only, list(self._watches))

    async def round(self) -> None:
        """One turn of the clockwork."""
        await asyncio.sleep(EVERY_S)
        await self.keep(MOST)

    async def keep(self, most: int | None = None) -> None:
        """Keep what has changed, up to `most` of it; forget what no series has any more. A store that fails is tried next time."""
        if self._states is not None and not self._held():
            async with self.turn:
                await self._keep(self._states, most)

    async def _keep(self, states: States, most: int | None) -> None:
        picked, there = await self._picked()
        picked.sort(key=lambda one: -1.0 if one[0].kept_s is None else one[0].kept_s)
        for begin in range(0, len(picked[:most]), AT_ONCE):
            some = picked[:most][begin : begin + AT_ONCE]
            if not await self._on(self._write, some):
                return
            for judge, key, seen_s, _ in some:
                judge.kept_s = seen_s
                self._known.add(key)
        gone = self._known - there
        if gone and await self._on(states.drop, gone):
            self._known -= gone

    async def _picked(self) -> tuple[list[Picked], set[Key]]:
        """What is new since it was kept; and the keys of all that there is to keep."""
        picked: list[Picked] = []
        there: set[Key] = set()
        began_s = self._clock.monotonic()
        for watch in list(self._watches.values()):
            for count, one in enumerate(learnt(watch)):
                there.add(one[1])
                if one[2] != one[0].kept_s:
                    picked.append(one)
                if count % LOOKED == 0 and self._clock.monotonic() - began_s > SLICE_S:
                    await asyncio.sleep(0)
                    began_s = self._clock.monotonic()
        return picked, there

    def _write(self, some: Sequence[Picked]) -> None:
        """On the store's thread."""
        assert self._states is not None
        rows = []
        for judge, (probe, rule, series), seen_s, state in some:
            try:
                data = keeping.form_of(judge.detector.step, judge.detector.form).packed(state)
            except keeping.Unreadable as error:
                if rule not in self._said:  # it is learnt from the samples then
                    self._said.add(rule)
                    log.warning("learnt_not_kept", probe=probe, rule=rule, series=series, error=str(error))
                continue
            rows.append(Kept(probe, rule, series, text_of(judge.rule), seen_s, data))
        self._states.put(rows)

    async def _on(self, work: Callable[..., None], *given: object) -> bool:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)
        except StoreError as error:
            if not self.failing:
                log.error("learnt_not_stored", error=str(error))
            self.failing = True
            return False
        self.failing = False
        return True


def learnt(watch: Lines) -> Iterator[Picked]:
    """What the rules of a watch know now and can't read off a few samples."""
    if not _learns(watch.probe):
        return
    for line in watch.lines():
        for judge in line.judges:
            if judge.detector.kept and judge.state is not None and (seen_s := _seen_s(watch, line, judge)) is not None:
                yield judge, (watch.probe.name, judge.rule.name, str(line.id)), seen_s, judge.state


def _learns(probe: Probe) -> bool:
    return any(DETECTORS[rule.kind].kept for rule in probe.rules)


def _seen_s(watch: Lines, line: Line, judge: Judge) -> float | None:
    """None: it can't be told, since its samples are gone already."""
    seen_s = line.times[-1 - judge.late] if judge.late < len(line.times) else None
    if not judge.detector.ticks:
        return seen_s
    run = watch.run_of(line.id.target)
    return max(seen_s or 0.0, run.at_s if run else judge.kept_s or 0.0)
