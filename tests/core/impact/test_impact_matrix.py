from __future__ import annotations

from typing import Any

import pytest

from forewarn.core.impact.matrix import Known, judge
from forewarn.model.impact import ImpactRules
from forewarn.model.level import Effect, Level
from forewarn.model.map import Criticality

RULES = ImpactRules()
CORE, IMPORTANT, SUPPORTING, TEST = Criticality
E = Effect

CASES: list[tuple[str, dict[str, Any], str, str]] = [  # what, known, level, effect x reach
    # the eight examples of the specification
    (
        "payment down everywhere",
        {"wholly": True, "down": 2, "felt": E.FAILS, "drop": 0.35, "users": 0.4, "vip": 1, "affected": 1},
        "P0",
        "stopped all",
    ),
    (
        "payment down in one region",
        {"down": 1, "felt": E.FAILS, "drop": 0.09, "users": 0.06, "vip": 1, "affected": 1},
        "P1",
        "fails many",
    ),
    ("the same in a campaign", {"down": 1, "felt": E.FAILS, "drop": 0.09, "users": 0.06, "campaign": True}, "P0", "fails many"),
    (
        "slow, important, 10 %",
        {"criticality": IMPORTANT, "slow": 1, "felt": E.SLOW, "drop": 0.0, "users": 0.1, "affected": 2},
        "P2",
        "slow many",
    ),
    ("CPU on one node", {"resource": True, "users_exposed": 0.4, "exposed": 5}, "P3", "at_risk none"),
    ("SMART forecast, 10 % at stake", {"ahead": True, "breach": E.FAILS, "users_exposed": 0.1, "exposed": 1}, "P1", "fails many"),
    ("how-to question", {"criticality": SUPPORTING, "affected": 1}, "P4", "question none"),
    # reach: the widest that is known of
    ("exactly 20 % is all", {"felt": E.FAILS, "users": 0.20}, "P0", "fails all"),
    ("just under is many", {"felt": E.FAILS, "users": 0.1999}, "P1", "fails many"),
    ("exactly 5 % is many", {"felt": E.SLOW, "users": 0.05}, "P2", "slow many"),
    ("just under is few", {"felt": E.SLOW, "users": 0.0499}, "P3", "slow few"),
    ("nobody is none", {"felt": E.FAILS, "users": 0.0}, "P3", "fails none"),
    ("two customers are few", {"felt": E.FAILS, "affected": 2}, "P2", "fails few"),
    ("three are many", {"felt": E.FAILS, "affected": 3}, "P1", "fails many"),
    ("core wholly down", {"felt": E.FAILS, "down": 2, "wholly": True}, "P0", "stopped all"),
    ("important wholly down", {"criticality": IMPORTANT, "felt": E.FAILS, "down": 2, "wholly": True}, "P1", "stopped few"),
    ("supporting wholly down", {"criticality": SUPPORTING, "felt": E.FAILS, "down": 2, "wholly": True}, "P3", "stopped none"),
    ("core partly down", {"felt": E.FAILS, "down": 1}, "P1", "fails many"),
    ("important partly down", {"criticality": IMPORTANT, "felt": E.FAILS, "down": 1}, "P3", "fails none"),
    ("slow counts as some", {"felt": E.SLOW, "slow": 1}, "P2", "slow many"),
    ("no service", {"criticality": None, "felt": E.FAILS, "down": 1}, "P3", "fails none"),
    # effect by orders
    ("orders -30 %", {"drop": 0.30, "users": 0.01}, "P1", "stopped few"),
    ("orders -10 %", {"drop": 0.10, "users": 0.01}, "P2", "fails few"),
    ("orders -3 %", {"drop": 0.03, "users": 0.01}, "P3", "slow few"),
    ("orders -2 %", {"drop": 0.02, "users": 0.01}, "P4", "question none"),
    # at risk uses the exposed
    ("at risk, all exposed", {"risk": True, "users_exposed": 0.3}, "P2", "at_risk all"),
    ("at risk, some exposed", {"risk": True, "users_exposed": 0.1}, "P3", "at_risk many"),
    ("cannot see is P3 at most", {"blind": True, "users_exposed": 0.9}, "P3", "at_risk all"),
    ("a crossed forecast is P2 at most", {"breach": E.FAILS, "users_exposed": 0.9}, "P2", "fails all"),
    (
        "slow few does not hide at risk all",
        {"felt": E.SLOW, "users": 0.01, "risk": True, "users_exposed": 0.5},
        "P2",
        "at_risk all",
    ),
    # shifts
    ("campaign and VIP raise once", {"felt": E.SLOW, "affected": 1, "vip": 1, "campaign": True}, "P2", "slow few"),
    ("VIP raises", {"felt": E.FAILS, "affected": 1, "vip": 1}, "P1", "fails few"),
    ("VIP never to P0", {"felt": E.FAILS, "down": 1, "affected": 1, "vip": 1}, "P1", "fails many"),
    ("campaign never to P0 when slow", {"felt": E.SLOW, "users": 0.3, "campaign": True}, "P1", "slow all"),
    ("supporting, one down", {"criticality": SUPPORTING, "felt": E.FAILS, "users": 0.3}, "P1", "fails all"),
    ("supporting, not below P3", {"criticality": SUPPORTING, "felt": E.SLOW, "affected": 1}, "P3", "slow few"),
    ("test, never above P3", {"criticality": TEST, "felt": E.STOPPED, "wholly": True, "users": 0.9}, "P3", "stopped all"),
    # overrides
    ("data lost", {"criticality": TEST, "felt": E.STOPPED, "data_lost": True}, "P0", "stopped none"),
    ("data exposed", {"criticality": IMPORTANT, "felt": E.STOPPED, "data_exposed": True}, "P1", "stopped none"),
    ("core payment", {"criticality": IMPORTANT, "felt": E.FAILS, "down": 1, "core_payment": True}, "P1", "fails none"),
    (
        "core payment, only errors",
        {"criticality": IMPORTANT, "felt": E.FAILS, "affected": 1, "core_payment": True},
        "P2",
        "fails few",
    ),
]


@pytest.mark.parametrize(("known", "level", "cell"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_level(known: dict[str, Any], level: str, cell: str) -> None:
    judged = judge(Known(**{"criticality": CORE, **known}), RULES)
    assert (judged.level, f"{judged.strand.effect} {judged.strand.reach}") == (Level(level), cell)


def test_every_step_is_recorded_and_ends_at_the_level() -> None:
    known = Known(criticality=SUPPORTING, felt=E.FAILS, users=0.1, campaign=True, core_payment=True, down=1)
    judged = judge(known, RULES)
    assert judged.steps == (("matrix", Level.P1), ("campaign", Level.P0), ("supporting", Level.P1))
    assert (judged.shifts, judged.overrides) == (("campaign", "supporting"), ())


def test_a_cap_is_a_step() -> None:
    judged = judge(Known(criticality=CORE, breach=E.FAILS, users_exposed=0.9), RULES)
    assert judged.steps == (("matrix", Level.P0), ("cap", Level.P2))
