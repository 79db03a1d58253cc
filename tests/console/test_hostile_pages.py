"""Texts that people and the world can write, at their worst, in every field that a page shows: they stay text, and no page breaks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

sys.path.append(str(Path(__file__).parents[1] / "web"))  # for the stage that can be filled with anything
from web_stage import ENTRIES, SOURCE, Stage, due, finding, hold, incident, message, probe, run, stage, views

from forewarn.model.change import Change
from forewarn.model.errors import Refused
from forewarn.model.finding import Evidence, RuleState
from forewarn.model.hindsight import Hindsight, Progress
from forewarn.model.impact import Factor
from forewarn.model.incident import IncidentState, TimelineEntry
from forewarn.model.level import Level
from forewarn.model.map import Customer, Service
from forewarn.model.message import Attempt, MessageKind, MessageState
from forewarn.model.playbook import Match, Playbook, RunState, StepResult, StepState
from forewarn.model.probe import Rule, Target
from forewarn.model.scorecard import Score
from forewarn.model.series import Window
from forewarn.model.text import say
from forewarn.ports import ProbeView, RuleView, SeriesView, TargetView

SCRIPT = """<script>window.hurt=1</script>"'><img src=x onerror=window.hurt=2><svg onload=window.hurt=3>{{7*7}}"""
TURNED = "\u202ednuob\u202c \u2066x\u2069 \u200fעברית\u200e"
COMMANDS = "\x1b[31mred\x07\x00\x9b2J"
LONG = "nameless" * 1000 + " word" * 400
NASTY = {"script": SCRIPT, "turned": f"{TURNED} {COMMANDS}", "long": LONG}
PAGES = (
    "/", "/now", "/i/INC-3", "/i/INC-2", "/messages", "/loaded", "/scorecard", "/why/INC-3", "/why/M-7", "/why/R-1", "/why/F-17",
    "/why/C-1", "/search?q=INC-3", "/search?q=M-7", "/search?q=F-18", "/search?q=R-1", "/search?q=nameless", "/search?q=window",
    "/loaded?kind=customers", "/messages?state=waiting_approval",
)  # fmt: skip
SPARE = ("/loaded", "/scorecard", "/why/C-1", "/search?q=nameless", "/search?q=window", "/loaded?kind=customers")
"""Pages of which not each shows all of it."""
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}


def fill(it: Stage, bad: str) -> str:
    """Every field of everything that is shown, as bad as that; answers the name of the probe, which stands in an address."""
    name = bad.replace("/", "").replace("\x00", "")[:1500]
    said, at = say("respond.note", text=bad), it.clock.moment
    labels = (("mount", bad),)
    series = replace(views()[0].targets[0].series[0].series, probe=name, target=bad, labels=labels, metric="errors_total")
    evil = finding(
        probe=name, target=bad, why=said, rule=bad, labels=labels, series=str(series), source=bad, service=bad,
        evidence=Evidence(lines=(bad, bad), n=1, value=1.0, limit=0.5),
    )  # fmt: skip
    changed = Change(id="C-1", at=at, heard_at=at, what="deploy", text=bad, who=bad, service=bad, host=bad, key=bad)
    owned = incident(
        changes=("C-1",), title=said, why=said, owner=bad, plan=bad, resolution=bad, pinned=bad, declared_by=bad, services=(bad,),
        messages=("M-5", "M-7", "M-8"), called=(bad,), linked=("INC-2",), state=IncidentState.OPEN, level=Level.P0,
    )  # fmt: skip
    judged = replace(owned.impact, affected=(bad,), exposed=(bad,), factors=(Factor(name=bad, value=bad, source=bad),), why=said)
    owned = replace(owned, impact=judged)
    failed = Attempt(at=at, channel=bad, result="failed", reason=bad, detail=bad)
    draft = message(subject=bad, text=f"{bad}\n\n{bad}", to=bad, why=said, edited_by=bad)
    page = message("M-5", kind=MessageKind.PAGE, subkind=None, subject=bad, text=bad, to=bad, state=MessageState.FAILED, ended=said,
                   attempts=(failed, failed), approval=None)  # fmt: skip
    ask = message(
        "M-8",
        kind=MessageKind.ASK,
        subkind="question",
        subject=bad,
        text=bad,
        to=bad,
        answer=bad,
        state=MessageState.ANSWERED,
        approval=None,
    )
    steps = (
        StepResult(name=bad, kind="run", state=StepState.OK, summary=bad, output=bad, spec={"argv": [bad, bad]}),
        StepResult(name=bad, kind="run", state=StepState.RUNNING, spec={"argv": [bad]}, undo={"argv": [bad]}),
    )
    asked = replace(run("R-2"), playbook=bad, state=RunState.WAITING, needs=1, expires=at, steps=steps[1:], plan=())
    it.keep(
        evil, owned, replace(owned, id="INC-2", state=IncidentState.AHEAD), replace(evil, id="F-18", incident=None), draft, page, ask,
        changed, Score(probe=bad, rule=bad, kind=bad, useful=1), due(owner=bad, what=bad), hold(), replace(run(), playbook=bad, state=RunState.RUNNING, steps=steps), asked,
        entries=[TimelineEntry(incident="INC-3", at=ENTRIES[0].at, say=said, by=bad)],
    )  # fmt: skip
    it.would = Hindsight(progress=Progress.FAILED, why=bad)
    it.past[str(series)] = Window.of([(at.timestamp() - 60.0 * n, 0.4 + n / 100) for n in range(9, 0, -1)])
    judging = Rule(name=bad, kind="threshold", metric=bad, options=SimpleNamespace(above=0.5), source=SOURCE)
    it.stats.output["R-1"] = f"{bad}\n{bad}"
    rule = RuleView(rule=bad, state=RuleState.FIRING, why=said)
    seen = SeriesView(series=series, value=1.0, at=at, rules=(rule,))
    down = TargetView(target=bad, outcome="down", reason=bad, detail=bad, at=at, lateness_ms=None, series=(seen,))
    blind = replace(down, outcome="unknown")
    it.stats.shown = [
        ProbeView(
            probe=probe(name, service=bad, rules=(judging,), targets=(Target(bad, bad), Target("2", bad))), targets=(down, blind)
        )
    ]
    it.stats.said = [say("trouble.store", text=bad)]
    it.stats.reload = {
        "ok": True, "config": bad, "was": bad, "files": 1, "problems": [], "others": [], "anew": [bad], "needs_restart": [bad],
        "changes": {"probes": {"added": [bad]}},
    }  # fmt: skip
    known = it.settings
    service = Service(
        name=bad,
        names={"en": bad, "zh": bad},
        criticality=next(iter(known.services.values())).criticality,
        source=known.people["on-call-1"].source,
    )
    book = Playbook(name=bad, title={"en": bad, "zh": bad}, match=Match(), steps=(), source=SOURCE)
    zone = known.people["on-call-1"].zone
    customer = Customer(name=bad, title=bad, language="en", zone=zone, uses={bad: 1.0}, source=service.source)
    person = replace(known.people["on-call-1"], name=bad, title=bad)
    it.settings = replace(
        known, services={bad: service}, customers={bad: customer}, people={bad: person}, probes={}, playbooks={bad: book}
    )
    return name


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path, customers=True) as it:
        yield it


