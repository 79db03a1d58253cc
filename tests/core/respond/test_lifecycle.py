"""The state table, move by move."""

from __future__ import annotations

import pytest

from forewarn.core.respond.lifecycle import NEXT, Event, diagram, move
from forewarn.model.errors import Refused
from forewarn.model.incident import ENDED, IncidentState

S, E = IncidentState, Event


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [
        (S.AHEAD, E.BREACHED, S.OPEN),
        (S.AHEAD, E.ACKNOWLEDGED, S.AHEAD),
        (S.AHEAD, E.CLEARED, S.WITHDRAWN),
        (S.AHEAD, E.AVERTED, S.AVERTED),
        (S.OPEN, E.ACKNOWLEDGED, S.ACKNOWLEDGED),
        (S.AHEAD, E.RELEASED, S.AHEAD),
        (S.ACKNOWLEDGED, E.RELEASED, S.OPEN),
        (S.OPEN, E.CLEARED, S.MITIGATED),
        (S.ACKNOWLEDGED, E.CLEARED, S.MITIGATED),
        (S.MITIGATED, E.RETURNED, S.OPEN),
        (S.MITIGATED, E.RESOLVED, S.RESOLVED),
        (S.RESOLVED, E.CLOSED, S.CLOSED),
    ],
)
def test_moves_as_the_table_says(state: IncidentState, event: Event, after: IncidentState) -> None:
    assert move("INC-1", state, event) is after


@pytest.mark.parametrize("state", sorted(ENDED))
@pytest.mark.parametrize("event", list(Event))
def test_nothing_moves_what_has_ended(state: IncidentState, event: Event) -> None:
    with pytest.raises(Refused) as refused:
        move("INC-1", state, event)
    assert refused.value.say.facts == {"id": "INC-1", "state": f"state.{state}"}


def test_a_resolved_incident_is_not_reopened() -> None:
    with pytest.raises(Refused):
        move("INC-1", S.RESOLVED, E.RETURNED)


def test_every_state_is_in_the_table_and_can_be_left_unless_it_is_an_end() -> None:
    assert set(NEXT) == set(IncidentState)
    assert {state for state, moves in NEXT.items() if not moves} == ENDED


def test_the_diagram_draws_every_move_between_states() -> None:
    drawn = diagram()
    for state, moves in NEXT.items():
        for event, after in moves.items():
            assert (f"{state} --> {after}: {event}" in drawn) == (after is not state)
