"""To know less never raises a level: every subset of what can be known, against everything that knows more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from impact_cases import NOW, ahead, customer, down, errors, finding, judged, measure, service, settings, slow

from forewarn.model.finding import Finding
from forewarn.model.level import Level
from forewarn.model.map import Criticality

CAN_BE_LOST = ("drop", "users", "label", "tier", "campaign")
Known = frozenset[str]

HEAT = finding("host|local|cpu_celsius", id="F-heat")
SCENES: dict[str, tuple[tuple[Finding, ...], str]] = {
    "errors of a customer": ((errors(),), "live"),
    "errors, one run": ((errors(confirmed=False),), "live"),
    "slow and errors": ((slow(), errors()), "live"),
    "slow at a customer's": ((slow(labels=(("tenant", "customer-zh"),)),), "live"),
    "part down and errors": ((down("web-1"), errors()), "live"),
    "part down, one run, errors": ((down("web-1", confirmed=False), errors()), "live"),
    "all down": ((down("web-1"), down("web-2"), errors()), "live"),
    "hot and errors": ((HEAT, errors()), "live"),
    "hot": ((HEAT,), "live"),
    "disk full, nothing seen to fail": ((ahead(crossed=True), errors()), "live"),
    "will be full": ((ahead(),), "ahead"),
    "will be slow": ((ahead("shop|web-1|total_s"),), "ahead"),
    "CPU": ((finding("host|local|cpu_ratio"), errors(confirmed=False)), "live"),
}
DROPS, SHARES, USERS = (0.02, 0.05, 0.15, 0.4), (0.01, 0.06, 0.25), (1_000, 12_000, 40_000)


def subsets() -> Iterator[Known]:
    for picks in product((False, True), repeat=len(CAN_BE_LOST)):
        yield frozenset(name for name, picked in zip(CAN_BE_LOST, picks, strict=True) if picked)


def level(
    findings: tuple[Finding, ...], state: str, criticality: Criticality, drop: float, share: float, users: int, known: Known
) -> Level:
    campaigns = ((NOW - timedelta(hours=1), NOW + timedelta(days=1)),) if "campaign" in known else ()
    tier = "vip" if "tier" in known else "standard"
    shop = settings(
        services=(service(criticality=criticality, users=users, campaigns=campaigns, tags=("core-payment",)),),
        customers=(customer("customer-zh", tier), customer("customer-en")),
    )
    seen = findings if "label" in known else tuple(replace(f, labels=()) for f in findings)
    measures = (measure("drop", drop) if "drop" in known else measure("drop", None)) | (
        measure("users_share", share) if "users" in known else {}
    )
    impact = judged(*seen, known=shop, measures=measures, state=state)
    return impact.would_be or impact.level


@pytest.mark.parametrize("criticality", list(Criticality))
@pytest.mark.parametrize("scene", SCENES)
def test_losing_a_figure_never_raises_the_level(scene: str, criticality: Criticality) -> None:
    findings, state = SCENES[scene]
    for drop, share, users in product(DROPS, SHARES, USERS):
        levels = {known: level(findings, state, criticality, drop, share, users, known) for known in subsets()}
        for known, more in levels.items():
            for name in known:
                less = levels[known - {name}]
                assert not less.worse_than(more), (
                    f"without {name}: {more} -> {less}; known {sorted(known)}, {drop=}, {share=}, {users=}"
                )


def test_the_table_is_not_idle() -> None:
    """Each of the five does move a level somewhere, or the table above would prove nothing."""
    moved = set()
    for (findings, state), criticality, drop, share in product(SCENES.values(), Criticality, DROPS, SHARES):
        everything = frozenset(CAN_BE_LOST)
        most = level(findings, state, criticality, drop, share, 1_000, everything)
        moved |= {
            name for name in CAN_BE_LOST if level(findings, state, criticality, drop, share, 1_000, everything - {name}) is not most
        }
    moved |= {
        name
        for name in CAN_BE_LOST
        for findings, state in SCENES.values()
        if level(findings, state, Criticality.IMPORTANT, 0.02, 0.01, 1_000, frozenset({name, "label"}))
        is not level(findings, state, Criticality.IMPORTANT, 0.02, 0.01, 1_000, frozenset({"label"}) - {name})
    }
    assert moved == set(CAN_BE_LOST)
