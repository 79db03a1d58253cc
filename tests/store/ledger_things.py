"""Entities for the store's tests: complete ones with as few words as possible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from forewarn.model.actions import RunStep, Send
from forewarn.model.change import Change
from forewarn.model.due import Due
from forewarn.model.finding import Evidence, Finding, FindingState
from forewarn.model.hold import Hold
from forewarn.model.impact import Impact, Measure
from forewarn.model.incident import Incident, IncidentState, TimelineEntry
from forewarn.model.level import Colour, Effect, Level, Reach
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.playbook import Run, RunState, StepResult
from forewarn.model.text import say

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def at(seconds: float = 0.0) -> datetime:
    return T0 + timedelta(seconds=seconds)


def finding(n, *, state="open", incident=None, rule="slow", series="shop|web-1|total_s", opened=0.0, cleared=None) -> Finding:
    return Finding(
        id=f"F-{n}",
        state=FindingState(state),
        series=series,
        target="web-1",
        labels=(("path", "/"),),
        metric="total_s",
        rule=rule,
        kind="threshold",
        probe="shop",
        service="shop",
        colour=Colour.YELLOW,
        effect=None,
        opened_at=at(opened),
        cleared_at=None if cleared is None else at(cleared),
        why=say("why.threshold", value=0.9, limit=0.5),
        evidence=Evidence(value=0.9, limit=0.5, n=12, lines=("支付失败",)),
        forecast=None,
        confirmed=True,
        incident=incident,
        config="3fa9c1",
        source="probes/shop.yaml:7",
        seq=n,
    )


def incident(n, state="open") -> Incident:
    return Incident(
        id=f"INC-{n}",
        title=say("title.slow", service="shop"),
        why=say("why.threshold"),
        state=IncidentState(state),
        level=Level.P2,
        impact=Impact(effect=Effect.SLOW, reach=Reach.MANY, level=Level.P2, would_be=None, why=say("impact.slow")),
        findings=(f"F-{n}",),
        opened_at=at(n),
    )


def due(n, *, incident="INC-1", ended=None) -> Due:
    return Due(
        id=f"D-{n}",
        what="ack",
        subject=incident or "F-1",
        incident=incident,
        owner="shop",
        started_at=at(),
        due_at=at(300),
        next_at=at(150),
        done_at=at(200) if ended else None,
        ended=ended,
    )


def hold(n, *, ended=False, matcher=None) -> Hold:
    return Hold(
        id=f"H-{n}",
        reason=say("hold.undo"),
        owner="customer-en",
        matcher=matcher or {},
        audience="customers",
        from_at=at(),
        until=at(60),
        ended_at=at(60) if ended else None,
    )


def message(n, state="queued", *, incident="INC-1", to="on-call-1") -> Message:
    return Message(
        id=f"M-{n}",
        kind=MessageKind.PAGE,
        to=to,
        language="zh",
        channels=("mail", "webhook"),
        at=at(n),
        state=MessageState(state),
        why=say("why.page"),
        key=f"key-{n}",
        subject="P2 结账变慢",
        text="…",
        incident=incident,
    )


def run(n, state="running", *, incident="INC-1", ended=False) -> Run:
    return Run(
        id=f"R-{n}",
        playbook="shop-down",
        incident=incident,
        finding="F-1",
        state=RunState(state),
        steps=(StepResult(name="look", kind="run", facts={"pid": "4711"}),),
        started_at=at(),
        ended_at=at(9) if ended else None,
    )


def measure(service="shop", value=0.38) -> Measure:
    return Measure(service=service, what="drop", value=value, at=at(), why=say("why.drop"))


def entry(text="note.opened", *, incident="INC-1", refs=()) -> TimelineEntry:
    return TimelineEntry(incident=incident, at=at(), say=say(text, n=1), refs=refs)


def send(n, *, message=None, when=0.0, again=True, urgency=7) -> Send:
    return Send(id=f"A-{n}", at=at(when), message=message or f"M-{n}", channel=0, again=again, urgency=urgency)


def step(n, *, when=0.0, again=False) -> RunStep:
    return RunStep(
        id=f"A-{n}",
        at=at(when),
        run="R-1",
        step=0,
        kind="run",
        where="local",
        spec={"argv": ["df", "-h"]},
        timeout_s=30.0,
        again=again,
    )


def change(n, *, what="deploy") -> Change:
    return Change(
        id=f"C-{n}", at=at(), heard_at=at(5), what=what, text="支付 4.2.1", who="on-call-1", service="shop", key="build-17"
    )
