from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from impact_cases import (
    NOW,
    SHOP,
    ahead,
    customer,
    down,
    errors,
    finding,
    judged,
    measure,
    needing,
    probe,
    service,
    settings,
    slow,
)

from forewarn.model.finding import Finding, FindingState
from forewarn.model.impact import Impact
from forewarn.model.level import Effect, Level, Reach
from forewarn.model.map import Criticality
from forewarn.model.settings import Settings

BOTH_DOWN = (down("web-1"), down("web-2"))


def said(impact: Impact) -> tuple[str, str, str]:
    return str(impact.level), str(impact.effect), str(impact.reach)


# --- the story of contracts.md: a core checkout, two customers (one VIP), 12 % of users -------------------------------

STORY: list[tuple[str, tuple[Finding, ...], tuple[str, str, str]]] = [
    ("answers over 500 ms on one target", (slow(),), ("P2", "slow", "many")),
    ("one target down, first run", (slow(), down("web-1", confirmed=False)), ("P2", "slow", "many")),
    ("both down, first run", (slow(), down("web-1", False), down("web-2", False)), ("P2", "slow", "many")),
    ("errors of the VIP too, first look", (slow(), down("web-1", False), down("web-2", False), errors(confirmed=False)), ("P2", "slow", "many")),
    ("web-1, second run", (slow(), down("web-1"), down("web-2", False), errors()), ("P1", "fails", "many")),
    ("web-2, second run", (slow(), *BOTH_DOWN, errors()), ("P0", "stopped", "all")),
]  # fmt: skip


@pytest.mark.parametrize(("findings", "expected"), [case[1:] for case in STORY], ids=[case[0] for case in STORY])
def test_the_story(findings: tuple[Finding, ...], expected: tuple[str, str, str]) -> None:
    assert said(judged(*findings)) == expected


def test_the_storys_forewarning() -> None:
    impact = judged(ahead(), state="ahead")
    assert (impact.level, impact.would_be, impact.effect, impact.reach) == (Level.P2, Level.P1, Effect.FAILS, Reach.MANY)
    assert (impact.affected, impact.exposed) == ((), ("customer-en", "customer-zh"))
    assert (impact.why.key, impact.why.facts["share"], impact.why.facts["customers"]) == (
        "impact.why.exposed.users_customers",
        0.12,
        2,
    )


# --- the specification's eight examples, from findings to the level ---------------------------------------------------

PEAK_FREE = service("checkout", users=6_000)
IN_CAMPAIGN = replace(PEAK_FREE, campaigns=((NOW - timedelta(hours=1), NOW + timedelta(hours=1)),))
IMPORTANT = service(criticality=Criticality.IMPORTANT)
SUPPORTING = service(criticality=Criticality.SUPPORTING)


def of(one: Any) -> Settings:
    return settings(services=(one,))


EXAMPLES: list[tuple[str, Settings, tuple[Finding, ...], dict[str, Any], str]] = [
    ("down everywhere", settings(), (*BOTH_DOWN, errors()), measure("drop", 0.35) | measure("users_share", 0.4), "P0"),
    ("in one region", of(PEAK_FREE), (down("web-1"), errors()), measure("drop", 0.09) | measure("users_share", 0.06), "P1"),
    ("in one region, campaign", of(IN_CAMPAIGN), (down("web-1"), errors()), measure("drop", 0.09) | measure("users_share", 0.06), "P0"),
    ("slow, important", of(IMPORTANT), (slow(),), measure("drop", 0.0) | measure("users_share", 0.1), "P2"),
    ("CPU on one node", settings(), (finding("host|local|cpu_ratio"),), {}, "P3"),
    ("how-to question", of(SUPPORTING), (finding("shop|web-1|asked", effect=Effect.QUESTION),), {}, "P4"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "findings", "measures", "level"), [case[1:] for case in EXAMPLES], ids=[case[0] for case in EXAMPLES]
)
def test_the_worked_examples(known: Settings, findings: tuple[Finding, ...], measures: dict[str, Any], level: str) -> None:
    assert judged(*findings, known=known, measures=measures).level == level


