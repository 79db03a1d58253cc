"""Everything that can happen to decide(): the whole vocabulary, together with actions.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forewarn.model.finding import Claim
from forewarn.model.impact import Measure
from forewarn.model.incident import Testimony
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A rule's claim about a series began, changed or ended (`claim` is None).

    Only FIRING claims are sent. `seq` grows with each transition of this (rule, series): a repeat after a crash has a
    `seq` that was taken already. `unwatched`: the rule or probe was removed.
    """

    probe: str
    rule: str
    series: SeriesId
    seq: int
    claim: Claim | None
    unwatched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A service's figure moved by more than a step, or became unknown."""

    measure: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A person's wish. `verb`: declare, acknowledge, resolve, approve, refuse, undo, edit, pin, unpin, merge, join, answer,
    note, false-alarm, useful, not-useful, tell, run, close-breaker. `version` is that of the thing the person saw; None means whatever it is now."""

    verb: str
    id: str | None
    by: str
    words: tuple[str, ...] = ()
    text: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A transport's answer for one Send. `result` is sent, failed or unknown (may have left)."""

    action: str | None
    message: str
    result: str
    reason: str | None = None
    detail: str | None = None
    permanent: bool = False
    retry_after_s: float | None = None
    ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A step's result. `result` is ok, failed or unknown (may have run); `facts` are for the conditions of later steps."""

    action: str | None
    run: str
    step: int
    result: str
    summary: str = ""
    output: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the probes that were asked for an incident see now; one that did not answer is unknown."""

    action: str | None
    incident: str
    heard: tuple[Testimony, ...]


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Some due is due."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A new set of files is in force."""

    settings: Settings


Input = Moved | Measured | Command | Delivered | StepEnded | Looked | TimePassed | Reloaded
