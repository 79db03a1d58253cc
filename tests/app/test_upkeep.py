"""The hourly upkeep of the stores, hour by hour on a simulated clock: what is over is summarised, what is old goes, and nothing else."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from forewarn.app import upkeep
from forewarn.app.upkeep import Upkeep
from forewarn.model.series import SeriesId
from forewarn.model.settings import Daemon
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples

START = datetime(2026, 9, 1, 0, 20, tzinfo=UTC)
DAY, STEP_S = 86_400, 600
LOAD, ROOM = SeriesId("host", "local", "load"), SeriesId("disk", "local", "fs_used_ratio", (("mount", "/"),))
KEPT = Daemon(zone=UTC, retention_s=3 * DAY, rollups_s={300: 6 * DAY, 3600: 9 * DAY})


class Calendar:
    """The daemon's calendar without its timers: a job is due when the simulated clock says so."""

    def __init__(self) -> None:
        self.at = START
        self._jobs: list[tuple[timedelta, datetime, Callable[[], Awaitable[None]]]] = []

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def every(self, seconds: float, name: str, job: Callable[[], Awaitable[None]]) -> None:
        self._jobs.append((timedelta(seconds=seconds), self.at + timedelta(seconds=seconds), job))

    async def until(self, moment: datetime) -> None:
        """Let time pass, from one due job to the next; a machine that slept runs each once."""
        self.at = moment
        for place, (span, due, job) in enumerate(self._jobs):
            if due <= moment:
                await job()
                self._jobs[place] = (span, moment + span, job)


class Site:
    def __init__(self, folder, kept: Daemon) -> None:  # type: ignore[no-untyped-def]
        self.samples, self.ledger = SqliteSamples(folder / "samples.db"), SqliteLedger(folder / "ledger.db")
        self.calendar, self.kept, self.written_s = Calendar(), kept, START.timestamp()
        self.pool = ThreadPoolExecutor(2)
        keeper = Upkeep(self.samples, self.ledger, self.calendar, self.pool, self.pool, lambda: self.kept)
        self.calendar.every(upkeep.EVERY_S, "retention", keeper.prune)

    def measure(self, until_s: float) -> None:
        rows = []
        while (self.written_s + STEP_S) <= until_s:
            self.written_s += STEP_S
            rows += [((LOAD,), self.written_s, (math.sin(self.written_s / 7_000),)), ((ROOM,), self.written_s, (0.5,))]
        self.samples.append_runs(rows)

    async def hours(self, count: int) -> None:
        for _ in range(count):
            moment = self.calendar.at + timedelta(hours=1)
            self.measure(moment.timestamp())
            await self.calendar.until(moment)

    @property
    def now_s(self) -> float:
        return self.calendar.at.timestamp()

    def oldest_days(self) -> tuple[float, float, float]:
        """How old the oldest sample, five-minute and hourly summary are, in days."""
        first = self.samples.first(LOAD) or self.now_s
        slots = [self.samples.rolled(LOAD, 0, self.now_s, step)[0].at_s for step in (300, 3600)]
        return tuple((self.now_s - at) / DAY for at in (first, *slots))  # type: ignore[return-value]

    def close(self) -> None:
        self.samples.close()
        self.ledger.close()
        self.pool.shutdown()


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "ROLL_PAUSE_S", 0.0)
    made = Site(tmp_path, KEPT)
    yield made
    made.close()


def marked(site: Site) -> list[float]:
    """Up to when each bundle is summarised."""
    with site.samples._file.reading() as db:
        return [until for (until,) in db.execute("SELECT until FROM roll_mark ORDER BY bundle")]


def test_each_form_is_kept_for_its_own_time_and_no_longer(site):
    async def life() -> None:
        for day in range(1, 13):
            await site.hours(24)
            assert marked(site) == [(site.now_s // DAY) * DAY - (DAY if site.now_s % DAY < 3600 else 0)] * 2
            ages = site.oldest_days()
            for age, most in zip(ages, (3, 6, 9), strict=True):
                assert age <= most + 1.1  # a summary goes by the day
                assert age >= min(day, most) - 0.1

    asyncio.run(life())
    whole = site.samples.rolled(LOAD, site.now_s - 8 * DAY, site.now_s - 4 * DAY, 3600)
    assert len(whole) == 96 and {slot.count for slot in whole} == {6}  # hours of which no sample is left
    assert site.samples.read(LOAD, 0, site.now_s - 3 * DAY - 3600).times_s == site.samples.read(ROOM, 0, 1).times_s
    assert set(site.samples.series()) == {LOAD, ROOM}


def test_a_machine_that_slept_catches_up_in_the_next_hour(site):
    async def life() -> None:
        await site.hours(30)
        site.measure(site.now_s + 5 * DAY)  # it measured, and its calendar stood still
        await site.calendar.until(site.calendar.at + timedelta(days=5))

    asyncio.run(life())
    assert marked(site) == [site.now_s // DAY * DAY] * 2
    days = [slot.at_s // DAY for slot in site.samples.rolled(LOAD, 0, site.now_s, 3600)]
    assert sorted(set(days)) == list(range(int(START.timestamp() // DAY), int(site.now_s // DAY) + 1))
    assert site.oldest_days()[0] <= 3.01


def test_another_policy_counts_from_the_next_hour_on(site):
    async def life() -> None:
        await site.hours(24 * 5)
        site.kept = Daemon(zone=UTC, retention_s=1 * DAY, rollups_s={300: 0.0, 3600: 2 * DAY})
        await site.hours(1)
        assert site.oldest_days()[0] <= 1.01 and site.oldest_days()[2] <= 3.1
        site.kept = Daemon(zone=UTC, retention_s=1 * DAY, rollups_s={300: 0.0, 3600: 0.0})
        before = marked(site)
        await site.hours(48)
        assert marked(site) == before  # nothing is summarised that nobody wants

    asyncio.run(life())


def test_one_go_is_bounded(site, monkeypatch):
    """So that what else wants the file gets in between: days of targets are counted, not time."""
    monkeypatch.setattr(upkeep, "ROLLED", 1)
    asked: list[int] = []
    roll = site.samples.roll
    monkeypatch.setattr(site.samples, "roll", lambda now_s, most: asked.append(roll(now_s, most)) or asked[-1])
    site.measure(START.timestamp() + 20 * DAY)
    asyncio.run(site.calendar.until(START + timedelta(days=20)))
    assert set(asked) == {0, 1} and sum(asked) == 2 * 19 and asked[-1] == 0  # the last day ended 20 minutes ago
