"""customers.yaml and oncall.yaml: whom Forewarn may tell, and whom it may wake."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from forewarn.config.daemon import Language
from forewarn.config.files import Document, Path
from forewarn.config.problems import Wrong
from forewarn.config.reading import Reading
from forewarn.config.services import empty_as_map
from forewarn.config.times import moment, weekly
from forewarn.config.validate import validated_parts
from forewarn.config.written import Moment, Name, Positive, Share, Weekly, Written, Zone, described
from forewarn.model.map import Channel, Customer, EscalationStep, Person, Rota, Secret

CHANNELS = {"mailto": "mail", "mailtos": "mail", "json": "webhook", "jsons": "webhook", "console": "console"}
"""URL schema -> transport; every other schema is Apprise's matter."""

_SCHEMA = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


class ChannelWritten(Written):
    """An address, or a secret's file that holds it."""

    url: str | None = described("an Apprise address", "mailto://ops@customer.example", default=None, repr=False)
    url_file: str | None = described("a secret's file that holds the address", "hook-zh", default=None)


def _channel(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


def _one_address(value: ChannelWritten) -> ChannelWritten:
    if bool(value.url) == bool(value.url_file):
        raise Wrong("a channel has either url or url_file", "write the address, {url_file: NAME} or person")
    if value.url:
        channel(Secret(value.url))
    return value


ChannelItem = Annotated[
    ChannelWritten,
    BeforeValidator(_channel),
    AfterValidator(_one_address),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["mailto://ops@customer.example", "person"]},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"url": {"type": "string"}, "url_file": {"type": "string"}},
                },
            ]
        }
    ),
]


class CustomerWritten(Written):
    """One customer."""

    name: str | None = described("how they are addressed; the key if left out", "Customer A", default=None)
    tier: Literal["standard", "vip"] = described("standard or vip", "vip", default="standard")
    language: Language | None = described("the language they read", "zh", default=None)
    zone: Zone | None = described("the zone of their times", "Asia/Shanghai", default=None)
    quiet: Weekly | None = described("hours in which nothing is sent unless it is grave", "22:00-07:00", default=None)
    uses: dict[Name, Share] = described("service -> share of their work that rests on it", {"checkout": 0.6}, default={})
    consent: tuple[Literal["forewarning", "incident", "maintenance"], ...] | None = described(
        "what they want to be told", ["forewarning", "incident"], default=None
    )
    channels: tuple[ChannelItem, ...] = described("addresses, the first one first", ["mailto://ops@customer.example"], default=())
    users: int | None = described("how many people they are", 300, default=None, ge=0)


class CustomersFile(Written):
    """config/customers.yaml"""

    customers: dict[Name, CustomerWritten]


class PersonWritten(Written):
    """Somebody who can be called."""

    name: str | None = described("how they are addressed; the key if left out", "on call 1", default=None)
    language: Language | None = described("the language they read", "zh", default=None)
    zone: Zone | None = described("the zone of their times", "Asia/Shanghai", default=None)
    skills: tuple[str, ...] = described("what they know", ["db"], default=())
    channels: tuple[ChannelItem, ...] = described("addresses, the first one first", ["console://"], default=())


class RotaWritten(Written):
    """Members take turns, beginning with the first."""

    members: tuple[Name, ...] = Field(min_length=1, description="people", examples=[["on-call-1", "on-call-2"]])
    turn: Positive = described("how long one turn is", "7d")
    from_: Moment = described("when the first turn began", "2026-01-05T09:00 Asia/Shanghai", alias="from")


class StepWritten(Written):
    """Whom to call, and how long to wait for them."""

    to: Name = described("a person or a rota", "shop-l1")
    ack: Positive = described("how long until the next step is called", "5m")


class OncallFile(Written):
    """config/oncall.yaml"""

    people: dict[Name, PersonWritten] = Field(default={}, description="who can be called")
    rotas: dict[Name, RotaWritten] = Field(default={}, description="who is on duty when")
    escalations: dict[Name, Annotated[tuple[StepWritten, ...], Field(min_length=1)]] = Field(
        default={}, description="team -> whom to call, one after another; `default` is for services without a team"
    )


