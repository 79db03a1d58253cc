"""A small shop to tell things about: services, customers, people, a playbook; incidents and findings made to order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from forewarn.core.tell.scene import Scene
from forewarn.model.due import Calendar, Span, Weekly
from forewarn.model.finding import Evidence, Finding, FindingState
from forewarn.model.forecast import Forecast
from forewarn.model.impact import Impact
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Colour, Effect, Level, Reach
from forewarn.model.map import Channel, Criticality, Customer, Person, Secret, Service
from forewarn.model.message import Attempt, Message, MessageKind, MessageState
from forewarn.model.playbook import Match, Playbook, Run, RunState, Step, StepResult, StepState
from forewarn.model.probe import Source
from forewarn.model.settings import Daemon, LevelRules, Settings
from forewarn.model.text import Say, say

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 10, 12, tzinfo=UTC)  # Sunday 18:12 in Shanghai
EARLIEST = datetime(2026, 11, 22, 18, 10, tzinfo=UTC)  # Monday 02:10
LATEST = datetime(2026, 11, 22, 20, 40, tzinfo=UTC)  # Monday 04:40
HERE = Source("test.yaml", 1)
PHRASES = Path(__file__).parents[3] / "config" / "phrases"


def flat(tree: dict, prefix: str = "") -> dict[str, str]:
    found = {}
    for key, value in tree.items():
        assert isinstance(key, str), f"{prefix}{key!r} is not text: quote it"
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def catalogue(language: str) -> dict[str, str]:
    return {k: v for path in sorted((PHRASES / language).glob("*.yaml")) for k, v in flat(yaml.safe_load(path.read_text())).items()}


TESTS = {
    "en": {"why.test": "{value:ratio} used, limit 95 %", "impact.why.test": "{effect:word} x {reach:word}: 6 % of users exposed"},
    "zh": {"why.test": "已用 {value:ratio}，上限 95%", "impact.why.test": "{effect:word} × {reach:word}：可能波及 6% 的用户"},
}
CATALOGUES = {language: {**catalogue(language), **TESTS[language]} for language in ("en", "zh")}
JUDGED = say("impact.why.test", effect="fails", reach="many")
MAIL = Channel("mail", Secret("mailto://ops@customer.example"))
NIGHT = Weekly(frozenset(range(7)), time(22), time(7), SHANGHAI, "22:00-07:00")


def customer(name: str, **given: object) -> Customer:
    base = {"title": name, "zone": SHANGHAI, "uses": {"checkout": 0.6}, "channels": (MAIL,), "source": HERE}
    return Customer(name=name, **{**base, **given})  # type: ignore[arg-type]


EN = customer("customer-en", title="Customer B")
ZH = customer("customer-zh", title="客户甲", language="zh", tier="vip", quiet=NIGHT)
OTHER = customer("customer-fr", title="Customer C", uses={"search": 1.0})
CHECKOUT = Service(
    name="checkout",
    names={"en": "Checkout", "zh": "结账"},
    team="shop",
    criticality=Criticality.CORE,
    runs_on=("host:web-1",),
    source=HERE,
)
SEARCH = Service(name="search", names={"en": "Search", "zh": "搜索"}, criticality=Criticality.SUPPORTING, source=HERE)
ONE = Person(name="on-call-1", title="On call 1", zone=SHANGHAI, channels=(MAIL,), source=HERE)
EINS = replace(ONE, name="on-call-zh", language="zh")
OFFICE = Calendar(name="office", zone=SHANGHAI, week=(((time(9), time(18)),),) * 5 + ((), ()))
FREE = Playbook(
    name="free-volume",
    title={"en": "Free the volume", "zh": "清理存储卷"},
    match=Match(),
    steps=(
        Step(name="look", kind="run", reads=True, source=HERE),
        Step(name="clean", kind="run", source=HERE),
    ),
    source=HERE,
)


def ladder() -> dict[Level, LevelRules]:
    def rules(update_s: float, page: str, calendar: str = "24x7") -> LevelRules:
        return LevelRules(calendar=calendar, spans={"update.customer": Span(update_s)}, page=page)

    return {
        Level.P0: rules(1800, "at_once"),
        Level.P1: rules(3600, "at_once"),
        Level.P2: rules(4 * 3600, "in_hours", "office"),
        Level.P3: LevelRules(calendar="office", spans={}),
        Level.P4: LevelRules(calendar="office", spans={}),
    }


def settings(**given: object) -> Settings:
    base = {
        "id": "3fa9c1",
        "folder": "config",
        "loaded_at": NOW,
        "files": 1,
        "daemon": Daemon(zone=SHANGHAI),
        "services": {"checkout": CHECKOUT, "search": SEARCH},
        "customers": {c.name: c for c in (EN, ZH, OTHER)},
        "people": {p.name: p for p in (ONE, EINS)},
        "calendars": {"office": OFFICE},
        "ladder": ladder(),
        "playbooks": {"free-volume": FREE},
        "phrases": CATALOGUES,
    }
    return Settings(**{**base, **given})  # type: ignore[arg-type]


def impact(effect: Effect = Effect.FAILS, level: Level = Level.P2, would_be: Level | None = Level.P1, **given: object) -> Impact:
    base = {"affected": (), "exposed": ("customer-en", "customer-zh"), "reach": Reach.MANY, "why": JUDGED}
    return Impact(effect=effect, level=level, would_be=would_be, **{**base, **given})  # type: ignore[arg-type]


def incident(state: IncidentState = IncidentState.AHEAD, effect: Effect = Effect.FAILS, **given: object) -> Incident:
    ahead = state is IncidentState.AHEAD
    level = Level.P2 if ahead else Level.P0
    base = {
        "id": "INC-3",
        "title": say("title.down", service="checkout"),
        "why": JUDGED,
        "level": level,
        "would_be": Level.P1 if ahead else None,
        "impact": impact(effect, level, Level.P1 if ahead else None),
        "services": ("checkout",),
        "opened_at": NOW - timedelta(minutes=10),
    }
    if ahead or state in (IncidentState.AVERTED, IncidentState.WITHDRAWN):
        base |= {
            "earliest": EARLIEST,
            "act_by": EARLIEST - timedelta(hours=4, minutes=10),
            "thing": "volume|local|volume_used_ratio",
        }
        base["title"] = say(
            "title.forecast",
            service="checkout",
            what="metric.volume_used_ratio",
            earliest=EARLIEST.timestamp(),
            latest=LATEST.timestamp(),
        )
    return Incident(state=state, **{**base, **given})  # type: ignore[arg-type]


def finding(**given: object) -> Finding:
    base = {
        "id": "F-17",
        "state": FindingState.OPEN,
        "series": "volume|local|volume_used_ratio",
        "target": "local",
        "labels": (("mount", "/srv"),),
        "metric": "volume_used_ratio",
        "rule": "fills",
        "kind": "forecast",
        "probe": "volume",
        "service": "checkout",
        "colour": Colour.YELLOW,
        "effect": None,
        "opened_at": NOW,
        "why": Say("why.test", {"value": 0.912}),
        "evidence": Evidence(value=0.912, limit=0.95, n=360, first_at=NOW - timedelta(hours=6), last_at=NOW),
        "forecast": Forecast(earliest=EARLIEST, likely=EARLIEST + timedelta(hours=1), latest=LATEST, p=0.9, horizon_s=259200),
        "confirmed": True,
        "incident": "INC-3",
        "config": "3fa9c1",
        "source": "probes/host.yaml:31",
        "seq": 1,
    }
    return Finding(**{**base, **given})  # type: ignore[arg-type]


def down(target: str, n: int = 1) -> Finding:
    return finding(
        id=f"F-{n}", series=f"shop|{target}|up", target=target, labels=(), metric="up", rule="down", kind="down", probe="shop",
        forecast=None, colour=Colour.RED, evidence=Evidence(value=0, limit=1, n=2, first_at=NOW, last_at=NOW),
    )  # fmt: skip


def run(look: StepState, clean: StepState, state: RunState = RunState.RUNNING) -> Run:
    steps = (StepResult(name="look", kind="run", state=look), StepResult(name="clean", kind="run", changing=True, state=clean))
    return Run(id="R-1", playbook="free-volume", incident="INC-3", finding="F-17", state=state, steps=steps, started_at=NOW)


def message(subkind: str = "forewarning", to: str = "customer-en", **given: object) -> Message:
    base = {
        "id": "M-7",
        "kind": MessageKind.NOTICE,
        "language": "en",
        "channels": ("mail",),
        "at": NOW,
        "state": MessageState.WAITING,
        "why": say("told.uses", service="checkout", share=0.6),
        "key": "5f1c77aa00112233",
        "subject": "s",
        "text": "t",
        "incident": "INC-3",
    }
    return Message(subkind=subkind, to=to, **{**base, **given})  # type: ignore[arg-type]


SENT = message(state=MessageState.SENT, attempts=(Attempt(at=NOW, channel="mail", result="sent"),))


def scene(what: Incident | None = None, **given: object) -> Scene:
    return Scene(**{"incident": what or incident(), "services": (CHECKOUT,), "all_up": False, **given})  # type: ignore[arg-type]
