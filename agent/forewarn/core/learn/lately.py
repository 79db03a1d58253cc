"""Which changes may have to do with a trouble: those of its services, of what these need and of where they run, shortly before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from forewarn.model.change import Change
from forewarn.model.map import Service

BEFORE = timedelta(hours=6)
"""Most incidents that come of a change come within the hour; a nightly job may meet it a working day later."""
MOST = 5


def near(
    changes: Iterable[Change], services: Iterable[str], declared: Mapping[str, Service], since: datetime, now: datetime
) -> list[Change]:
    """The newest MOST that happened from BEFORE `since` until now, newest first; what people said of a service comes before
    what was seen on its machine."""
    names, hosts = reach(services, declared)
    found = [one for one in changes if since - BEFORE <= one.at <= now and touches(one, names, hosts)]
    return sorted(found, key=lambda one: (one.service in names, one.at), reverse=True)[:MOST]


def reach(services: Iterable[str], declared: Mapping[str, Service]) -> tuple[set[str], set[str]]:
    """The services themselves and those that they need (one hop), and the hosts that these run on."""
    names = set(services)
    for name in list(names):
        if name in declared:
            names |= {one for need in declared[name].needs for one in need.services}
    places = {place for name in names if name in declared for place in declared[name].runs_on}
    return names, {place.removeprefix("host:") for place in places if place.startswith("host:")}


def touches(change: Change, names: set[str], hosts: set[str]) -> bool:
    """Whether a change is about one of them; one that names neither service nor host is about everything."""
    if change.service is not None:
        return change.service in names
    return change.host is None or change.host in hosts or not names
