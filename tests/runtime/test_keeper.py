"""Samples wait where the ledger needs the room, and are stored afterwards, in their order and within bounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from forewarn.model.errors import StoreError
from forewarn.model.series import SeriesId
from forewarn.runtime import keeper as module
from forewarn.runtime.keeper import Keeper

SERIES = SeriesId("host", "local", "load1")


class Disk:
    def __init__(self) -> None:
        self.rows: list[float] = []
        self.full = False

    def append_runs(self, rows, cursors) -> None:
        if self.full:
            raise StoreError("no room", full=True)
        self.rows += [value for _, _, values in rows for value in values]


async def test_held_samples_wait_and_come_after() -> None:
    disk, held = Disk(), [True]
    with ThreadPoolExecutor(1) as thread:
        keeper = Keeper(disk, thread, held=lambda: held[0])
        keeper.add("host", ((SERIES,), 1.0, (1.0,)), {"at": 1})
        await keeper.flush()
        assert disk.rows == [] and keeper.waiting == 1
        held[0] = False
        keeper.add("host", ((SERIES,), 2.0, (2.0,)), None)
        await keeper.flush()
        assert disk.rows == [1.0, 2.0] and keeper.waiting == 0


async def test_a_full_disk_is_told_to_whoever_can_make_room() -> None:
    disk, told = Disk(), []
    disk.full = True
    with ThreadPoolExecutor(1) as thread:
        keeper = Keeper(disk, thread, relieve=lambda error: bool(told.append(error.full)))
        keeper.add("host", ((SERIES,), 1.0, (1.0,)), None)
        await keeper.flush()
        assert told == [True] and keeper.failing and keeper.errors == 1
        disk.full = False
        await keeper.flush()
        assert disk.rows == [1.0] and not keeper.failing


async def test_what_is_too_much_for_memory_is_lost_and_counted(monkeypatch) -> None:
    monkeypatch.setattr(module, "KEPT_SAMPLES", 3)
    with ThreadPoolExecutor(1) as thread:
        keeper = Keeper(Disk(), thread, held=lambda: True)
        for at in range(5):
            keeper.add("host", ((SERIES,), float(at), (float(at),)), None)
        await keeper.flush()
        assert (keeper.waiting, keeper.lost) == (3, 2)
