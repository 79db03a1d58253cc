"""What an entry of the journal says: one JSON object a line, as `journalctl -o json` writes it.

Source: https://systemd.io/JOURNAL_EXPORT_FORMATS/, "Journal JSON Format": a field that is not UTF-8 is a list of bytes, one
that comes several times a list of these, and one that is very long null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from forewarn.probers.journal import FIELDS, PRIORITIES

LONGEST = 65_536
"""Characters of a message that are looked at."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`line` is what stands in a syslog file for it, so that one pattern fits both; `fields` has the short names too."""

    cursor: str
    at_s: float
    line: str
    fields: Mapping[str, str]


def entry_of(text: bytes) -> Entry | None:
    """None for a line that is no entry."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or not isinstance(given.get("__CURSOR"), str):
        return None
    fields = {name: _text(value) for name, value in given.items() if isinstance(name, str)}
    fields |= {short: fields.get(name, "") for short, name in FIELDS.items()}
    fields["identifier"] = fields["identifier"] or fields.get("_COMM", "")
    fields["unit"] = fields["unit"] or fields.get("_SYSTEMD_USER_UNIT", "") or fields.get("UNIT", "")
    if fields["priority"].isdigit() and int(fields["priority"]) < len(PRIORITIES):
        fields["priority"] = PRIORITIES[int(fields["priority"])]
    at_s = _at_s(fields)
    return Entry(given["__CURSOR"], at_s, _line(fields, at_s), fields)


def _line(fields: Mapping[str, str], at_s: float) -> str:
    pid = fields["pid"] or fields.get("SYSLOG_PID", "")
    who = fields["identifier"] or "unknown"
    where = f"[{pid}]" if pid and who != "kernel" else ""
    when = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")
    return f"{when} {fields['host'] or '-'} {who}{where}: {fields['message'][:LONGEST]}"


def _at_s(fields: Mapping[str, str]) -> float:
    for name in ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"):
        if fields.get(name, "").isdigit() and len(fields[name]) < 18:
            return int(fields[name]) / 1e6
    return 0.0


def _text(value: Any) -> str:
    """A field as text; of several values the first."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        if all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
            return bytes(value).decode("utf-8", "replace")
        return _text(value[0])
    return ""
