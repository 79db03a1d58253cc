"""Looks at this machine every few minutes and puts what has changed into the feed.

What it saw last lies in the state folder, so that what changes while nobody looks (an upgrade that restarts Forewarn too) is
found at the next start. At the first start of all it takes the package history of the last week, and the last boot: dated facts
that lie there anyhow.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog

from forewarn.app.changes import Seen, files, machine, packages
from forewarn.model.errors import Refused, StoreError
from forewarn.model.settings import Settings
from forewarn.ports import Clock
from forewarn.reach.local import CannotRun, run

log = structlog.get_logger("forewarn.changes")
FIRST_WEEK = timedelta(days=7)
TAIL_BYTES = 1_048_576
SYSTEMCTL_S = 10.0
HERE = "local"
WHO = "forewarn"


class Tell(Protocol):
    """The owner's command."""

    async def __call__(self, verb: str, id: str | None, by: str, words: tuple[str, ...], text: str | None) -> str | None: ...


@dataclass(slots=True)
class Memory:
    """What was seen last. `packages_at`: up to when the package history has been told."""

    facts: machine.Facts | None = None
    files: dict[str, files.Mark] = field(default_factory=dict)
    packages_at: datetime | None = None


class Finder:
    """`look` once; it never raises for what it can't see. `root` is where tests have another machine."""

    def __init__(self, tell: Tell, settings: Callable[[], Settings], memory: Path, clock: Clock, root: Path = Path("/")) -> None:
        self._tell, self._settings, self._file, self._clock, self._root = tell, settings, memory, clock, root
        self._memory: Memory | None = None

    async def job(self) -> None:
        """A look, for the daemon's schedule."""
        if told := await self.look():
            log.info("changes_found", count=told)

    async def look(self) -> int:
        """Answers how many changes were told; those that can't be stored now are found again at the next look."""
        wanted = self._settings().daemon.changes
        if not wanted.find:
            return 0
        shown = await self._systemctl()
        memory, found = await asyncio.to_thread(self._looked, shown, wanted.folders)
        told = 0
        for seen in sorted(found, key=lambda seen: seen.at):
            words = (seen.what, "", HERE, seen.at.isoformat(), seen.key, "found")
            try:
                await self._tell("changed", None, WHO, words, seen.text)
            except Refused as refused:
                log.warning("change_refused", text=seen.text, why=refused.say.key)
                continue
            except StoreError:
                return told
            told += 1
        self._memory = memory
        await asyncio.to_thread(self._keep, memory)
        return told

    async def _systemctl(self) -> str:
        if self._root != Path("/"):
            return ""
        try:
            ran = await run(machine.STARTED, SYSTEMCTL_S, 1_048_576)
        except CannotRun:
            return ""
        return "" if ran.timed_out or ran.code else ran.out

    def _looked(self, shown: str, folders: Sequence[str]) -> tuple[Memory, list[Seen]]:
        now, before = self._clock.now(), self._memory or self._kept()
        facts = machine.read(self._root / "proc", self._root / "sys")
        facts = machine.Facts(facts.boot, facts.booted_s, facts.kernel, facts.disks, machine.units_of(shown))
        found = machine.compared(before.facts, facts, now)
        marks = files.look([str(self._root / folder.lstrip("/")) for folder in folders], before.files)
        if before.files:
            found += files.compared(before.files, marks, now)
        bursts = packages.bursts(self._steps(), before.packages_at or now - FIRST_WEEK)
        settled = [seen for seen in bursts if now - seen.at > packages.PAUSE]  # one that may still go on is told when it is over
        found += settled
        newest = max([seen.at for seen in settled], default=before.packages_at or now - FIRST_WEEK)
        return Memory(facts, marks, newest), found

    def _steps(self) -> list[packages.Step]:
        logs = {name: _tail(self._root / name.lstrip("/")) for name in (packages.DPKG, packages.DNF)}
        zone = self._settings().daemon.zone
        return [*packages.dpkg(logs[packages.DPKG], zone), *packages.dnf(logs[packages.DNF])]

    def _kept(self) -> Memory:
        try:
            body: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
            marks = {path: tuple(mark) for path, mark in body["files"].items()}
            facts = machine.Facts(**body["facts"])
            return Memory(facts, marks, datetime.fromisoformat(body["packages_at"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Memory()

    def _keep(self, memory: Memory) -> None:
        facts = asdict(memory.facts) if memory.facts else {}
        body: Mapping[str, object] = {
            "facts": facts,
            "files": memory.files,
            "packages_at": memory.packages_at.isoformat() if memory.packages_at else "",
        }
        fresh = self._file.with_suffix(".new")
        with suppress(OSError):  # a full disk: it is looked at again from what was kept before
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(body), "utf-8")
            fresh.replace(self._file)


def _tail(path: Path) -> str:
    """The end of a log; "" where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
