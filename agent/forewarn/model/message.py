"""Pages, notices and asks: one kind of thing on its way to one recipient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from forewarn.model.text import Say


class MessageKind(StrEnum):
    PAGE = "page"  # wakes a responder
    NOTICE = "notice"  # informs a customer
    ASK = "ask"  # wants an answer
    REPORT = "report"  # what was kept from a responder, once a day


class Subkind(StrEnum):
    """Of a notice."""

    FOREWARNING = "forewarning"
    STARTED = "started"
    UPDATE = "update"
    RESOLVED = "resolved"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    RCA = "rca"
    MAINTENANCE = "maintenance"
    SURVEY = "survey"


class MessageState(StrEnum):
    PLANNED = "planned"  # recorded only (mode shadow), or not yet decided
    WAITING = "waiting_approval"
    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # may have left; a person decides
    ANSWERED = "answered"
    DROPPED = "dropped"  # refused, undone, expired or overtaken


FINAL = frozenset({MessageState.SENT, MessageState.FAILED, MessageState.ANSWERED, MessageState.DROPPED})
RESENDABLE = frozenset({"webhook", "console"})
"""Kinds of channel where sending the same key again does no harm: sent again after a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    at: datetime
    channel: str
    result: str  # sent | failed | unknown
    reason: str | None = None
    detail: str | None = None
    ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    asked: tuple[str, ...]
    by: str | None = None
    at: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBy:
    hold: str  # H-...
    by: Say
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one recipient. `channel` is the index into the recipient's channels that is tried now."""

    id: str
    kind: MessageKind
    subkind: str | None = None
    to: str
    language: str
    channels: tuple[str, ...]  # kinds, in order of preference
    channel: int = 0
    at: datetime
    state: MessageState
    why: Say
    held: HeldBy | None = None
    approval: Approval | None = None
    key: str
    subject: str
    text: str
    incident: str | None
    run: str | None = None  # the playbook run that waits for the answer of this ask
    about: str | None = None  # the notice that this ask is about
    attempts: tuple[Attempt, ...] = ()
    next_update_at: datetime | None = None
    edited_by: str | None = None  # a text that a person wrote is not composed again
    answer: str | None = None
    ended: Say | None = None  # why it was dropped or failed
    shadow: bool = False  # a page that is only recorded: the rules behind it are new here
    version: int = 1

    @property
    def channel_kind(self) -> str | None:
        return self.channels[self.channel] if self.channel < len(self.channels) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a transport gets: the text and the key that makes a repeat recognisable."""

    message: str
    kind: str
    subkind: str | None
    to: str
    subject: str
    text: str
    key: str
    language: str
    incident: str | None
    headers: Mapping[str, str] = field(default_factory=dict)
