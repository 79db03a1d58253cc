"""Everything that decide() can order: stored first, performed afterwards by runtime/outbox.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from forewarn.model.level import Level
from forewarn.model.message import MessageKind

ORDER = (MessageKind.PAGE, MessageKind.ASK, MessageKind.NOTICE, MessageKind.REPORT)


def urgency(kind: MessageKind | None, level: Level | None) -> int:
    """Which of the things that are due goes first: 0 is a page for a P0. Pages come first, then asks and steps (`kind` None),
    then notices; among these the worse level. Without an incident, and so a level, a thing counts as P2."""
    return ORDER.index(kind or MessageKind.ASK) * len(Level) + (level or Level.P2).rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Deliver a message on channel number `channel` of its recipient. `again`: safe to repeat after a crash."""

    id: str
    at: datetime
    message: str
    channel: int
    again: bool
    urgency: int = urgency(MessageKind.NOTICE, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """Perform one step of a run. `spec` is final: values are substituted, nothing is looked up later."""

    id: str
    at: datetime
    run: str
    step: int
    kind: str
    where: str
    spec: Mapping[str, object] = field(default_factory=dict)
    timeout_s: float
    again: bool
    urgency: int = urgency(None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Look with these probes now, to hear what they say of an incident's service; nothing is changed by it."""

    id: str
    at: datetime
    incident: str
    probes: tuple[str, ...]
    again: bool = True
    urgency: int = 0  # a page waits for it


Action = Send | RunStep | Look
