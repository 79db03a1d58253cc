"""The clock: does this machine follow a time server? Dates of forecasts and dues are worth as much as the clock.

Source: adjtimex(2), the kernel's own word on whether its clock is disciplined (STA_UNSYNC) and how far it may be off.
"""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterator
from pathlib import Path

from forewarn.app.doctor.check import FINE, NOTE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import as_root, install
from forewarn.model.text import say

UNSYNCHRONISED = 0x0040
ERROR_MOST_S = 1.0
TIMEX_BYTES = 256  # struct timex has 208 bytes on 64-bit Linux


class _Timex(ctypes.Structure):
    """The first fields of struct timex; the rest only needs room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * TIMEX_BYTES),
    )


def read() -> tuple[bool, float] | None:
    """Whether the kernel's clock is synchronised, and its estimated error in seconds; None where it can't be asked."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        asked = _Timex()
        if libc.adjtimex(ctypes.byref(asked)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return not asked.status & UNSYNCHRONISED, asked.esterror / 1e6


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
