"""What lint finds in a text that a person wrote, and what it lets pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tell_things import EN, NOW, ZH, incident, run, scene, settings

from forewarn.core.tell.lint import leaks, lint
from forewarn.model.incident import IncidentState
from forewarn.model.level import Effect
from forewarn.model.message import Subkind
from forewarn.model.playbook import StepState
from forewarn.model.probe import Probe, Source, Target

HERE = Source("p.yaml", 1)
PROBE = Probe(
    name="db", kind="tcp", every_s=1, timeout_s=1, targets=(Target("orders_primary", "ordersdb"), Target("local", "local")), options=None, rules=(), source=HERE,
)  # fmt: skip
SETTINGS = settings(probes={"db": PROBE})
LIVE = incident(IncidentState.OPEN, Effect.STOPPED, opened_at=NOW - timedelta(minutes=4))
NEXT = " We will write again by 18:40 (Shanghai time)."
NEXT_ZH = "我们会在 18:40（北京时间）前再次告知进展。"
GOOD = "Checkout is not available." + NEXT
GOOD_ZH = "结账目前无法使用。" + NEXT_ZH


def found(text: str, who: object = EN, subject: str = "", **given: object) -> tuple[str, ...]:
    subject = subject or ("Checkout is not available" if who is EN else "结账目前无法使用")
    return lint(text, subject, who, scene(LIVE, **given), SETTINGS, Subkind.STARTED)  # type: ignore[arg-type]


def test_good_texts_pass() -> None:
    assert found(GOOD) == ()
    assert found(GOOD_ZH, ZH) == ()


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ("It runs on 10.0.3.17.", "it shows an address: 10.0.3.17"),
        ("It runs on fe80:0:0:1:2:3:4:5.", "it shows an address: fe80:0:0:1:2:3:4:5"),
        ("See https://status.shop.example/x.", "it shows an address: https://status.shop.example/x"),
        ("Ask one@ops.example.", "it shows an address: one@ops.example"),
        ("The host pay-eu-2 is gone.", "it names a machine: pay-eu-2"),
        ("The host db.internal.example is gone.", "it names a machine: db.internal.example"),
        ("It is orders_primary.", "it names a machine: orders_primary"),
        ("It is web-1.", "it names a machine: web-1"),
        ("The files in /srv/orders are gone.", "it shows a path: /srv/orders"),
        (r"The files in C:\data are gone.", r"it shows a path: C:\data"),
        ("The disk is 91 % full.", "it tells how full a disk is: 91 %"),
        ("Traceback (most recent call last):", "it shows our insides: Traceback"),
        ("It was an OOM kill.", "it shows our insides: OOM"),
        ("An API timeout happened.", "it shows our insides: timeout"),
        ("It is HTTP 502 again.", "it shows our insides: HTTP 502"),
        ("This is INC-32.", "it shows our insides: INC-32"),
        ("It is P0 for us.", "it shows our insides: P0"),
        ("Customer C has it too.", "it names another customer: Customer C"),
        ("It was our supplier.", "it puts blame on somebody: our supplier"),
        ("It was your fault.", "it puts blame on somebody: your fault"),
        ("An error has occurred.", 'it says "An error has occurred"; say what happened and what comes next'),
        ("We will write as soon as possible.", "it promises to write without a time: We will write as soon as possible."),
        ("Nothing is wrong at the moment.", "it says that all is well while a probe is not up: Nothing is wrong"),
        ("Storage is being added.", "it names an action that is not recorded: is being added; note the plan first"),
        ("We have restarted it.", "it names an action that is not recorded: We have restarted; note the plan first"),
        ("We are looking for the cause.", "it names an action that is not recorded: looking for the cause; note the plan first"),
        ("An engineer has it.", "it says that an engineer has it, but nobody has taken the incident: engineer"),
    ],
)
def test_english(extra: str, problem: str) -> None:
    assert problem in found(f"{extra} {GOOD}")


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ("主机在10.0.3.17上。", "it shows an address: 10.0.3.17"),
        ("主机pay-2已停。", "it names a machine: pay-2"),
        ("文件在/srv/orders下。", "it shows a path: /srv/orders"),
        ("磁盘已使用 91%。", "it tells how full a disk is: 91%"),
        ("存储用了百分之九十。", "it tells how full a disk is: 百分之九十"),
        ("接口超时。", "it shows our insides: 超时"),
        ("发生内存溢出。", "it shows our insides: 内存溢出"),
        ("Customer B也受影响。", "it names another customer: Customer B"),
        ("供应商的问题。", "it puts blame on somebody: 供应商"),
        ("由于您操作不当。", "it puts blame on somebody: 由于您"),
        ("我们会尽快通知您。", "it promises to write without a time: 我们会尽快通知您"),
        ("目前一切正常。", "it says that all is well while a probe is not up: 一切正常"),
        ("扩容已开始。", "it names an action that is not recorded: 扩容已; note the plan first"),
        ("我们正在修复。", "it names an action that is not recorded: 正在修复; note the plan first"),
        ("工程师已接手。", "it says that an engineer has it, but nobody has taken the incident: 工程师"),
    ],
)
def test_chinese(extra: str, problem: str) -> None:
    assert problem in found(extra + GOOD_ZH, ZH)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the text is empty"),
        ("We apologise for any inconvenience caused.", "it only apologises; say what happened and what comes next"),
        ("Checkout is not available.", "it does not say when we write next"),
        ("Checkout is not available. We will write again by 18:40.", "its times need the zone: Shanghai time"),
        ("结账目前无法使用。", "it is not in the customer's language (en)"),
        ("x " * 600 + NEXT, "the text is too long: 1,246 characters, at most 1,000"),
    ],
)
def test_the_whole(text: str, problem: str) -> None:
    assert problem in found(text)


@pytest.mark.parametrize(
    ("extra", "given"),
    [
        ("Storage is being added.", {"plan": "add storage"}),
        ("The repair has been started.", {"runs": (run(StepState.OK, StepState.RUNNING),)}),
        ("We are looking for the cause.", {"runs": (run(StepState.RUNNING, StepState.WAITING),)}),
        ("Nothing is wrong at the moment.", {"all_up": True}),
        ("It is about 24/7 use and/or imports, 30 % slower than at 2.5 times the load.", {}),
        ("Customer B, we are sorry.", {}),  # their own name
        ("It began on 22 November 2026.", {}),
    ],
)
def test_what_may_stay(extra: str, given: dict[str, object]) -> None:
    assert found(f"{extra} {GOOD}", **given) == ()


def test_an_engineer_may_be_named_once_somebody_owns_it() -> None:
    case = scene(replace(LIVE, owner="on-call-1"))
    assert lint("An engineer has it. " + GOOD, "Checkout", EN, case, SETTINGS, Subkind.STARTED) == ()


def test_problems_are_told_in_the_daemons_language() -> None:
    spoken = settings(daemon=replace(SETTINGS.daemon, language="zh"))
    assert "出现了路径：/srv" in lint("It is /srv. " + GOOD, "Checkout", EN, scene(LIVE), spoken, Subkind.STARTED)


def test_leaks_looks_only_for_what_must_never_be_seen() -> None:
    assert leaks("restart it", EN, scene(LIVE), SETTINGS) == ()
    assert [say.key for say in leaks("restart web-1", EN, scene(LIVE), SETTINGS)][:1] == ["lint.host"]
