"""What a run is worth as evidence about its target, when the trouble may be our own.

Two things make targets look bad that are well: our loop stood still while the run was under way, so that the time it measured is
ours (what was only read, as a file or a process table, is as good as ever); or this machine has no way out, so that everything outside fails at once. Such a run says nothing about its target: it
is `unknown`, with the reason, and neither raises nor clears anything.
"""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from forewarn.model.probe import Target
from forewarn.model.series import Outcome, ProbeRun

STALL_S = 0.5
"""A run that took less is believed whatever the loop did."""
LATE_S = 0.1
"""A loop that is late by less is no stall; many short ones in a row are as bad as one."""
SHARE = 0.5
"""A run is spoilt when the loop stood still for more than this share of it."""
BY_NETWORK = frozenset({"timeout", "unreachable", "resolve", "reset", "no_network"})
"""Reasons that a target has as well when the trouble is our own way out."""
TIMED = frozenset({"total_s", "first_byte_s", "connect_s"})
"""Metrics of a run that measured how long its target took."""


class Sight:
    """Knows the last stalls; `cut_off` tells whether this machine has no way out."""

    def __init__(self, cut_off: Callable[[], bool] = lambda: False, suspect: Callable[[], None] = lambda: None) -> None:
        """`suspect` is called when a target outside fails as it would if we were cut off."""
        self._cut_off, self._suspect = cut_off, suspect
        self._stalls: deque[tuple[float, float]] = deque(maxlen=64)
        self.spoilt = 0
        self.longest_s = 0.0  # stall since somebody asked

    def woke(self, planned: float, now: float) -> None:
        """The loop's own timer was due at `planned` and fires now (monotonic seconds)."""
        self.longest_s = max(self.longest_s, now - planned)
        if now - planned >= LATE_S:
            self._stalls.append((planned, now))

    def worth(self, run: ProbeRun, target: Target, planned: float, now: float) -> ProbeRun:
        """The run, or that nothing was seen. `planned`: when the loop's timer fires next, or should have fired."""
        if run.outcome is Outcome.UNKNOWN:
            return run
        if run.took_s >= STALL_S and _timed(run):
            stalls = [*self._stalls, (planned, now)]
            begun = now - run.took_s
            still_s = sum(max(0.0, min(end, now) - max(begin, begun)) for begin, end in stalls if end - begin >= LATE_S)
            if still_s >= SHARE * run.took_s:
                self.spoilt += 1
                return _blind(
                    run, "stalled", f"Forewarn itself stood still for {still_s:.1f} s of the {run.took_s:.1f} s that it took"
                )
        if run.outcome is Outcome.DOWN and run.reason in BY_NETWORK and outside(target.address):
            self._suspect()
            if self._cut_off():
                return _blind(run, "cut_off", "this machine has no way out")
        return run


def _timed(run: ProbeRun) -> bool:
    return run.reason in BY_NETWORK or any(metric in TIMED for metric, _ in run.columns)


def _blind(run: ProbeRun, reason: str, detail: str) -> ProbeRun:
    return replace(run, outcome=Outcome.UNKNOWN, reason=reason, detail=detail, columns=(), values=())


def outside(address: str) -> bool:
    """Whether a target (an address with a scheme, host:port or a host) is not this machine."""
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return False
    if host in ("", "local", "localhost"):
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True
