"""Until when a distribution gets security updates for nothing. Pure.

What the machine says of itself comes first (SUPPORT_END of os-release, which Fedora and Amazon Linux write), then this table.
Sources, as of 2026-11: Debian and Ubuntu from distro-info-data (Debian with its LTS team, Ubuntu's standard support); Red Hat
Enterprise Linux, Rocky, Alma, Oracle and CentOS from their vendors' life-cycle pages (the end of maintenance support).
What can be bought beyond these dates is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

_RHEL = {"7": "2024-06-30", "8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"}

ENDS: Mapping[str, Mapping[str, str]] = {
    "debian": {
        "9": "2022-06-30",
        "10": "2024-06-30",
        "11": "2026-08-31",
        "12": "2028-06-30",
        "13": "2030-06-30",
    },
    "ubuntu": {
        "16.04": "2021-04-30",
        "18.04": "2023-05-31",
        "20.04": "2025-05-31",
        "22.04": "2027-06-01",
        "24.04": "2029-05-31",
        "25.04": "2026-01-15",
        "25.10": "2026-07-09",
        "26.04": "2031-05-29",
        "26.10": "2027-07-15",
    },
    "rhel": _RHEL,
    "rocky": _RHEL,
    "almalinux": {**_RHEL, "8": "2029-03-01"},
    "centos": {"7": "2024-06-30", "8": "2024-05-31", "9": "2027-05-31"},  # from 8 on CentOS Stream
}
"""ID of os-release -> version (whole, else its first part) -> last day."""


def fields(os_release: str) -> dict[str, str]:
    """NAME=value lines of os-release(5), without their quotes."""
    found = {}
    for line in os_release.splitlines():
        name, sign, value = line.strip().partition("=")
        if sign and not name.startswith("#"):
            found[name] = value.strip("\"'")
    return found


def support_end(os_release: str) -> datetime | None:
    """The moment after the last day with updates; None where nobody says."""
    known = fields(os_release)
    version = known.get("VERSION_ID", "")
    table = ENDS.get(known.get("ID", ""), {})
    said = known.get("SUPPORT_END") or table.get(version) or table.get(version.split(".")[0])
    try:
        return _after(date.fromisoformat(said)) if said else None
    except ValueError:
        return None


def _after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
