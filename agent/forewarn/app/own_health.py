"""Forewarn's own figures: for the probe of kind self, and the same for /metrics."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

from psutil import Process

from forewarn.ports import Clock
from forewarn.runtime.inbox import Inbox
from forewarn.runtime.outbox import Outbox
from forewarn.runtime.poller import Poller
from forewarn.runtime.telemetry import Telemetry
from forewarn.runtime.uplink import Uplink

TICK_S = 1.0


class OwnHealth:
    """`run` is the task that feels how late the loop is; `figures` answers all figures, quickly, on the loop's thread."""

    def __init__(
        self, clock: Clock, inbox: Inbox, poller: Poller, outbox: Outbox, failed_beats: Callable[[], int], uplink: Uplink
    ) -> None:
        self.uplink = uplink
        self._clock, self._inbox, self._poller, self._outbox, self._failed_beats = clock, inbox, poller, outbox, failed_beats
        self._process = Process()
        self._delay_s = 0.0
        self._cpu = (clock.monotonic(), _cpu_s())
        self._trouble_since: float | None = None

    async def run(self) -> None:
        """Sleeps a second, again and again: what comes on top of it is the loop's delay."""
        while True:
            began_s = self._clock.monotonic()
            await asyncio.sleep(TICK_S)
            self._delay_s = max(self._delay_s, self._clock.monotonic() - began_s - TICK_S)

    def figures(self) -> Mapping[str, float]:
        """Metric -> value, as probers/own.py explains them; the delay and the share of a core count since the last call."""
        delay_s, self._delay_s = self._delay_s, 0.0
        waiting, lost, errors = self._poller.unstored()
        return {
            "loop_delay_s": max(0.0, delay_s),
            "cpu_ratio": self._cpu_ratio(),
            "inputs_waiting": self._inbox.waiting,
            "commit_s": self._inbox.commit_s,
            "store_trouble_s": self._store_trouble_s(),
            "store_errors_total": self._inbox.store_errors + errors,
            "samples_waiting": waiting,
            "samples_lost_total": lost,
            "outbox_age_s": self._outbox.age_s,
            "lateness_s": self._poller.lateness_ms()[1] / 1000,
            "runs_missed_total": self._poller.missed(),
            "runs_under_way": self._poller.open(),
            "runs_stalled_total": self._poller.sight.spoilt,
            "cut_off": 1.0 if self.uplink.cut_off else 0.0,
            "heartbeat_failures": self._failed_beats(),
            "rss_bytes": self._process.memory_info().rss,
        }

    def gauges(self, telemetry: Telemetry) -> None:
        """The figures that /metrics has no other way to; those since the last call stay the probe's."""
        waiting, lost, errors = self._poller.unstored()
        telemetry.set("forewarn_samples_waiting", waiting)
        telemetry.set("forewarn_samples_lost", lost)
        telemetry.set("forewarn_store_errors", self._inbox.store_errors + errors)
        telemetry.set("forewarn_commit_seconds", self._inbox.commit_s)
        telemetry.set("forewarn_runs_under_way", self._poller.open())
        telemetry.set("forewarn_cut_off", 1 if self.uplink.cut_off else 0)
        for reason, count in self._poller.reasons.items():
            telemetry.count(
                "forewarn_runs_not_up_total", count - telemetry.value("forewarn_runs_not_up_total", reason=reason), reason=reason
            )
        telemetry.set("forewarn_outbox_age_seconds", self._outbox.age_s)
        telemetry.set("forewarn_rss_bytes", self._process.memory_info().rss)
        telemetry.set("forewarn_cpu_seconds", _cpu_s())

    def _cpu_ratio(self) -> float:
        (then_s, before_s), now = self._cpu, (self._clock.monotonic(), _cpu_s())
        self._cpu = now
        return (now[1] - before_s) / (now[0] - then_s) if now[0] > then_s else 0.0

    def _store_trouble_s(self) -> float:
        now_s = self._clock.monotonic()
        if not self._inbox.trouble and self._poller.storing():
            self._trouble_since = None
            return 0.0
        self._trouble_since = self._trouble_since or now_s
        return now_s - self._trouble_since


def _cpu_s() -> float:
    """Processor time of all our threads since the start, in seconds."""
    used = os.times()
    return used.user + used.system
