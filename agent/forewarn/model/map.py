"""Hosts, services, customers and people as one graph of things; YAML files are doors into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from forewarn.model.due import Weekly
from forewarn.model.probe import Source


class Criticality(StrEnum):
    CORE = "core"
    IMPORTANT = "important"
    SUPPORTING = "supporting"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a service cannot do without: one service, softly, or at least n of several."""

    services: tuple[str, ...]
    at_least: int = 1
    soft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    name: str
    names: Mapping[str, str] = field(default_factory=dict)  # language -> what customers call it
    team: str | None = None  # names an escalation
    criticality: Criticality
    tags: tuple[str, ...] = ()
    runs_on: tuple[str, ...] = ()
    users: int | None = None
    internal: bool = False  # staff are not users
    needs: tuple[Need, ...] = ()
    peak: tuple[Weekly, ...] = ()
    campaigns: tuple[tuple[datetime, datetime], ...] = ()
    business: str | None = None  # series of orders
    witness: tuple[str, ...] = ()  # probes that see it from elsewhere: P0 and P1 need the word of one
    source: Source

    def called(self, language: str) -> str:
        return self.names.get(language) or self.names.get("en") or self.name


class Secret:
    """A text that never shows itself in logs, reprs or JSON. `reveal()` is called where it is used, nowhere else."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine that is reached over SSH. Without `key` the daemon's agent and its user's own keys are offered; the host's
    key must be one of `fingerprints` (`SHA256:...`), or, where there are none, stand in one of the files `known_hosts`."""

    name: str
    address: str
    port: int = 22
    user: str
    key: str | None = None  # a file
    certificate: str | None = None  # a file; else KEY-cert.pub beside the key
    passphrase: Secret | None = None
    jump: str | None = None  # a host
    fingerprints: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    source: Source

    @property
    def place(self) -> str:
        """ADDRESS:PORT, as messages show it."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Channel:
    """One address of a person or customer. `kind` names the transport (mail, webhook, console, person ...)."""

    kind: str
    url: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    name: str  # the id, e.g. customer-zh
    title: str  # how they are addressed
    tier: str = "standard"  # standard | vip
    language: str = "en"
    zone: tzinfo
    quiet: Weekly | None = None
    uses: Mapping[str, float] = field(default_factory=dict)  # service -> share of their work that rests on it
    consent: frozenset[str] = frozenset({"forewarning", "incident", "maintenance"})
    channels: tuple[Channel, ...] = ()
    users: int | None = None
    source: Source

    @property
    def vip(self) -> bool:
        return self.tier == "vip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    name: str
    title: str
    language: str = "en"
    zone: tzinfo
    skills: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """Members take turns of `turn`, beginning at `start` with the first."""

    name: str
    members: tuple[str, ...]
    turn: timedelta
    start: datetime

    def on_duty(self, now: datetime) -> str:
        return self.members[((now - self.start) // self.turn) % len(self.members)]


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """`to` is a person or a rota; after `ack_s` without an acknowledgement the next step is called."""

    to: str
    ack_s: float
