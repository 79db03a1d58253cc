"""The garbage collector is told what lives on: at once, and again when every target has been looked at."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from forewarn.app import collector


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


class Thing:
    """Something that can be part of a cycle."""

    other: Thing


def test_what_is_there_is_set_aside_and_still_goes_when_nobody_needs_it() -> None:
    thing = Thing()
    collector.begin()
    collector.settle()
    assert gc.get_threshold() == collector.THRESHOLD
    assert gc.get_freeze_count() > 0
    assert not any(one is thing for one in gc.get_objects()), "the collector walks by it"


def test_cycles_among_the_youngest_are_not_kept_for_good() -> None:
    gc.collect()
    one, two = Thing(), Thing()
    one.other, two.other = two, one
    ids = {id(one), id(two)}
    del one, two
    collector.settle()
    gc.unfreeze()
    assert not any(id(it) in ids and isinstance(it, Thing) for it in gc.get_objects())


@pytest.mark.parametrize(("waiting", "looks"), [(0, 1), (3, 4), (10_000, 120)])
async def test_it_is_told_again_when_all_have_been_looked_at(waiting: int, looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    settled: list[float] = []
    left, real = waiting, asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def waits() -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    monkeypatch.setattr(collector.asyncio, "sleep", sleep)
    monkeypatch.setattr(collector, "settle", lambda: settled.append(sum(slept)))
    settling = collector.Settling(waits)
    task = asyncio.create_task(settling.run())
    await real(0.01)
    once = looks * collector.LOOK_EVERY_S + collector.AFTER_S
    assert settled == [once], "once, after two minutes at the latest"
    left = 0
    settling.again()
    await real(0.01)
    assert settled == [once, once + collector.LOOK_EVERY_S + collector.AFTER_S], "and after a reload"
    task.cancel()
