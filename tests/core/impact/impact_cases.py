"""A small shop as the tests see it: its map, its probes, and findings about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from forewarn.core.impact import assess
from forewarn.model.finding import Evidence, Finding, FindingState
from forewarn.model.forecast import Forecast
from forewarn.model.impact import Impact, ImpactRules, Measure
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Colour, Effect, Level, Reach
from forewarn.model.map import Criticality, Customer, Need, Service
from forewarn.model.probe import Probe, Source, Target
from forewarn.model.series import SeriesId
from forewarn.model.settings import Daemon, Settings
from forewarn.model.text import say

NOW = datetime(2026, 11, 22, 16, 20, tzinfo=UTC)
HERE = Source("services.yaml", 3)


def service(name: str = "checkout", criticality: Criticality = Criticality.CORE, **fields: Any) -> Service:
    return Service(name=name, criticality=criticality, source=HERE, **fields)


def customer(name: str, tier: str = "standard", uses: Mapping[str, float] | None = None, **fields: Any) -> Customer:
    return Customer(
        name=name,
        title=name,
        tier=tier,
        zone=UTC,
        uses={"checkout": 0.6} if uses is None else uses,
        source=Source("customers.yaml", 12),
        **fields,
    )


def probe(
    name: str, kind: str = "http", targets: tuple[str, ...] = ("local",), of: str | None = "checkout", **fields: Any
) -> Probe:
    return Probe(
        name=name,
        kind=kind,
        every_s=10.0,
        timeout_s=3.0,
        targets=tuple(Target(target, target) for target in targets),
        options=None,
        rules=(),
        service=of,
        source=Source(f"probes/{name}.yaml", 1),
        **fields,
    )


SHOP = probe("shop", targets=("web-1", "web-2"), tags=("public",))
VOLUME = probe("volume")
SHOP_LOG = probe("shop-log", kind="log", targets=("shop.log",))
HOST = probe("host", kind="host")


def named(things: tuple[Any, ...]) -> dict[str, Any]:
    return {thing.name: thing for thing in things}


def settings(
    services: tuple[Service, ...] = (service(users=12_000),),
    customers: tuple[Customer, ...] = (
        customer("customer-en"),
        customer("customer-zh", "vip"),
        customer("customer-de", uses={"mail": 1.0}),
    ),
    probes: tuple[Probe, ...] = (SHOP, VOLUME, SHOP_LOG, HOST),
    users_total: int | None = 100_000,
) -> Settings:
    return Settings(
        id="3fa9c1",
        folder=".",
        loaded_at=NOW,
        files=4,
        daemon=Daemon(zone=UTC),
        services=named(services),
        customers=named(customers),
        probes=named(probes),
        impact=ImpactRules(users_total=users_total),
    )


def finding(
    series: str, rule: str = "slow", kind: str = "threshold", id: str = "F-1", of: str | None = "checkout", **fields: Any
) -> Finding:
    parsed = SeriesId.parse(series)
    made = Finding(
        id=id,
        state=FindingState.OPEN,
        series=series,
        target=parsed.target,
        labels=parsed.labels,
        metric=parsed.metric,
        rule=rule,
        kind=kind,
        probe=parsed.probe,
        service=of,
        colour=Colour.YELLOW,
        effect=None,
        opened_at=NOW,
        why=say("why.test"),
        evidence=Evidence(),
        forecast=None,
        confirmed=True,
        config="3fa9c1",
        source="probes/shop.yaml:7",
        seq=1,
    )
    return replace(made, **fields)


def down(target: str, confirmed: bool = True, probe: str = "shop", of: str | None = "checkout") -> Finding:
    return finding(f"{probe}|{target}|up", "down", "down", id=f"F-{probe}-{target}", of=of, confirmed=confirmed)


def slow(target: str = "web-1", **fields: Any) -> Finding:
    return finding(f"shop|{target}|total_s", id="F-slow", **fields)


def errors(tenant: str | None = "customer-zh", **fields: Any) -> Finding:
    labels = f'{{tenant="{tenant}"}}' if tenant else ""
    return finding(f"shop-log|shop.log|errors_total{labels}", "errors", "pattern", id="F-errors", **fields)


def ahead(
    series: str = "volume|local|volume_used_ratio", p: float | None = 0.9, crossed: bool = False, likely_h: float = 8, **fields: Any
) -> Finding:
    likely = NOW + timedelta(hours=likely_h)
    forecast = Forecast(earliest=likely, likely=likely, latest=likely, p=p, horizon_s=259200.0, crossed=crossed)
    fields = {"evidence": Evidence(value=0.8, limit=0.95)} | fields
    return finding(series, "full-soon", "forecast", id="F-ahead", forecast=forecast, **fields)


def measure(what: str, value: float | None, of: str = "checkout") -> dict[str, Measure]:
    return {f"{of}/{what}": Measure(service=of, what=what, value=value, at=NOW, why=say("orders.drop"))}


def judged(
    *findings: Finding,
    known: Settings | None = None,
    measures: Mapping[str, Measure] | None = None,
    state: str = "live",
    declared: Level | None = None,
    services: tuple[str, ...] = ("checkout",),
) -> Impact:
    known = known or settings()
    return assess(findings, [known.services[name] for name in services], known, measures or {}, state, declared, NOW)


def incident(
    id: str,
    state: IncidentState = IncidentState.OPEN,
    services: tuple[str, ...] = ("checkout",),
    findings: tuple[str, ...] = (),
    thing: str | None = None,
    minutes_ago: float = 10,
) -> Incident:
    impact = Impact(effect=Effect.SLOW, reach=Reach.FEW, level=Level.P3, would_be=None, why=say("x"))
    return Incident(
        id=id,
        title=say("x"),
        why=say("x"),
        state=state,
        level=Level.P3,
        impact=impact,
        services=services,
        findings=findings,
        thing=thing,
        opened_at=NOW - timedelta(minutes=minutes_ago),
    )


def needing(*names: str, **fields: Any) -> Need:
    return Need(services=names, **fields)