def test_the_worked_example_of_a_dying_disk() -> None:
    smart = probe("disks", kind="smart")
    known = settings(services=(service(users=10_000),), customers=(customer("customer-en"),), probes=(SHOP, smart))
    risk = finding("disks|sdb|fails_p", kind="risk", forecast=replace(ahead().forecast, p=0.7, likely=None))
    impact = judged(risk, known=known, state="ahead")
    assert (impact.level, impact.would_be, impact.score) == (Level.P2, Level.P1, (40.6, 58.1))


def test_the_worked_example_scores() -> None:
    one_region = (of(PEAK_FREE), (down("web-1"), errors()), measure("drop", 0.09) | measure("users_share", 0.06))
    impact = judged(*one_region[1], known=one_region[0], measures=one_region[2])
    assert impact.score == (64.5, 64.5)


# --- a second run -----------------------------------------------------------------------------------------------------


def test_one_run_carries_no_further_than_p2_and_says_what_waits() -> None:
    impact = judged(down("web-1", confirmed=False))
    assert said(impact) == ("P2", "fails", "many")
    waits = next(factor for factor in impact.factors if factor.name == "second run")
    assert waits.why and waits.why.facts["waits"] == "P1"


def test_a_second_target_of_one_run_is_not_wholly_down() -> None:
    assert said(judged(down("web-1"), down("web-2", confirmed=False))) == ("P1", "fails", "many")


def test_cleared_findings_count_no_more() -> None:
    gone = replace(down("web-2"), state=FindingState.CLEARED)
    assert said(judged(down("web-1"), gone)) == ("P1", "fails", "many")


# --- who is touched ---------------------------------------------------------------------------------------------------


def test_a_service_wholly_down_affects_all_who_use_it() -> None:
    assert judged(*BOTH_DOWN).affected == ("customer-en", "customer-zh")


def test_other_kinds_of_probe_do_not_keep_a_fallen_service_up() -> None:
    """The volume's and the log's targets answer while the shop does not: users meet the shop at its public targets."""
    assert judged(*BOTH_DOWN).effect is Effect.STOPPED


def test_without_a_public_probe_all_that_look_from_outside_count() -> None:
    known = settings(probes=(replace(SHOP, tags=()), probe("pay", targets=("pay-1",)), probe("host", kind="host")))
    assert judged(*BOTH_DOWN, known=known).effect is Effect.FAILS
    assert judged(*BOTH_DOWN, down("pay-1", probe="pay"), known=known).effect is Effect.STOPPED


def test_partly_down_affects_only_whom_a_label_names() -> None:
    impact = judged(down("web-1"), errors("customer-en"))
    assert (impact.affected, impact.exposed) == (("customer-en",), ("customer-zh",))


def test_a_vip_raises_only_when_measured() -> None:
    important = of(IMPORTANT)
    assert judged(errors("customer-en"), known=important).level is Level.P2
    raised = judged(errors("customer-zh"), known=important)
    assert (raised.level, raised.shifts) == (Level.P1, ("vip",))


def test_exposed_are_also_those_of_services_that_cannot_do_without_it() -> None:
    services = (
        service("payments"),
        service("checkout", needs=(needing("payments"),), users=30_000),
        service("reports", needs=(needing("payments", soft=True),)),
        service("search", needs=(needing("payments", "cache", at_least=1),)),
    )
    customers = tuple(customer(f"customer-{name}", uses={name: 1.0}) for name in ("checkout", "reports", "search", "payments"))
    known = settings(services=services, customers=customers, probes=(probe("host", kind="host", of="payments"),))
    full = ahead('host|local|fs_used_ratio{mount="/"}', of="payments")
    impact = judged(full, known=known, state="ahead", services=("payments",))
    assert impact.exposed == ("customer-checkout", "customer-payments")
    assert (impact.reach, impact.would_be) == (Reach.ALL, Level.P0)


def test_staff_are_not_users() -> None:
    known = of(service(criticality=Criticality.IMPORTANT, users=90_000, internal=True))
    assert judged(ahead(), known=settings(services=tuple(known.services.values()), customers=()), state="ahead").reach is Reach.NONE


def test_users_of_an_affected_customer_count() -> None:
    known = settings(services=(IMPORTANT,), customers=(customer("customer-zh", users=7_000),))
    assert said(judged(errors(), known=known)) == ("P1", "fails", "many")


# --- forecasts --------------------------------------------------------------------------------------------------------


