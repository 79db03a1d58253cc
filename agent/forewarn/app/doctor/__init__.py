"""forewarn doctor: looks at what this configuration needs of this machine. Needs no daemon, and changes nothing.

One module an area; each answers its checks one by one, so that a reader sees what was found while the next is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from forewarn.app.doctor import channels, clock, configuration, disk, heartbeat, hosts, permissions, running, sensors, tools
from forewarn.app.doctor.check import Check, Patient
from forewarn.config.load import load
from forewarn.model.errors import ConfigError
from forewarn.probers import PROBERS
from forewarn.runtime.state_folder import StateFolder

LOOKS: Mapping[str, Callable[[Patient], Iterator[Check]]] = {
    "configuration": configuration.look,
    "permissions": permissions.look,
    "disk": disk.look,
    "clock": clock.look,
    "tools": tools.look,
    "sensors": sensors.look,
    "hosts": hosts.look,
    "channels": channels.look,
    "heartbeat": heartbeat.look,
    "daemon": running.look,
}


def patient(folder: Path, place: StateFolder, now: datetime, *, send: bool = False, language: str = "en") -> Patient:
    """Reads the files; problems in them are the first finding and end nothing."""
    try:
        settings, refused = load(folder, PROBERS, now, os.environ), None
    except ConfigError as error:
        settings, refused = None, error
    return Patient(
        place=place, folder=folder, settings=settings, refused=refused, now=now, environ=os.environ, send=send, language=language
    )  # fmt: skip
