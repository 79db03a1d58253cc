"""Forewarn looks after itself: its disk, the watcher outside, its files, its own figures. Wired once, beside the daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from forewarn.app.files_watch import FilesWatch, Snapshot
from forewarn.app.full_disk import FullDisk
from forewarn.app.own_health import OwnHealth
from forewarn.model.settings import Settings
from forewarn.model.text import Say
from forewarn.ports import Clock, Kind, Transport
from forewarn.probers import PROBERS
from forewarn.probers.own import SelfProber
from forewarn.reach.machine import Machines
from forewarn.runtime.ballast import Ballast
from forewarn.runtime.heartbeat import PROGRESS_S, Pacemaker
from forewarn.runtime.inbox import Inbox
from forewarn.runtime.outbox import Outbox
from forewarn.runtime.poller import Poller
from forewarn.runtime.schedule import Schedule
from forewarn.runtime.state_folder import StateFolder
from forewarn.runtime.supervise import start
from forewarn.runtime.telemetry import Telemetry
from forewarn.runtime.uplink import Uplink

DISK_S = 5.0
FILES_S = 15.0


class SelfCare:
    """Made before the parts that it looks after (they need its hooks); `attach` hands them in, `begin` starts its work."""

    def __init__(
        self,
        place: StateFolder,
        clock: Clock,
        settings: Callable[[], Settings],
        transports: Callable[[], Mapping[str, Transport]],
        writer: Executor,
        threads: Executor,
        telemetry: Telemetry,
        loaded: Snapshot,
    ) -> None:
        self._clock, self._telemetry, self._settings = clock, telemetry, settings
        self._writer = writer
        self.disk = FullDisk(
            Ballast(place.ballast), place.shown, lambda: self._inbox, settings, transports, clock, writer
        )  # fmt: skip
        self.heart = Pacemaker(lambda: settings().daemon.heartbeat, self._alive, clock, threads, telemetry)
        self.files = FilesWatch(Path(settings().folder), loaded)
        self.uplink = Uplink(lambda: settings().daemon.uplink)

    def attach(self, inbox: Inbox, poller: Poller, outbox: Outbox) -> None:
        """The parts that are looked after."""
        self._inbox, self._poller, self._outbox = inbox, poller, outbox
        self.health = OwnHealth(self._clock, inbox, poller, outbox, lambda: self.heart.beaten.failures, self.uplink)

    def kinds(self, machines: Machines) -> Mapping[str, Kind]:
        """The table of probers: those that can, reach `machines`, and one knows our own figures."""
        own = replace(PROBERS["self"], make=lambda: SelfProber(lambda: self.health.figures()))
        return PROBERS.reaching(machines, {"self": own})

    def begin(self, group: asyncio.TaskGroup, schedule: Schedule) -> list[asyncio.Task[None]]:
        """Tasks and jobs; the tasks are the caller's to cancel."""
        schedule.every(DISK_S, "disk", self.disk.look)
        schedule.every(FILES_S, "files", self._look_at_files)
        return [
            start(group, "heartbeat", self.heart.run, self._clock),
            start(group, "own health", self.health.run, self._clock),
            start(group, "uplink", self.uplink.run, self._clock),
        ]

    def troubles(self) -> list[Say]:
        """What is wrong with ourselves."""
        return [trouble for trouble in (self.disk.trouble, self.files.trouble, self.heart.trouble) if trouble]

    def gauges(self) -> None:
        """For /metrics."""
        self.health.gauges(self._telemetry)
        self._telemetry.set("forewarn_ballast", 1 if self.disk.there else 0)
        self._telemetry.set("forewarn_config_older", len(self.files.names))
        self._telemetry.set("forewarn_heartbeat_failures", self.heart.beaten.failures)

    async def _look_at_files(self) -> None:
        await asyncio.to_thread(self.files.look)

    async def _alive(self) -> bool:
        """The owner takes a nudge, and the store has kept what came last."""
        before = self._inbox.beats
        self._inbox.nudge()
        try:
            async with asyncio.timeout(PROGRESS_S):
                while self._inbox.beats == before:  # noqa: ASYNC110 - it has no event for this, and needs none
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return self._inbox.trouble is None and self._poller.storing() and not self.disk.full