def test_a_crossed_limit_alone_is_p2_until_something_is_seen_to_fail() -> None:
    full = ahead(crossed=True)
    assert said(judged(full)) == ("P2", "fails", "many")
    assert said(judged(full, *BOTH_DOWN)) == ("P0", "stopped", "all")


def test_a_forecast_that_joined_an_open_incident_is_only_a_risk() -> None:
    assert said(judged(ahead())) == ("P3", "at_risk", "many")


def test_without_customers_and_users_a_filling_core_disk_is_still_worth_a_page() -> None:
    known = settings(
        services=(service("this-host"),), customers=(), probes=(probe("host", kind="host", of="this-host"),), users_total=None
    )
    impact = judged(
        ahead('host|local|fs_used_ratio{mount="/"}', of="this-host"), known=known, state="ahead", services=("this-host",)
    )
    assert (impact.level, impact.would_be) == (Level.P2, Level.P1)


def test_memory_that_will_run_out_reaches_nobody() -> None:
    impact = judged(ahead("host|local|memory_used_ratio"), state="ahead")
    assert (impact.level, impact.reach) == (Level.P3, Reach.NONE)


def test_a_forecasts_score_counts_its_probability_and_not_todays_orders() -> None:
    certain, likely = judged(ahead(p=1.0), state="ahead"), judged(ahead(p=0.5), state="ahead")
    assert likely.score[1] == pytest.approx(certain.score[1] / 2, abs=0.05)
    assert judged(ahead(p=1.0), state="ahead", measures=measure("drop", 0.9)).score == certain.score
    assert judged(ahead(p=None), state="ahead").score[0] == 0.0


# --- people and data --------------------------------------------------------------------------------------------------


def test_a_persons_word() -> None:
    assert said(judged(declared=Level.P0)) == ("P0", "stopped", "none")
    assert said(judged()) == ("P2", "fails", "none")  # declared without a level
    assert judged(slow(), declared=Level.P1).level is Level.P1
    assert judged(*BOTH_DOWN, declared=Level.P3).level is Level.P0


def test_exposed_data_call_the_security_team() -> None:
    leak = probe("leak", kind="command", tags=("data-exposed",))
    impact = judged(finding("leak|local|found"), known=settings(probes=(SHOP, leak)))
    assert (impact.security, impact.effect, impact.overrides) == (True, Effect.STOPPED, ("data-exposed",))
    assert (impact.level, impact.reach) == (Level.P1, Reach.NONE)


def test_an_incident_over_two_services_stands_at_the_worse_and_names_both() -> None:
    known = settings(services=(service(users=12_000), service("mail", Criticality.TEST)), probes=(SHOP, probe("mx", of="mail")))
    impact = judged(slow(), down("local", probe="mx", of="mail"), known=known, services=("checkout", "mail"))
    assert said(impact) == ("P2", "slow", "many")
    also = next(factor for factor in impact.factors if factor.name == "also touched")
    assert (also.value, also.source) == ("P3", "mail")
    assert impact.affected == ("customer-de",)


def test_a_probe_without_a_service_reaches_nobody() -> None:
    impact = judged(down("local", probe="volume", of=None), services=())
    assert said(impact) == ("P3", "fails", "none")


# --- the account ------------------------------------------------------------------------------------------------------


def test_every_factor_has_a_source_and_what_is_unknown_says_why() -> None:
    impact = judged(down("web-1"))
    by_name = {factor.name: factor for factor in impact.factors}
    assert all(factor.source for factor in impact.factors)
    assert all(factor.why for factor in impact.factors if factor.value is None)
    assert by_name["orders drop"].why and by_name["orders drop"].why.key == "impact.because.no_orders"
    assert by_name["users affected"].value is None
    assert by_name["targets"].value == 1.0 and by_name["targets"].source == "F-shop-web-1"
    assert by_name["criticality"].source == "services.yaml:3"
    assert by_name["level by matrix"].value == "P1"


def test_why_says_effect_reach_and_the_figures() -> None:
    why = judged(*BOTH_DOWN, errors()).why
    assert why.key == "impact.why.felt.targets_users_customers"
    assert (why.facts["bad"], why.facts["targets"], why.facts["share"], why.facts["customers"]) == (2, 2, 0.12, 2)
