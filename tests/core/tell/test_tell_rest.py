"""Pages, asks, the audience, the policy and holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tell_things import (
    CATALOGUES,
    EARLIEST,
    EINS,
    EN,
    MAIL,
    NIGHT,
    NOW,
    ONE,
    OTHER,
    SHANGHAI,
    ZH,
    customer,
    down,
    finding,
    impact,
    incident,
    message,
    run,
    scene,
    settings,
)

from forewarn.core.tell import holds
from forewarn.core.tell.audience import who
from forewarn.core.tell.compose import ask, page
from forewarn.core.tell.may import may
from forewarn.core.tell.words import render
from forewarn.model.hold import Hold
from forewarn.model.incident import IncidentState
from forewarn.model.level import Effect, Level, Mode, Reach
from forewarn.model.message import Approval, MessageKind, Subkind
from forewarn.model.playbook import RunState, StepState
from forewarn.model.policy import PolicyTable, Verdict
from forewarn.model.probe import Probe, Source, Target
from forewarn.model.text import say

SETTINGS = settings()
WAITING = run(StepState.OK, StepState.WAITING, RunState.WAITING)
HERE = Source("shop.yaml", 1)
SHOP = Probe(
    name="shop", kind="http", every_s=1, timeout_s=1, targets=(Target("web-1", "a"), Target("web-2", "b"), Target("web-3", "c")), options=None, rules=(), source=HERE,
)  # fmt: skip
P0 = incident(
    IncidentState.OPEN, Effect.STOPPED, breached_at=NOW - timedelta(minutes=4), room="/i/INC-3",
    impact=impact(Effect.STOPPED, Level.P0, None, reach=Reach.ALL, affected=("customer-en", "customer-zh")),
)  # fmt: skip

# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "given", "cause", "text"),
    [
        (
            ONE,
            scene(findings=(finding(),), runs=(WAITING,)),
            "ahead",
            "Checkout: volume will reach its limit tonight 02:10–04:40 · act by 22:00\n"
            "local /srv: 91.2 % used, limit 95 %\n"
            "Would be P1: fails x many: 6 % of users exposed (VIP 1)\n"
            "Playbook Free the volume waits for an answer\n"
            "INC-3 · act now, it can still be prevented · useful? forewarn incident useful / not-useful INC-3",
        ),
        (
            EINS,
            scene(findings=(finding(),), runs=(WAITING,)),
            "ahead",
            "结账：存储卷预计明天凌晨 02:10–04:40 到达上限 · 最迟 22:00 处理\n"
            "local /srv：已用 91.2%，上限 95%\n"
            "届时将为 P1：失败 × 较多：可能波及 6% 的用户（VIP 1 家）\n"
            "预案“清理存储卷”等待答复\n"
            "INC-3 · 现在处理仍可避免 · 是否有用：forewarn incident useful / not-useful INC-3",
        ),
        (
            ONE,
            scene(
                P0,
                findings=(down("web-1", 1), down("web-2", 2)),
                changed=(say("respond.note", text="payments 4.2.1 deployed 13:58"),),
            ),
            "symptom",
            "P0 Checkout is down · 2 of 3 targets, since 18:08\n"
            "web-1: 91.2 % used, limit 95 % (+1)\n"
            "fails x many: 6 % of users exposed (VIP 1)\n"
            "Changed: payments 4.2.1 deployed 13:58\n"
            "INC-3 · people feel it · room /i/INC-3 · useful? forewarn incident useful / not-useful INC-3",
        ),
    ],
    ids=["ahead-en", "ahead-zh", "p0"],
)
def test_golden_pages(person: object, given: object, cause: str, text: str) -> None:
    composed = page(person, given, settings(probes={"shop": SHOP}), NOW, cause)  # type: ignore[arg-type]
    assert f"{composed.subject}\n{composed.text}" == text


@pytest.mark.parametrize(
    "cause", ["ahead", "symptom", "escalated", "declared", "ack", "act-by", "update.customer", "update.internal", "something new"]
)
@pytest.mark.parametrize("state", [IncidentState.AHEAD, IncidentState.OPEN, IncidentState.ACKNOWLEDGED])
def test_a_page_has_at_most_five_lines(cause: str, state: IncidentState) -> None:
    long = finding(why=say("respond.note", text="x" * 400 + "\nsecond line"))
    for what in (incident(state), incident(state, act_by=None, title=say("title.declared", text="y" * 300), services=())):
        for findings, runs in (((), ()), ((long, down("a")), (WAITING,))):
            composed = page(ONE, scene(what, findings=findings, runs=runs), SETTINGS, NOW, cause)
            lines = [composed.subject, *composed.text.split("\n")]
            assert 2 <= len(lines) <= 5
            assert max(map(len, lines)) <= 160
            assert lines[-1].startswith("INC-3 · ")


def test_an_ask_names_its_answers() -> None:
    composed = ask(ONE, scene(P0), "Delete dumps older than a week?", ("yes", "no"), SETTINGS, NOW)
    assert composed.subject == "INC-3 asks: Delete dumps older than a week?"
    assert composed.text == "Checkout is down\nAnswer: yes / no"


# --- audience ---------------------------------------------------------------------------------------------------------

SILENT = customer("silent", channels=())
PRIVATE = customer("private", consent=frozenset({"maintenance"}))
EARLY = customer("early", consent=frozenset({"forewarning"}))
PEOPLE = settings(customers={c.name: c for c in (ZH, EN, OTHER, SILENT, PRIVATE, EARLY)})
ALL = ("customer-zh", "customer-en", "silent", "private", "early")


def sides(subkind: Subkind, **given: object) -> tuple[list[str], dict[str, str]]:
    state = given.pop("state", IncidentState.OPEN)
    found = who(incident(state, **given), subkind, PEOPLE)  # type: ignore[arg-type]
    assert len(found.told) + len(found.not_told) == len(PEOPLE.customers)
    return [told.customer.name for told in found.told], {left.customer: left.why.key for left in found.not_told}


def test_a_forewarning_goes_to_the_exposed_in_the_files_order() -> None:
    told, left = sides(Subkind.FOREWARNING, state=IncidentState.AHEAD, impact=impact(exposed=ALL))
    assert told == ["customer-zh", "customer-en", "early"]
    assert left == {"customer-fr": "not_told.no_use", "silent": "not_told.no_channel", "private": "not_told.no_consent"}


def test_the_start_goes_to_the_affected_not_to_the_exposed() -> None:
    told, left = sides(Subkind.STARTED, impact=impact(affected=("customer-en", "private", "early"), exposed=ALL))
    assert told == ["customer-en"]
    assert left["customer-zh"] == "not_told.not_affected"
    assert left["private"] == left["early"] == "not_told.no_consent"


@pytest.mark.parametrize("subkind", [Subkind.UPDATE, Subkind.RESOLVED, Subkind.CORRECTED, Subkind.WITHDRAWN, Subkind.RCA])
def test_what_follows_goes_to_those_who_were_told(subkind: Subkind) -> None:
    told, left = sides(subkind, told=("customer-zh", "early"), impact=impact(affected=ALL, exposed=ALL))
    assert told == ["customer-zh", "early"]
    assert left["customer-en"] == "not_told.not_before"
    assert left["customer-fr"] == "not_told.no_use"


def test_one_who_left_the_file_is_named() -> None:
    found = who(incident(IncidentState.OPEN, told=("gone",)), Subkind.UPDATE, SETTINGS)
    assert [left.why.key for left in found.not_told if left.customer == "gone"] == ["not_told.gone"]


def test_why_a_customer_is_told_reads_like_the_contract() -> None:
    found = who(incident(), Subkind.FOREWARNING, SETTINGS)
    assert render(found.told[0].why, CATALOGUES["en"], SHANGHAI, NOW) == "uses checkout, 60 %"
    left = next(left for left in found.not_told if left.customer == "customer-fr")
    assert render(left.why, CATALOGUES["en"], SHANGHAI, NOW) == "does not use checkout"


# --- may --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modes", "kind", "subkind", "verdict"),
    [
        ({}, "page", "symptom", Verdict.DO),
        ({}, "ask", None, Verdict.DO),
        ({}, "notice", "started", Verdict.ASK),
        ({}, "step", "reads", Verdict.DO),
        ({}, "step", "changes", Verdict.ASK),
        ({}, "step.changes", None, Verdict.ASK),
        ({}, "launch", None, Verdict.ASK),  # unknown: a person decides
        ({"notice": Mode.LIVE}, "notice", "started", Verdict.DO),
        ({"notice": Mode.LIVE, "notice.started": Mode.SHADOW}, "notice", "started", Verdict.RECORD),
        ({"notice.started": Mode.LIVE}, "notice", "update", Verdict.ASK),
        ({"step": Mode.SHADOW}, "step", "reads", Verdict.DO),  # the shipped step.reads is more specific
        ({"step.reads": Mode.SHADOW}, "step", "reads", Verdict.RECORD),
        ({"page": Mode.SUGGEST}, "page", "update.customer", Verdict.ASK),
    ],
)
def test_may(modes: dict[str, Mode], kind: str, subkind: str | None, verdict: Verdict) -> None:
    table = settings(policy=PolicyTable(modes=modes, approval_s=600))
    permission = may(kind, subkind, table, ("on-call-1",))
    assert permission.verdict is verdict
    assert permission.asked == (("on-call-1",) if verdict is Verdict.ASK else ())
    assert permission.expires_s == (600 if verdict is Verdict.ASK else None)
    assert "(" not in permission.why.key


def test_may_takes_the_enum_of_a_message() -> None:
    assert may(MessageKind.PAGE, None, SETTINGS, ()).why.facts == {"kind": "page", "rule": "page"}


# --- holds ------------------------------------------------------------------------------------------------------------

NIGHT_AT = datetime(2026, 11, 22, 23, 0, tzinfo=SHANGHAI)  # Sunday, inside 22:00-07:00
MORNING = datetime(2026, 11, 23, 7, 0, tzinfo=SHANGHAI)
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
OPEN_P2 = incident(IncidentState.OPEN, level=Level.P2, impact=impact(Effect.SLOW, Level.P2, None))
TO_ZH = message("started", "customer-zh")
CALL = message("symptom", "on-call-1", kind=MessageKind.PAGE)


def reason(
    *given: object, at: datetime = NOW, undo: bool = False, kept: tuple[Hold, ...] = (), table: object = SETTINGS
) -> str | None:
    held = holds.check(given[0], given[1], kept, table, at, undo)  # type: ignore[arg-type]
    return held.reason.key if held else None


def hold(**given: object) -> Hold:
    base = {
        "id": "H-2",
        "reason": say("hold.silence"),
        "owner": "on-call-1",
        "audience": "customers",
        "from_at": NOW,
        "until": NOW + timedelta(hours=1),
    }
    return Hold(**{**base, **given})  # type: ignore[arg-type]


def test_undo_time_runs_from_the_approval() -> None:
    approved = message(approval=Approval(asked=(), by="on-call-1", at=NOW - timedelta(seconds=20)))
    held = holds.check(approved, OPEN_P2, (), SETTINGS, NOW, True)
    assert held and held.until == NOW + timedelta(seconds=40)
    assert (held.reason.key, held.owner) == ("hold.undo", "on-call-1")
    assert holds.check(approved, OPEN_P2, (), SETTINGS, NOW + timedelta(seconds=41), True) is None
    assert reason(CALL, P0, undo=True) is None
    assert reason(approved, OPEN_P2, undo=True, table=settings(policy=PolicyTable(undo_s=0))) is None


@pytest.mark.parametrize(
    ("what", "subkind", "expected"),
    [
        (OPEN_P2, "started", "hold.quiet"),
        (replace(OPEN_P2, level=Level.P1), "started", None),
        (replace(OPEN_P2, level=Level.P0), "started", None),
        (replace(OPEN_P2, level=Level.P0), "resolved", None),
        (replace(OPEN_P2, level=Level.P0), "rca", "hold.quiet"),
        (incident(), "forewarning", None),  # it comes at 02:10, before they wake
        (incident(earliest=EARLIEST + timedelta(days=1)), "forewarning", "hold.quiet"),
        (incident(earliest=None), "forewarning", "hold.quiet"),
    ],
)
def test_quiet_hours(what: object, subkind: str, expected: str | None) -> None:
    assert reason(message(subkind, "customer-zh"), what, at=NIGHT_AT) == expected


def test_quiet_hours_end_in_the_customers_morning() -> None:
    held = holds.check(TO_ZH, OPEN_P2, (), SETTINGS, NIGHT_AT, False)
    assert held and (held.until, held.owner, held.breaks_from) == (MORNING, "customer-zh", Level.P1)
    assert reason(TO_ZH, OPEN_P2, at=MORNING) is None
    assert reason(message("started", "customer-en"), OPEN_P2, at=NIGHT_AT) is None  # has none
    assert NIGHT.covers(NIGHT_AT)


@pytest.mark.parametrize(
    ("given", "covers"),
    [
        ({"matcher": {"service": "checkout"}}, True),
        ({"matcher": {"service": "search"}}, False),
        ({"matcher": {"incident": "INC-3"}}, True),
        ({"matcher": {"incident": "INC-3", "customer": "customer-en"}}, False),
        ({"matcher": {"message": "M-7"}}, True),
        ({"matcher": {"customer": "customer-zh"}}, True),
        ({"matcher": {"person": "customer-zh"}}, False),
        ({"matcher": {"probe": "shop"}}, False),
        ({"matcher": {}, "owner": "customer-zh"}, True),
        ({"matcher": {}}, False),
        ({"matcher": {"service": "checkout"}, "audience": "responders"}, False),
        ({"matcher": {"service": "checkout"}, "until": NOW}, False),
        ({"matcher": {"service": "checkout"}, "until": None}, True),
        ({"matcher": {"service": "checkout"}, "ended_at": NOW}, False),
        ({"matcher": {"service": "checkout"}, "from_at": NOW + timedelta(minutes=1)}, False),
        ({"matcher": {"service": "checkout"}, "breaks_from": Level.P2}, False),
        ({"matcher": {"service": "checkout"}, "breaks_from": Level.P1}, True),
    ],
)
def test_declared_holds(given: dict[str, object], covers: bool) -> None:
    held = holds.check(TO_ZH, OPEN_P2, (hold(**given),), SETTINGS, NOW, False)
    assert (held.hold if held else None) == ("H-2" if covers else None)


def test_the_longest_declared_hold_counts() -> None:
    both = (hold(matcher={"service": "checkout"}), hold(id="H-3", matcher={"service": "checkout"}, until=NOW + timedelta(hours=2)))
    held = holds.check(TO_ZH, OPEN_P2, both, SETTINGS, NOW, False)
    assert held and held.hold == "H-3"


def test_a_hold_that_a_check_made_is_judged_by_that_check() -> None:
    quiet = hold(reason=say("hold.quiet"), owner="customer-zh", matcher={}, until=NOW + timedelta(hours=9))
    assert reason(TO_ZH, replace(OPEN_P2, level=Level.P1), at=NIGHT_AT, kept=(quiet,)) is None


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (OPEN_P2, "hold.hours"),  # a Sunday
        (replace(OPEN_P2, level=Level.P1), None),
        (incident(), None),  # act-by at 22:00, before Monday 09:00
        (incident(act_by=MONDAY + timedelta(hours=2)), "hold.hours"),
    ],
)
def test_pages_of_p2_wait_for_working_hours(what: object, expected: str | None) -> None:
    held = holds.check(CALL, what, (), SETTINGS, NOW, False)  # type: ignore[arg-type]
    assert (held.reason.key if held else None) == expected
    assert held is None or held.until == MONDAY
    assert reason(CALL, what, at=MONDAY) is None


def test_an_ask_and_a_message_without_an_incident_pass() -> None:
    assert reason(message("question", "on-call-1", kind=MessageKind.ASK), OPEN_P2) is None
    assert reason(message("symptom", "on-call-1", kind=MessageKind.PAGE, incident=None), None) is None
    assert EN.channels == (MAIL,)
