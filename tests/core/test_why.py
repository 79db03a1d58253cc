"""`why`: the chain is whole, a hole is named, and it reads like the contract."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "tell"))

from tell_things import CATALOGUES, NOW, SHANGHAI, finding, incident, message, run

from forewarn.core.learn.why import Why, as_json, as_text, explain
from forewarn.core.tell.words import render
from forewarn.model.due import Due
from forewarn.model.errors import NotFound
from forewarn.model.finding import Evidence, Finding, FindingState
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Approval, Attempt, HeldBy, MessageKind, MessageState
from forewarn.model.playbook import RunState, StepState
from forewarn.model.text import Say, say

SENT_AT = NOW + timedelta(seconds=72)
INC = incident(findings=("F-17",), messages=("M-7",), runs=("R-1",))
SENT = message(
    to="customer-zh",
    language="zh",
    state=MessageState.SENT,
    approval=Approval(asked=("on-call-1",), by="on-call-1", at=NOW),
    attempts=(Attempt(at=SENT_AT, channel="mail", result="sent"),),
)
RAN = run(StepState.OK, StepState.SKIPPED, RunState.DONE)
ACT_BY = Due(
    id="D-9", what="act-by", subject="INC-3", incident="INC-3", owner="shop", started_at=NOW, due_at=NOW + timedelta(hours=4)
)
CLOCKWORK = replace(ACT_BY, id="D-10", what="retry")
OTHERS = replace(ACT_BY, id="D-11", what="approval", subject="M-8")
WORLD = {thing.id: thing for thing in (INC, SENT, RAN, finding(), ACT_BY)}
LEFT_OUT = (("customer-fr", say("not_told.no_use", service="checkout")),)


def why(id: str, world: dict[str, object] | None = None, **changed: object) -> Why:
    things = {**(WORLD if world is None else world), **changed}
    return explain(id, things.get, lambda incident: (ACT_BY, CLOCKWORK, OTHERS), lambda incident, subkind: LEFT_OUT)  # type: ignore[arg-type]


def show(language: str) -> object:
    zone = UTC if language == "en" else SHANGHAI
    return lambda what: render(what, CATALOGUES[language], zone, SENT_AT)


def test_a_notice_reads_like_the_contract() -> None:
    found = why("M-7")
    assert found.complete
    assert as_text(found, show("en")) == (  # type: ignore[arg-type]
        "M-7    notice   forewarning to customer-zh (zh, mail); sent 10:13:12, attempt 1, key 5f1c77aa; approved by on-call-1; uses checkout, 60 %\n"
        "<- INC-3  ahead    would be P1: fails x many: 6 % of users exposed; act by 14:00; breach tonight 18:10–20:40 (80 %)\n"
        "<- F-17   finding  91.2 % used, limit 95 %\n"
        "<- rule   fills   probes/host.yaml:31, config 3fa9c1\n"
        "<- series volume|local|volume_used_ratio   360 samples 04:12:00–10:12:00, last 91.2 %\n"
        "-> R-1    run      playbook free-volume: done; look ok; clean skipped\n"
        "-> D-9    due      act, while it can still be prevented: by 14:12\n"
        "not told: customer-fr (does not use checkout)"
    )


def test_the_same_in_chinese() -> None:
    lines = as_text(why("M-7"), show("zh")).splitlines()  # type: ignore[arg-type]
    assert (
        lines[0]
        == "M-7    通知     发给 customer-zh 的提前告知（zh，邮件）；18:13:12 送达，第 1 次尝试，标识 5f1c77aa；on-call-1 批准；使用 checkout，占其业务 60%"
    )
    assert lines[1].startswith("<- INC-3  预警中   届时为 P1：失败 × 较多")
    assert lines[-1] == "未告知：customer-fr（不使用 checkout）"


@pytest.mark.parametrize(
    ("id", "chain"),
    [
        ("M-7", ["M-7", "INC-3", "F-17", "volume/fills", "volume|local|volume_used_ratio"]),
        ("INC-3", ["INC-3", "F-17", "volume/fills", "volume|local|volume_used_ratio"]),
        ("F-17", ["F-17", "volume/fills", "volume|local|volume_used_ratio"]),
        ("R-1", ["R-1", "INC-3", "F-17", "volume/fills", "volume|local|volume_used_ratio"]),
        ("D-9", ["D-9", "INC-3", "F-17", "volume/fills", "volume|local|volume_used_ratio"]),
    ],
)
def test_every_kind_of_id_leads_to_the_sample(id: str, chain: list[str]) -> None:
    found = why(id)
    assert found.complete
    assert [link.id for link in found.links if not link.beside] == chain
    known = {link.id for link in found.links}
    assert all(source in known for link in found.links for source in link.sources)


@pytest.mark.parametrize(
    ("id", "changed", "missing"),
    [
        ("M-7", {"INC-3": None}, ("INC-3",)),
        ("M-7", {"F-17": None}, ("F-17",)),
        ("M-7", {"R-1": None}, ("R-1",)),
        ("INC-3", {"M-7": None}, ("M-7",)),
        ("M-7", {"INC-3": replace(INC, findings=())}, ("INC-3 findings",)),
        ("F-17", {"F-17": finding(source="")}, ("F-17 rule",)),
        ("F-17", {"F-17": finding(config="")}, ("F-17 rule",)),
        ("F-17", {"F-17": finding(evidence=Evidence())}, ("F-17 samples",)),
        ("F-17", {"INC-3": None}, ("INC-3",)),
    ],
)
def test_a_missing_link_is_named(id: str, changed: dict[str, object], missing: tuple[str, ...]) -> None:
    found = why(id, **changed)
    assert not found.complete
    assert found.missing == missing
    assert as_text(found, show("en")).splitlines()[-1].startswith("missing: ")  # type: ignore[arg-type]
    assert as_json(found, show("en"))["missing"] == list(missing)  # type: ignore[arg-type]


def test_no_such_id() -> None:
    with pytest.raises(NotFound):
        why("M-99")


def test_what_could_not_be_seen_needs_no_samples() -> None:
    blind = finding(kind="cannot-see", evidence=Evidence())
    found = why("F-17", **{"F-17": blind})
    assert found.complete
    assert "it could not be looked at" in as_text(found, show("en"))  # type: ignore[arg-type]


def test_declared_by_hand_needs_no_finding() -> None:
    by_hand = replace(INC, findings=(), declared_by="on-call-1", state=IncidentState.OPEN, act_by=None)
    found = why("M-7", **{"INC-3": by_hand})
    assert found.complete
    assert "declared by on-call-1" in as_text(found, show("en"))  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"resolution": "INC-4"}, {"resolution": "the same cause", "linked": ("INC-2", "INC-4")}])
def test_a_merged_incident_leads_on_to_the_other(given: dict[str, object]) -> None:
    merged: Incident = replace(INC, state=IncidentState.MERGED, findings=(), **given)  # type: ignore[arg-type]
    other = replace(INC, id="INC-4", messages=(), runs=())
    found = why("M-7", **{"INC-3": merged, "INC-4": other})
    assert found.complete
    assert [link.id for link in found.links if not link.beside][:4] == ["M-7", "INC-3", "INC-4", "F-17"]
    assert "merged into INC-4" in as_text(found, show("en"))  # type: ignore[arg-type]
    lost = why("M-7", **{"INC-3": merged, "INC-4": None})
    assert lost.missing == ("INC-4",)


def test_a_ring_of_merges_ends() -> None:
    one = replace(INC, state=IncidentState.MERGED, findings=(), resolution="INC-4")
    two = replace(one, id="INC-4", resolution="INC-3")
    assert [link.id for link in why("INC-3", **{"INC-3": one, "INC-4": two}).links if link.type == "incident"] == ["INC-3", "INC-4"]


def test_many_findings_fit_on_a_screen_and_all_stand_in_the_json() -> None:
    many: dict[str, Finding] = {
        f"F-{n}": finding(id=f"F-{n}", series=f"volume|web-{n}|volume_used_ratio", state=FindingState.CLEARED, cleared_at=NOW)
        for n in range(40)
    }
    found = why("INC-3", **{"INC-3": replace(INC, findings=tuple(many)), **many})
    text = as_text(found, show("en"))  # type: ignore[arg-type]
    assert len(text.splitlines()) < 20
    assert "... and 35 more findings" in text
    assert sum(link["type"] == "finding" for link in as_json(found, show("en"))["links"]) == 40  # type: ignore[arg-type, index, union-attr, attr-defined]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"state": MessageState.WAITING, "approval": Approval(asked=("on-call-1",), expires=NOW + timedelta(hours=4))}, "waits for a yes from on-call-1 until 14:12"),
        ({"state": MessageState.WAITING, "approval": Approval(asked=(), expires=NOW + timedelta(hours=4))}, "waits for a yes until 14:12"),
        ({"state": MessageState.HELD, "held": HeldBy(hold="H-2", by=Say("hold.quiet"), until=NOW + timedelta(hours=9))}, "held back until 19:12 tonight; quiet hours"),
        ({"state": MessageState.HELD, "held": HeldBy(hold="H-2", by=Say("hold.quiet"), until=None)}, "held back until somebody ends it"),
        ({"state": MessageState.DROPPED, "ended": say("dropped.undone", who="on-call-1")}, "dropped; taken back by on-call-1"),
        ({"state": MessageState.SENT, "edited_by": "on-call-1"}, "written by on-call-1"),
        ({"kind": MessageKind.PAGE, "subkind": "symptom", "to": "on-call-1"}, "call to on-call-1 (en, mail): people feel it"),
        ({"kind": MessageKind.ASK, "subkind": "question", "answer": "yes", "state": MessageState.ANSWERED}, "answered; answered yes"),
    ],
)  # fmt: skip
def test_where_a_message_stands(given: dict[str, object], told: str) -> None:
    line = as_text(why("M-7", **{"M-7": replace(message(), **given)}), show("en")).splitlines()[0]  # type: ignore[arg-type]
    assert told.replace(" tonight", "") in line.replace(" tonight", "")


def test_only_a_notice_says_who_was_not_told() -> None:
    assert why("M-7").not_told == LEFT_OUT
    assert why("M-7", **{"M-7": replace(message(), kind=MessageKind.PAGE)}).not_told == ()
    assert why("INC-3").not_told == ()


def test_the_json_is_the_contracts() -> None:
    body = as_json(why("M-7"), show("en"))  # type: ignore[arg-type]
    assert set(body) >= {"id", "complete", "missing", "links"}
    first = body["links"][0]  # type: ignore[index]
    assert set(first) == {"id", "type", "at", "why", "facts", "from"}
    assert (first["id"], first["type"], first["at"], first["from"]) == ("M-7", "notice", "2026-11-22T10:12:00Z", ["INC-3"])
    assert json.loads(json.dumps(body)) == body
