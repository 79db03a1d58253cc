"""What is another in one configuration than in the other: what appears, vanishes, comes earlier or later, weighs more or less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forewarn.app.rehearsal.deciding import Told
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident
from forewarn.model.message import Message
from forewarn.model.text import Say, say

KINDS = ("incident", "page", "notice", "finding")
NEAR = timedelta(hours=24)
"""Things that begin so near to each other, or that last into each other, are one thing in both configurations."""
SAME_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A finding, incident, page or notice as it is compared: `key` is what it is about, `level` how grave (incidents alone),
    `series` where to look; `foreseen` whether it told of something ahead."""

    kind: str
    key: tuple[str, ...]
    id: str
    at: datetime
    until: datetime | None
    title: Say
    level: str | None = None
    series: str | None = None
    to: str | None = None
    foreseen: bool = False
    of: str | None = None  # of a page or notice: its incident


@dataclass(frozen=True, slots=True)
class Difference:
    """`change`: appears, vanishes, earlier, later, level or same; `hours` how much later (negative: earlier)."""

    change: str
    before: Thing | None
    after: Thing | None
    hours: float = 0.0

    @property
    def thing(self) -> Thing:
        found = self.after or self.before
        assert found is not None
        return found


def things(told: Told) -> list[Thing]:
    """All that a configuration came to, by kind and time."""
    found = [
        *(_incident(told, one) for one in told.incidents.values()),
        *(_message(told, one, "page") for one in told.pages()),
        *(_message(told, one, "notice") for one in told.notices()),
        *(_finding(told, one) for one in told.findings.values()),
    ]
    return sorted(found, key=_order)


def differences(before: Sequence[Thing], after: Sequence[Thing]) -> list[Difference]:
    """Each thing of either once: matched with its like in the other, or alone."""
    found: list[Difference] = []
    left = sorted(before, key=_order)
    pairs: dict[str | None, str] = {}  # incidents: the id here -> the id there
    for thing in sorted(after, key=_order):
        near = [one for one in left if one.kind == thing.kind and one.key == thing.key and _near(one, thing, pairs)]
        if not near:
            found.append(Difference("appears", None, thing))
            continue
        like = near[0] if thing.of else min(near, key=lambda one: abs(one.at - thing.at))
        left.remove(like)
        pairs[thing.id] = like.id
        found.append(_matched(like, thing))
    found += [Difference("vanishes", thing, None) for thing in left]
    return sorted(found, key=lambda one: _order(one.thing))


def _order(thing: Thing) -> tuple[int, datetime]:
    return KINDS.index(thing.kind), thing.at


def _near(one: Thing, other: Thing, pairs: dict[str | None, str]) -> bool:
    """`one` is there, `other` here. The first page about an incident is matched with the first about its like, and so on."""
    if other.of is not None:
        return pairs.get(other.of) == one.of
    if abs(one.at - other.at) <= NEAR:
        return True
    first, second = sorted((one, other), key=lambda thing: thing.at)
    return first.until is None or first.until >= second.at


def _matched(before: Thing, after: Thing) -> Difference:
    seconds = (after.at - before.at).total_seconds()
    hours = round(seconds / 3600, 2)
    if abs(seconds) >= SAME_S:
        return Difference("later" if seconds > 0 else "earlier", before, after, hours)
    return Difference("same" if before.level == after.level else "level", before, after, hours)


def _finding(told: Told, one: Finding) -> Thing:
    return Thing(
        kind="finding", key=(one.probe, one.rule, one.series), id=one.id, at=one.opened_at, until=one.cleared_at, title=told.first[one.id],
        series=one.series, foreseen=one.forecast is not None,
    )  # fmt: skip


def _incident(told: Told, one: Incident) -> Thing:
    first = told.findings.get(one.findings[0]) if one.findings else None
    about = one.services[0] if one.services else first.probe if first else one.id
    series = one.thing or (first.series if first else None)
    return Thing(
        kind="incident", key=(about,), id=one.id, at=one.opened_at, until=one.ended_at, title=told.first[one.id],
        level=str(told.worst[one.id]), series=series, foreseen=one.thing is not None,
    )  # fmt: skip


def _message(told: Told, one: Message, kind: str) -> Thing:
    incident = told.incidents.get(one.incident or "")
    about = _incident(told, incident).key if incident else ()
    key = (one.to, *((one.subkind or "",) if kind == "notice" else ()), *about)
    return Thing(
        kind=kind, key=key, id=one.id, at=one.at, until=None, title=say("rehearsal.text", text=one.subject), to=one.to, of=one.incident,
    )  # fmt: skip
