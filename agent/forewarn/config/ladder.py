"""ladder.yaml: calendars, what each level demands, and the figures that levels are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from forewarn.config.files import Document, Path
from forewarn.config.problems import Wrong, suggestion
from forewarn.config.reading import Reading
from forewarn.config.times import dates, week
from forewarn.config.validate import validated_parts
from forewarn.config.written import Duration, Limit, Name, Share, Texts, Written, Zone, described
from forewarn.model.due import ALWAYS, Calendar, Span
from forewarn.model.impact import ImpactRules
from forewarn.model.level import Effect, Level
from forewarn.model.settings import LevelRules


class CalendarWritten(Written):
    """Working hours."""

    zone: Zone | None = described("the daemon's zone if left out", "Asia/Shanghai", default=None)
    open: dict[str, Texts] = described("days -> hours", {"Mon-Fri": "09:00-18:00"})
    holidays: Texts = described("days without work", ["2026-10-01..2026-10-07"], default=())


class UpdateWritten(Written):
    """How often people hear something new."""

    customer: Limit | None = described("customers", "30m", default=None)
    internal: Limit | None = described("colleagues", "15m", default=None)


class RcaWritten(Written):
    """The account of the cause."""

    first: Limit | None = described("the first one, internal", "24h", default=None)
    final: Limit | None = described("the final one, for customers", "72h", default=None)


class LevelWritten(Written):
    """What one level demands; a limit that is left out is not demanded."""

    clock: str = described("24x7, or a calendar", "24x7")
    ack: Limit | None = described("an engineer has taken it", "5m", default=None)
    customer_call: Limit | None = described("a person has talked to the customer", "15m", default=None)
    war_room: Limit | None = described("the war room is at work", "15m", default=None)
    diagnosis: Limit | None = described("a first diagnosis", "30m", default=None)
    plan: Limit | None = described("a plan", "2h", default=None)
    update: UpdateWritten = UpdateWritten()
    mitigate: Limit | None = described("the service works again", "4h", default=None)
    resolve: Limit | None = described("the cause is gone", "24h", default=None)
    rca: RcaWritten = RcaWritten()
    room: bool = described("a war room is opened", True, default=False)
    page: Literal["at_once", "in_hours", "never"] = described("when somebody is called", "at_once", default="never")
    call: int = described("how many steps of the escalation are called at once", 1, default=1, ge=0)
    tell: Duration | None = described("after how long customers are told; never by itself if left out", "2m", default=None)


class ReachWritten(Written):
    """From which share of users, or number of customers, on."""

    all: Share = described("all", "20%", default=0.20)
    many: Share = described("many", "5%", default=0.05)
    many_customers: int = described("customers that are many", 3, default=3, ge=1)


class DropWritten(Written):
    """The drop of orders that means an effect."""

    stopped: Share = described("stopped", "30%", default=0.30)
    fails: Share = described("fails", "10%", default=0.10)
    slow: Share = described("slow", "3%", default=0.03)


WEIGHTS = tuple(ImpactRules().weights)


def _weights(value: dict[str, float]) -> dict[str, float]:
    for name in value:
        if name not in WEIGHTS:
            raise Wrong(f'"{name}" has no weight', suggestion(name, WEIGHTS))
    if value and not math.isclose(sum(value.values()), 1, abs_tol=1e-6):
        raise Wrong(f"the weights sum to {sum(value.values()):.4g}", "make them sum to 1")
    missing = [name for name in WEIGHTS if name not in value]
    if value and missing:
        raise Wrong(f"there is no weight for {', '.join(missing)}", "write 0 where one must not count")
    return value


class ImpactWritten(Written):
    """The figures of the impact matrix and its score."""

    users_total: int | None = described("all users; the largest users of a service if left out", 100000, default=None, ge=1)
    reach: ReachWritten = ReachWritten()
    drop: DropWritten = DropWritten()
    weights: Annotated[dict[str, Annotated[float, Field(ge=0, le=1)]], AfterValidator(_weights)] = described(
        "of the score; they sum to 1", {"orders": 0.25}, default={}
    )
    peak_factor: float = described("score in peak hours", 1.2, default=1.2, ge=1, le=5)
    campaign_factor: float = described("score in a campaign", 1.4, default=1.4, ge=1, le=5)


class LadderFile(Written):
    """config/ladder.yaml"""

    calendars: dict[Name, CalendarWritten] = Field(default={}, description="working hours by name")
    levels: dict[Level, LevelWritten] = Field(default={}, description="P0 to P4")
    impact: ImpactWritten = ImpactWritten()


@dataclass(frozen=True, slots=True)
class Ladder:
    """What ladder.yaml comes to."""

    calendars: dict[str, Calendar] = field(default_factory=dict)
    levels: dict[Level, LevelRules] = field(default_factory=dict)
    impact: ImpactRules = field(default_factory=ImpactRules)


def ladder(doc: Document, reading: Reading) -> Ladder:
    """Calendars, levels and figures; empty where the file can't be used."""
    written, dropped = validated_parts(LadderFile, doc.value, doc, reading.problems, depth=1)
    if written is None:
        return Ladder()
    calendars = {name: made for name, one in written.calendars.items() if (made := _calendar(doc, name, one, reading))}
    levels = {level: _level(one) for level, one in sorted(written.levels.items(), key=lambda item: item[0].rank)}
    if ("levels",) not in dropped:
        _check(doc, levels, None if ("calendars",) in dropped else written.calendars, reading)
    return Ladder(calendars, levels, _impact(doc, written.impact, reading))


