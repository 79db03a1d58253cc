"""Who may do what by itself: one table that answers do, ask or record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from forewarn.model.level import Mode
from forewarn.model.scorecard import Prior
from forewarn.model.text import Say


class Verdict(StrEnum):
    DO = "do"
    ASK = "ask"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Permission:
    """`asked` are the people who may say yes; `expires_s` after which the answer is `otherwise`."""

    verdict: Verdict
    why: Say
    asked: tuple[str, ...] = ()
    how_many: int = 1
    expires_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTable:
    """`modes` by kind of action (page, notice, ask, step.reads, step.changes), then by subkind (notice.started).

    `breaker`: after so many runs in a row that did not help a playbook changes nothing more until a person allows it again.
    `changes_per_hour` is for all playbooks together. `shadow_s`: for so long after the first start pages of shipped rules are
    only recorded. `gates`: what precision a forecast needs at least before a text that rests on it leaves by itself; `priors`:
    by kind of rule, what is believed before anything was judged.
    """

    modes: Mapping[str, Mode] = field(default_factory=dict)
    undo_s: float = 60.0
    approval_s: float = 4 * 3600.0
    breaker: int = 3
    changes_per_hour: int = 6
    shadow_s: float = 30 * 86400.0
    gates: Mapping[str, float] = field(default_factory=lambda: {"customers": 0.9, "maintenance": 0.7})
    priors: Mapping[str, Prior] = field(default_factory=lambda: {"forecast": Prior(), "risk": Prior()})
