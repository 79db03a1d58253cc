"""The bodies of the API, written out: these are what scripts rely on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from web_stage import NOW, TOKEN, Stage, at, due, finding, incident, message

from forewarn.model.errors import NotFound, Refused, StoreError
from forewarn.model.finding import FindingState
from forewarn.model.incident import IncidentState
from forewarn.model.level import Level
from forewarn.model.message import MessageState
from forewarn.model.text import say

BEARER = {"Authorization": f"Bearer {TOKEN}"}
DUE = {
    "id": "D-9",
    "what": "act-by",
    "owner": "shop",
    "due": "2026-11-22T11:33:20Z",
    "calendar": "office",
    "paused": False,
    "used": 0.4,
    "colour": None,
    "done_at": None,
    "subject": "INC-3",
    "incident": "INC-3",
    "ended": None,
}
FORECAST = {
    "earliest": "2026-11-22T12:40:00Z",
    "likely": "2026-11-22T13:20:00Z",
    "latest": "2026-11-22T14:30:00Z",
    "coverage": 0.8,
    "p": 0.7,
    "horizon_s": 259200.0,
}


def test_status(told: Stage) -> None:
    body = told.api("status")
    assert body.pop("rss_mb") > 10
    assert body == {
        "now": "2026-11-22T10:03:20Z",
        "zone": "UTC",
        "version": "0.1.0",
        "state": "problem",
        "uptime_s": 62,
        "config": {"id": "3fa9c1", "loaded_at": "2026-11-22T10:02:18Z", "refused": None},
        "probes": {"up": 2, "down": 0, "unknown": 1, "learning": 1},
        "findings": 2,
        "incidents": {"ahead": 1, "P0": 0, "P1": 0, "P2": 1, "P3": 0, "P4": 0},
        "messages": {"queued": 0, "held": 1, "waiting_approval": 1, "failed": 0, "unknown": 0},
        "lateness_ms": {"p50": 0.8, "p99": 4.1},
        "missed": 0,
        "next_breach": "INC-3",
        "troubles": [],
        "why": None,
    }


def test_probes(told: Stage) -> None:
    items = {item["name"]: item for item in told.api("probes")["items"]}
    assert list(items) == ["checkout-api", "disks", "host"]
    assert items["host"] == {
        "name": "host",
        "kind": "host",
        "service": "checkout",
        "mode": "live",
        "every_s": 10.0,
        "source": "probes/host.yaml:31",
        "targets": [
            {
                "target": "local",
                "host_away": None,
                "reason": None,
                "outcome": "up",
                "why": None,
                "at": "2026-11-22T10:03:10Z",
                "lateness_ms": 1.2,
                "series": [
                    {"metric": "fs_used_ratio", "labels": {"mount": "/srv"}, "value": 0.61},
                    {"metric": "cpu_used_ratio", "labels": {}, "value": 0.12},
                ],
                "rules": [
                    {
                        "rule": "disk-fills",
                        "state": "learning",
                        "why": None,
                        "series": 'fs_used_ratio{mount="/srv"}',
                        "ready_at": "2026-11-22T18:40:00Z",
                    },
                    {"rule": "busy", "state": "ok", "why": "CPU 12 %", "series": "cpu_used_ratio", "ready_at": None},
                ],
            }
        ],
    }
    asleep = items["disks"]["targets"][0]
    assert (asleep["outcome"], asleep["why"]) == ("unknown", "asleep")


def test_findings(told: Stage) -> None:
    assert told.api("findings/F-17") == {
        "id": "F-17",
        "state": "open",
        "series": 'host|local|fs_used_ratio{mount="/srv"}',
        "rule": "disk-fills",
        "probe": "host",
        "service": "checkout",
        "colour": "yellow",
        "opened_at": "2026-11-22T10:03:00Z",
        "why": "/srv 91.2 %",
        "evidence": {"value": 0.912, "limit": 0.95, "window_s": 21600.0, "n": 360, "lines": []},
        "dues": [],
        "forecast": FORECAST,
        "old": False,
        "incident": "INC-3",
        "config": "3fa9c1",
        "source": "probes/host.yaml:31",
        "cleared_at": None,
    }


def test_a_task_shows_its_due(told: Stage) -> None:
    told.keep(due("D-11", what="task", subject="F-18", incident=None))
    assert [d["what"] for d in told.api("findings/F-18")["dues"]] == ["task"]


def test_incidents(told: Stage) -> None:
    assert told.api("incidents?state=ahead")["items"] == [
        {
            "id": "INC-3",
            "title": "Orders DB full",
            "why": "fails x many: 6 % of users exposed; customers exposed 2",
            "state": "ahead",
            "owner": None,
            "declared_by": None,
            "verdict": None,
            "level": "P2",
            "would_be": "P1",
            "pinned": None,
            "effect": "fails",
            "reach": "many",
            "shifts": [],
            "overrides": [],
            "score": [39.9, 57.4],
            "factors": [
                {"name": "users exposed", "value": 0.06, "from": "customers.yaml:12"},
                {"name": "orders drop", "value": None, "from": "services.yaml:3", "why": "the service names no series of orders"},
            ],
            "act_by": "2026-11-22T12:10:00Z",
            "findings": ["F-17"],
            "services": ["checkout"],
            "customers": {"affected": [], "exposed": ["customer-en", "customer-zh"]},
            "dues": [DUE],
            "runs": ["R-1"],
            "messages": ["M-5", "M-6", "M-7", "M-8"],
            "linked": [],
            "changes": [],
            "room": None,
            "opened_at": "2026-11-22T10:03:00Z",
            "forecast": FORECAST,
            "plan": None,
            "resolution": None,
            "useful": None,
            "useful_by": None,
            "breached_at": None,
            "acknowledged_at": None,
            "ended_at": None,
            "version": 1,
        }
    ]


def test_messages(told: Stage) -> None:
    items = {item["id"]: item for item in told.api("messages?kind=notice")["items"]}
    assert list(items) == ["M-8", "M-7", "M-6"]
    assert items["M-7"] == {
        "id": "M-7",
        "kind": "notice",
        "subkind": "forewarning",
        "to": "customer-zh",
        "language": "zh",
        "channel": "mail",
        "at": "2026-11-22T10:03:05Z",
        "state": "waiting_approval",
        "why": "uses checkout, 60 %",
        "held": None,
        "approval": {"asked": ["on-call-1"], "by": None, "at": None, "expires": "2026-11-22T14:03:05Z"},
        "key": "5f1c0a",
        "subject": "【提前告知】今晚下单可能变慢",
        "text": message().text,
        "incident": "INC-3",
        "attempts": [],
        "next_update_at": "2026-11-22T12:00:00Z",
        "edited_by": None,
        "answer": None,
        "run": None,
        "version": 1,
    }
    assert items["M-8"]["held"] == {"by": "Undo", "until": "2026-11-22T10:04:00Z"}
    assert items["M-6"]["attempts"] == [
        {"at": "2026-11-22T10:03:12Z", "result": "sent", "reason": None, "ms": 12.0, "channel": "mail", "detail": None}
    ]


def test_a_dropped_message_says_why_it_was_dropped(told: Stage) -> None:
    told.keep(message("M-9", state=MessageState.DROPPED, ended=say("dropped.undone", who="on-call-1")))
    assert told.api("messages/M-9")["why"] == "taken back by on-call-1"


def test_holds_dues_and_runs(told: Stage) -> None:
    assert told.api("holds")["items"] == [
        {
            "id": "H-2",
            "reason": "Undo",
            "owner": "customer-zh",
            "matcher": {},
            "audience": "customers",
            "from": "2026-11-22T10:00:00Z",
            "until": "2026-11-22T10:04:00Z",
            "breaks_from": "P1",
            "holding": ["M-8"],
            "ended_at": None,
        }
    ]
    assert told.api("dues") == {"items": [DUE], "next": None}  # D-10 is clockwork of ours
    run = told.api("runs")["items"][0]
    assert (run["id"], run["state"], [step["state"] for step in run["steps"]]) == ("R-1", "waiting", ["ok", "waiting"])
    assert run["steps"][0]["output"] == "40G /srv/dumps\n 2G /srv/logs\n"


def test_playbooks_and_timeline(told: Stage) -> None:
    declared = told.api("playbooks")["items"][0]
    assert [(step["name"], step["kind"], step["changing"]) for step in declared["steps"]] == [
        ("look", "run", False),
        ("clean", "run", True),
    ]
    assert declared["limits"] == {"per_hour": 3, "per_day": 10, "cooldown_s": 300, "at_once": 1}
    assert (declared["changed"], declared["breaker"]) == ({"hour": 0, "day": 0, "bad": 0}, None)
    assert [line["what"] for line in told.api("incidents/INC-3/timeline")["items"]] == [
        "Opened by F-17",
        "on-call-1 called",
        "looking",
    ]


def test_why(told: Stage) -> None:
    body = told.api("why/M-7")
    assert (body["id"], body["complete"], body["missing"]) == ("M-7", True, [])
    assert [link["type"] for link in body["links"]][:5] == ["notice", "incident", "finding", "rule", "series"]
    assert set(body["links"][0]) == {"id", "type", "at", "why", "facts", "from"}
    text = told.ask("/api/v1/why/M-7?text=1", **BEARER).body
    assert text.splitlines()[0].startswith("M-7 ")
    assert text.splitlines()[1].startswith("<- INC-3")


def test_why_names_a_missing_link(told: Stage) -> None:
    told.keep(incident("INC-9", findings=("F-99",), messages=(), runs=()))
    body = told.api("why/INC-9")
    assert (body["complete"], body["missing"]) == (False, ["F-99"])


def test_who_was_not_told(locked: Stage) -> None:
    locked.keep(incident(services=("search",), messages=("M-7",)))
    left = {item["customer"] for item in locked.api("why/M-7")["not_told"]}
    assert left == set(), "both have a notice of this kind"
    locked.keep(message("M-6", to="customer-zh"))
    assert {item["customer"] for item in locked.api("why/M-7")["not_told"]} == {"customer-en"}


# --- lists ---


def test_pages_of_a_list_join_without_gap_or_repeat(bare: Stage) -> None:
    bare.keep(*(finding(f"F-{number}", state=FindingState.CLEARED if number % 3 else FindingState.OPEN) for number in range(1, 11)))
    seen: list[str] = []
    after = ""
    while after is not None:
        body = bare.api(f"findings?limit=3&after={after}")
        seen += [item["id"] for item in body["items"]]
        after = body["next"]
    assert seen == [f"F-{number}" for number in range(10, 0, -1)]
    assert [item["id"] for item in bare.api("findings?state=open")["items"]] == ["F-9", "F-6", "F-3"]


def test_a_kind_filter_looks_beyond_one_batch(bare: Stage) -> None:
    from forewarn.model.message import MessageKind

    bare.keep(message("M-1"), *(message(f"M-{n}", kind=MessageKind.PAGE, subkind=None) for n in range(2, 260)))
    assert bare.api("messages?kind=notice") == {"items": [bare.api("messages/M-1")], "next": None}


def test_filters(told: Stage) -> None:
    assert [i["id"] for i in told.api("messages?incident=INC-3&state=sent")["items"]] == ["M-6", "M-5"]
    assert [i["id"] for i in told.api("incidents?state=ahead,acknowledged")["items"]] == ["INC-3", "INC-2"]
    assert [i["name"] for i in told.api("probes?state=unknown")["items"]] == ["disks"]
    page = told.api("probes?limit=2")
    assert (len(page["items"]), page["next"]) == (2, "disks")
    assert [i["name"] for i in told.api("probes?after=disks")["items"]] == ["host"]


@pytest.mark.parametrize(
    ("path", "status", "key"),
    [
        ("findings?limit=0", 400, "web.limit"),
        ("findings?limit=x", 400, "web.limit"),
        ("findings?limit=1001", 400, "web.limit"),
        ("findings?state=sent", 400, "web.state"),
        ("messages?kind=mail", 400, "web.kind"),
        ("messages?after=INC-3", 400, "web.after"),
        ("incidents/INC-99", 404, "web.not_found"),
        ("incidents/M-7", 404, "web.not_found"),
        ("incidents/INC-99/timeline", 404, "web.not_found"),
        ("probes/nope", 404, "web.not_found"),
        ("why/INC-99", 404, "web.not_found"),
        ("nope", 404, "web.no_page"),
    ],
)
def test_wrong_questions_are_answered_in_words(told: Stage, path: str, status: int, key: str) -> None:
    answer = told.ask(f"/api/v1/{path}", **BEARER)
    assert (answer.status, answer.json()["key"]) == (status, key)
    assert "{" not in answer.json()["error"]


def test_a_wrong_method_is_named(bare: Stage) -> None:
    answer = bare.ask("/api/v1/status", "POST", "{}", **BEARER)
    assert (answer.status, answer.json()["error"]) == (405, "POST is not how /api/v1/status is used.")


# --- commands ---


def wish(stage: Stage, body: Any) -> Any:
    return stage.ask("/api/v1/commands", "POST", body if isinstance(body, str) else json.dumps(body), **BEARER)


def test_a_command_is_passed_on_whole(bare: Stage) -> None:
    bare.wishes.answer = "INC-4"
    given = {"verb": "declare", "by": "on-call-1", "words": ["checkout", "P2"], "text": "Search is empty", "version": None}
    answer = wish(bare, given)
    assert (answer.status, answer.json()) == (200, {"id": "INC-4"})
    assert bare.wishes.given == [("declare", None, "on-call-1", ("checkout", "P2"), "Search is empty", None)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ({}, '"verb"'),
        ({"verb": 1}, '"verb"'),
        ({"verb": "note", "id": 3}, '"id"'),
        ({"verb": "note", "words": "plan"}, '"words"'),
        ({"verb": "note", "words": [1]}, '"words"'),
        ({"verb": "note", "version": True}, '"version"'),
        ({"verb": "note", "version": "1"}, '"version"'),
    ],
)
def test_a_command_that_is_none(bare: Stage, body: Any, said: str) -> None:
    answer = wish(bare, body)
    assert answer.status == 400
    assert said in answer.json()["error"]
    assert bare.wishes.given == []


def test_a_body_that_is_too_long(bare: Stage) -> None:
    assert wish(bare, {"verb": "note", "text": "x" * 70000}).status == 413


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Refused(say("refused.version", id="INC-3")), 409, "INC-3 has changed since you looked"),
        (Refused(say("refused.not_found", id="INC-9")), 404, "INC-9"),
        (NotFound("INC-9"), 404, "INC-3"),
        (StoreError("ledger.db: the disk is full"), 503, "the disk is full"),
    ],
)
def test_a_refusal_is_a_sentence(bare: Stage, error: Exception, status: int, said: str) -> None:
    bare.wishes.answer = error
    answer = wish(bare, {"verb": "resolve", "id": "INC-3"})
    assert answer.status == status
    assert said in answer.json()["error"]


# --- how things stand ---


@pytest.mark.parametrize(
    ("things", "troubles", "state"),
    [
        ([], [], "ok"),
        ([incident()], [], "warning"),
        ([incident(state=IncidentState.OPEN, level=Level.P4)], [], "ok"),
        ([incident(state=IncidentState.OPEN, level=Level.P3)], [], "warning"),
        ([incident(state=IncidentState.MITIGATED, level=Level.P2)], [], "problem"),
        ([incident(state=IncidentState.RESOLVED, level=Level.P0)], [], "ok"),
        ([finding(kind="cannot-see")], [], "warning"),
        ([], [say("trouble.config", problems=1, first="x")], "warning"),
        ([], [say("trouble.store", text="full")], "problem"),
        ([], [say("trouble.channel", channel="mail", count=3, reason="auth")], "problem"),
    ],
)
def test_the_one_word(bare: Stage, things: list[Any], troubles: list[Any], state: str) -> None:
    bare.keep(*things)
    bare.stats.said = troubles
    body = bare.api("status")
    assert body["state"] == state
    assert len(body["troubles"]) == len(troubles)


def test_a_refused_configuration_is_named(bare: Stage) -> None:
    bare.stats.said = [say("trouble.config", problems=2, first="services.yaml:14 needs: no such service")]
    assert "services.yaml:14" in bare.api("status")["config"]["refused"]


def test_next_breach_is_the_soonest(bare: Stage) -> None:
    bare.keep(
        incident("INC-1", earliest=at("15:00:00")), incident("INC-2", earliest=None), incident("INC-3", earliest=at("12:00:00"))
    )
    assert bare.api("status")["next_breach"] == "INC-3"


# --- languages and numbers ---


@pytest.mark.parametrize(
    ("query", "header", "title"),
    [
        ("", "", "fails x many"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "失败 × 较多"),
        ("", "fr, de;q=0.5", "fails x many"),
        ("", "zh;q=0, en", "fails x many"),
        ("", "zh;q=x", "fails x many"),
        ("?lang=zh", "en", "失败 × 较多"),
        ("?lang=zh_CN.UTF-8", "", "失败 × 较多"),
        ("?lang=xx", "zh", "失败 × 较多"),
    ],
)
def test_the_asked_language(told: Stage, query: str, header: str, title: str) -> None:
    assert told.api(f"incidents/INC-3{query}", **{"Accept-Language": header})["why"].startswith(title)


def test_what_is_no_number_is_null(bare: Stage) -> None:
    from forewarn.model.finding import Evidence

    bare.keep(finding(evidence=Evidence(value=float("nan"), limit=float("inf"))))
    bare.stats.lateness_ms = lambda: (float("nan"), 1.0)  # type: ignore[method-assign]
    assert bare.api("findings/F-17")["evidence"]["value"] is None
    assert bare.api("findings/F-17")["evidence"]["limit"] is None
    assert bare.api("status")["lateness_ms"] == {"p50": None, "p99": 1.0}
    assert bare.api("status")["now"] == NOW.isoformat().replace("+00:00", "Z")
