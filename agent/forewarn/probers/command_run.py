"""Runs the program of a probe of kind command and reads its verdict."""

from __future__ import annotations

import time

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers.command import STATES, CommandOptions, figures, first_line
from forewarn.probers.reasons import Reason, failed, unknown
from forewarn.reach.local import CannotRun, Ran
from forewarn.reach.machine import Machines, only_here

CAP_BYTES = 65_536
NOBODY = 126, 127
"""What `env` and shells answer for a program that may not run, or is missing."""


class CommandProber:
    """Exit 0 is up, 1 is up with `state` 1, 2 is down; anything else says that the program could not tell."""

    def __init__(self, machines: Machines = only_here) -> None:
        self._machines = machines
        self._columns: dict[tuple[str, str], tuple[Column, ...]] = {}

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        options: CommandOptions = probe.options  # type: ignore[assignment]
        begun_s, begun = time.time(), time.monotonic()
        late_s = max(0.0, begun_s - at_s)
        try:
            ran = await self._machines(target.where).run(options.argv, probe.timeout_s, CAP_BYTES)
        except CannotRun as error:
            return failed(probe, target, unknown(Reason.NO_TOOL, str(error)), begun_s, late_s)
        took_s = time.monotonic() - begun
        said = first_line(ran.out) or first_line(ran.err)
        if ran.timed_out:
            why = unknown(Reason.TIMEOUT, f"no end within {probe.timeout_s:g} s")
            return failed(probe, target, why, begun_s, late_s, took_s)
        if ran.code not in (0, 1, 2):
            return failed(probe, target, unknown(*_undecided(ran, said)), begun_s, late_s, took_s)
        return self._judged(probe, target, ran, said, begun_s, late_s, took_s)

    def close(self) -> None:
        """Nothing is held."""

    def _judged(self, probe: Probe, target: Target, ran: Ran, said: str, at_s: float, late_s: float, took_s: float) -> ProbeRun:
        found = [(("state", ()), float(ran.code)), *figures(ran.out)]
        columns: tuple[Column, ...] = tuple(column for column, _ in found)
        before = self._columns.get((probe.name, target.name))
        columns = self._columns[probe.name, target.name] = before if before == columns else columns
        critical = ran.code == 2
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=at_s,
            outcome=Outcome.DOWN if critical else Outcome.UP,
            columns=columns,
            values=tuple(value for _, value in found),
            reason=Reason.CRITICAL if critical else None,
            detail=said or (STATES[ran.code] if ran.code else None),
            lateness_s=late_s,
            took_s=took_s,
        )


def _undecided(ran: Ran, said: str) -> tuple[Reason, str]:
    """Why the program gives no verdict."""
    if ran.code in NOBODY:
        return Reason.NO_TOOL, said or f"exit {ran.code}"
    if ran.code < 0:
        return Reason.UNDECIDED, f"ended by signal {-ran.code}"
    return Reason.UNDECIDED, said or f"exit {ran.code}; a check ends with 0, 1, 2 or 3"
