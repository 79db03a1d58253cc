from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from datetime import timedelta

import pytest
import structlog

from forewarn.runtime import schedule as module
from forewarn.runtime.clock import SystemClock
from forewarn.runtime.schedule import Schedule

CLOCK = SystemClock()


async def until(true, within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.005)


@pytest.fixture
async def schedule():
    made = Schedule(CLOCK)
    made.start()
    with structlog.testing.capture_logs() as made.logs:
        yield made
        await made.stop()


def soon(seconds: float):
    return CLOCK.now() + timedelta(seconds=seconds)


def test_importing_it_does_not_import_apscheduler():
    code = "import sys, forewarn.runtime.schedule; sys.exit(any(name.startswith('apscheduler') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_an_interval_job_runs_again_and_again(schedule):
    ran = []

    async def job() -> None:
        ran.append(time.monotonic())

    schedule.every(0.05, "prune", job)
    await until(lambda: len(ran) >= 4)
    assert ran[1] - ran[0] == pytest.approx(0.05, abs=0.045)


async def test_it_never_runs_twice_at_once_and_counts_what_it_left_out(schedule):
    running, most = 0, 0

    async def job() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.15)
        running -= 1

    schedule.every(0.03, "slow", job)
    await until(lambda: schedule.troubles["overlap"] >= 2)
    assert most == 1


async def test_a_stalled_loop_loses_no_job_and_makes_no_burst(schedule):
    ran = []

    async def job() -> None:
        ran.append(time.monotonic())

    schedule.every(0.1, "steady", job)
    await until(lambda: ran)
    time.sleep(1.3)  # the loop must really stall, longer than APScheduler's own second of grace
    before = len(ran)
    await until(lambda: len(ran) > before)
    await asyncio.sleep(0.05)
    assert len(ran) <= before + 2 and schedule.troubles["missed"] == 0


async def test_a_job_that_fails_is_counted_and_runs_again(schedule):
    async def job() -> None:
        raise OSError("disk full")

    schedule.every(0.03, "prune", job)
    await until(lambda: schedule.troubles["error"] >= 2)
    assert {(log["job"], log["error"]) for log in schedule.logs if log["event"] == "job_trouble"} == {("prune", "disk full")}


async def test_an_alarm_rings_once(schedule):
    rang = []
    schedule.at(soon(0.05), "dues", lambda: rang.append(1))
    await until(lambda: rang)
    await asyncio.sleep(0.1)
    assert rang == [1]


async def test_a_moment_that_has_passed_rings_at_once(schedule):
    rang = []
    schedule.at(soon(-3600), "dues", lambda: rang.append(1))
    await until(lambda: rang, within_s=1.0)


@pytest.mark.parametrize(("first", "then"), [(0.05, 0.2), (3600.0, 0.05)])
async def test_an_alarm_can_be_moved(schedule, first, then):
    rang = []
    began = time.monotonic()
    schedule.at(soon(first), "dues", lambda: rang.append("first"))
    schedule.at(soon(then), "dues", lambda: rang.append("then"))
    await until(lambda: rang)
    assert rang == ["then"] and time.monotonic() - began >= then - 0.02


async def test_stopping_lets_jobs_come_to_their_end(schedule):
    done = []

    async def job() -> None:
        await asyncio.sleep(0.1)
        done.append(1)

    schedule.every(0.02, "slow", job)
    await asyncio.sleep(0.06)
    await schedule.stop()
    assert done == [1]
    await schedule.stop()  # twice does no harm


async def test_stopping_cuts_off_what_does_not_end(schedule, monkeypatch):
    monkeypatch.setattr(module, "DRAIN_S", 0.05)
    ended = []

    async def job() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(1)

    schedule.every(0.02, "endless", job)
    await asyncio.sleep(0.06)
    await schedule.stop()
    assert ended == [1]
    assert [log["job"] for log in schedule.logs if log["event"] == "job_cut_off"] == ["job endless"]
