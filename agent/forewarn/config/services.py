"""services.yaml: what customers use, on what it runs and what it needs."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from forewarn.config.files import Document, Path
from forewarn.config.problems import Wrong
from forewarn.config.reading import Reading
from forewarn.config.times import moment, weekly
from forewarn.config.units import shown
from forewarn.config.validate import validated_parts
from forewarn.config.written import Moment, Name, Tag, Weekly, Written, described, one_or_more
from forewarn.model.map import Criticality, Need, Service
from forewarn.model.series import SeriesId

_THING = re.compile(r"[a-z][a-z-]*:\S+")


class NeedWritten(Written):
    """One of: soft, any_of."""

    soft: Name | None = described("a service that it can do without for a while", "search", default=None)
    any_of: tuple[Name, ...] = described("services of which some are enough", ["cache-1", "cache-2"], default=())
    at_least: int = described("how many of any_of", 1, default=1, ge=1)


def _need(value: object) -> object:
    """A service's name, or a map."""
    return {"any_of": [value]} if isinstance(value, str) else value


def _one_need(value: NeedWritten) -> NeedWritten:
    if bool(value.soft) == bool(value.any_of):
        raise Wrong(
            "a need is one service, or one of soft and any_of", "write payments, {soft: search} or {any_of: [a, b], at_least: 1}"
        )
    if value.any_of and value.at_least > len(value.any_of):
        raise Wrong(f"at least {value.at_least} of {len(value.any_of)}", "name more services, or lower at_least")
    return value


def _thing(value: str) -> str:
    if not _THING.fullmatch(value):
        raise Wrong(f"{shown(value)} is not a thing to run on", 'write "host:NAME"')
    return value


def _series(value: str) -> str:
    try:
        SeriesId.parse(value)
    except ValueError as error:
        what, _, right = str(error).partition("; ")
        raise Wrong(what, right) from None
    return value


NeedItem = Annotated[
    NeedWritten,
    BeforeValidator(_need),
    AfterValidator(_one_need),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "soft": {"type": "string"},
                        "any_of": {"type": "array", "items": {"type": "string"}},
                        "at_least": {"type": "integer", "minimum": 1},
                    },
                },
            ]
        }
    ),
]


class CampaignWritten(Written):
    """A time in which every order counts more."""

    from_: Moment = described("begin", "2026-11-11T00:00 Asia/Shanghai", alias="from")
    to: Moment = described("end", "2026-11-12T00:00 Asia/Shanghai")


class ServiceWritten(Written):
    """One service."""

    names: dict[str, str] = described("language -> what customers call it", {"en": "Checkout", "zh": "结账"}, default={})
    team: Name | None = described("an escalation of oncall.yaml; `default` if left out", "shop", default=None)
    criticality: Criticality = described("core, important, supporting or test", "core")
    tags: tuple[Tag, ...] = described("words that playbooks and holds match", default=())
    runs_on: tuple[Annotated[str, AfterValidator(_thing)], ...] = described("where it runs", ["host:local"], default=())
    users: int | None = described("how many people use it", 12000, default=None, ge=0)
    internal: bool = described("its users are staff, not customers", True, default=False)
    needs: tuple[NeedItem, ...] = described("services that it can't do without", ["payments"], default=())
    peak: Annotated[tuple[Weekly, ...], BeforeValidator(one_or_more)] = described(
        "hours of the week when most depends on it", ["Mon-Fri 10:00-12:00 Asia/Shanghai"], default=()
    )
    campaigns: tuple[CampaignWritten, ...] = described("declared campaigns", default=())
    business: Annotated[str, AfterValidator(_series)] | None = described(
        "the series of its orders", "shop|local|orders_per_min", default=None
    )
    witness: Annotated[tuple[Name, ...], BeforeValidator(one_or_more)] = described(
        "probes that see it from elsewhere: before a P0 or P1 one of them is asked", ["shop-from-outside"], default=()
    )


class ServicesFile(Written):
    """config/services.yaml"""

    services: dict[Name, ServiceWritten]


def services(doc: Document, reading: Reading) -> dict[str, Service]:
    """All services by name; none where the file can't be used."""
    written, dropped = validated_parts(ServicesFile, empty_as_map(doc.value, "services"), doc, reading.problems)
    reading.problems.incomplete |= {f"service {path[1]}" if len(path) > 1 else "service" for path in dropped}
    if written is None:
        reading.problems.incomplete.add("service")
        return {}
    return {name: _service(doc, name, one, reading) for name, one in written.services.items()}


def empty_as_map(value: Any, key: str) -> Any:
    """`services:` with nothing under it is an empty map, as every beginner writes it."""
    return {**value, key: {}} if isinstance(value, dict) and key in value and value[key] is None else value


def _service(doc: Document, name: str, one: ServiceWritten, reading: Reading) -> Service:
    at: Path = ("services", name)
    peak = [reading.problems.reading(doc, (*at, "peak", index), weekly, text, reading.zone) for index, text in enumerate(one.peak)]
    return Service(
        name=name,
        names=one.names,
        team=one.team,
        criticality=one.criticality,
        tags=one.tags,
        runs_on=one.runs_on,
        users=one.users,
        internal=one.internal,
        needs=tuple(_made(need) for need in one.needs),
        peak=tuple(hours for hours in peak if hours),
        campaigns=tuple(
            pair for index, given in enumerate(one.campaigns) if (pair := _campaign(doc, (*at, "campaigns", index), given, reading))
        ),
        business=one.business,
        witness=one.witness,
        source=doc.at(at),
    )


def _made(need: NeedWritten) -> Need:
    if need.soft:
        return Need(services=(need.soft,), soft=True)
    return Need(services=need.any_of, at_least=need.at_least)


def _campaign(doc: Document, at: Path, given: CampaignWritten, reading: Reading) -> Any:
    begins = reading.problems.reading(doc, (*at, "from"), moment, given.from_, reading.zone)
    ends = reading.problems.reading(doc, (*at, "to"), moment, given.to, reading.zone)
    if begins and ends and ends <= begins:
        reading.problems.add(doc, (*at, "to"), "the campaign ends before it begins", "write a later moment")
    return (begins, ends) if begins and ends else None
