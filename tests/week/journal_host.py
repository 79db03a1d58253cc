"""The week's host as one that keeps its log in the journal only: the week before it is read at first sight, as `start: 7d` asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from host_week import DAY, MINUTE, HostWeek, moment

from forewarn.model.probe import Probe
from forewarn.model.series import ProbeRun
from forewarn.probers.journal_follow import Reading

BEFORE_DAYS = 7
BEFORE_STEP_S = 10 * MINUTE
EVER = 1e12
"""Until when entries count as those that lay there: the simulated clock has no say in how many are taken a second."""


class Journal:
    """Entries of the host, read by what the follower reads them with."""

    def __init__(self, probe: Probe) -> None:
        self._reading = Reading(probe, {"history": EVER})
        self._entries = 0

    def first_sight(self, seed: int) -> Iterator[ProbeRun]:
        """What a quiet week before the first day left behind, all at once."""
        before = HostWeek(seed, BEFORE_STEP_S)
        for step in range(int(BEFORE_DAYS * DAY / BEFORE_STEP_S)):
            at_s = step * BEFORE_STEP_S
            before.step(at_s)
            self._reading.take(self._written(before.lines, moment(at_s - BEFORE_DAYS * DAY)), moment(0).timestamp())
        return iter(self._reading.runs(moment(0).timestamp()))

    def runs(self, lines: Iterable[tuple[str, str]], clock: datetime) -> Sequence[ProbeRun]:
        """What the follower tells of (program, text) that were written now."""
        self._reading.take(self._written(lines, clock), clock.timestamp())
        return self._reading.runs(clock.timestamp())

    def _written(self, lines: Iterable[tuple[str, str]], clock: datetime) -> list[bytes]:
        return [self._entry(program, text, clock) for program, text in lines]

    def _entry(self, program: str, text: str, clock: datetime) -> bytes:
        """As `journalctl -o json` has it."""
        self._entries += 1
        name, _, pid = program.partition("[")
        said = {
            "__CURSOR": f"i={self._entries:x}",
            "__REALTIME_TIMESTAMP": f"{clock.timestamp() * 1e6:.0f}",
            "_HOSTNAME": "web-1",
            "SYSLOG_IDENTIFIER": name,
            "_PID": pid.rstrip("]") or "1",
            "MESSAGE": text,
        }
        return json.dumps(said).encode()
