"""Steps that a machine can run, and the record of running them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from forewarn.model.level import Mode
from forewarn.model.probe import Source
from forewarn.model.text import Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`for:` of a playbook; each given field must match the finding (globs)."""

    service: str | None = None
    rule: str | None = None
    probe: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookNeed:
    """A part or permission that must be there first; `lead_s` counts working time, whole days of it as working days."""

    what: str
    lead_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action. `kind` is probe, run, ask, tell or wait; `spec` is what the kind needs (argv, http, probe, text ...).

    A run adds steps of its own: `verify` looks whether a change helped, `undo` takes one back. `undo` of a changing step is
    a spec like that of a run (argv or http).
    """

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
class Limits:
    """How often a playbook may change something. `cooldown_s` counts for one service or target, the rest for all of them;
    `at_once` is how many of its runs may be changing something at the same moment."""

    per_hour: int = 3
    per_day: int = 10
    cooldown_s: float = 300.0
    at_once: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    match: Match
    takes_s: float = 7200.0
    needs: tuple[PlaybookNeed, ...] = ()
    risk: str = "low"
    mode: Mode = Mode.SUGGEST
    limits: Limits = field(default_factory=Limits)
    verify_s: float = 60.0  # how long the probe that fired gets to agree after a change
    steps: tuple[Step, ...]
    source: Source


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"  # may have run; a person decides
    SKIPPED = "skipped"
    RECORDED = "recorded"  # mode shadow: it would have run


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What became of a step. `spec` of a changing step is what was asked for, to the letter: a reload in between changes
    nothing about it. `why` is our own reason, `summary` what a program or probe said."""

    name: str
    kind: str
    changing: bool = False
    state: StepState = StepState.WAITING
    spec: Mapping[str, object] = field(default_factory=dict)
    undo: Mapping[str, object] | None = None
    where: str = "local"
    approved_by: tuple[str, ...] = ()
    approved_at: datetime | None = None
    why: Say | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    summary: str = ""  # one line
    output: str = ""  # at most 16 kB, masked
    facts: Mapping[str, str] = field(default_factory=dict)


class Repair(StrEnum):
    """What the probe that fired says after a change."""

    REPAIRED = "repaired"
    BETTER = "better"  # away from its limit, and the rule still stands
    UNCHANGED = "unchanged"
    WORSE = "worse"
    UNSEEN = "unseen"  # it could not look, or nothing about it can be told from one look


MENDING = frozenset({"verify", "undo"})
"""Steps that a run adds by itself around its changes."""


class RunState(StrEnum):
    RUNNING = "running"
    WAITING = "waiting"  # for a person's answer
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a playbook for an incident. `asks` is the message whose answer it waits for; while it waits for a
    yes to a change, `needs` people must give it before `expires`. `plan` are the playbook's steps as they were when it began,
    one for each of `steps`."""

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
    plan: tuple[Step, ...] = ()
    place: str = ""  # the service or target that it is about
    needs: int = 0
    expires: datetime | None = None
    repair: Repair | None = None

    @property
    def changed(self) -> bool:
        """Whether something was done to the world, or may have been."""
        return any(step.changing and step.state in (StepState.OK, StepState.UNKNOWN) for step in self.steps)

    @property
    def helped(self) -> bool:
        """Whether a change was made and the probe did not say that it was in vain."""
        made = any(step.changing and step.state is StepState.OK for step in self.steps)
        return made and self.repair in (Repair.REPAIRED, Repair.BETTER)

    @property
    def engaged(self) -> bool:
        """Whether it is changing something now: from the order until the probe has been asked and what is undone is undone."""
        under_way = any(step.state is StepState.RUNNING and (step.changing or step.kind in MENDING) for step in self.steps)
        owed = any(step.state is StepState.WAITING and step.kind in MENDING for step in self.steps)
        return self.ended_at is None and (under_way or (owed and self.changed))

    @property
    def at(self) -> int | None:
        """Index of the step that is next or under way; None when all have ended."""
        return next((i for i, step in enumerate(self.steps) if step.state in (StepState.WAITING, StepState.RUNNING)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One changing step that was begun."""

    at: datetime
    run: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What a playbook has changed lately, and how many of its runs in a row did not help. Kept, so that a restart forgets
    neither limits nor a count."""

    playbook: str
    changes: tuple[Change, ...] = ()  # of the last day
    bad: int = 0


PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_")


def command_text(spec: Mapping[str, object]) -> str:
    """What a spec runs, so that each argument can be told from the next: `tool --flag "two words"`, `POST http://...`."""
    call = spec.get("http")
    if isinstance(call, Mapping):
        body = call.get("json")
        sent = f" {json.dumps(body, ensure_ascii=False)}" if body is not None else ""
        return f"{call.get('method', 'GET')} {call.get('url', '')}{sent}"
    argv = spec.get("argv")
    return " ".join(_argument(str(part)) for part in argv) if isinstance(argv, list | tuple) else ""


def _argument(text: str) -> str:
    return text if text and set(text) <= PLAIN else json.dumps(text, ensure_ascii=False)