@pytest.mark.parametrize("how", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("nasty", NASTY)
def test_the_worst_texts_are_shown_and_do_nothing(browser: Browser, bare: Stage, nasty: str, how: dict[str, Any]) -> None:
    name = fill(bare, NASTY[nasty])
    context = browser.new_context(**how, locale="en-GB")
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda it: complaints.append(it.text) if it.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    base = f"http://127.0.0.1:{bare.port}"
    page.goto(f"{base}/link/{bare.links.make()}")
    page.wait_for_url(f"{base}/")
    for path in (*PAGES, f"/p/{quote(name, safe='')}"):
        answer = page.goto(base + path)
        assert answer is not None and answer.status == 200, path
        page.evaluate("document.querySelectorAll('main details').forEach((it) => { it.open = true; })")
        assert page.evaluate("window.hurt") is None, path
        assert page.locator("main img").count() == 0, path
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= how["viewport"]["width"], f"{path}: {wide} px wide"
        text = page.locator("body").inner_text()
        assert not any(sign in text for sign in "\u202e\u2066\u200f\x1b\x07\x9b"), path
        assert "49" not in text.replace("{{7*7}}", ""), path
        if nasty == "script" and path in PAGES and path not in SPARE:
            assert "<script>window.hurt=1</script>" in text, path
    assert complaints == []
    context.close()


@pytest.mark.parametrize("nasty", NASTY)
def test_the_worst_words_in_an_address_do_nothing(browser: Browser, bare: Stage, nasty: str) -> None:
    bad = quote(NASTY[nasty][:3000], safe="")
    context = browser.new_context(**PHONE)
    page = context.new_page()
    base = f"http://127.0.0.1:{bare.port}"
    page.goto(f"{base}/link/{bare.links.make()}")
    page.wait_for_url(f"{base}/")
    for path in (f"/now?q={bad}", f"/messages?state={bad}", f"/p/{bad}", f"/i/{bad}", f"/why/{bad}", f"/{bad}", f"/?lang={bad}"):
        page.goto(base + path)
        assert page.evaluate("window.hurt") is None, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    context.close()


@pytest.mark.parametrize("nasty", NASTY)
def test_the_worst_words_that_are_written_into_a_form_come_back_as_words(browser: Browser, bare: Stage, nasty: str) -> None:
    """What is refused is shown again with what somebody else has done meanwhile; both are somebody's words."""
    bad = NASTY[nasty]
    meanwhile = TimelineEntry(
        incident="INC-3", at=ENTRIES[0].at, say=say("respond.note", text=bad), by=bad, versions={"M-7": 9, "INC-3": 9}
    )
    bare.keep(incident(), message(subject=bad, text=bad), entries=[meanwhile])
    context = browser.new_context(**PHONE, locale="zh-CN")
    page, complaints = context.new_page(), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    base = f"http://127.0.0.1:{bare.port}"
    page.goto(f"{base}/link/{bare.links.make()}")
    page.wait_for_url(f"{base}/")
    for refusal in (say("refused.version", id="M-7"), say("refused.lint", problems=bad)):
        bare.wishes.answer = Refused(refusal)
        for verb, field in (("edit", "textarea"), ("resolve", "input[name=text]")):
            page.goto(f"{base}/i/INC-3")
            page.evaluate("document.querySelectorAll('main details').forEach((it) => { it.open = true; })")
            form = page.locator(f"main form:has(button[value={verb}])").first
            form.locator(field).first.fill(bad)
            form.locator("select[name=by]").select_option("on-call-1")
            with page.expect_navigation():
                form.locator(f"button[value={verb}]").click()
            assert page.evaluate("window.hurt") is None, (verb, refusal.key)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, (verb, refusal.key)
            assert page.locator("main img").count() == 0
            if verb == "edit":
                kept = page.locator("main textarea").input_value()
                assert kept.split() == bad.replace("\x00", "").split() or nasty == "turned", "no word is lost"
    assert complaints == []
    context.close()
