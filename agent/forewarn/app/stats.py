"""What the running daemon knows about itself: for status, the console and /metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any

from forewarn.app.selfcare import SelfCare
from forewarn.core.work import State
from forewarn.model.glance import Glance
from forewarn.model.incident import LIVE, IncidentState
from forewarn.model.message import Attempt, MessageState
from forewarn.model.text import Say, say
from forewarn.ports import ProbeView
from forewarn.runtime.inbox import Inbox
from forewarn.runtime.outbox import Outbox
from forewarn.runtime.poller import Poller
from forewarn.runtime.telemetry import Telemetry


class LiveStats:
    """ports.Stats over the parts that run."""

    def __init__(self, poller: Poller, inbox: Inbox, outbox: Outbox, started_at: datetime, care: SelfCare) -> None:
        self._poller, self._inbox, self._outbox, self._started_at, self._care = poller, inbox, outbox, started_at, care
        self.refused: Say | None = None  # a reload that was refused: the running set is older than the files
        self.newest_reload: Mapping[str, Any] | None = None  # what the newest reload answered (app/reload.py)

    def glance(self) -> Awaitable[Glance]:
        return self._poller.board.glance()

    def views(self, names: Sequence[str]) -> Awaitable[list[ProbeView]]:
        return self._poller.board.views(names)

    def outcomes(self) -> dict[str, int]:
        """Targets by outcome of their last run."""
        return self._poller.board.outcomes()

    def lateness_ms(self) -> tuple[float, float]:
        return self._poller.lateness_ms()

    def missed(self) -> int:
        return self._poller.missed()

    def started_at(self) -> datetime:
        return self._started_at

    def reloaded(self) -> Mapping[str, Any] | None:
        return self.newest_reload

    def saying(self, run: str) -> str:
        return self._outbox.saying(run)

    def troubles(self) -> list[Say]:
        """A refused set is older than the files as well: that is said once."""
        own = [trouble for trouble in self._care.troubles() if not (self.refused and trouble.key in OLDER)]
        found = (self._inbox.trouble, self.refused, *own, *_failing_channels(self._inbox.state))
        return [trouble for trouble in found if trouble]


OLDER = ("trouble.older", "trouble.older_more")
TRIES = 3
"""A channel whose newest attempts all failed, so many of them, is in trouble."""


def _failing_channels(state: State) -> list[Say]:
    """Channels that keep failing, by the attempts of the messages that are still at hand."""
    tried: dict[str, list[Attempt]] = {}
    for message in state.messages.values():
        for attempt in message.attempts:
            tried.setdefault(attempt.channel, []).append(attempt)
    found = []
    for channel, attempts in tried.items():
        newest = sorted(attempts, key=lambda one: one.at)[-TRIES:]
        if len(newest) == TRIES and all(one.result == "failed" for one in newest):
            found.append(say("trouble.channel", channel=channel, count=TRIES, reason=newest[-1].reason or "-"))
    return found


HELPS = {
    "forewarn_up": "1 while the daemon runs",
    "forewarn_targets": "targets by outcome of their last run",
    "forewarn_incidents": "unresolved incidents by level; ahead are those that have not come yet",
    "forewarn_messages": "messages on their way, by state",
    "forewarn_lateness_ms": "how late probes began, of the last thousand runs",
    "forewarn_missed_total": "runs left out because an earlier one was under way or the daemon was stopped",
    "forewarn_runs_under_way": "probe runs that have begun and not ended",
    "forewarn_runs_not_up_total": "probe runs that were not up, by reason",
    "forewarn_cut_off": "1 while this machine has no way out: what fails outside is unknown meanwhile",
    "forewarn_inputs_waiting": "inputs in the owner's queue",
    "forewarn_actions_busy": "deliveries and steps under way",
    "forewarn_config_refused": "1 while the running set is older than the files, because those were refused",
    "forewarn_config_older": "files that have changed since the running set was read",
    "forewarn_ballast": "1 while the ballast for a full disk is there",
    "forewarn_samples_waiting": "samples that are not stored yet",
    "forewarn_samples_lost": "samples that were given up while the store failed",
    "forewarn_store_errors": "failed writes of ledger and samples since the start",
    "forewarn_commit_seconds": "how long the newest commit took",
    "forewarn_budget_waits_total": "looks at which a message had to wait for its provider's budget",
    "forewarn_outbox_age_seconds": "how long the oldest due message or step has been waiting to begin",
    "forewarn_rss_bytes": "memory that the daemon holds",
    "forewarn_cpu_seconds": "processor time since the start",
    "forewarn_heartbeats_total": "pings to the watcher outside, by result",
    "forewarn_heartbeat_failures": "pings in a row that did not arrive",
}


def metrics(telemetry: Telemetry, stats: LiveStats, inbox: Inbox, outbox: Outbox, care: SelfCare) -> str:
    """The text of /metrics, with the gauges set to what is now."""
    care.gauges()
    telemetry.set("forewarn_up", 1)
    telemetry.forget("forewarn_targets")
    for outcome, count in stats.outcomes().items():
        telemetry.set("forewarn_targets", count, outcome=outcome)
    _open_work(telemetry, inbox.state)
    for name, value in zip(("0.5", "0.99"), stats.lateness_ms(), strict=True):
        telemetry.set("forewarn_lateness_ms", value, quantile=name)
    telemetry.set("forewarn_inputs_waiting", inbox.waiting)
    telemetry.set("forewarn_actions_busy", outbox.busy)
    telemetry.set("forewarn_config_refused", 1 if stats.refused else 0)
    missed = stats.missed() - telemetry.value("forewarn_missed_total")
    telemetry.count("forewarn_missed_total", max(0.0, missed))
    return telemetry.text()


def _open_work(telemetry: Telemetry, state: State) -> None:
    live = [str(one.level) for one in state.incidents.values() if one.state in LIVE]
    for level in ("P0", "P1", "P2", "P3", "P4"):
        telemetry.set("forewarn_incidents", live.count(level), level=level)
    ahead = sum(one.state is IncidentState.AHEAD for one in state.incidents.values())
    telemetry.set("forewarn_incidents", ahead, level="ahead")
    for kind in (MessageState.QUEUED, MessageState.HELD, MessageState.WAITING, MessageState.UNKNOWN):
        telemetry.set("forewarn_messages", sum(m.state is kind for m in state.messages.values()), state=str(kind))
