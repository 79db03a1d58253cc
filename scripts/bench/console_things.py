"""A busy ledger for the console's figures: incidents of every state with their findings, messages, dues and runs."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

from tools import ROOT

sys.path.insert(0, str(ROOT / "agent"))
from forewarn.model.due import Due
from forewarn.model.finding import Evidence, Finding, FindingState
from forewarn.model.forecast import Forecast
from forewarn.model.impact import Factor, Impact
from forewarn.model.incident import Incident, IncidentState, TimelineEntry
from forewarn.model.level import Colour, Effect, Level, Reach
from forewarn.model.message import Approval, Attempt, Message, MessageKind, MessageState
from forewarn.model.text import say
from forewarn.ports import Entity

STATES = [
    *[IncidentState.AHEAD] * 4,
    *[IncidentState.OPEN] * 5,
    *[IncidentState.ACKNOWLEDGED] * 5,
    *[IncidentState.MITIGATED] * 2,
    *[IncidentState.RESOLVED] * 2,
    *[IncidentState.CLOSED] * 2,
]
"""Of every twenty incidents: far more open ones than anybody ever wants to see."""
THINGS = ("orders", "payments", "search", "mail", "login", "stock", "prices", "photos")
WORDS = (
    "database full",
    "disk wears out",
    "certificate ends",
    "queue grows",
    "磁盘将满",
    "数据库连接耗尽",
    "订单变慢",
    "证书即将到期",
)
TASKS = 300
PER_INCIDENT = 3
"""Messages and dues each."""


def things(incidents: int, now: datetime) -> Iterator[tuple[list[Entity], list[TimelineEntry]]]:
    """All of it, in batches of one incident each; the same on every call."""
    chance = random.Random(4)
    for n in range(1, incidents + 1):
        yield _one(n, now, chance)
    for n in range(incidents + 1, incidents + TASKS + 1):
        yield [_finding(n, None, now - timedelta(minutes=n), ahead=False)], []


def _one(n: int, now: datetime, chance: random.Random) -> tuple[list[Entity], list[TimelineEntry]]:
    state, opened = STATES[n % len(STATES)], now - timedelta(minutes=chance.randint(1, 40000))
    ahead, ended = state is IncidentState.AHEAD, state in (IncidentState.RESOLVED, IncidentState.CLOSED)
    level = Level.P2 if ahead else chance.choice(list(Level))
    incident = Incident(
        id=f"INC-{n}",
        title=say("title.declared", text=f"{THINGS[n % 8]} {WORDS[n % 7]} {n}"),
        why=_impact(level, ahead).why,
        state=state,
        level=level,
        would_be=Level.P1 if ahead else None,
        impact=_impact(level, ahead),
        act_by=now + timedelta(hours=chance.randint(-2, 60)) if ahead else None,
        earliest=now + timedelta(hours=chance.randint(1, 600)) if ahead else None,
        thing=f"bench-{n:05}|t|total_s" if ahead else None,
        findings=(f"F-{n}",),
        services=(THINGS[n % 8],),
        messages=tuple(f"M-{(n - 1) * PER_INCIDENT + at}" for at in range(1, PER_INCIDENT + 1)),
        owner="on-call-1" if n % 3 else None,
        opened_at=opened,
        ended_at=now if ended else None,
    )
    finding = _finding(n, incident.id, opened, ahead=ahead, cleared=now if ended else None)
    messages = [_message((n - 1) * PER_INCIDENT + at, n, opened, chance) for at in range(1, PER_INCIDENT + 1)]
    dues = [
        _due((n - 1) * PER_INCIDENT + at, what, incident, now)
        for at, what in enumerate(("update.customer", "resolve", "act-by"), 1)
    ]
    entries = [TimelineEntry(incident=incident.id, at=opened, say=say("respond.opened", finding=finding.id)) for _ in range(3)]
    return [finding, incident, *messages, *dues], entries


def _impact(level: Level, ahead: bool) -> Impact:
    return Impact(
        effect=Effect.FAILS,
        reach=Reach.MANY,
        level=level,
        would_be=Level.P1 if ahead else None,
        score=(39.9, 57.4),
        factors=(
            Factor(name="users exposed", value=0.06, source="customers.yaml:12"),
            Factor(name="orders drop", value=None, source="services.yaml:3", why=say("impact.because.no_orders")),
        ),
        exposed=("customer-en", "customer-zh"),
        why=say("impact.why.exposed.users_customers", effect="fails", reach="many", share=0.06, customers=2),
    )


def _finding(n: int, incident: str | None, at: datetime, *, ahead: bool, cleared: datetime | None = None) -> Finding:
    dates = Forecast(
        earliest=at + timedelta(days=2), likely=at + timedelta(days=3), latest=at + timedelta(days=4), p=0.7, horizon_s=259200.0
    )
    return Finding(
        id=f"F-{n}", state=FindingState.CLEARED if cleared else FindingState.OPEN, series=f"bench-{n:05}|t|total_s", target="t",
        labels=(), metric="total_s", rule="slow", kind="forecast" if ahead else "threshold", probe=f"bench-{n:05}", service="orders",
        colour=Colour.YELLOW, effect=None, opened_at=at, cleared_at=cleared, confirmed=True, incident=incident, config="bench",
        why=say("why.threshold.last", value=0.9, limit=0.5, stat="last", window_s=None, for_s=0.0, unit="s"),
        evidence=Evidence(value=0.9, limit=0.5, window_s=300.0, n=30, first_at=at, last_at=at), source="probes/bench.yaml:9", seq=1,
        forecast=dates if ahead else None,
    )  # fmt: skip


def _message(n: int, incident: int, at: datetime, chance: random.Random) -> Message:
    chinese = n % 2 == 0
    waiting = n % 60 == 0
    state = MessageState.WAITING if waiting else MessageState.SENT
    return Message(
        id=f"M-{n}", kind=MessageKind.NOTICE if n % 3 else MessageKind.PAGE, subkind="started" if n % 3 else None,
        to="customer-zh" if chinese else "customer-en", language="zh" if chinese else "en", channels=("mail",), at=at, state=state,
        why=say("told.uses", service="orders", share=0.6), key=f"{n:06x}", incident=f"INC-{incident}",
        approval=Approval(asked=("on-call-1",)) if waiting else None,
        subject=f"【告知】{THINGS[n % 8]} 下单变慢 {n}" if chinese else f"{THINGS[n % 8]} may be slow tonight ({n})",
        text=("今晚 20:40–22:30,提交订单的响应可能比平时慢。目前一切正常。" if chinese else "Orders may take longer than usual to go through. ") * 4,
        attempts=(Attempt(at=at, channel="mail", result="sent", ms=chance.random() * 90),) if not waiting else (),
    )  # fmt: skip


def _due(n: int, what: str, incident: Incident, now: datetime) -> Due:
    ended = "met" if incident.ended_at else None
    return Due(
        id=f"D-{n}",
        what=what,
        subject=incident.id,
        incident=incident.id,
        owner="ops",
        started_at=incident.opened_at,
        due_at=now + timedelta(minutes=n % 5000),
        calendar="24x7",
        done_at=now if ended else None,
        ended=ended,
    )
