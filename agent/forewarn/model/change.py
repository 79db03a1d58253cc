"""What was changed, by whom and when: the first thing that anybody asks in an incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

KINDS = ("deploy", "package", "unit", "config", "kernel", "reboot", "certificate", "disk", "other")
"""What kind of change it is; `other` is anything that people say."""
MOST_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`at` is when it happened, `heard_at` when we heard. `service` and `host` say what it touches; neither: everything here.

    `key` tells a repeat: of two reports with one key the first stays. `found`: nobody told us, it was seen on the machine.
    """

    id: str
    at: datetime
    heard_at: datetime
    what: str
    text: str
    who: str
    service: str | None = None
    host: str | None = None
    key: str | None = None
    found: bool = False
