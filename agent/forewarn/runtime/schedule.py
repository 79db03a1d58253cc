"""Calendar jobs and the one alarm for dues, on APScheduler 3.11.

Its defaults drop runs that are a second late and say nothing; ours keep and coalesce them, and every missed or failed run
is logged. Probes are not jobs here (one job each costs more than the probe): the poller has its own timer.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from forewarn.ports import Clock

log = structlog.get_logger("forewarn.schedule")
DRAIN_S = 5.0


class Schedule:
    """`every` and `at` name their jobs; the same name again moves the job."""

    def __init__(self, clock: Clock) -> None:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        self._clock = clock
        self._busy: set[asyncio.Task[None]] = set()
        self.troubles: Counter[str] = Counter()  # missed, overlap, error -> how often
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        self._scheduler: Any = AsyncIOScheduler(job_defaults=defaults, timezone="UTC")

    def start(self) -> None:
        from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED

        self._scheduler.add_listener(self._report, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._scheduler.start()

    def every(self, seconds: float, name: str, job: Callable[[], Awaitable[None]]) -> None:
        """Run `job` at this interval, the first time one interval from now; never twice at once."""

        async def run() -> None:
            task = asyncio.current_task()
            if task:
                task.set_name(f"job {name}")
                self._busy.add(task)
                task.add_done_callback(self._busy.discard)
            await job()

        first = self._clock.now() + timedelta(seconds=seconds)
        self._scheduler.add_job(run, "interval", seconds=seconds, id=name, name=name, next_run_time=first, replace_existing=True)

    def at(self, when: datetime, name: str, job: Callable[[], None]) -> None:
        """Call `job` once at `when`, on the loop; a moment that has passed means at once."""

        async def ring() -> None:
            job()

        self._scheduler.add_job(ring, "date", run_date=max(when, self._clock.now()), id=name, name=name, replace_existing=True)

    async def stop(self) -> None:
        """No more jobs; those under way come to their end, or are cut off after DRAIN_S."""
        if self._scheduler.running:
            self._scheduler.pause()
            self._scheduler.remove_all_jobs()
            if busy := set(self._busy):
                _, late = await asyncio.wait(busy, timeout=DRAIN_S)
                for task in late:
                    log.warning("job_cut_off", job=task.get_name())
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
            self._scheduler.shutdown(wait=False)

    def _report(self, event: Any) -> None:
        from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED

        trouble = {EVENT_JOB_MISSED: "missed", EVENT_JOB_MAX_INSTANCES: "overlap"}.get(event.code, "error")
        self.troubles[trouble] += 1
        error = getattr(event, "exception", None)
        log.warning("job_trouble", job=event.job_id, trouble=trouble, error=str(error) if error else None, exc_info=error)
