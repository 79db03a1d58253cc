"""The states of an incident, as one table.

Theory. An incident is one trouble under one id. It begins `ahead` (a forecast: nothing is wrong yet) or `open` (it is
here). A forewarning ends in one of three ways: the breach comes (`open`, the same id, and its clocks start now), it is
`averted` (someone acted), or `withdrawn` (it cleared by itself). An open one is acknowledged by a person, mitigated when
no finding is left, and resolved by a person or, when nobody ever touched it, by time. A finding that returns before it is
resolved reopens it; after that it is a new incident. `closed` is the end of the paper work. Acknowledging what is still
ahead changes the owner, not the state. A move that is not in the table is refused; it is never ignored.

`diagram()` draws the table for docs/incident-states.md, so the picture can't grow old.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from forewarn.model.errors import Refused
from forewarn.model.incident import IncidentState as S
from forewarn.model.text import say


class Event(StrEnum):
    BREACHED = "breached"  # its own limit is crossed
    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"  # given back: nobody has it any more
    CLEARED = "cleared"  # no finding is left, and nothing was done
    AVERTED = "averted"  # no finding is left, after a recorded action
    RETURNED = "returned"  # a finding came (back)
    RESOLVED = "resolved"
    CLOSED = "closed"
    FALSE_ALARM = "false_alarm"
    MERGED = "merged"


NEXT: Mapping[S, Mapping[Event, S]] = {
    S.AHEAD: {
        Event.BREACHED: S.OPEN,
        Event.ACKNOWLEDGED: S.AHEAD,
        Event.RELEASED: S.AHEAD,
        Event.RETURNED: S.AHEAD,
        Event.CLEARED: S.WITHDRAWN,
        Event.AVERTED: S.AVERTED,
        Event.RESOLVED: S.AVERTED,
        Event.FALSE_ALARM: S.FALSE_ALARM,
        Event.MERGED: S.MERGED,
    },
    S.OPEN: {
        Event.ACKNOWLEDGED: S.ACKNOWLEDGED,
        Event.RETURNED: S.OPEN,
        Event.CLEARED: S.MITIGATED,
        Event.AVERTED: S.MITIGATED,
        Event.RESOLVED: S.RESOLVED,
        Event.FALSE_ALARM: S.FALSE_ALARM,
        Event.MERGED: S.MERGED,
    },
    S.ACKNOWLEDGED: {
        Event.ACKNOWLEDGED: S.ACKNOWLEDGED,  # by somebody else: the owner changes
        Event.RELEASED: S.OPEN,
        Event.RETURNED: S.ACKNOWLEDGED,
        Event.CLEARED: S.MITIGATED,
        Event.AVERTED: S.MITIGATED,
        Event.RESOLVED: S.RESOLVED,
        Event.FALSE_ALARM: S.FALSE_ALARM,
        Event.MERGED: S.MERGED,
    },
    S.MITIGATED: {
        Event.ACKNOWLEDGED: S.MITIGATED,
        Event.RELEASED: S.MITIGATED,
        Event.RETURNED: S.OPEN,
        Event.CLEARED: S.MITIGATED,
        Event.RESOLVED: S.RESOLVED,
        Event.FALSE_ALARM: S.FALSE_ALARM,
        Event.MERGED: S.MERGED,
    },
    S.RESOLVED: {Event.CLOSED: S.CLOSED, Event.FALSE_ALARM: S.FALSE_ALARM},
    S.CLOSED: {},
    S.AVERTED: {},
    S.WITHDRAWN: {},
    S.FALSE_ALARM: {},
    S.MERGED: {},
}


def move(id: str, state: S, event: Event) -> S:
    """The state after `event`; raises Refused when the table has no such move."""
    try:
        return NEXT[state][event]
    except KeyError:
        raise Refused(say("refused.wrong_state", id=id, state=f"state.{state}")) from None


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> ahead: forecast", "    [*] --> open: finding or declared"]
    for state, moves in NEXT.items():
        lines += [f"    {state} --> {after}: {event}" for event, after in moves.items() if after is not state]
        if not moves:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines) + "\n"
