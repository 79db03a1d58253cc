"""Rows that are kept: written once while they show the same, and never kept when they would be wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup
from test_console import see
from web_stage import NOW, TOKEN, ShownStats, Stage, incident, settings

from forewarn.cli.words import phrases
from forewarn.core.reader import Reader
from forewarn.model.glance import Glance
from forewarn.model.incident import IncidentState
from forewarn.web import pieces
from forewarn.web.pieces import KEPT_S, Pieces

ENGLISH = Reader("en", phrases("en"), UTC, NOW)
MINE = settings()


class Row:
    """A macro that counts."""

    name = "row"

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, *shows: object) -> Markup:
        self.calls += 1
        return Markup("<li>%s</li>") % shows


def test_a_row_is_written_once_while_it_shows_the_same() -> None:
    kept, row = Pieces(), Row()
    for _ in range(3):
        piece = kept.writer(ENGLISH, MINE, "on-call-1", None)
        assert piece(row, "INC-1", "slow") == "<li>slow</li>"
    assert row.calls == kept.written == 1
    assert kept.writer(ENGLISH, MINE, "on-call-1", None)(row, "INC-1", "slower") == "<li>slower</li>"
    assert kept.writer(ENGLISH, MINE, "on-call-1", None)(row, "INC-1", "slow") == "<li>slow</li>"
    assert row.calls == 3, "only the newest is kept"


@pytest.mark.parametrize(
    ("reader", "mine", "about", "name"),
    [
        (replace(ENGLISH, language="zh"), MINE, ("on-call-1", None), "INC-1"),
        (replace(ENGLISH, zone=ZoneInfo("Asia/Shanghai")), MINE, ("on-call-1", None), "INC-1"),
        (replace(ENGLISH, now=NOW + timedelta(seconds=KEPT_S)), MINE, ("on-call-1", None), "INC-1"),
        (ENGLISH, settings(), ("on-call-1", None), "INC-1"),
        (ENGLISH, MINE, ("on-call-2", None), "INC-1"),
        (ENGLISH, MINE, ("on-call-1", "token"), "INC-1"),
        (ENGLISH, MINE, ("on-call-1", None), "INC-2"),
    ],
    ids=("language", "zone", "a minute later", "other files", "who looks", "may press buttons", "another thing"),
)
def test_for_anybody_and_anything_else_it_is_written_anew(reader, mine, about, name) -> None:
    kept, row = Pieces(), Row()
    kept.writer(ENGLISH, MINE, "on-call-1", None)(row, "INC-1", "slow")
    kept.writer(reader, mine, *about)(row, name, "slow")
    assert row.calls == 2


def test_the_minutes_of_rows_do_not_all_begin_at_once() -> None:
    kept, row = Pieces(), Row()
    for n in range(200):
        kept.writer(ENGLISH, MINE)(row, f"INC-{n}", "slow")
    later = replace(ENGLISH, now=NOW + timedelta(seconds=KEPT_S / 6))
    for n in range(200):
        kept.writer(later, MINE)(row, f"INC-{n}", "slow")
    assert 200 < row.calls < 280, "a sixth of them, more or less, ten seconds later"


def test_there_is_a_most_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MOST_KEPT", 5)
    kept, row = Pieces(), Row()
    for n in range(12):
        kept.writer(ENGLISH, MINE)(row, f"INC-{n}", "slow")
    assert len(kept._kept) == 5
    kept.writer(ENGLISH, MINE)(row, "INC-11", "slow")
    assert row.calls == 12, "the newest are kept"


@pytest.mark.parametrize("path", ["/", "/now", "/messages"])
def test_a_page_that_is_asked_for_again_writes_only_the_row_that_changed(
    told: Stage, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []
    real = Pieces._put

    def put(self: Pieces, key: tuple[object, ...], kept: object) -> None:
        written.append(key[:2])
        real(self, key, kept)  # type: ignore[arg-type]

    monkeypatch.setattr(Pieces, "_put", put)
    first = see(told, path).text
    assert written, "the page is made of rows"
    written.clear()
    assert see(told, path).text == first
    assert written == []
    if path == "/messages":
        return
    told.keep(incident("INC-1", state=IncidentState.AHEAD if path == "/" else IncidentState.OPEN))
    changed = see(told, path).text
    assert {name for _, name in written} == {"INC-1"}
    assert changed != first


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/incidents",
        "/api/v1/messages",
        "/api/v1/dues",
        "/api/v1/incidents/INC-3",
        "/api/v1/loaded",
        "/api/v1/probes/host",
        "/loaded",
        "/p/host",
    ],
)
def test_what_shows_no_overview_makes_no_glance(told: Stage, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A glance looks at thousands of probes: only pages that sum them up ask for one."""
    asked: list[str] = []

    async def glance(self: ShownStats) -> Glance:
        asked.append(path)
        return Glance()

    monkeypatch.setattr(ShownStats, "glance", glance)
    assert told.ask(path, Authorization=f"Bearer {TOKEN}").status == 200
    assert asked == []
    see(told, "/now")
    assert asked
