"""Holds keep actions back: undo time, quiet hours, silence, maintenance windows, dependency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from forewarn.model.level import Level
from forewarn.model.text import Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Keeps messages or actions back until it ends; then what it held is judged again.

    `matcher` names what it covers: any of message, incident, service, probe, customer, person; {} with an owner is that
    owner's own hold. `audience` is responders, customers or actions.
    """

    id: str
    reason: Say
    owner: str
    matcher: Mapping[str, str] = field(default_factory=dict)
    audience: str
    from_at: datetime
    until: datetime | None
    breaks_from: Level | None = None
    ended_at: datetime | None = None
