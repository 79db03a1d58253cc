"""The clock: does this machine follow a time server? Dates of forecasts and dues are worth as much as the clock."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from forewarn.app.doctor.check import FINE, NOTE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import as_root, install
from forewarn.model.text import say
from forewarn.reach.kernel_clock import read

ERROR_MOST_S = 1.0


def look(patient: Patient) -> Iterator[Check]:
    """One check."""
    found = read()
    if found is None:
        yield Check("clock", NOTE, say("doctor.clock.unknown"), "timedatectl")
        return
    synchronised, error_s = found
    if synchronised and error_s <= ERROR_MOST_S:
        yield Check("clock", FINE, say("doctor.clock.fine", error=error_s))
    else:
        yield Check("clock", PROBLEM, say("doctor.clock.unsynchronised"), _mend())


def _mend() -> str | None:
    """systemd's own client where there is one, else chrony."""
    if shutil.which("timedatectl") and (Path("/usr/lib/systemd/systemd-timesyncd").exists() or shutil.which("chronyd")):
        return as_root("timedatectl", "set-ntp", "true")
    return install("chronyd")
