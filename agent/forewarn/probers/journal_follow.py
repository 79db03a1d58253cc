"""Follows the journal for kind journal: one journalctl for each probe, begun again with a growing pause when it ends."""

from __future__ import annotations

import asyncio
import stat
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from glob import glob
from pathlib import Path
from typing import Any

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.ports import Deliver
from forewarn.probers.journal import JournalOptions, argv
from forewarn.probers.journal_process import HINT, Journalctl
from forewarn.probers.journal_read import Entry, entry_of
from forewarn.probers.log_lines import BIRTH_S, EXAMPLES, compiled, match_lines, runs_of
from forewarn.probers.log_tally import Tally
from forewarn.probers.log_time import LATE_S, SLOT_S
from forewarn.probers.reasons import Failure, Reason, failed, unknown

PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0)
BACKLOG_S = 2.0  # so long what lay in the journal may take to come, before "now" is told
TELL_S = 0.05  # runs that matching entries cause are at least this far apart
IN_USE_S = 86400.0  # a log that so long nobody wrote to is a leftover
DROPPED: Column = ("entries_dropped_total", ())


class Reading:
    """One probe under way: its counters, its place in the journal, what is news."""

    def __init__(self, probe: Probe, cursor: Mapping[str, Any] | None) -> None:
        self.probe = probe
        self.options: JournalOptions = probe.options  # type: ignore[assignment]
        self.place: str | None = (cursor or {}).get("cursor")
        self.failure: Failure | None = None
        self.news = self.blind = False
        self._tally = Tally(self.options, (cursor or {}).get("counters"))
        self._told, self._told_s = self._tally.counts(), float((cursor or {}).get("told", 0.0))
        self._dropped = float((cursor or {}).get("dropped", 0.0))
        self._cursor: dict[str, Any] | None = None
        self._examples: list[str] = []
        self._past: list[tuple[float, Counter[Column]]] = []
        self._room, self._room_s = float(self.options.most_per_s), time.monotonic()
        self._history_s = float((cursor or {}).get("history") or (0.0 if cursor else time.time()))

    def take(self, lines: Sequence[bytes], now_s: float) -> None:
        """Count what these entries hold. `now_s` is epoch seconds."""
        entries = [entry for entry in map(entry_of, lines) if entry]
        if not entries:
            return
        self.place = entries[-1].cursor
        past = sum(entry.at_s < self._history_s for entry in entries)  # what lay there at first sight is read in peace
        kept = entries[: past + self._allowed(len(entries) - past)]
        self._dropped += len(entries) - len(kept)
        self._tally.add(len(entries) - len(kept), {})
        late = [entry for entry in kept if now_s - entry.at_s > LATE_S]
        for slot in sorted({entry.at_s // SLOT_S for entry in late}):
            self._count([entry for entry in late if entry.at_s // SLOT_S == slot], (slot + 1) * SLOT_S - 0.01)
        self._count([entry for entry in kept if now_s - entry.at_s <= LATE_S], None)

    def _allowed(self, wanted: int) -> int:
        """A bucket of one second's entries."""
        now, most = time.monotonic(), float(self.options.most_per_s)
        self._room = min(most, self._room + (now - self._room_s) * most)
        self._room_s = now
        allowed = min(wanted, int(self._room))
        self._room -= allowed
        return allowed

    def _count(self, entries: Sequence[Entry], past_s: float | None) -> None:
        found = match_lines(compiled(self.options), [entry.line for entry in entries], _fields(entries))
        self._examples = [*self._examples, *found.examples][:EXAMPLES]
        self.news = self.news or found.matched
        if past_s is None:
            self._tally.add(found.lines, found.counts)
        else:
            self._tally.add(found.lines, {})
            self._past.append((past_s, found.counts))

    def runs(self, at_s: float, late_s: float = 0.0) -> tuple[ProbeRun, ...]:
        """What is to be told now; afterwards it is told. What was long ago comes first, each minute by itself."""
        runs: list[ProbeRun] = []
        for past_s, counts in self._past:
            self._tally.add(0, counts)
            runs += self._counted(min(max(past_s, self._told_s + 2 * BIRTH_S), at_s - 2 * BIRTH_S))
        if self.failure:
            runs.append(failed(self.probe, self.probe.targets[0], self.failure, at_s, late_s))
        else:
            blind = f"only part of the journal is seen: {HINT}" if self.blind else None
            detail = "; ".join(filter(None, (blind, self._tally.trouble()))) or None
            runs += self._counted(at_s, tuple(self._examples), lateness_s=late_s, detail=detail)
        self._past, self._examples, self.news = [], [], False
        cursor = {"cursor": self.place, "counters": self._tally.stored(), "dropped": self._dropped, "history": self._history_s}
        if cursor != self._cursor:
            self._cursor = cursor
            runs[-1] = replace(runs[-1], cursor={**cursor, "told": at_s})
        return tuple(runs)

    def _counted(self, at_s: float, lines: tuple[str, ...] = (), **more: Any) -> list[ProbeRun]:
        before, self._told, self._told_s = self._told, self._tally.counts(), at_s
        runs = runs_of(self.probe, before, self._told, at_s, lines, **more)
        return [replace(run, columns=(*run.columns, DROPPED), values=(*run.values, self._dropped)) for run in runs]


def _fields(entries: Sequence[Entry]) -> Callable[[int], object]:
    """The fields of an entry by where its line begins in the block that match_lines makes of all."""
    places, at = {}, 0
    for entry in entries:
        places[at] = entry.fields
        at += len(entry.line.encode("utf-8", "replace")) + 1
    return places.get


class JournalFollower:
    """Follows the journal, each probe in a task and with a journalctl of its own."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep

    async def follow(self, probe: Probe, cursor: Mapping[str, object] | None, deliver: Deliver) -> None:
        """Runs until cancelled."""
        reading, tries = Reading(probe, cursor), 0
        while True:
            if (why := await asyncio.to_thread(_elsewhere, reading.options)) is not None:
                for run in _resting(reading, why):
                    deliver(run)
                await self._sleep(probe.every_s)
                continue
            began, place = time.monotonic(), reading.place
            reading.failure = await self._read(reading, deliver)
            if reading.failure and reading.failure.reason is Reason.CONFIG and place:
                reading.place = None  # the journal that we knew is gone: begin where a first sight would
            for run in reading.runs(time.time()):
                deliver(run)
            tries = 0 if time.monotonic() - began > PAUSES_S[-1] else tries
            await self._sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
            tries += 1

    async def _read(self, reading: Reading, deliver: Deliver) -> Failure:
        """One journalctl from its start to its end; answers why it ended."""
        if failure := await asyncio.to_thread(_missing, reading.options):
            return failure
        process, probe = Journalctl(argv(reading.options, reading.place)), reading.probe
        try:
            if failure := await process.start():
                return failure
            due = told = time.monotonic() + min(BACKLOG_S, probe.every_s)
            while True:
                now = time.monotonic()
                wait_s = max(0.0, due - now) if not reading.news else max(0.0, told + TELL_S - now)
                lines = await process.lines(wait_s)
                if lines is None:
                    return process.failure()
                reading.failure, reading.blind = None, process.blind
                reading.take(lines, time.time())
                now = time.monotonic()
                if now >= due or (reading.news and now - told >= TELL_S):
                    for run in reading.runs(time.time(), max(0.0, now - due)):
                        deliver(run)
                    told = now
                while due <= now:
                    due += probe.every_s
        finally:
            await process.stop()

    async def once(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        """One look at the newest thousand entries: what they would have counted."""
        reading = Reading(probe, None)
        if (why := _elsewhere(reading.options)) is not None:
            return replace(_resting(reading, why)[-1], at_s=at_s, target=target.name, cursor=None)
        process = Journalctl(argv(reading.options, None, follow=False))
        try:
            reading.failure = _missing(reading.options) or await process.start()
            while reading.failure is None and (lines := await process.lines(probe.timeout_s)):
                reading.take(lines, 0.0)
            if reading.failure is None and process.blind:
                reading.failure = process.failure()
        finally:
            await process.stop()
        return replace(reading.runs(at_s)[-1], target=target.name, cursor=None)

    def close(self) -> None:
        """Each follower ends its own journalctl."""


def _elsewhere(options: JournalOptions) -> str | None:
    """The file that holds the same lines, if there is one: then this probe rests."""
    for path in (path for one in options.instead_of for path in sorted(glob(one))):  # noqa: PTH207 - absolute
        with suppress(OSError):
            found = Path(path).stat()
            if stat.S_ISREG(found.st_mode) and time.time() - found.st_mtime < IN_USE_S:
                return path
    return None


def _resting(reading: Reading, why: str) -> tuple[ProbeRun, ...]:
    """All is well, and nothing is counted: another probe reads the same lines in a file."""
    target = reading.probe.targets[0].name
    detail = f"resting: the same lines stand in {why}, which the probe of that file counts"
    return (ProbeRun(probe=reading.probe.name, target=target, at_s=time.time(), outcome=Outcome.UP, detail=detail),)


def _missing(options: JournalOptions) -> Failure | None:
    """Why there is no journal at all."""
    folders = (options.directory,) if options.directory else ("/var/log/journal", "/run/log/journal")
    if any(Path(folder).is_dir() for folder in folders):
        return None
    return unknown(Reason.MISSING, f"there is no journal in {' or '.join(folders)}")
