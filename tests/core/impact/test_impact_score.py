from __future__ import annotations

import pytest

from forewarn.core.impact.score import AVAILABILITY, CRITICALITY, SCOPE, STANDARD, VIP, Bounds, interval
from forewarn.model.impact import ImpactRules
from forewarn.model.level import Effect, Reach
from forewarn.model.map import Criticality

RULES = ImpactRules()
CORE, IMPORTANT, SUPPORTING = CRITICALITY[Criticality.CORE], CRITICALITY[Criticality.IMPORTANT], CRITICALITY[Criticality.SUPPORTING]
DOWN, SLOW, RISK, ASK = (AVAILABILITY[e] for e in (Effect.FAILS, Effect.SLOW, Effect.AT_RISK, Effect.QUESTION))
ALL, MANY, FEW, NONE = (SCOPE[reach] for reach in Reach)

Known = dict[str, float]


def inputs(
    orders: float | None, users: float, criticality: float, availability: float, scope: float, customers: float
) -> dict[str, Bounds]:
    known: dict[str, float | None] = {
        "orders": orders, "users": users, "criticality": criticality, "availability": availability, "scope": scope, "customers": customers
    }  # fmt: skip
    return {name: (value, value) for name, value in known.items() if value is not None}


REGION = inputs(0.09 / 0.3, 0.06 / 0.2, CORE, DOWN, MANY, VIP)
EXAMPLES = [  # spec/systems.md section 3; the order of its table
    ("payment down everywhere", inputs(1.0, 1.0, CORE, AVAILABILITY[Effect.STOPPED], ALL, VIP), 1.2, 1.0, (100.0, 100.0)),
    ("down in one region", REGION, 1.0, 1.0, (64.5, 64.5)),
    ("same, peak hour", REGION, 1.2, 1.0, (77.4, 77.4)),
    ("same, campaign", REGION, 1.4, 1.0, (90.3, 90.3)),
    ("latency on an important service", inputs(0.0, 0.5, IMPORTANT, SLOW, MANY, STANDARD), 1.0, 1.0, (36.0, 36.0)),
    ("CPU over 90 % on one node", inputs(0.0, 0.0, CORE, RISK, NONE, 0.0), 1.0, 1.0, (26.0, 26.0)),
    (
        "SMART forecast, no order feed",
        inputs(None, 0.5, CORE, DOWN, MANY, STANDARD),
        1.0,
        0.7,
        (40.6, 58.1),
    ),  # holds the spec's 54.1
    ("how-to question", inputs(0.0, 0.0, SUPPORTING, ASK, FEW, STANDARD), 1.0, 1.0, (12.0, 12.0)),
]


@pytest.mark.parametrize(("known", "factor", "p", "score"), [e[1:] for e in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_the_worked_examples(known: dict[str, Bounds], factor: float, p: float, score: Bounds) -> None:
    assert interval(known, RULES.weights, factor, (p, p)) == pytest.approx(score, abs=0.05)


def test_the_specifications_own_score_of_the_forecast_lies_inside() -> None:
    low, high = interval(EXAMPLES[6][1], RULES.weights, 1.0, (0.7, 0.7))
    assert low < 54.1 < high


def test_nothing_known_is_the_whole_scale() -> None:
    assert interval({}, RULES.weights) == (0.0, 100.0)


def test_every_input_that_becomes_known_narrows_the_interval() -> None:
    known: dict[str, Bounds] = {}
    widths = [100.0]
    for name, bounds in REGION.items():
        known[name] = bounds
        low, high = interval(known, RULES.weights)
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True) and widths[-1] == 0.0
