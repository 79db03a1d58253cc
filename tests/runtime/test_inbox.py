"""The owner's heart beats while it takes inputs or tries to store, and stands still when it hangs."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.config.load import load
from forewarn.core.work import state_of
from forewarn.model.errors import StoreError
from forewarn.probers import PROBERS
from forewarn.runtime import inbox as module
from forewarn.runtime.inbox import Inbox

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
SMALL = Path(__file__).parents[1] / "scenarios" / "small"


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Disk:
    """A ledger that hangs until it is let go, or that is full."""

    def __init__(self) -> None:
        self.free, self.entered, self.full, self.tries = threading.Event(), threading.Event(), False, 0

    def commit(self, *things, **more) -> None:
        self.entered.set()
        self.free.wait(10)
        self.tries += 1
        if self.full:
            raise StoreError("no space left on device")


@pytest.fixture
async def owner(monkeypatch):
    monkeypatch.setattr(module, "STORE_PAUSE_S", 0.001)
    disk, state = Disk(), state_of(load(SMALL, PROBERS, NOW, {}), [], {})
    with ThreadPoolExecutor(1) as thread:
        inbox = Inbox(state, disk, Clock(), thread, lambda: None, lambda *_: None)
        task = asyncio.create_task(inbox.run())
        yield inbox, disk
        disk.full = False
        disk.free.set()
        await inbox.idle()
        task.cancel()


async def test_an_idle_owner_that_is_nudged_beats(owner):
    inbox, _ = owner
    inbox.nudge()
    await inbox.idle()
    assert (inbox.beats, inbox.handled) == (1, 0)


async def test_an_owner_that_hangs_does_not_beat(owner):
    inbox, disk = owner
    asking = asyncio.create_task(inbox.command("declare", None, "on-call-1", ("checkout",), "orders are lost"))
    assert await asyncio.to_thread(disk.entered.wait, 10)
    for _ in range(3):
        inbox.nudge()
    assert inbox.beats == 0 and inbox.waiting == 1
    disk.free.set()
    assert await asking == "INC-1"
    await inbox.idle()
    assert inbox.beats == 2


async def test_waiting_for_a_full_disk_is_no_hanging(owner):
    inbox, disk = owner
    disk.full = True
    disk.free.set()
    asking = asyncio.create_task(inbox.command("declare", None, "on-call-1", ("checkout",), "orders are lost"))
    async with asyncio.timeout(10):
        while disk.tries < 3:
            await asyncio.sleep(0.001)
    assert inbox.beats >= 2 and inbox.trouble is not None and not asking.done()
    disk.full = False
    assert await asking == "INC-1"
    assert inbox.trouble is None
