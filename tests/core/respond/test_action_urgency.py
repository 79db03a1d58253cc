"""What goes first among the things that are due: a table."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.config.load import load
from forewarn.core.engine import decide
from forewarn.core.work import state_of
from forewarn.model.actions import Send, urgency
from forewarn.model.inputs import Command
from forewarn.model.level import Level
from forewarn.model.message import Message, MessageKind
from forewarn.probers import PROBERS

PAGE, ASK, NOTICE = MessageKind.PAGE, MessageKind.ASK, MessageKind.NOTICE
STEP = None
ORDERED = (
    (PAGE, Level.P0),
    (PAGE, Level.P2),
    (PAGE, Level.P4),
    (ASK, Level.P0),
    (STEP, Level.P1),
    (ASK, Level.P2),
    (NOTICE, Level.P0),
    (NOTICE, Level.P3),
)


def test_pages_then_asks_and_steps_then_notices_each_by_level():
    found = [urgency(kind, level) for kind, level in ORDERED]
    assert found == sorted(set(found))
    assert found[0] == 0


@pytest.mark.parametrize("kind", [PAGE, ASK, NOTICE, STEP])
def test_without_an_incident_it_counts_as_p2(kind):
    assert urgency(kind, None) == urgency(kind, Level.P2)


def test_a_step_is_as_urgent_as_an_ask():
    assert [urgency(STEP, level) for level in Level] == [urgency(ASK, level) for level in Level]


def test_what_is_sent_is_as_urgent_as_its_incident():
    now = datetime(2026, 11, 24, 8, tzinfo=UTC)
    settings = load(Path(__file__).parents[2] / "scenarios" / "small", PROBERS, now, {})
    declared = Command(verb="declare", id=None, by="on-call-2", words=("checkout", "P1"), text="orders are lost")
    decision = decide(state_of(settings, [], {}), declared, now)
    kinds = {thing.id: thing.kind for thing in decision.entities if isinstance(thing, Message)}
    sends = [action for action in decision.actions if isinstance(action, Send)]
    level = next(thing.level for thing in decision.entities if thing.id == "INC-1")
    assert sends and level is Level.P1
    assert {action.urgency for action in sends} == {urgency(kinds[action.message], level) for action in sends}
