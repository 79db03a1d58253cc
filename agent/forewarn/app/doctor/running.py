"""The daemon: does it run, does it answer, is its set that of the files, and what does it say of itself?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from forewarn.app.doctor.check import FINE, NOTE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import as_root
from forewarn.model.errors import ForewarnError
from forewarn.model.text import say

ANSWER_S = 3.0
RELOAD = "forewarn reload"
UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def look(patient: Patient) -> Iterator[Check]:
    """Alive, then up to date, then its own troubles."""
    address = patient.place.address()
    if address is None:
        yield Check("daemon", PROBLEM, say("doctor.daemon.down", folder=patient.place.shown), _start(patient))
        return
    shown = f"{address[0]}:{address[1]}"
    try:
        status = _status(patient, address)
    except ForewarnError as error:
        yield Check("daemon", NOTE, say("doctor.daemon.no_token", why=str(error)), "sudo -u forewarn forewarn doctor")
        return
    except (OSError, HTTPException, ValueError) as error:
        what = say("doctor.daemon.mute", address=shown, why=str(error) or type(error).__name__)
        yield Check("daemon", PROBLEM, what, _restart())
        return
    yield Check("daemon", FINE, say("doctor.daemon.fine", address=shown, version=status["version"]))
    older = list(_up_to_date(patient, status["config"]["id"]))
    yield from older
    for trouble in status["troubles"]:
        if older and RELOAD in trouble:
            continue  # the daemon has seen the same
        yield Check("daemon", PROBLEM, say("doctor.daemon.trouble", text=trouble), "forewarn status")


def _up_to_date(patient: Patient, running: str) -> Iterator[Check]:
    files = patient.settings.id if patient.settings else None
    if files is None:
        what = say("doctor.daemon.older_refused", running=running)
        yield Check("daemon", PROBLEM, what, f"forewarn check {patient.folder}")
    elif files != running:
        yield Check("daemon", PROBLEM, say("doctor.daemon.older", running=running, files=files), RELOAD)


def _status(patient: Patient, address: tuple[str, int]) -> Any:
    host, port = address
    headers = {"Authorization": f"Bearer {patient.place.token().reveal()}", "Host": f"{host}:{port}"}
    connection = HTTPConnection(host, port, timeout=ANSWER_S)
    try:
        connection.request("GET", f"/api/v1/status?lang={patient.language}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise HTTPException(f"HTTP {answer.status}")
    return json.loads(body)


def _unit() -> bool:
    return any(Path(folder, "forewarn.service").exists() for folder in UNITS)


def _start(patient: Patient) -> str:
    if _unit():
        return as_root("systemctl", "start", "forewarn")
    return f"forewarn --config {patient.folder} --state {patient.place.shown} run"


def _restart() -> str:
    return as_root("systemctl", "restart", "forewarn") if _unit() else "forewarn run"
