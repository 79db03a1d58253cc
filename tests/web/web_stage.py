"""A daemon's face without its body: the real application on a real socket over a real ledger, with things to look at."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn

from forewarn.cli.words import phrases
from forewarn.core.overview import glance
from forewarn.core.reader import Body
from forewarn.core.sought import words_of
from forewarn.model.due import Due
from forewarn.model.finding import Evidence, Finding, FindingState, RuleState
from forewarn.model.forecast import Forecast
from forewarn.model.glance import Glance
from forewarn.model.hindsight import Hindsight, Progress
from forewarn.model.hold import Hold
from forewarn.model.impact import Factor, Impact
from forewarn.model.incident import Incident, IncidentState, TimelineEntry
from forewarn.model.level import Colour, Effect, Level, Reach
from forewarn.model.map import Criticality, Customer, Person, Service
from forewarn.model.message import Approval, Attempt, HeldBy, Message, MessageKind, MessageState
from forewarn.model.playbook import Match, Playbook, Run, RunState, Step, StepResult, StepState
from forewarn.model.probe import Probe, Source, Target
from forewarn.model.series import SeriesId, Window
from forewarn.model.settings import Daemon, Settings
from forewarn.model.text import Say, say
from forewarn.ports import Entity, ProbeView, RuleView, SeriesView, TargetView
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.web.app import build
from forewarn.web.links import Links

NOW = datetime(2026, 11, 22, 10, 3, 20, tzinfo=UTC)
TOKEN = "a-token-of-the-tests-0123456789"
SOURCE = Source("probes/host.yaml", 31)
CONFIG = "3fa9c1"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-22T{text}+00:00")


@dataclass
class FixedClock:
    moment: datetime = NOW
    looked: int = 0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        """Some seconds later at every look: what is kept for a moment is made anew for every question of a test."""
        self.looked += 1
        return self.moment.timestamp() + 5 * self.looked


@dataclass
class ShownStats:
    """ports.Stats with what a test puts in."""

    shown: list[ProbeView] = field(default_factory=list)
    said: list[Say] = field(default_factory=list)
    reload: Body | None = None
    output: dict[str, str] = field(default_factory=dict)

    async def glance(self) -> Glance:
        return glance(self.shown)

    async def views(self, names: Sequence[str]) -> list[ProbeView]:
        return [view for view in self.shown if view.probe.name in names]

    def lateness_ms(self) -> tuple[float, float]:
        return (0.8, 4.1)

    def missed(self) -> int:
        return 0

    def started_at(self) -> datetime:
        return NOW - timedelta(seconds=62)

    def troubles(self) -> list[Say]:
        return self.said

    def reloaded(self) -> Body | None:
        return self.reload

    def saying(self, run: str) -> str:
        return self.output.get(run, "")


@dataclass
class Wishes:
    """ports.Commands that keeps what it was given and answers as told."""

    given: list[tuple[Any, ...]] = field(default_factory=list)
    answer: str | Exception | None = None

    async def __call__(
        self, verb: str, id: str | None, by: str, words: tuple[str, ...], text: str | None, version: int | None
    ) -> str | None:
        self.given.append((verb, id, by, words, text, version))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or id


def settings(*, customers: bool = False, zone: str = "UTC") -> Settings:
    people = {name: Person(name=name, title=name, zone=UTC, source=SOURCE) for name in ("on-call-1", "on-call-2")}
    known = {
        name: Customer(name=name, title=title, tier=tier, language=language, zone=UTC, uses={"checkout": 0.6}, source=SOURCE)
        for name, title, tier, language in (("customer-en", "Customer B", "standard", "en"), ("customer-zh", "客户甲", "vip", "zh"))
    }
    look = Step(name="look", kind="run", reads=True, source=SOURCE)
    clean = Step(name="clean", kind="run", source=SOURCE)
    return Settings(
        id=CONFIG,
        folder="/etc/forewarn",
        loaded_at=at("10:02:18"),
        files=9,
        daemon=Daemon(zone=ZoneInfo(zone)),
        services={
            "checkout": Service(
                name="checkout", names={"en": "Checkout", "zh": "结账"}, criticality=Criticality.CORE, source=SOURCE
            )
        },
        customers=known if customers else {},
        people=people,
        playbooks={
            "free-volume": Playbook(
                name="free-volume",
                title={"en": "Free the volume"},
                match=Match(rule="disk-fills"),
                steps=(look, clean),
                source=SOURCE,
            )
        },
        phrases={"en": phrases("en"), "zh": phrases("zh")},
    )


# --- things -----------------------------------------------------------------------------------------------------------


def finding(id: str = "F-17", **changed: Any) -> Finding:
    given: dict[str, Any] = {
        "state": FindingState.OPEN,
        "series": 'host|local|fs_used_ratio{mount="/srv"}',
        "target": "local",
        "labels": (("mount", "/srv"),),
        "metric": "fs_used_ratio",
        "rule": "disk-fills",
        "kind": "forecast",
        "probe": "host",
        "service": "checkout",
        "colour": Colour.YELLOW,
        "effect": None,
        "opened_at": at("10:03:00"),
        "why": say("console.figure", name="/srv", value=0.912, unit="ratio"),
        "evidence": Evidence(value=0.912, limit=0.95, window_s=21600.0, n=360, first_at=at("04:02:00"), last_at=at("10:02:00")),
        "forecast": Forecast(earliest=at("12:40:00"), likely=at("13:20:00"), latest=at("14:30:00"), p=0.7, horizon_s=259200.0),
        "confirmed": True,
        "incident": "INC-3",
        "config": CONFIG,
        "source": str(SOURCE),
        "seq": 1,
    }
    return Finding(id=id, **{**given, **changed})


def incident(id: str = "INC-3", **changed: Any) -> Incident:
    impact = Impact(
        effect=Effect.FAILS,
        reach=Reach.MANY,
        level=Level.P2,
        would_be=Level.P1,
        score=(39.9, 57.4),
        factors=(
            Factor(name="users exposed", value=0.06, source="customers.yaml:12"),
            Factor(name="orders drop", value=None, source="services.yaml:3", why=say("impact.because.no_orders")),
        ),
        exposed=("customer-en", "customer-zh"),
        why=say("impact.why.exposed.users_customers", effect="fails", reach="many", share=0.06, customers=2),
    )
    given: dict[str, Any] = {
        "title": say("title.declared", text="Orders DB full"),
        "why": impact.why,
        "state": IncidentState.AHEAD,
        "level": Level.P2,
        "would_be": Level.P1,
        "impact": impact,
        "act_by": at("12:10:00"),
        "earliest": at("12:40:00"),
        "thing": 'host|local|fs_used_ratio{mount="/srv"}',
        "findings": ("F-17",),
        "services": ("checkout",),
        "messages": ("M-7",),
        "runs": ("R-1",),
        "opened_at": at("10:03:00"),
    }
    return Incident(id=id, **{**given, **changed})


def message(id: str = "M-7", **changed: Any) -> Message:
    given: dict[str, Any] = {
        "kind": MessageKind.NOTICE,
        "subkind": "forewarning",
        "to": "customer-zh",
        "language": "zh",
        "channels": ("mail", "webhook"),
        "at": at("10:03:05"),
        "state": MessageState.WAITING,
        "why": say("told.uses", service="checkout", share=0.6),
        "approval": Approval(asked=("on-call-1",), expires=at("14:03:05")),
        "key": "5f1c0a",
        "subject": "【提前告知】今晚下单可能变慢",
        "text": "今晚 20:40–22:30（北京时间），提交订单的响应可能比平时慢。目前一切正常。\n我们会在 20:00 前再次告知进展。",
        "incident": "INC-3",
        "next_update_at": at("12:00:00"),
    }
    return Message(id=id, **{**given, **changed})


def due(id: str = "D-9", **changed: Any) -> Due:
    given: dict[str, Any] = {
        "what": "act-by",
        "subject": "INC-3",
        "incident": "INC-3",
        "owner": "shop",
        "started_at": at("09:03:20"),
        "due_at": at("11:33:20"),
        "calendar": "office",
    }
    return Due(id=id, **{**given, **changed})


def run(id: str = "R-1") -> Run:
    steps = (
        StepResult(
            name="look", kind="run", state=StepState.OK, started_at=at("10:03:06"), ended_at=at("10:03:07"),
            summary="largest: /srv/dumps 40 GB", output="40G /srv/dumps\n 2G /srv/logs\n",
        ),
        StepResult(name="clean", kind="run"),
    )  # fmt: skip
    return Run(
        id=id,
        playbook="free-volume",
        incident="INC-3",
        finding="F-17",
        state=RunState.WAITING,
        steps=steps,
        started_at=at("10:03:06"),
    )


def hold(id: str = "H-2") -> Hold:
    return Hold(id=id, reason=say("console.verb.undo"), owner="customer-zh", matcher={}, audience="customers",
                from_at=at("10:00:00"), until=at("10:04:00"), breaks_from=Level.P1)  # fmt: skip


def probe(name: str = "host", kind: str = "host", **changed: Any) -> Probe:
    given: dict[str, Any] = {
        "every_s": 10.0,
        "timeout_s": 3.0,
        "targets": (Target("local", "local"),),
        "options": None,
        "rules": (),
        "service": "checkout",
    }
    return Probe(name=name, kind=kind, source=SOURCE, **{**given, **changed})


def views() -> list[ProbeView]:
    """A host that learns, a shop that is up, a disk asleep."""
    srv = SeriesId("host", "local", "fs_used_ratio", (("mount", "/srv"),))
    cpu = SeriesId("host", "local", "cpu_used_ratio")
    ahead = RuleView(rule="disk-fills", state=RuleState.LEARNING, why=None, ready_at=at("18:40:00"))
    busy = RuleView(rule="busy", state=RuleState.OK, why=say("console.figure", name="CPU", value=0.12, unit="ratio"))
    host = TargetView(
        target="local", outcome="up", reason=None, detail=None, at=at("10:03:10"), lateness_ms=1.2,
        series=(SeriesView(series=srv, value=0.61, at=NOW, rules=(ahead,)), SeriesView(series=cpu, value=0.12, at=NOW, rules=(busy,))),
    )  # fmt: skip
    total = SeriesId("checkout-api", "https://shop.example/health", "total_s")
    shop = TargetView(
        target="https://shop.example/health", outcome="up", reason=None, detail=None, at=at("10:03:10"), lateness_ms=0.4,
        series=(SeriesView(series=total, value=0.031, at=NOW),),
    )  # fmt: skip
    disk = TargetView(target="sdb", outcome="unknown", reason="asleep", detail=None, at=at("10:03:00"), lateness_ms=None)
    return [
        ProbeView(probe=probe(), targets=(host,)),
        ProbeView(probe=probe("checkout-api", "http", targets=(Target(total.target, total.target),)), targets=(shop,)),
        ProbeView(probe=probe("disks", "smart", service=None), targets=(disk,)),
    ]


def story() -> list[Entity]:
    """A forewarning with a drafted notice in each language, an open incident, a page, a run, a hold and clocks."""
    sent = message(
        "M-6", to="customer-en", language="en", state=MessageState.SENT, approval=Approval(asked=("on-call-1",), by="on-call-1", at=at("10:03:10")),
        subject="Checkout may be slow tonight between 12:40 and 14:30",
        text="Between 12:40 and 14:30 today, orders may take longer than usual to go through. Nothing is wrong at the moment.\nWe will write again by 12:00.",
        attempts=(Attempt(at=at("10:03:12"), channel="mail", result="sent", ms=12.0),),
    )  # fmt: skip
    held = message("M-8", state=MessageState.HELD, to="customer-en", language="en", subkind="update", subject="Still working on it", text="More by noon.",
                   held=HeldBy(hold="H-2", by=say("console.verb.undo"), until=at("10:04:00")), approval=None)  # fmt: skip
    page = message("M-5", kind=MessageKind.PAGE, subkind=None, to="on-call-1", language="en", state=MessageState.SENT, approval=None,
                   subject="Orders DB full at 12:40 · act by 12:10", text="db-1 /srv 91 % full\nINC-3", next_update_at=None)  # fmt: skip
    slow = incident("INC-2", title=say("title.declared", text="Search is slow"), state=IncidentState.ACKNOWLEDGED, would_be=None, act_by=None, earliest=None,
                    thing=None, findings=(), messages=(), runs=(), owner="on-call-1", services=("search",), opened_at=at("09:20:00"))  # fmt: skip
    task = finding(
        "F-18",
        incident=None,
        rule="busy",
        kind="threshold",
        forecast=None,
        why=say("console.figure", name="CPU", value=0.93, unit="ratio"),
    )
    ahead = incident(messages=("M-5", "M-6", "M-7", "M-8"))
    return [finding(), task, ahead, slow, sent, message(), held, page, due(), due("D-10", what="retry"), run(), hold()]


ENTRIES = [
    TimelineEntry(incident="INC-3", at=at("10:03:00"), say=say("respond.opened", finding="F-17"), refs=("F-17",)),
    TimelineEntry(incident="INC-3", at=at("10:03:05"), say=say("respond.paged", who="on-call-1")),
    TimelineEntry(incident="INC-3", at=at("10:03:20"), say=say("respond.note", text="looking"), by="on-call-1"),
]


# --- the server -------------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str
    cookies: list[str]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Stage:
    """A running server and everything that a test may turn."""

    port: int
    ledger: SqliteLedger
    stats: ShownStats
    wishes: Wishes
    clock: FixedClock
    links: Links
    settings: Settings
    app: Any
    past: dict[str, Window]
    """Stored samples by series."""
    steps: list[int]
    """Which summaries were asked for."""
    would: Hindsight
    """How often each rule would have fired."""
    loop: asyncio.AbstractEventLoop

    def keep(self, *things: Entity, entries: list[TimelineEntry] | None = None) -> None:
        self.ledger.commit(things, entries or [], [], {})

    def publish(self, *things: Entity) -> None:
        """Tell live pages that these have changed."""
        self.loop.call_soon_threadsafe(self.app.state.feed.publish, things)

    def end_streams(self) -> None:
        self.loop.call_soon_threadsafe(self.app.state.feed.close)

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str | None) -> Answer:
        """One request; header names are written with _ for -. `host=None` style removes nothing: http.client adds Host."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        given = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        if body is not None and body.startswith("{"):
            given.setdefault("Content-Type", "application/json")
        connection.request(method, path, body.encode() if body is not None else None, given)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        cookies = [value for name, value in response.getheaders() if name.lower() == "set-cookie"]
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text, cookies)

    def api(self, path: str, **headers: str) -> Any:
        """GET /api/v1/PATH with the token."""
        answer = self.ask(f"/api/v1/{path}", Authorization=f"Bearer {TOKEN}", **headers)
        assert answer.status == 200, answer.body
        return answer.json()

    def enter(self) -> str:
        """The Cookie header of somebody who opened a one-time link."""
        answer = self.ask(f"/link/{self.links.make()}")
        assert answer.status == 200, answer.body
        return next(value for value in answer.cookies if value.startswith("forewarn_")).partition(";")[0]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def stage(folder: Path, *, customers: bool = False, zone: str = "UTC") -> Iterator[Stage]:
    """Serve on a free port of loopback until the block ends."""
    found = settings(customers=customers, zone=zone)
    clock, ledger = FixedClock(), SqliteLedger(folder / "ledger.db", NOW, texts=lambda thing: words_of(thing, it.settings))
    stats, wishes, links = ShownStats(), Wishes(), Links(TOKEN, clock)

    async def reload():
        return {"ok": True}

    past: dict[str, Window] = {}

    async def history(series: SeriesId, begin_s: float, end_s: float, step_s: int) -> Window:
        it.steps.append(step_s)
        window = past.get(str(series), Window.of([]))
        return Window.of([(at, value) for at, value in zip(window.times_s, window.values, strict=True) if begin_s <= at < end_s])

    app = build(
        ledger=ledger, stats=stats, settings=lambda: it.settings, commands=wishes, clock=clock, token=TOKEN, links=links, metrics=lambda: "forewarn_up 1\n",
        reload=reload, history=history, hindsight=lambda probe: it.would,
    )  # fmt: skip
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    with serving(uvicorn.Server(config)) as (port, loop):
        it = Stage(port, ledger, stats, wishes, clock, links, found, app, past, [], Hindsight(progress=Progress.COUNTING), loop)
        yield it
        it.end_streams()
    ledger.close()


@contextlib.contextmanager
def serving(server: uvicorn.Server) -> Iterator[tuple[int, asyncio.AbstractEventLoop]]:
    """The server on a loop of its own thread; answers its port and that loop. Without uvicorn's main loop, whose ticks cost 0.2 s a test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="web-stage", daemon=True)
    thread.start()

    def call(what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, loop).result(10)

    async def start() -> None:
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup()

    async def stop() -> None:
        for listening in server.servers:
            listening.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        if tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(tasks, timeout=5)

    call(start())
    try:
        yield server.servers[0].sockets[0].getsockname()[1], loop
    finally:
        call(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
