"""The outside watcher: is there one, and does its name resolve?"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from forewarn.app.doctor.check import FINE, NOTE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import edit
from forewarn.app.doctor.resolve import unresolved
from forewarn.model.text import say


def look(patient: Patient) -> Iterator[Check]:
    """One check. Nothing is pinged: a beat that nobody's progress stands behind would be a lie."""
    if patient.settings is None:
        return
    beat = patient.settings.daemon.heartbeat
    if beat is None:
        yield Check("heartbeat", NOTE, say("doctor.heartbeat.none"), edit(patient.folder / "config" / "forewarn.yaml"))
        return
    host = urlsplit(beat.url.reveal()).hostname or ""
    if why := unresolved([host]).get(host):
        yield Check("heartbeat", PROBLEM, say("doctor.heartbeat.unresolved", host=host, why=why), f"getent hosts {host}")
    else:
        yield Check("heartbeat", FINE, say("doctor.heartbeat.fine", host=host, every=beat.every_s))
