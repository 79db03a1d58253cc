"""Did it help? Each look against the rule's limit and the value before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forewarn.core.detect.forecast import ForecastOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.core.respond.verify import Look, from_spec, judge, look_at, spec_of
from forewarn.model.finding import Evidence, Finding, FindingState
from forewarn.model.forecast import Forecast
from forewarn.model.level import Colour
from forewarn.model.playbook import Repair
from forewarn.model.probe import Rule, Source
from forewarn.model.series import Outcome, ProbeRun
from forewarn.model.text import say

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HIGH = Look(probe="p", target="t", kind="threshold", series="x_ratio", limit=0.9, before=0.95)
LOW = replace(HIGH, above=False, limit=0.1, before=0.05)
AHEAD = Look(probe="p", target="t", kind="forecast", series="x_ratio", limit=0.9, before=0.8, left_s=3600.0, horizon_s=3 * 86400.0)


def seen(value: float | None, outcome: Outcome = Outcome.UP) -> ProbeRun:
    columns, values = ((("x_ratio", ()),), (value,)) if value is not None else ((), ())
    return ProbeRun("p", "t", 0.0, outcome, columns, values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("look", "run", "repair"),
    [
        (replace(HIGH, kind="down"), seen(None), Repair.REPAIRED),
        (replace(HIGH, kind="down"), seen(None, Outcome.DOWN), Repair.UNCHANGED),
        (replace(HIGH, kind="down"), seen(None, Outcome.UNKNOWN), Repair.UNSEEN),
        (replace(HIGH, kind="down"), None, Repair.UNSEEN),
        (HIGH, seen(0.89), Repair.REPAIRED),
        (HIGH, seen(0.9), Repair.BETTER),
        (HIGH, seen(0.93), Repair.BETTER),
        (HIGH, seen(0.949), Repair.UNCHANGED),
        (HIGH, seen(0.955), Repair.UNCHANGED),
        (HIGH, seen(0.97), Repair.WORSE),
        (HIGH, seen(None), Repair.UNSEEN),
        (HIGH, seen(float("nan")), Repair.UNSEEN),
        (HIGH, seen(None, Outcome.DOWN), Repair.WORSE),
        (replace(HIGH, before=None), seen(0.95), Repair.UNSEEN),
        (LOW, seen(0.11), Repair.REPAIRED),
        (LOW, seen(0.07), Repair.BETTER),
        (LOW, seen(0.03), Repair.WORSE),
        (AHEAD, seen(0.6), Repair.REPAIRED),  # three times the way
        (AHEAD, seen(0.7), Repair.BETTER),
        (replace(AHEAD, horizon_s=7000.0), seen(0.7), Repair.REPAIRED),  # beyond the horizon
        (AHEAD, seen(0.8), Repair.UNCHANGED),
        (AHEAD, seen(0.85), Repair.WORSE),
        (AHEAD, seen(0.95), Repair.WORSE),
        (replace(AHEAD, before=0.92), seen(0.91), Repair.BETTER),  # crossed, and still beyond
        (replace(HIGH, kind="pattern"), seen(0.1), Repair.UNSEEN),
    ],
)
def test_one_look(look: Look, run: ProbeRun | None, repair: Repair) -> None:
    assert judge(look, run) is repair


def finding(kind: str, forecast: Forecast | None = None) -> Finding:
    return Finding(
        id="F-1", state=FindingState.OPEN, series="p|t|x_ratio", target="t", labels=(("mount", "/srv"),), metric="x_ratio", rule="r",
        kind=kind, probe="p", service=None, colour=Colour.RED, effect=None, opened_at=NOW, why=say("why.up"),
        evidence=Evidence(value=0.8, limit=0.9, last_at=NOW), forecast=forecast, confirmed=True, config="x", source="a:1", seq=1,
    )  # fmt: skip


def rule(kind: str, options: object) -> Rule:
    return Rule(name="r", kind=kind, metric="x_ratio", options=options, source=Source("a", 1))


def test_the_look_is_that_of_the_rule() -> None:
    cleared_lower = look_at(finding("threshold"), rule("threshold", ThresholdOptions(op=">", limit=0.9, clear=0.7)))
    assert (cleared_lower.above, cleared_lower.limit, cleared_lower.series) == (True, 0.7, 'x_ratio{mount="/srv"}')
    assert look_at(finding("threshold"), rule("threshold", ThresholdOptions(op="<", limit=0.9))).above is False
    when = Forecast(earliest=NOW, likely=NOW + timedelta(hours=2), latest=None, horizon_s=9.0)
    ahead = look_at(finding("forecast", when), rule("forecast", ForecastOptions(below=0.9)))
    assert (ahead.above, ahead.left_s, ahead.horizon_s) == (False, 7200.0, 9.0)
    assert look_at(finding("forecast", when), None).above is True  # the rule is gone: as forecasts are


def test_a_look_survives_the_ledger() -> None:
    assert from_spec(spec_of(AHEAD, 60.0)) == AHEAD
    assert from_spec(spec_of(None, 60.0)) is None
