"""Clocks: working time, act-by, urgency, and that a clock never restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from forewarn.core.respond import dues
from forewarn.model.due import ALWAYS, Calendar, Due, Span
from forewarn.model.level import Colour
from forewarn.model.playbook import Match, Playbook, PlaybookNeed
from forewarn.model.probe import Source
from forewarn.model.settings import Daemon, Settings

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = ((time(9), time(18)),)
OFFICE = Calendar(name="office", zone=SHANGHAI, week=(HOURS,) * 5 + ((), ()), holidays=frozenset({date(2026, 11, 25)}))


def at(text: str) -> datetime:
    """A moment in Shanghai, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ("2026-11-23T10:00", timedelta(hours=2), "2026-11-23T12:00"),
        ("2026-11-23T17:00", timedelta(hours=2), "2026-11-24T10:00"),
        ("2026-11-24T17:30", timedelta(hours=1), "2026-11-26T09:30"),  # the 25th is a holiday
        ("2026-11-27T17:00", timedelta(hours=2), "2026-11-30T10:00"),  # over the weekend
        ("2026-11-28T03:00", timedelta(hours=9), "2026-11-30T18:00"),
    ],
)
def test_working_time_is_added_and_taken_off_alike(start: str, span: timedelta, end: str) -> None:
    assert OFFICE.add(at(start), span) == at(end)
    assert OFFICE.add(OFFICE.subtract(at(end), span), span) == at(end)
    assert OFFICE.working(at(start), at(end)) == span


def test_five_working_days_skip_weekend_and_holiday() -> None:
    assert Span(working_days=5).after(at("2026-11-23T11:00"), OFFICE) == at("2026-12-01T11:00")


@pytest.mark.parametrize(
    ("takes_h", "lead", "breach", "start"),
    [
        (2, timedelta(), "2026-11-29T12:00", "2026-11-29T10:00"),  # no lead: people repair on a Sunday too
        (2, timedelta(hours=4), "2026-11-30T11:00", "2026-11-27T14:00"),  # nobody delivers at the weekend
        (2, timedelta(days=3), "2026-12-04T16:00", "2026-12-01T14:00"),  # three working days, not 72 h of open time
        (2, timedelta(days=3), "2026-11-27T16:00", "2026-11-23T14:00"),  # the 25th is a holiday
        (2, timedelta(days=1), "2026-11-29T12:00", "2026-11-26T18:00"),  # counted from the close of Friday
        (2, timedelta(days=1, hours=1), "2026-11-30T12:00", "2026-11-26T18:00"),
    ],
)
def test_act_by_counts_the_lead_in_working_time(takes_h: float, lead: timedelta, breach: str, start: str) -> None:
    settings = Settings(
        id="1", folder="", loaded_at=at(breach), files=1, daemon=Daemon(zone=SHANGHAI), calendars={"office": OFFICE}
    )
    playbook = Playbook(
        name="swap", match=Match(), steps=(), takes_s=takes_h * 3600.0,
        needs=(PlaybookNeed(what="spare", lead_s=lead.total_seconds()),) if lead else (), source=Source("swap.yaml", 1),
    )  # fmt: skip
    assert dues.act_by(at(breach), [playbook], settings) == at(start)


def test_the_calendar_that_never_closes() -> None:
    now = at("2026-11-28T03:00")
    assert ALWAYS.next_open(now) == now
    assert ALWAYS.add(now, timedelta(hours=30)) == now + timedelta(hours=30)


@pytest.mark.parametrize(
    ("share", "colour"), [(0.2, None), (0.5, Colour.BLUE), (0.8, Colour.YELLOW), (1.0, Colour.RED), (3.0, Colour.RED)]
)
def test_a_due_takes_its_colour_from_the_share_that_is_used(share: float, colour: Colour | None) -> None:
    start = at("2026-11-23T10:00")
    due = Due(
        id="D-1", what="ack", subject="INC-1", incident="INC-1", owner=None, started_at=start, due_at=start + timedelta(hours=1)
    )
    then = due.coloured(start + timedelta(hours=share))
    assert then.colour is colour
    assert (then.next_at is None) == (share >= 1.0)


def test_on_a_raise_the_earlier_time_holds_and_on_a_drop_nothing_moves() -> None:
    start = at("2026-11-23T10:00")
    kept = Due(
        id="D-1", what="ack", subject="INC-1", incident="INC-1", owner=None, started_at=start, due_at=start + timedelta(hours=1)
    )
    raised = dues.Wanted("ack", start, start + timedelta(minutes=10), "24x7")
    later = replace(raised, due_at=start + timedelta(hours=3))
    assert dues.sooner(kept, raised).due_at == raised.due_at
    assert dues.sooner(kept, later) is kept
