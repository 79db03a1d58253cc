"""Who is told, who would be and when, and who would not and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from forewarn.core.flow.expected import Expected, Known, Outreach, outreach
from forewarn.model.due import Due, Weekly
from forewarn.model.impact import Impact
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Effect, Level, Mode, Reach
from forewarn.model.map import Channel, Customer, EscalationStep, Person, Secret
from forewarn.model.message import Attempt, Message, MessageKind, MessageState
from forewarn.model.probe import Source
from forewarn.model.settings import Daemon, LevelRules, PolicyTable, Settings
from forewarn.model.text import say

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MIN = timedelta(minutes=1)
SOURCE = Source("config/x.yaml", 1)
HOOK = (Channel("webhook", Secret("json://127.0.0.1/")),)
ASLEEP = Weekly(frozenset(range(7)), time(9), time(12), UTC, "09:00-12:00")


def customer(name: str, **changed: object) -> Customer:
    return replace(Customer(name=name, title=name, zone=UTC, uses={"shop": 0.5}, channels=HOOK, source=SOURCE), **changed)


def settings(*customers: Customer, page: str = "at_once", tell_s: float | None = 600.0, notices: Mode = Mode.LIVE) -> Settings:
    rules = {level: LevelRules(calendar="24x7", spans={}, page=page, tell_s=tell_s) for level in Level}
    people = {name: Person(name=name, title=name, zone=UTC, channels=HOOK, source=SOURCE) for name in ("first", "second", "head")}
    return Settings(
        id="c", folder="/c", loaded_at=NOW, files=1, daemon=Daemon(zone=UTC), people=people, ladder=rules,
        customers={one.name: one for one in customers}, policy=PolicyTable(modes={"notice": notices}),
    )  # fmt: skip


def incident(**changed: object) -> Incident:
    impact = Impact(
        effect=Effect.FAILS,
        reach=Reach.ALL,
        level=Level.P1,
        would_be=None,
        score=(0, 1),
        factors=(),
        affected=("hit",),
        why=say("x"),
    )
    steps = tuple(EscalationStep(to=name, ack_s=300.0) for name in ("first", "second", "head"))
    it = Incident(
        id="INC-1", title=say("x"), why=say("x"), state=IncidentState.OPEN, level=Level.P1, impact=impact, services=("shop",),
        opened_at=NOW - 5 * MIN, breached_at=NOW - 5 * MIN, escalation=steps, called=("first",), escalated=1,
    )  # fmt: skip
    return replace(it, **changed)


def found(it: Incident, config: Settings, messages: tuple[Message, ...] = (), dues: tuple[Due, ...] = ()) -> Outreach:
    return outreach(Known(incident=it, messages=messages, dues=dues, holds=(), settings=config), NOW)


def names(expected: tuple[Expected, ...]) -> list[str]:
    return [one.to for one in expected]


def test_the_next_steps_come_when_their_clock_rings():
    clock = Due(id="D-1", what="escalate", subject="INC-1", incident="INC-1", owner=None, started_at=NOW, due_at=NOW + 2 * MIN)
    people = found(incident(), settings(), dues=(clock,)).people
    assert [(one.to, one.state, one.at, one.subkind) for one in people] == [
        ("second", "would", NOW + 2 * MIN, "escalated"),
        ("head", "would", NOW + 7 * MIN, "escalated"),
    ]


@pytest.mark.parametrize(
    ("changed", "page", "why"),
    [
        ({"owner": "first"}, "at_once", "expected.owned"),
        ({"state": IncidentState.RESOLVED}, "at_once", "expected.over"),
        ({"state": IncidentState.MITIGATED}, "at_once", "expected.over"),
        ({}, "never", "expected.level"),
        ({"impact": replace(incident().impact, effect=Effect.SLOW)}, "at_once", "expected.no_cause"),
        ({"state": IncidentState.AHEAD, "called": (), "earliest": None}, "at_once", "expected.in_time"),
    ],
)
def test_why_nobody_else_is_called(changed, page, why):
    it = found(incident(**changed), settings(page=page))
    assert it.people == ()
    assert {one.why.key for one in it.people_left} == {why}
    assert [one.who for one in it.people_left][-2:] == ["second", "head"]


def test_a_customer_is_on_one_side_or_the_other():
    config = settings(
        customer("hit"), customer("unhurt"), customer("stranger", uses={}),
        customer("refuses", consent=frozenset({"maintenance"})), customer("deaf", channels=()),
    )  # fmt: skip
    it = found(incident(impact=replace(incident().impact, affected=("hit", "refuses", "deaf"))), config)
    assert names(it.customers) == ["hit"]
    assert {one.who: one.why.key for one in it.customers_left} == {
        "unhurt": "not_told.not_affected",
        "stranger": "not_told.no_use",
        "refuses": "not_told.no_consent",
        "deaf": "not_told.no_channel",
    }


def test_a_notice_to_come_says_when_and_what_stands_before_it():
    def told(config: Settings, **changed: object) -> tuple[object, str | None]:
        (one,) = found(incident(**changed), config).customers
        return one.at, one.how.key if one.how else None

    assert told(settings(customer("hit"))) == (NOW + 5 * MIN, None)  # ten minutes after it began
    assert told(settings(customer("hit"), notices=Mode.SUGGEST)) == (None, "expected.needs_yes")
    assert told(settings(customer("hit"), notices=Mode.SHADOW)) == (None, "may.shadow")
    assert told(settings(customer("hit"), tell_s=None)) == (None, "expected.level_tells_none")
    assert told(settings(customer("hit", quiet=ASLEEP)), level=Level.P2) == (NOW + 5 * MIN, "expected.held")
    assert told(settings(customer("hit", quiet=ASLEEP))) == (NOW + 5 * MIN, None)  # a P1 breaks quiet hours


def test_what_was_written_is_told_as_it_is_and_not_again():
    sent = Message(
        id="M-4", kind=MessageKind.NOTICE, subkind="started", to="hit", language="en", channels=("mail", "webhook"), at=NOW - MIN,
        state=MessageState.SENT, why=say("told.affected"), key="", subject="s", text="t", incident="INC-1",
        attempts=(Attempt(at=NOW - MIN, channel="webhook", result="sent"),),
    )  # fmt: skip
    (one,) = found(incident(), settings(customer("hit")), messages=(sent,)).customers
    assert (one.message, one.state, one.at, one.channels) == ("M-4", "sent", NOW - MIN, ("webhook",))


def test_when_it_is_over_nobody_else_is_told():
    it = found(incident(state=IncidentState.CLOSED), settings(customer("hit")))
    assert (it.customers, [(one.who, one.why.key) for one in it.customers_left]) == ((), [("hit", "expected.over")])
