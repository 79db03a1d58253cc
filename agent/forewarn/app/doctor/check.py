"""One thing that was looked at: how it stands, and the command that mends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from forewarn.model.errors import ConfigError
from forewarn.model.settings import Settings
from forewarn.model.text import Say
from forewarn.runtime.state_folder import StateFolder

FINE, NOTE, PROBLEM = "fine", "note", "problem"
AREAS = ("configuration", "permissions", "disk", "clock", "tools", "sensors", "hosts", "channels", "heartbeat", "daemon")
"""In the order in which they are looked at."""


@dataclass(frozen=True, slots=True)
class Check:
    """`state` is fine, note (nothing is broken, somebody may want to know) or problem. `mend` is a command to type as it is."""

    area: str
    state: str
    what: Say
    mend: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Whom the doctor looks at: this machine, with one configuration and one state folder.

    `settings` is None where the files have problems (`refused`); what needs no configuration is looked at nevertheless.
    `send`: test messages may leave. `language` is that of whoever reads.
    """

    place: StateFolder
    folder: Path
    settings: Settings | None
    refused: ConfigError | None
    now: datetime
    environ: Mapping[str, str] = field(default_factory=dict)
    send: bool = False
    language: str = "en"
