"""When a forewarning pages at night, and when it can wait for the morning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forewarn.config.load import load
from forewarn.core.respond import dues
from forewarn.model.impact import Impact
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Effect, Level, Reach
from forewarn.model.settings import Settings
from forewarn.model.text import say
from forewarn.probers import PROBERS

SHOP = Path(__file__).parents[2] / "scenarios" / "shop"
SUNDAY_NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)  # 12:00 in Shanghai; office opens Monday 01:00 UTC
MONDAY_TEN = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(SHOP, PROBERS, SUNDAY_NOON)


def incident(would_be: Level, earliest: datetime, takes: timedelta) -> Incident:
    impact = Impact(effect=Effect.FAILS, reach=Reach.MANY, level=Level.P2, would_be=would_be, why=say("x"))
    return Incident(
        id="INC-1", title=say("x"), why=say("x"), state=IncidentState.AHEAD, level=Level.P2, would_be=would_be, impact=impact,
        earliest=earliest, act_by=earliest - takes, opened_at=SUNDAY_NOON,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("why", "level", "now", "ahead_h", "takes_h", "urgent"),
    [
        ("full tonight, before anybody comes to work", Level.P1, SUNDAY_NOON, 9, 2, True),
        ("full on Tuesday: Monday morning is soon enough", Level.P1, SUNDAY_NOON, 48, 2, False),
        ("act-by falls just after the office opens", Level.P1, SUNDAY_NOON, 24, 2, False),
        ("act-by has passed, there is still a chance", Level.P1, SUNDAY_NOON, 1, 2, True),
        ("tonight, but it would only be P3", Level.P3, SUNDAY_NOON, 9, 2, False),
        ("in working hours, due this evening: a task", Level.P1, MONDAY_TEN, 12, 2, False),
        ("in working hours, act within minutes", Level.P1, MONDAY_TEN, 2.1, 2, True),
    ],
)
def test_pages_only_when_waiting_would_be_too_late(
    settings: Settings, why: str, level: Level, now: datetime, ahead_h: float, takes_h: float, urgent: bool
) -> None:
    subject = incident(level, now + timedelta(hours=ahead_h), timedelta(hours=takes_h))
    assert dues.ahead_is_urgent(subject, settings, now) is urgent, why
