"""What package managers did, of the logs that they keep. Pure. Sources: dpkg(1) --log, dnf's dnf.rpm.log.

What was done within a few minutes is one change: an upgrade of 200 packages is one thing that happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from forewarn.app.changes import Seen

PAUSE = timedelta(minutes=5)
NAMED = 4
DPKG = "/var/log/dpkg.log"
DNF = "/var/log/dnf.rpm.log"
_DPKG = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (install|upgrade|remove|purge) (\S+) (\S+) (\S+)$", re.MULTILINE)
_DNF = re.compile(
    r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d{4}|Z) SUBDEBUG (Installed|Upgrade|Erase|Downgrade): (\S+)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Step:
    """One package. `text` says what became of it."""

    at: datetime
    text: str


def dpkg(log: str, zone: tzinfo) -> Iterator[Step]:
    """Lines of dpkg.log; its times are local ones."""
    for when, done, name, old, new in _DPKG.findall(log):
        at = datetime.fromisoformat(when).replace(tzinfo=zone).astimezone(UTC)
        package = name.partition(":")[0]
        if done == "upgrade":
            yield Step(at, f"{package} {old} → {new}")
        elif done == "install":
            yield Step(at, f"{package} {new}" if old == "<none>" else f"{package} {old} → {new}")
        else:
            yield Step(at, f"{package} - {old}")


def dnf(log: str) -> Iterator[Step]:
    """Lines of dnf.rpm.log."""
    for when, offset, done, package in _DNF.findall(log):
        at = datetime.fromisoformat(when + ("+00:00" if offset == "Z" else f"{offset[:3]}:{offset[3:]}")).astimezone(UTC)
        yield Step(at, f"{package}" if done in ("Installed", "Upgrade") else f"{package} - {done.lower()}")


def bursts(steps: Iterable[Step], since: datetime) -> list[Seen]:
    """What was done after `since`, each burst as one change at its end."""
    groups: list[list[Step]] = []
    for step in sorted(steps, key=lambda step: step.at):
        if groups and step.at - groups[-1][-1].at <= PAUSE:
            groups[-1].append(step)
        else:
            groups.append([step])
    return [_seen(group) for group in groups if group[-1].at > since]


def _seen(group: list[Step]) -> Seen:
    texts = list(dict.fromkeys(step.text for step in group))
    more = len(texts) - NAMED
    text = ", ".join(texts[:NAMED]) + (f" +{more}" if more > 0 else "")
    return Seen("package", group[-1].at, text, f"package:{group[0].at.isoformat()}")
