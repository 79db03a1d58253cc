"""self: Forewarn's own health, as series like any other. The figures are the running daemon's; nobody else knows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers.options import Options
from forewarn.probers.reasons import Reason, failed, unknown

METRICS = {
    "loop_delay_s": "how late the daemon's loop was at worst since the last run: everything waits for it",
    "inputs_waiting": "inputs in the owner's queue",
    "commit_s": "how long the newest commit to the ledger took",
    "store_trouble_s": "for how long nothing can be stored; 0 while the store works",
    "store_errors_total": "failed writes, of ledger and samples",
    "samples_waiting": "samples that are not stored yet",
    "samples_lost_total": "samples that were given up while the store failed",
    "outbox_age_s": "how long the oldest message or step that is due has been waiting to begin",
    "lateness_s": "how late probes begin (p99 of the last thousand runs)",
    "runs_missed_total": "runs that were left out",
    "runs_under_way": "runs that have begun and not ended",
    "runs_stalled_total": "runs that say nothing because the daemon's own loop stood still meanwhile",
    "cut_off": "1 while this machine has no way out: what fails outside is unknown meanwhile",
    "heartbeat_failures": "pings in a row that the watcher outside did not get",
    "rss_bytes": "memory that the daemon holds",
    "cpu_ratio": "share of one core since the last run",
}
Figures = Callable[[], Mapping[str, float]]


class SelfOptions(Options):
    """A probe of kind self has no options."""


class SelfProber:
    """`figures` answers metric -> value, on the loop's thread, quickly. None outside the daemon: then nothing can be seen."""

    def __init__(self, figures: Figures | None = None) -> None:
        self._figures = figures

    async def __call__(self, probe: Probe, target: Target, now_s: float) -> ProbeRun:
        if self._figures is None:
            return failed(probe, target, unknown(Reason.UNDECIDED, "only the running daemon knows its own figures"), now_s)
        found = self._figures()
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=now_s,
            outcome=Outcome.UP,
            columns=_columns(tuple(found)),
            values=tuple(found.values()),
        )

    def close(self) -> None:
        """Nothing is held open."""


@lru_cache(maxsize=4)
def _columns(metrics: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple((metric, ()) for metric in metrics)
