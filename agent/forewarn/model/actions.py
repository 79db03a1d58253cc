"""Everything that decide() can order: stored first, performed afterwards by runtime/outbox.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Deliver a message on channel number `channel` of its recipient. `again`: safe to repeat after a crash."""

    id: str
    at: datetime
    message: str
    channel: int
    again: bool


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


Action = Send | RunStep
