"""What keeps a change from running, and who decides about it: tables of cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forewarn.core.respond import guard
from forewarn.core.respond.guard import Case, blocked, counted, permit
from forewarn.model.finding import Evidence, Finding, FindingState
from forewarn.model.forecast import Forecast
from forewarn.model.hold import Hold
from forewarn.model.level import Colour, Mode
from forewarn.model.playbook import (
    Change,
    Guard,
    Limits,
    Match,
    Playbook,
    Run,
    RunState,
    Step,
    StepResult,
    StepState,
)  # fmt: skip
from forewarn.model.policy import Permission, PolicyTable, Verdict
from forewarn.model.probe import Source
from forewarn.model.settings import Daemon, Settings
from forewarn.model.text import say

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AT = Source("playbooks/a.yaml", 1)
STEP = Step(name="restart", kind="run", idempotent=True, source=AT)
BOOK = Playbook(name="restart", match=Match(service="web"), steps=(STEP,), source=AT)
SETTINGS = Settings(id="x", folder=".", loaded_at=NOW, files=1, daemon=Daemon(zone=UTC), policy=PolicyTable(changes_per_hour=5))
FINDING = Finding(
    id="F-1", state=FindingState.OPEN, series="web|w|up", target="w", labels=(), metric="up", rule="down", kind="down", probe="web",
    service="web", colour=Colour.RED, effect=None, opened_at=NOW, why=say("why.up"), evidence=Evidence(), forecast=None,
    confirmed=True, config="x", source="probes/web.yaml:1", seq=1,
)  # fmt: skip
AHEAD = replace(FINDING, forecast=Forecast(earliest=NOW, likely=NOW, latest=NOW, horizon_s=1.0))
WAITING = StepResult(name="restart", kind="run", changing=True)
RUN = Run(
    id="R-9",
    playbook="restart",
    incident="INC-1",
    finding="F-1",
    state=RunState.RUNNING,
    steps=(WAITING,),
    started_at=NOW,
    place="web",
)


def busy(id: str, place: str, playbook: str = "other", state: StepState = StepState.RUNNING, where: str = "db-1") -> Run:
    steps = (replace(WAITING, state=state, where=where), StepResult(name="verify", kind="verify"))
    return replace(RUN, id=id, place=place, playbook=playbook, steps=steps)


def case(**given: Any) -> Case:
    facts: dict[str, Any] = {
        "run": RUN, "step": STEP, "playbook": BOOK, "finding": FINDING, "guard": Guard(playbook="restart"), "guards": (), "others": (),
        "holds": (), "settings": SETTINGS,
    }  # fmt: skip
    return Case(**(facts | given))


def changes(*ago_s: float, place: str = "web", run: str | None = None) -> Guard:
    made = tuple(Change(at=NOW - timedelta(seconds=s), run=run or f"R-{i}", place=place) for i, s in enumerate(ago_s))
    return Guard(playbook="restart", changes=made)


def hold(audience: str = "actions", until: datetime | None = None, **matcher: str) -> Hold:
    return Hold(id="H-1", reason=say("hold.breaker"), owner="o", matcher=matcher, audience=audience, from_at=NOW, until=until)


LIMITED = replace(BOOK, limits=Limits(per_hour=2, per_day=3, cooldown_s=60.0, at_once=1))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"finding": None}, None),
        ({"finding": replace(FINDING, state=FindingState.CLEARED, ended="cleared")}, "blocked.cleared"),
        ({"finding": replace(FINDING, state=FindingState.CLEARED, ended="unwatched")}, None),
        ({"holds": [hold(playbook="restart")]}, "hold.breaker"),
        ({"holds": [hold(service="web")]}, "hold.breaker"),
        ({"holds": [hold()]}, "hold.breaker"),  # a freeze of everything
        ({"holds": [hold(playbook="other")]}, None),
        ({"holds": [hold("customers", playbook="restart")]}, None),
        ({"holds": [hold(until=NOW)]}, None),
        ({"others": [busy("R-1", "web")]}, "blocked.busy"),
        ({"others": [busy("R-1", "db", where="local")]}, "blocked.busy"),
        ({"others": [busy("R-1", "db")]}, None),
        ({"others": [busy("R-1", "web", state=StepState.OK)]}, "blocked.busy"),  # not verified yet
        ({"others": [busy("R-1", "web", state=StepState.WAITING)]}, None),
        ({"others": [replace(busy("R-1", "web"), ended_at=NOW)]}, None),
        ({"others": [busy("R-1", "db", playbook="restart")]}, "blocked.at_once"),
        ({"playbook": LIMITED, "guard": changes(59.0)}, "blocked.cooldown"),
        ({"playbook": LIMITED, "guard": changes(60.0)}, None),
        ({"playbook": LIMITED, "guard": changes(59.0, place="db")}, None),
        ({"playbook": LIMITED, "guard": changes(1.0, run="R-9")}, None),  # its own step before
        ({"playbook": LIMITED, "guard": changes(3599.0, 300.0)}, "blocked.often"),
        ({"playbook": LIMITED, "guard": changes(3601.0, 300.0)}, None),
        ({"playbook": LIMITED, "guard": changes(80000.0, 70000.0, 300.0)}, "blocked.often"),
        ({"playbook": LIMITED, "guard": changes(90000.0, 70000.0, 300.0)}, None),
        ({"guards": [changes(1.0, 2.0, 3.0), replace(changes(1.0, 2.0), playbook="b")]}, "blocked.all"),
        ({"guards": [changes(1.0, 2.0), replace(changes(1.0, 3700.0), playbook="b")]}, None),
    ],
)  # fmt: skip
def test_what_stands_against_it(given: dict[str, Any], reason: str | None) -> None:
    found = blocked(case(**given), NOW)
    assert (found.key if found else None) == reason


ASK, DO, RECORD = Verdict.ASK, Verdict.DO, Verdict.RECORD
UNDO = replace(STEP, idempotent=False, undo={"argv": ["x"]})
GONE = replace(STEP, irreversible=True)


@pytest.mark.parametrize(
    ("policy", "mode", "risk", "step", "finding", "verdict", "people"),
    [
        (DO, Mode.LIVE, "low", STEP, FINDING, DO, 1),
        (DO, Mode.LIVE, "low", UNDO, FINDING, DO, 1),
        (DO, Mode.LIVE, "low", STEP, None, DO, 1),
        (DO, Mode.LIVE, "medium", STEP, FINDING, ASK, 1),
        (DO, Mode.LIVE, "high", STEP, FINDING, ASK, 1),
        (DO, Mode.LIVE, "low", GONE, FINDING, ASK, 1),
        (DO, Mode.LIVE, "low", STEP, AHEAD, ASK, 1),  # forecasts have no score yet
        (DO, Mode.SUGGEST, "low", STEP, FINDING, ASK, 1),
        (ASK, Mode.LIVE, "low", STEP, FINDING, ASK, 1),
        (DO, Mode.SHADOW, "low", STEP, FINDING, RECORD, 1),
        (ASK, Mode.SHADOW, "low", STEP, FINDING, RECORD, 1),
        (RECORD, Mode.LIVE, "low", STEP, FINDING, RECORD, 1),
        (RECORD, Mode.SUGGEST, "low", STEP, FINDING, RECORD, 1),
        (ASK, Mode.SUGGEST, "high", GONE, FINDING, ASK, 2),
        (ASK, Mode.SUGGEST, "medium", GONE, FINDING, ASK, 1),
        (ASK, Mode.SUGGEST, "high", UNDO, FINDING, ASK, 1),
    ],
)
def test_who_decides(
    policy: Verdict, mode: Mode, risk: str, step: Step, finding: Finding | None, verdict: Verdict, people: int
) -> None:
    found = permit(Permission(policy, say("may.live")), replace(BOOK, mode=mode, risk=risk), step, finding)
    assert (found.verdict, found.how_many) == (verdict, people)


def test_what_is_older_than_a_day_is_forgotten() -> None:
    kept = counted(changes(86401.0, 86399.0), RUN, NOW)
    assert [change.run for change in kept.changes] == ["R-1", "R-9"]
    assert guard.runs_since(kept, NOW - timedelta(seconds=1)) == 1
