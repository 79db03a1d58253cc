"""One probe of kind log under way: its files, its counters, what was told and what is news."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forewarn.model.probe import Probe
from forewarn.model.series import Column, ProbeRun
from forewarn.probers.log import LogOptions
from forewarn.probers.log_files import Batch, Files
from forewarn.probers.log_lines import BIRTH_S, EXAMPLES, Matches, compiled, match_block, runs_of
from forewarn.probers.log_source import Place
from forewarn.probers.log_tally import Tally
from forewarn.probers.log_templates import TemplateCounts
from forewarn.probers.log_time import Clockwork
from forewarn.probers.log_wake import FILE, FOLDER, Wake
from forewarn.probers.reasons import Reason, failed

MOST_PAST = 2000
"""Minutes of the past in one step that are told apart; older ones count with the first of them."""


class Following:
    """`step` runs on a thread, everything else on the loop's."""

    def __init__(
        self, probe: Probe, start: str, cursor: Mapping[str, Any] | None, wake: Wake | None, place: Place | None = None
    ) -> None:
        self.probe, self._wake = probe, wake
        self.options: LogOptions = probe.options  # type: ignore[assignment]
        self.files = Files(self.options, start, cursor, place)
        self._tally = Tally(self.options, (cursor or {}).get("counters"))
        self._templates = (
            TemplateCounts(self.options.max_labels, (cursor or {}).get("templates", ()), time.monotonic())
            if self.options.templates
            else None
        )
        self._told = self._tally.counts()
        self._told_s = float((cursor or {}).get("told", 0.0))
        self._cursor: dict[str, Any] | None = None
        self._clockwork = Clockwork(self.options.zone)
        self._past: dict[float, Counter[Column]] = {}
        self._examples: list[str] = []
        self._now: list[tuple[int, Counter[Column]]] = []
        self._catching_up = True
        self.news = False  # lines have matched that were not told yet
        self.grew = False  # the last step found lines
        self.event = asyncio.Event()
        self.changed: set[int] = set()
        self.folders: set[int] = set()
        self._watched: set[int] = set()  # files

    def step(self, changed: set[int] | None, last: bool = False) -> float | None:
        """Read and count. Blocks. Answers how soon to come again at the latest; None: not before something happens.

        `last`: an event at the end of a file is over.
        """
        batch = self._read(time.monotonic() + (3600.0 if last else 0.0), changed)
        more, grew = batch.more, bool(batch.blocks)
        if changed is None and (fresh := self._watch()):  # what came before they were watched was not told of
            batch = self._read(time.monotonic(), fresh)
            more, grew = more or batch.more, grew or bool(batch.blocks)
        self.grew = grew
        self._catching_up = self._catching_up and more
        return 0.0 if more else batch.again_s

    def _read(self, now: float, changed: set[int] | None) -> Batch:
        batch, patterns = self.files.step(now, changed), compiled(self.options)
        stamp = self._clockwork.stamper(time.time()) if self._catching_up else None
        for block in batch.blocks:
            self._take(match_block(patterns, block.text, block.starts, examples=EXAMPLES - len(self._examples), stamp=stamp))
            if self._templates:
                counts, past = self._templates.of(block.lines(), block.inode, now, stamp)
                self._now.append((0, counts))
                self._take_past(past)
        return batch

    def _take(self, found: Matches) -> None:
        self._now.append((found.lines, found.counts))
        self._take_past(found.past)
        self._examples += found.examples
        self.news = self.news or found.matched

    def _take_past(self, past: Mapping[float, Counter[Column]]) -> None:
        for at_s, counts in past.items():
            at_s = at_s if at_s in self._past or len(self._past) < MOST_PAST else min(self._past)
            self._past.setdefault(at_s, Counter()).update(counts)

    def runs(self, at_s: float, lateness_s: float = 0.0, took_s: float = 0.0) -> tuple[ProbeRun, ...]:
        """What is to be told now; afterwards it is told. What was long ago comes first, each minute by itself."""
        runs: list[ProbeRun] = []
        for past_s in sorted(self._past):
            self._tally.add(0, self._past[past_s])
            runs += self._told_at(min(max(past_s, self._told_s + 2 * BIRTH_S), at_s - 2 * BIRTH_S))
        for lines, counts in self._now:
            self._tally.add(lines, counts)
        failure = self.files.failure()
        resting = failure.detail if failure and failure.reason is Reason.MISSING and self.options.optional else None
        if failure and not resting:
            runs.append(failed(self.probe, self.probe.targets[0], failure, at_s, lateness_s, took_s))
        else:
            detail = (
                "; ".join(filter(None, (resting and f"resting: {resting}", self.files.trouble(), self._tally.trouble()))) or None
            )
            runs += self._told_at(at_s, tuple(self._examples), lateness_s=lateness_s, took_s=took_s, detail=detail)
        self._past, self._now, self._examples, self.news = {}, [], [], False
        cursor = {**self.files.stored(), "counters": self._tally.stored()}
        if self._templates:
            cursor["templates"] = self._templates.stored()
        if cursor != self._cursor:  # one that says nothing new need not be stored again
            self._cursor = cursor
            runs[-1] = replace(runs[-1], cursor={**cursor, "told": at_s})
        return tuple(runs)

    def _told_at(self, at_s: float, lines: tuple[str, ...] = (), **more: Any) -> tuple[ProbeRun, ...]:
        before, self._told, self._told_s = self._told, self._tally.counts(), at_s
        return runs_of(self.probe, before, self._told, at_s, lines, **more)

    # --- being told of changes ---

    def _watch(self) -> set[int]:
        """Have what is open now watched, and the folders in which files come and go. Answers the watches that are new."""
        if self._wake is None:
            return set()
        fresh: set[int] = set()
        for tail in self.files.tails:
            path = self.files.watched(tail) if tail.watch is None else None
            if path and (number := self._wake.watch(path, FILE, self.tell)) is not None:
                tail.watch = number
                fresh.add(number)
        now = {tail.watch for tail in self.files.tails if tail.watch is not None}
        for number in self._watched - now:
            self._wake.forget(number, self.tell)
        folders = (self._wake.watch(folder, FOLDER, self.tell) for folder in self.files.folders())
        self._watched, self.folders = now, {number for number in folders if number is not None}
        return fresh

    def tell(self, numbers: set[int]) -> None:
        """These watches have changed."""
        self.changed |= numbers
        self.event.set()

    def close(self) -> None:
        if self._wake:
            for number in (*self._watched, *self.folders):
                self._wake.forget(number, self.tell)
        self.files.close()
