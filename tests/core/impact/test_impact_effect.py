from __future__ import annotations

import pytest
from impact_cases import HOST, SHOP, ahead, down, errors, finding, probe, slow

from forewarn.core.impact import Role, effect_of, meaning
from forewarn.model.finding import Finding
from forewarn.model.level import Effect
from forewarn.model.probe import Probe

CUSTOMERS = {"customer-zh", "customer-en"}
SMART = probe("disks", kind="smart", of=None)
PAGES = probe("pages", kind="http")

CASES: list[tuple[str, Finding, Probe | None, Effect, Role]] = [
    ("a target is down", down("web-1"), SHOP, Effect.FAILS, Role.FELT),
    ("answers are slow", slow(), SHOP, Effect.SLOW, Role.FELT),
    ("first byte is late", finding("shop|web-1|first_byte_s"), SHOP, Effect.SLOW, Role.FELT),
    ("slow, probe removed", slow(), None, Effect.SLOW, Role.FELT),
    ("seconds of a host are no latency", finding("host|local|uptime_s"), HOST, Effect.AT_RISK, Role.RISK),
    ("a load time of a page is no load", finding("pages|local|load_time_s"), PAGES, Effect.SLOW, Role.FELT),
    ("certificate runs out, threshold", finding("shop|web-1|certificate_left_s"), SHOP, Effect.AT_RISK, Role.RISK),
    ("errors of a customer", errors(), None, Effect.FAILS, Role.FELT),
    ("errors of nobody we know", errors("customer-xx"), None, Effect.AT_RISK, Role.RISK),
    ("errors without a label", errors(None), None, Effect.AT_RISK, Role.RISK),
    ("errors whose rule says what they mean", errors(None, effect=Effect.FAILS), None, Effect.FAILS, Role.FELT),
    ("file system over its limit", finding('host|local|fs_used_ratio{mount="/"}'), HOST, Effect.AT_RISK, Role.RISK),
    ("file system will fill", ahead('host|local|fs_used_ratio{mount="/"}'), HOST, Effect.FAILS, Role.COMING),
    ("inodes will run out", ahead('host|local|fs_inodes_used_ratio{mount="/"}'), HOST, Effect.FAILS, Role.COMING),
    ("volume will fill", ahead(), PAGES, Effect.FAILS, Role.COMING),
    ("volume is full", ahead(crossed=True), PAGES, Effect.FAILS, Role.CROSSED),
    ("latency will rise", ahead("shop|web-1|total_s"), SHOP, Effect.SLOW, Role.COMING),
    ("certificate will end", ahead("shop|web-1|certificate_left_s"), SHOP, Effect.FAILS, Role.COMING),
    ("rule's effect wins in a forecast", ahead(effect=Effect.STOPPED), PAGES, Effect.STOPPED, Role.COMING),
    ("temperature will rise", ahead("temps|local|cpu_package_celsius"), HOST, Effect.AT_RISK, Role.COMING),
    ("a disk may die", finding("disks|sdb|fails_p", kind="risk"), SMART, Effect.FAILS, Role.COMING),
    ("CPU over 90 %", finding("host|local|cpu_ratio"), HOST, Effect.AT_RISK, Role.RESOURCE),
    ("load", finding("host|local|load1"), HOST, Effect.AT_RISK, Role.RESOURCE),
    ("memory", finding("host|local|memory_used_ratio"), HOST, Effect.AT_RISK, Role.RESOURCE),
    ("memory goes fast", finding("host|local|memory_available_bytes", kind="rate"), HOST, Effect.AT_RISK, Role.RESOURCE),
    ("errors come fast", finding("log|local|errors_total", kind="rate"), HOST, Effect.AT_RISK, Role.RISK),
    ("CPU, believed to slow users down", finding("host|local|cpu_ratio", effect=Effect.SLOW), HOST, Effect.SLOW, Role.FELT),
    ("memory will run out", ahead("host|local|memory_used_ratio"), HOST, Effect.AT_RISK, Role.COMING),
    ("cannot see", finding("shop|web-1|up", kind="cannot-see"), SHOP, Effect.AT_RISK, Role.BLIND),
    ("unusual", finding("shop|web-1|total_s", kind="baseline"), SHOP, Effect.AT_RISK, Role.EVIDENCE),
    ("too few orders", finding("log|local|orders_total", kind="flatline"), HOST, Effect.AT_RISK, Role.EVIDENCE),
    (
        "too few orders, felt",
        finding("log|local|orders_total", kind="flatline", effect=Effect.FAILS),
        HOST,
        Effect.FAILS,
        Role.FELT,
    ),
    ("rules that agree", finding("shop|web-1|up", kind="compose"), SHOP, Effect.AT_RISK, Role.RISK),
    ("availability promise burns", finding("shop|web-1|up", kind="slo"), SHOP, Effect.FAILS, Role.FELT),
    ("latency promise burns", finding("shop|web-1|total_s", kind="slo"), SHOP, Effect.SLOW, Role.FELT),
    ("a question", finding("shop|web-1|asked", effect=Effect.QUESTION), SHOP, Effect.QUESTION, Role.QUESTION),
    ("data lost", finding("dumps|local|missing"), probe("dumps", kind="command", tags=("data-lost",)), Effect.STOPPED, Role.FELT),
]


@pytest.mark.parametrize(("found", "of", "effect", "role"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_meaning(found: Finding, of: Probe | None, effect: Effect, role: Role) -> None:
    assert effect_of(found, of, CUSTOMERS) is effect
    assert meaning(found, of, CUSTOMERS).role is role