def _calendar(doc: Document, name: str, one: CalendarWritten, reading: Reading) -> Calendar | None:
    at: Path = ("calendars", name)
    if name == ALWAYS.name:
        reading.problems.add(doc, at, "24x7 is always open and can't be changed", "give this calendar another name")
    hours = reading.problems.reading(doc, (*at, "open"), week, one.open)
    days = [reading.problems.reading(doc, (*at, "holidays", index), dates, text) for index, text in enumerate(one.holidays)]
    if hours is None:
        return None
    holidays = frozenset(day for some in days if some for day in some)
    return Calendar(name=name, zone=one.zone or reading.zone, week=hours, holidays=holidays)


def _level(one: LevelWritten) -> LevelRules:
    spans: dict[str, Span | None] = {
        "ack": one.ack,
        "customer_call": one.customer_call,
        "war_room": one.war_room,
        "diagnosis": one.diagnosis,
        "plan": one.plan,
        "update.customer": one.update.customer,
        "update.internal": one.update.internal,
        "mitigate": one.mitigate,
        "resolve": one.resolve,
        "rca.first": one.rca.first,
        "rca.final": one.rca.final,
    }
    given = {what: span for what, span in spans.items() if span is not None}
    return LevelRules(calendar=one.clock, spans=given, room=one.room, page=one.page, call=one.call, tell_s=one.tell)


def _check(doc: Document, levels: dict[Level, LevelRules], calendars: Iterable[str] | None, reading: Reading) -> None:
    """`calendars` None: not all of them are known."""
    for level in Level:
        if level not in levels:
            reading.problems.add(doc, ("levels",), f"{level} is missing", f"write {level}: {{clock: 24x7, ack: 1h}}")
    for level, rules in levels.items():
        clocks = (ALWAYS.name, *(calendars or ()))
        if calendars is not None and rules.calendar not in clocks:
            at = ("levels", str(level), "clock")
            reading.problems.add(doc, at, f'"{rules.calendar}" is not a calendar', suggestion(rules.calendar, clocks))
    _check_first_response(doc, levels, reading)


def _check_first_response(doc: Document, levels: dict[Level, LevelRules], reading: Reading) -> None:
    """A milder level must never be answered sooner than a graver one."""
    with_ack = [(level, rules.spans["ack"]) for level, rules in levels.items() if "ack" in rules.spans]
    for (worse, first), (milder, then) in pairwise(with_ack):
        if _seconds(then) < _seconds(first):
            at = ("levels", str(milder), "ack")
            reading.problems.add(
                doc, at, f"{milder} would be answered sooner than {worse}", f"make it as long as that of {worse} or longer"
            )


def _seconds(span: Span) -> float:
    return span.seconds + span.working_days * 86400.0


def _impact(doc: Document, one: ImpactWritten, reading: Reading) -> ImpactRules:
    if one.reach.many > one.reach.all:
        reading.problems.add(doc, ("impact", "reach", "many"), "many is a larger share than all", "make it smaller")
    if not one.drop.slow <= one.drop.fails <= one.drop.stopped:
        reading.problems.add(doc, ("impact", "drop"), "a graver effect has a smaller drop", "make slow <= fails <= stopped")
    return ImpactRules(
        users_total=one.users_total,
        reach_all=one.reach.all,
        reach_many=one.reach.many,
        many_customers=one.reach.many_customers,
        drop={Effect.STOPPED: one.drop.stopped, Effect.FAILS: one.drop.fails, Effect.SLOW: one.drop.slow},
        weights=one.weights or ImpactRules().weights,
        peak_factor=one.peak_factor,
        campaign_factor=one.campaign_factor,
    )
