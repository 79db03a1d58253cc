"""POST and GET /api/v1/changes, and what an incident shows of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from web_stage import TOKEN, Stage, story

from forewarn.model.change import Change
from forewarn.model.incident import Incident

BEARER = {"Authorization": f"Bearer {TOKEN}"}
AT = datetime(2026, 11, 22, 13, 58, tzinfo=UTC)
CHANGE = Change(id="C-1", at=AT, heard_at=AT, what="deploy", text="payments 4.2.1", who="pipeline", service="payments", key="b-17")


def post(stage: Stage, body: Any, **headers: str) -> Any:
    return stage.ask("/api/v1/changes", "POST", body if isinstance(body, str) else json.dumps(body), **(headers or BEARER))


def test_a_change_is_passed_on(bare: Stage) -> None:
    bare.wishes.answer = "C-7"
    given = {
        "what": "deploy",
        "text": "payments 4.2.1",
        "who": "pipeline",
        "service": "payments",
        "at": "2026-11-22T13:58:00Z",
        "key": "b-17",
    }
    answer = post(bare, given)
    assert (answer.status, answer.json()) == (200, {"id": "C-7"})
    words = ("deploy", "payments", "", "2026-11-22T13:58:00Z", "b-17")
    assert bare.wishes.given == [("changed", None, "pipeline", words, "payments 4.2.1", None)]
    assert post(bare, {"text": "lunch menu", "who": "on-call-1"}).status == 200
    assert bare.wishes.given[-1][3][0] == "other"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ({"who": "x"}, '"text"'),
        ({"text": "x", "who": " "}, '"who"'),
        ({"text": "x", "who": "y", "service": 1}, '"service"'),
        ({"text": "x", "who": "y", "team": "z"}, '"team"'),
    ],
)
def test_what_is_no_change_is_named(bare: Stage, body: Any, said: str) -> None:
    answer = post(bare, body)
    assert answer.status == 400 and said in answer.json()["error"] and not bare.wishes.given


def test_a_token_is_needed(bare: Stage) -> None:
    assert post(bare, {"text": "x", "who": "y"}, Authorization="Bearer wrong").status == 401 and not bare.wishes.given


def test_they_are_listed_and_stand_with_their_incident(bare: Stage) -> None:
    things = [replace(thing, changes=("C-1",)) if isinstance(thing, Incident) else thing for thing in story()]
    bare.keep(CHANGE, *things)
    shown = {
        "id": "C-1",
        "at": "2026-11-22T13:58:00Z",
        "heard_at": "2026-11-22T13:58:00Z",
        "what": "deploy",
        "text": "payments 4.2.1",
        "who": "pipeline",
        "service": "payments",
        "host": None,
        "found": False,
    }
    assert bare.api("changes")["items"] == [shown] and bare.api("changes/C-1") == shown
    assert bare.api("changes?state=kernel")["items"] == []
    assert bare.api("incidents")["items"][0]["changes"] == [shown]
    page = bare.ask("/i/INC-3").body
    assert "13:58" in page and "payments 4.2.1" in page and "(pipeline)" in page and 'href="/why/C-1"' in page