@dataclass(frozen=True, slots=True)
class Oncall:
    """What oncall.yaml comes to."""

    people: dict[str, Person] = field(default_factory=dict)
    rotas: dict[str, Rota] = field(default_factory=dict)
    escalations: dict[str, tuple[EscalationStep, ...]] = field(default_factory=dict)


_ONE_OF: dict[str, Callable[[object], set[str]]] = {
    "people": lambda name: {f"person {name}", f"person or rota {name}"},
    "rotas": lambda name: {f"person or rota {name}"},
    "escalations": lambda name: {f"team {name}"},
}


def customers(doc: Document, reading: Reading) -> dict[str, Customer]:
    """All customers by name; none where the file can't be used."""
    written, _ = validated_parts(CustomersFile, empty_as_map(doc.value, "customers"), doc, reading.problems)
    if written is None:
        return {}
    return {name: _customer(doc, name, one, reading) for name, one in written.customers.items()}


def _customer(doc: Document, name: str, one: CustomerWritten, reading: Reading) -> Customer:
    at: Path = ("customers", name)
    zone = one.zone or reading.zone
    return Customer(
        name=name,
        title=one.name or name,
        tier=one.tier,
        language=one.language or reading.language,
        zone=zone,
        quiet=reading.problems.reading(doc, (*at, "quiet"), weekly, one.quiet, zone) if one.quiet else None,
        uses=one.uses,
        consent=frozenset(("forewarning", "incident", "maintenance") if one.consent is None else one.consent),
        channels=_channels(doc, (*at, "channels"), one.channels, reading),
        users=one.users,
        source=doc.at(at),
    )


def oncall(doc: Document, reading: Reading) -> Oncall:
    """People, rotas and escalations; none where the file can't be used."""
    written, dropped = validated_parts(OncallFile, doc.value, doc, reading.problems)
    for path in dropped:
        reading.problems.incomplete |= {"person", "team", "person or rota"} if len(path) < 2 else _ONE_OF[str(path[0])](path[1])
    if written is None:
        reading.problems.incomplete |= {"person", "team", "person or rota"}
        return Oncall()
    return Oncall(
        people={name: _person(doc, name, one, reading) for name, one in written.people.items()},
        rotas={name: rota for name, one in written.rotas.items() if (rota := _rota(doc, name, one, reading))},
        escalations={
            team: tuple(EscalationStep(step.to, step.ack) for step in steps) for team, steps in written.escalations.items()
        },
    )


def _person(doc: Document, name: str, one: PersonWritten, reading: Reading) -> Person:
    at: Path = ("people", name)
    return Person(
        name=name,
        title=one.name or name,
        language=one.language or reading.language,
        zone=one.zone or reading.zone,
        skills=one.skills,
        channels=_channels(doc, (*at, "channels"), one.channels, reading),
        source=doc.at(at),
    )


def _rota(doc: Document, name: str, one: RotaWritten, reading: Reading) -> Rota | None:
    start = reading.problems.reading(doc, ("rotas", name, "from"), moment, one.from_, reading.zone)
    return Rota(name=name, members=one.members, turn=timedelta(seconds=one.turn), start=start) if start else None


def _channels(doc: Document, at: Path, written: Sequence[ChannelWritten], reading: Reading) -> tuple[Channel, ...]:
    found = []
    for index, one in enumerate(written):
        path = (*at, index)
        url = Secret(one.url) if one.url else None
        if one.url_file:
            url = reading.secret(doc, (*path, "url_file"), one.url_file)
        made = reading.problems.reading(doc, path, channel, url) if url else None
        if made:
            found.append(made)
    return tuple(found)


def channel(url: Secret) -> Channel:
    """A channel by its address; raises Wrong, which does not show the address."""
    text = url.reveal().strip()
    if text == "person":
        return Channel("person", url)
    schema = _SCHEMA.match(text)
    if not schema:
        raise Wrong(
            "this is not an address", "write one like mailto://ops@customer.example, json://host/path, console:// or person"
        )
    name = schema[1].lower()
    if name == "mailto" and "@" not in text:
        raise Wrong("this mail address has no @", "write mailto://ops@customer.example")
    return Channel(CHANNELS.get(name, "apprise"), url)
