"""forewarn change add and list, beside a server that takes wishes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from web_stage import Stage

from conftest import Forewarn
from forewarn.cli.change import KINDS
from forewarn.model import change


def test_what_is_said_is_passed_on(forewarn: Forewarn, daemon: Stage) -> None:
    daemon.wishes.answer = "C-4"
    ran = forewarn("change", "add", "payments 4.2.1", "--what", "deploy", "--service", "payments", "--by", "on-call-1")
    assert (ran.code, ran.out) == (0, "Kept as C-4.\n")
    assert daemon.wishes.given == [("changed", None, "on-call-1", ("deploy", "payments", "", "", ""), "payments 4.2.1", None)]


def test_they_are_listed(forewarn: Forewarn, daemon: Stage) -> None:
    assert "Nothing was changed lately" in forewarn("change", "list").out
    at = datetime(2026, 11, 22, 13, 58, tzinfo=UTC)
    daemon.keep(
        change.Change(id="C-1", at=at, heard_at=at, what="kernel", text="6.1.0-21 is running", who="forewarn", host="local")
    )
    ran = forewarn("change", "list")
    assert ran.code == 0 and ran.out.startswith("C-1  ") and "kernel  local  6.1.0-21 is running  forewarn" in ran.out
    assert json.loads(forewarn("change", "list", "--json").out)["items"][0]["id"] == "C-1"
    assert "内核" in forewarn("--lang", "zh", "change", "list").out


def test_wrong_use_and_no_daemon(forewarn: Forewarn) -> None:
    assert forewarn("change", "add", "x", "--what", "meal").code == 2
    assert forewarn("change", "add", "x").code == 1
    assert KINDS == change.KINDS, "the command does not import the model only to list its words"
