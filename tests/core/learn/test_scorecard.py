"""Verdicts, precision with its interval, gates, and rules whose calls are in vain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forewarn.core.flow import scored
from forewarn.core.learn.beta import quantile, share_below
from forewarn.core.learn.card import card
from forewarn.core.learn.gate import gate, in_vain, interval
from forewarn.core.learn.verdict import judged, verdict
from forewarn.core.tell.may import may
from forewarn.model.forecast import Forecast, Verdict
from forewarn.model.impact import Impact
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Effect, Level, Mode, Reach
from forewarn.model.policy import PolicyTable
from forewarn.model.policy import Verdict as Allowed
from forewarn.model.scorecard import MOST_CALLS, Foretold, Gate, Judged, Prior, Score
from forewarn.model.settings import Daemon, Settings
from forewarn.model.text import say

TOLD = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FORECAST = Forecast(earliest=TOLD + 8 * HOUR, likely=TOLD + 10 * HOUR, latest=TOLD + 12 * HOUR, horizon_s=72 * 3600)


def incident(breached: timedelta | None, forecast: Forecast = FORECAST, kind: str = "forecast") -> Incident:
    return Incident(
        id="INC-1", title=say("x"), why=say("x"), state=IncidentState.AHEAD, level=Level.P2, thing="db|local|fs_used_ratio",
        impact=Impact(effect=Effect.FAILS, reach=Reach.FEW, level=Level.P2, would_be=Level.P1, why=say("x")), opened_at=TOLD,
        breached_at=TOLD + breached if breached is not None else None, ended_at=TOLD + 20 * HOUR,
        foretold=Foretold(probe="db", rule="fills", kind=kind, at=TOLD, forecast=forecast),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("breached", "state", "ended", "expected"),
    [
        (10 * HOUR, IncidentState.RESOLVED, 20, Verdict.CAME_TRUE),
        (6 * HOUR, IncidentState.RESOLVED, 20, Verdict.CAME_TRUE),  # a quarter of 8 h before the earliest
        (5.9 * HOUR, IncidentState.RESOLVED, 20, Verdict.FALSE),
        (15 * HOUR, IncidentState.RESOLVED, 20, Verdict.CAME_TRUE),  # a quarter of 12 h after the latest
        (15.1 * HOUR, IncidentState.RESOLVED, 20, Verdict.FALSE),
        (0.9 * HOUR, IncidentState.RESOLVED, 20, Verdict.MISSED),
        (None, IncidentState.AVERTED, 3, Verdict.AVERTED),
        (None, IncidentState.WITHDRAWN, 3, Verdict.WITHDRAWN),
        (None, IncidentState.WITHDRAWN, 16, Verdict.FALSE),
        (None, IncidentState.FALSE_ALARM, 3, Verdict.FALSE),
        (10 * HOUR, IncidentState.MERGED, 20, None),
    ],
)
def test_verdicts(breached: timedelta | None, state: IncidentState, ended: float, expected: Verdict | None) -> None:
    assert verdict(incident(breached), state, None, TOLD + ended * HOUR) is expected


def test_a_forecast_without_latest_is_judged_by_its_horizon() -> None:
    open_end = Forecast(earliest=TOLD + 8 * HOUR, likely=None, latest=None, horizon_s=24 * 3600)
    assert verdict(incident(30 * HOUR, open_end), IncidentState.RESOLVED, None, TOLD + 40 * HOUR) is Verdict.CAME_TRUE
    assert verdict(incident(31 * HOUR, open_end), IncidentState.RESOLVED, None, TOLD + 40 * HOUR) is Verdict.FALSE


def test_figures_of_one_verdict() -> None:
    found = judged(incident(9 * HOUR), Verdict.CAME_TRUE)
    assert (found.lead_s, found.width_s, found.inside, found.p) == (9 * 3600, 4 * 3600, True, None)
    assert judged(incident(13 * HOUR), Verdict.CAME_TRUE).inside is False


# --- the interval -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "a", "b", "expected"),
    [(0.5, 2.0, 1.0, 0.25), (0.5, 1.0, 1.0, 0.5), (0.3, 1.0, 2.0, 0.51), (0.5, 5.0, 5.0, 0.5), (0.9, 9.0, 1.0, 0.9**9)],
)
def test_the_beta_distribution(x: float, a: float, b: float, expected: float) -> None:
    assert share_below(x, a, b) == pytest.approx(expected, abs=1e-9)
    assert quantile(expected, a, b) == pytest.approx(x, abs=1e-6)


def scores(right: int, wrong: int, **more: int) -> Score:
    score = Score(probe="db", rule="fills", kind="forecast", **more)
    for n in range(right + wrong):
        found = Verdict.CAME_TRUE if n < right else Verdict.WITHDRAWN
        score = score.judged(Judged(at=TOLD, incident=f"INC-{n}", verdict=found))
    return score


@pytest.mark.parametrize(
    ("right", "wrong", "maintenance", "customers"),
    [
        (0, 0, False, False),
        (11, 0, True, False),
        (7, 1, False, False),
        (16, 1, True, False),
        (43, 0, True, True),
        (80, 20, True, False),
    ],
)
def test_gates_open_on_the_lower_bound(right: int, wrong: int, maintenance: bool, customers: bool) -> None:
    gates, policy = PolicyTable().gates, PolicyTable()
    found = [gate("forecast", gates[name], [scores(right, wrong)], policy.priors).open for name in ("maintenance", "customers")]
    assert found == [maintenance, customers], interval(right, wrong, Prior())


def test_a_closed_gate_asks_where_the_policy_says_live() -> None:
    settings = Settings(
        id="x", folder="", loaded_at=TOLD, files=0, daemon=Daemon(zone=UTC), policy=PolicyTable(modes={"notice": Mode.LIVE})
    )
    shut = Gate(kind="forecast", need=0.9, low=0.6, right=3, of=4)
    asked = may("notice", "forewarning", settings, ("on-call-1",), shut)
    assert (asked.verdict, asked.asked, asked.why.key) == (Allowed.ASK, ("on-call-1",), "may.gate")
    assert (
        may("notice", "forewarning", settings, (), Gate(kind="forecast", need=0.9, low=0.91, right=50, of=50)).verdict is Allowed.DO
    )
    assert may("notice", "started", settings, ()).verdict is Allowed.DO
    assert set(scored.GATED.values()) == set(PolicyTable().gates)


def test_a_weak_risk_counts_for_calibration_alone() -> None:
    score = Score(probe="disk", rule="dies", kind="risk")
    for p, found in ((0.2, Verdict.WITHDRAWN), (0.3, Verdict.CAME_TRUE), (0.6, Verdict.CAME_TRUE), (0.8, Verdict.FALSE)):
        score = score.judged(Judged(at=TOLD, incident="INC-1", verdict=found, p=p))
    shown = card([score], PolicyTable().gates, PolicyTable().priors)
    assert (shown["right"], shown["of"]) == (1, 2)
    assert [(one["n"], one["came"]) for one in shown["calibration"]] == [(1, 0.0), (1, 1.0), (1, 1.0), (1, 0.0)]


def test_old_verdicts_are_kept_as_counts() -> None:
    score = scores(MOST_CALLS + 50, 7)
    assert len(score.calls) == MOST_CALLS
    assert score.counts == {"came_true": MOST_CALLS + 50, "withdrawn": 7}


# --- calls ------------------------------------------------------------------------------------------------------------


def test_a_changed_mind_counts_once() -> None:
    score = scores(0, 0).paged(None, True).paged(True, False).paged(False, False)
    assert (score.useful, score.needless) == (0, 1)


@pytest.mark.parametrize(
    ("useful", "needless", "vain"), [(0, 0, False), (0, 5, False), (0, 6, True), (1, 6, False), (3, 20, True), (10, 10, False)]
)
def test_a_rule_that_calls_in_vain(useful: int, needless: int, vain: bool) -> None:
    assert in_vain(scores(0, 0, useful=useful, needless=needless)) is vain
