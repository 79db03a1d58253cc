"""Steps that a machine can run, and the record of running them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from forewarn.model.level import Mode
from forewarn.model.probe import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`for:` of a playbook; each given field must match the finding (globs)."""

    service: str | None = None
    rule: str | None = None
    probe: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookNeed:
    """A part or permission that must be there first; `lead_s` counts working time."""

    what: str
    lead_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action. `kind` is probe, run, ask, tell or wait; `spec` is what the kind needs (argv, http, probe, text ...)."""

    name: str
    kind: str
    spec: Mapping[str, object] = field(default_factory=dict)
    when: str | None = None
    where: str = "local"
    timeout_s: float = 30.0
    reads: bool = False
    undo: Mapping[str, object] | None = None
    idempotent: bool = False
    irreversible: bool = False
    source: Source

    @property
    def changing(self) -> bool:
        return self.kind == "run" and not self.reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    match: Match
    takes_s: float = 7200.0
    needs: tuple[PlaybookNeed, ...] = ()
    risk: str = "low"
    mode: Mode = Mode.SUGGEST
    steps: tuple[Step, ...]
    source: Source


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"  # may have run; a person decides
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    name: str
    kind: str
    state: StepState = StepState.WAITING
    started_at: datetime | None = None
    ended_at: datetime | None = None
    summary: str = ""  # one line
    output: str = ""  # at most 16 kB, masked
    facts: Mapping[str, str] = field(default_factory=dict)


class RunState(StrEnum):
    RUNNING = "running"
    WAITING = "waiting"  # for a person's answer
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a playbook for an incident. `asks` is the message whose answer it waits for."""

    id: str
    playbook: str
    incident: str
    finding: str | None
    state: RunState
    steps: tuple[StepResult, ...]
    started_at: datetime
    ended_at: datetime | None = None
    asks: str | None = None
    by: str = "machine"

    @property
    def at(self) -> int | None:
        """Index of the step that is next or under way; None when all have ended."""
        return next((i for i, step in enumerate(self.steps) if step.state in (StepState.WAITING, StepState.RUNNING)), None)
