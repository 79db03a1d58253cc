"""Whether a machine's clock follows a time server, and how far it is off. Pure: texts in, values out.

Sources: chronyc(1) `tracking` with -c, timedatectl(1) `timesync-status`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CHRONY = ("chronyc", "-c", "tracking")
TIMESYNC = ("timedatectl", "timesync-status", "--no-pager")

_SPAN = re.compile(r"([\d.]+)\s*(us|ms|s|min|h|d|y|month|w)\b")
_SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "month": 2629800.0,
    "y": 31557600.0,
}


@dataclass(frozen=True, slots=True)
class Clock:
    """`offset_s` is how far off it is, either way; None where nobody says."""

    synced: bool
    offset_s: float | None = None


def chrony(text: str) -> Clock | None:
    """Of `chronyc -c tracking`; None where it is something else (`506 Cannot talk to daemon`)."""
    fields = text.strip().split(",")
    if len(fields) < 14:
        return None
    synced = fields[13] != "Not synchronised"
    try:
        return Clock(synced, abs(float(fields[4])) if synced else None)
    except ValueError:
        return None


def timesync(text: str) -> Clock | None:
    """Of `timedatectl timesync-status`; None where systemd-timesyncd does not run."""
    lines = dict(part for line in text.splitlines() if (part := _pair(line)))
    if "Server" not in lines:
        return None
    offset = lines.get("Offset")
    return Clock(offset is not None, span_s(offset) if offset else None)


def span_s(text: str) -> float | None:
    """Seconds of a span as systemd writes it, such as `-1.130ms` or `+2min 3s`; its sign is left out."""
    found = _SPAN.findall(text)
    return sum(float(number) * _SECONDS[unit] for number, unit in found) if found else None


def _pair(line: str) -> tuple[str, str] | None:
    name, sign, value = line.partition(": ")
    return (name.strip(), value.strip()) if sign else None
