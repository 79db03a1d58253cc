"""The pages: what they say in which situation, in both languages, and that nothing hostile gets through."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from sqlite3 import Connection
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from web_stage import ENTRIES, Stage, at, due, finding, incident, message, probe, run, views

from forewarn.model.finding import Evidence, RuleState
from forewarn.model.impact import Factor
from forewarn.model.incident import IncidentState, TimelineEntry
from forewarn.model.level import Level
from forewarn.model.message import Approval, Attempt, HeldBy, MessageKind, MessageState
from forewarn.model.playbook import Run, RunState, Step, StepResult, StepState
from forewarn.model.probe import Source, Target
from forewarn.model.series import SeriesId
from forewarn.model.text import say
from forewarn.ports import ProbeView, RuleView, SeriesView, TargetView
from forewarn.store.sqlite import Database

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""
PAGES = ("/", "/now", "/i/INC-3", "/i/INC-2", "/p/host", "/p/disks", "/messages", "/loaded")
OURS = re.compile(r"/static/[a-z]+\.js")


class Seen(HTMLParser):
    """The text of a page as a reader sees it, and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words)).strip()


def see(stage: Stage, path: str, cookie: str | None = None, language: str = "en") -> Seen:
    answer = stage.ask(path, Cookie=cookie, **{"Accept-Language": language})
    assert answer.status == 200, answer.body
    return Seen(answer.body)


# --- the first page ---


def test_the_first_page_tells_the_story(told: Stage) -> None:
    text = see(told, "/").text
    for said in (
        "Something is wrong",
        "The next 72 hours now Monday Tuesday Wednesday Orders DB full act by 12:10 expected today 12:40–14:30 would be P1 Checkout customers exposed: 2 nobody has it yet",
        "P2 Search is slow acknowledged since 09:20 customers touched: 2 on-call-1 has it",
        "CPU 93 % host busy since 10:03 a task for working hours",
        "Waiting for your yes",
        "disks: asleep.",
        "1 series; first dates at 18:40.",
    ):
        assert said in text, text


def test_now_shows_what_is_watched_and_learnt(told: Stage) -> None:
    text = see(told, "/now").text
    for said in (
        "search P2 Search is slow",
        "Tasks for working hours CPU 93 % host busy since",
        "asleep disks",
        "Learning host file system /srv first answer 18:40",
        "file system /srv 61 % CPU 12 %",
        "response time 31 ms",
    ):
        assert said in text, text


def test_the_first_page_in_chinese(told: Stage) -> None:
    text = see(told, "/", language="zh-CN").text
    for said in (
        "先觉",
        "出现问题",
        "即将发生",
        "须在 12:10 前处理",
        "届时为 P1",
        "结账",
        "等您批准",
        "disks（处于休眠）。",
        "正在学习",
    ):
        assert said in text, text


def test_nothing_is_watched(bare: Stage) -> None:
    text = see(bare, "/").text
    assert "Nothing is watched yet." in text
    assert "Nothing seen yet" in text
    assert "All well" not in text


def learning(ready: bool, state: RuleState = RuleState.LEARNING) -> list[ProbeView]:
    host = views()[0]
    target = host.targets[0]
    rule = RuleView(rule="disk-fills", state=state, why=None, ready_at=target.series[0].rules[0].ready_at if ready else None)
    return [replace(host, targets=(replace(target, series=(replace(target.series[0], rules=(rule,)),)),))]


@pytest.mark.parametrize(
    ("shown", "said", "not_said"),
    [
        (learning(True), "Learning; first dates at 18:40.", "Nothing due"),
        (learning(False), "Learning; the first dates come as soon as there is enough history.", "Nothing due"),
        (learning(False, RuleState.NEVER), "Nothing due in 30 days.", "Learning"),
    ],
)
def test_nothing_due_is_only_said_where_nothing_is_learning(bare: Stage, shown: list[ProbeView], said: str, not_said: str) -> None:
    bare.stats.shown = shown
    ahead = see(bare, "/").text.partition("Ahead Now Messages Scorecard Loaded")[2].partition("Now")[0]
    assert said in ahead
    assert not_said not in ahead


def test_before_the_first_results_nothing_is_called_well(bare: Stage) -> None:
    unseen = TargetView(target="local", outcome="unknown", reason=None, detail=None, at=None, lateness_ms=None)
    bare.stats.shown = [ProbeView(probe=probe(), targets=(unseen,))]
    text = see(bare, "/").text
    assert "The first results come within a minute." in text
    assert "Cannot see" not in text
    assert "Nothing is wrong." not in text


def test_what_cannot_be_seen_is_one_line_by_reason(bare: Stage) -> None:
    names = ("sda", "sdb", "sdc", "sdd", "sde")
    asleep = tuple(replace(views()[2].targets[0], target=name) for name in names)
    secret = replace(asleep[0], target="local", reason="permission", detail="/var/log/syslog")
    bare.stats.shown = [
        ProbeView(probe=probe("disks", targets=tuple(Target(n, n) for n in names)), targets=asleep),
        ProbeView(probe=probe("system-log"), targets=(secret,)),
    ]
    line = next(text for text in see(bare, "/").words if "disks sda" in text)
    assert line.startswith("disks sda, disks sdb, disks sdc and 2 more: asleep; system-log: ")


def test_our_own_troubles_are_said_in_words(bare: Stage) -> None:
    bare.stats.said = [say("trouble.store", text="ledger.db: the disk is full")]
    assert "The store can't be written: ledger.db: the disk is full" in see(bare, "/").text


def test_a_late_act_by_is_red(told: Stage) -> None:
    told.clock.moment = told.clock.moment.replace(hour=12, minute=11)
    assert any(attrs.get("class") == "act late" for _, attrs in see(told, "/").tags)


# --- the incident's page ---


def test_the_incident_page_puts_the_decision_first(locked: Stage) -> None:
    seen = see(locked, "/i/INC-3", locked.enter())
    order = [
        "Orders DB full",
        "act by 12:10",
        "Take it",
        "Playbooks",
        "40G /srv/dumps",
        "Clocks",
        "/srv 91.2 %",
        "What customers are told",
        "Who was called and asked",
        "What happened",
    ]
    places = [seen.text.find(said) for said in order]
    assert -1 not in places
    assert places == sorted(places)
    for said in (
        "客户甲 VIP",
        "users exposed: 6 %",
        "drop of orders: unknown (the service names no series of orders)",
        "Opened by F-17",
    ):
        assert said in seen.text, seen.text


def test_notices_stand_side_by_side_in_each_language(told: Stage) -> None:
    body = told.ask("/i/INC-3").body
    pair = re.search(r'<h3>forewarning</h3>\s*<div class="letters">(.*?)</div>\s*<h3>', body, re.DOTALL)
    assert pair
    assert re.findall(r'<div lang="([\w-]+)" dir="auto"><h4>', pair[1]) == ["en", "zh-CN"]
    assert pair[1].index("Checkout may be slow tonight") < pair[1].index("今晚下单可能变慢")


def buttons(seen: Seen) -> list[str]:
    return [str(attrs["value"]) for tag, attrs in seen.tags if tag == "button" and attrs.get("name") == "verb"]


@pytest.mark.parametrize(
    ("state", "owner", "verbs"),
    [
        (IncidentState.AHEAD, None, ["acknowledge", "note", "resolve", "false-alarm"]),
        (IncidentState.AHEAD, "on-call-1", ["note", "resolve", "false-alarm"]),
        (IncidentState.OPEN, None, ["acknowledge", "resolve", "note", "false-alarm"]),
        (IncidentState.ACKNOWLEDGED, "on-call-1", ["resolve", "note", "false-alarm", "unacknowledge"]),
        (IncidentState.MITIGATED, None, ["resolve", "note"]),
        (IncidentState.RESOLVED, None, ["note"]),
        (IncidentState.CLOSED, None, []),
    ],
)
def test_buttons_fit_the_state(bare: Stage, state: IncidentState, owner: str | None, verbs: list[str]) -> None:
    bare.keep(incident(state=state, owner=owner, findings=(), messages=(), runs=()))
    assert buttons(see(bare, "/i/INC-3", bare.enter())) == verbs
    assert buttons(see(bare, "/i/INC-3")) == []


def test_an_ask_offers_its_answers(bare: Stage) -> None:
    bare.keep(incident(findings=(), runs=()), message(kind=MessageKind.ASK, subkind=None, state=MessageState.SENT, approval=None))
    words = [
        attrs["value"]
        for tag, attrs in see(bare, "/i/INC-3", bare.enter()).tags
        if tag == "button" and attrs.get("name") == "words"
    ]
    assert words == ["yes", "no"]


def test_an_unknown_incident_probe_or_page_is_named(told: Stage) -> None:
    for path, said in (
        ("/i/INC-99", "There is no INC-99."),
        ("/p/nope", "There is no nope."),
        ("/nope", "There is nothing at /nope."),
    ):
        answer = told.ask(path)
        assert answer.status == 404
        assert said in answer.body


def test_a_refused_button_shows_the_reason(told: Stage) -> None:
    from urllib.parse import urlencode

    from forewarn.model.errors import Refused

    cookie = told.enter()
    told.wishes.answer = Refused(say("refused.version", id="INC-3"))
    fields = {"token": told.links.form_token(cookie.partition("=")[2]), "id": "INC-3", "verb": "resolve"}
    answer = told.ask("/do", "POST", urlencode(fields), Cookie=cookie)
    assert answer.status == 409
    assert "INC-3 has changed since you looked" in answer.body


# --- messages ---


def test_messages_page_filters_and_pages(bare: Stage) -> None:
    bare.keep(
        *(message(f"M-{n}", state=MessageState.SENT if n % 2 else MessageState.FAILED, subject=f"Nr {n}.") for n in range(1, 8))
    )
    assert "Nr 7. " in see(bare, "/messages?state=sent").text
    assert "Nr 6. " not in see(bare, "/messages?state=sent").text
    first = bare.ask("/messages?limit=3").body
    assert "Nr 5." in first
    assert 'href="/messages?after=M-5"' in first
    assert "Nr 4." in bare.ask("/messages?after=M-5").body
    assert "No messages here." in see(bare, "/messages?state=held").text


def test_what_can_still_be_taken_back_says_how_long(bare: Stage) -> None:
    until = at("10:04:00")
    held = HeldBy(hold="H-1", by=say("hold.undo"), until=until)
    bare.keep(
        incident(findings=(), runs=()), message(state=MessageState.HELD, held=held, approval=Approval(asked=(), by="on-call-1"))
    )
    for path in ("/", "/i/INC-3", "/messages"):
        seen = see(bare, path, bare.enter())
        assert "leaves at 10:04:00" in seen.text, path
        left = [attrs for tag, attrs in seen.tags if tag == "time" and "data-until" in attrs]
        assert [float(str(attrs["data-until"])) for attrs in left] == [until.timestamp()]
        assert "undo" in buttons(seen)


def test_what_speaks_against_a_draft_is_shown_to_whoever_approves(locked: Stage) -> None:
    locked.keep(
        message(subject="出现故障", text="主机 db-1.internal.example 上 /srv/dumps 已用 91%，我们会在 20:00 前再次告知进展。")
    )
    cookie = locked.enter()
    for path in ("/", "/i/INC-3", "/messages"):
        text = see(locked, path, cookie).text
        assert "Look at this before you approve: " in text, path
        assert "it shows a path: /srv/dumps" in text, path
    assert "批准前请留意：" in see(locked, "/", cookie, "zh-CN").text


def test_many_drafts_cost_as_many_questions_as_one(locked: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    real = Database.reading

    def reading(self: Database) -> AbstractContextManager[Connection]:
        asked.append(None)
        return real(self)

    def questions(path: str) -> int:
        asked.clear()
        assert "it shows a path: /srv/dumps" in see(locked, path, cookie).text
        return len(asked)

    cookie, drafts = (
        locked.enter(),
        [message(f"M-{n}", incident=f"INC-{n}", text="主机上 /srv/dumps 已用 91%") for n in range(10, 18)],
    )
    monkeypatch.setattr(Database, "reading", reading)
    locked.keep(drafts[0], incident("INC-10", findings=(), runs=()))
    before = {path: questions(path) for path in ("/", "/messages")}
    locked.keep(*drafts, *(incident(f"INC-{n}", findings=(), runs=()) for n in range(11, 18)))
    assert {path: questions(path) for path in before} == before


def test_a_draft_without_slips_shows_none(locked: Stage) -> None:
    clean = "今晚 20:40–22:30（北京时间），提交订单的响应可能比平时慢。\n我们会在今晚 20:00（北京时间）前再次告知进展。"
    locked.settings = replace(
        locked.settings,
        customers={"customer-zh": replace(locked.settings.customers["customer-zh"], zone=ZoneInfo("Asia/Shanghai"))},
    )
    locked.keep(message(subject="【提前告知】今晚下单可能变慢", text=clean))
    assert "Look at this" not in see(locked, "/i/INC-3", locked.enter()).text


def test_who_was_called_and_who_has_answered(bare: Stage) -> None:
    failed = Attempt(at=at("10:03:06"), channel="mail", result="failed", reason="connect", detail="smtp.example refused")
    sent = Attempt(at=at("10:03:16"), channel="webhook", result="sent")
    pages = [
        message("M-5", kind=MessageKind.PAGE, subkind="symptom", to=who, state=MessageState.SENT, approval=None, attempts=attempts)
        for who, attempts in (("on-call-1", (failed, sent)),)
    ]
    other = message(
        "M-6",
        kind=MessageKind.PAGE,
        subkind="symptom",
        to="on-call-2",
        state=MessageState.FAILED,
        approval=None,
        attempts=(failed,),
    )
    heard = TimelineEntry(incident="INC-3", at=at("10:05:00"), say=say("respond.acknowledged", who="on-call-1"), by="on-call-1")
    bare.keep(incident(findings=(), runs=(), called=("on-call-1", "on-call-2")), *pages, other, entries=[heard])
    text = see(bare, "/i/INC-3", bare.enter()).text
    first, _, second = text.partition("Who Called Arrived Answered")[2].partition("on-call-2")
    assert "sent 10:03:16 by webhook tried 2 times" in first
    assert "failed 10:03:06 by mail (no connection: smtp.example refused)" in first
    assert first.rstrip().endswith("10:05:00")
    assert "not yet" in second.partition("What happened")[0]
    assert "Was it right to call somebody?" in text


def test_words_that_are_refused_are_not_lost(told: Stage) -> None:
    from urllib.parse import urlencode

    from forewarn.model.errors import Refused

    cookie = told.enter()
    written = "Neues\n\nThe host db-1 is full <b>now</b>"
    told.wishes.answer = Refused(say("refused.lint", problems="it names a machine: db-1"))
    fields = {
        "token": told.links.form_token(cookie.partition("=")[2]),
        "id": "M-7",
        "verb": "edit",
        "text": written,
        "version": "1",
        "back": "/i/INC-3",
    }
    answer = told.ask("/do", "POST", urlencode(fields), Cookie=cookie)
    assert answer.status == 409
    seen = Seen(answer.body)
    assert "it names a machine: db-1" in seen.text
    assert written in "".join(seen.words)
    assert [attrs["value"] for tag, attrs in seen.tags if tag == "input" and attrs.get("name") == "version"] == ["1"]
    told.keep(message(state=MessageState.SENT))
    late = Seen(told.ask("/do", "POST", urlencode(fields), Cookie=cookie).body)
    assert "It can't be changed any more: sent." in late.text
    assert written in "".join(late.words)


# --- playbooks ---


def waits_for_yes() -> Run:
    steps = (StepResult(name="clean", kind="run", changing=True, spec={"argv": ["rm", "-r", "/srv/old dumps"]}),)
    return replace(run(), steps=steps, needs=1, expires=at("11:00:00"))


def test_a_change_that_waits_for_a_yes_stands_on_the_first_page(told: Stage) -> None:
    told.keep(waits_for_yes())
    seen = see(told, "/", told.enter())
    assert 'wants to run: clean R-1 rm -r "/srv/old dumps" Waits for a yes until 11:00.' in seen.text, seen.text


def test_what_a_running_step_says_is_shown_as_it_runs(told: Stage) -> None:
    running = StepResult(name="clean", kind="run", changing=True, state=StepState.RUNNING, spec={"argv": ["rm", "x"]})
    told.keep(replace(run(), state=RunState.RUNNING, steps=(running,)))
    assert "it says, as it runs: nothing yet" in see(told, "/i/INC-3").text
    told.stats.output["R-1"] = "removing <b>1</b> of 3"
    seen = see(told, "/i/INC-3")
    assert "it says, as it runs: removing <b>1</b> of 3" in seen.text
    assert any("data-running" in attrs for _, attrs in seen.tags)


def test_a_question_offers_the_answers_of_its_playbook(told: Stage) -> None:
    step = Step(
        name="decide", kind="ask", spec={"text": "Done?", "choices": ["moved", "not yet"]}, source=Source("playbooks/x.yaml", 1)
    )
    asked = StepResult(name="decide", kind="ask", state=StepState.RUNNING)
    told.keep(
        replace(run(), steps=(asked,), plan=(step,), asks="M-9"),
        message(
            "M-9", kind=MessageKind.ASK, subkind="question", to="on-call-1", state=MessageState.SENT, approval=None, subject="Done?"
        ),
    )
    seen = see(told, "/i/INC-3", told.enter())
    assert [attrs["value"] for tag, attrs in seen.tags if tag == "button" and attrs.get("name") == "text"] == ["moved", "not yet"]
    assert not [attrs for tag, attrs in seen.tags if tag == "button" and attrs.get("name") == "words"]


# --- where it comes from ---


def test_every_id_leads_to_where_it_comes_from(told: Stage) -> None:
    linked = {attrs["href"] for path in PAGES for tag, attrs in see(told, path, told.enter()).tags if tag == "a"}
    ids = {str(href) for href in linked if str(href).startswith("/why/")}
    assert {"/why/INC-3", "/why/F-17", "/why/M-7", "/why/R-1", "/why/D-9"} <= ids
    for href in ids:
        assert told.ask(href).status == 200, href


def test_the_chain_of_a_notice_ends_at_its_samples(told: Stage) -> None:
    seen = see(told, "/why/M-7")
    for said in ("Why M-7", "forewarning to customer-zh", "INC-3 ahead", "F-17", "probes/host.yaml:31", "360 samples"):
        assert said in seen.text, seen.text
    assert told.ask("/why/M-99").status == 404


# --- the first page, continued ---


def test_the_gravest_stands_before_what_is_ahead(told: Stage) -> None:
    def places() -> tuple[int, int]:
        text = see(told, "/").text
        return text.index("Search is slow"), text.index("The next 72 hours")

    now, ahead = places()
    assert ahead < now
    told.keep(incident("INC-2", title=say("title.declared", text="Search is slow"), state=IncidentState.OPEN, level=Level.P0))
    now, ahead = places()
    assert now < ahead


def test_titles_name_the_service_as_readers_call_it(bare: Stage) -> None:
    bare.keep(incident(state=IncidentState.OPEN, title=say("title.down", service="checkout"), findings=(), runs=()))
    assert "Checkout is down" in see(bare, "/").text
    assert "结账不可用" in see(bare, "/", language="zh-CN").text


def test_the_next_known_date_is_told_where_nothing_is_due(bare: Stage) -> None:
    series = SeriesId("shop", "web", "certificate_s")
    view = SeriesView(series=series, value=40 * 86400.0, at=bare.clock.moment)
    target = TargetView(
        target="web", outcome="up", reason=None, detail=None, at=bare.clock.moment, lateness_ms=None, series=(view,)
    )
    bare.stats.shown = [ProbeView(probe=probe("shop"), targets=(target,))]
    assert "Next known date: 10:03 on Friday 1 January 2027 (UTC), the certificate that shop sees." in see(bare, "/").text


# --- a probe ---


def test_a_figure_that_is_older_than_the_newest_look_says_so(told: Stage) -> None:
    view = told.stats.shown[1]
    target = view.targets[0]
    assert " of 10:0" not in see(told, "/p/checkout-api").text
    old = replace(target.series[0], at=at("10:01:00"))
    down = replace(target, outcome="down", reason="refused", detail=None, at=at("10:03:10"), series=(old,))
    told.stats.shown[1] = replace(view, targets=(down,))
    assert "Other figures of 10:01:00 response time 31 ms" in see(told, "/p/checkout-api").text


@pytest.mark.parametrize("outcome", ["down", "unknown"])
def test_old_figures_of_what_is_down_are_not_shown_as_current(told: Stage, outcome: str) -> None:
    view = told.stats.shown[1]
    target = view.targets[0]
    assert "response time 31 ms" in see(told, "/now").text
    last = replace(target.series[0], at=at("10:03:00"))
    told.stats.shown[1] = replace(view, targets=(replace(target, outcome=outcome, at=at("10:03:10"), series=(last,)),))
    assert "response time" not in see(told, "/now").text
    answered = replace(last, at=at("10:03:10"))  # a wrong answer came, and it took so long
    told.stats.shown[1] = replace(view, targets=(replace(target, outcome=outcome, at=at("10:03:10"), series=(answered,)),))
    assert "response time 31 ms" in see(told, "/now").text


def test_how_often_a_rule_fired_is_told_for_each_series(told: Stage) -> None:
    """Findings of one series don't count for another."""
    text = see(told, "/p/host").text
    assert re.search(r"disk-fills learning.*? 1×", text), text
    assert re.search(r"busy fine CPU 12 %.*? 0×", text), text


# --- what is loaded ---


def test_loaded_says_what_the_last_reload_changed(told: Stage) -> None:
    told.stats.reload = {
        "ok": True, "config": "3fa9c1", "was": "aaaaaa", "files": 9, "problems": [], "others": ["policy"], "anew": ["shop/slow"], "needs_restart": ["port"],
        "changes": {"probes": {"added": ["<b>new</b>"], "removed": ["old"]}},
    }  # fmt: skip
    text = see(told, "/loaded").text
    assert "What the last reload changed: aaaaaa → 3fa9c1 probes added <b>new</b> probes removed old policy changed" in text
    assert "Begin anew, since they were changed: shop/slow. Only a restart applies: port (forewarn.yaml)." in text


def test_loaded_names_every_problem_of_refused_files(told: Stage) -> None:
    told.stats.said = [say("trouble.config", problems=2, first="x")]
    told.stats.reload = {
        "ok": False, "config": "3fa9c1", "was": "3fa9c1", "files": 9,
        "problems": [
            {"file": "probes/a.yaml", "line": 9, "path": "every", "what": '"5 mins" is not a duration', "right": "write 5m"},
            {"file": "config/x.yaml", "line": 2, "path": "", "what": "not YAML", "right": ""},
        ],
    }  # fmt: skip
    text = see(told, "/loaded").text
    assert "Problems: 2" in text
    assert 'probes/a.yaml:9 every: "5 mins" is not a duration; write 5m' in text
    assert "config/x.yaml:2 not YAML" in text


# --- language ---


def test_the_language_is_kept_once_chosen(told: Stage) -> None:
    answer = told.ask("/?lang=zh")
    cookie = next(value for value in answer.cookies if value.startswith("forewarn_lang=")).partition(";")[0]
    assert 'lang="zh-CN"' in answer.body
    assert "即将发生" in see(told, "/", cookie).text
    assert "即将发生" not in see(told, "/").text
    assert 'href="/messages?state=sent&amp;lang=en"' in told.ask("/messages?state=sent", Cookie=cookie).body


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_every_sentence_has_its_words(told: Stage, path: str, language: str) -> None:
    """A key that is in no catalogue shows itself, and a hole shows its brace."""
    told.stats.said = [say("trouble.config", problems=1, first="x")]
    told.keep(
        finding("F-19", incident=None, evidence=Evidence(lines=("ERROR one",))), due("D-12", what="update.customer", owner=None)
    )
    for cookie in (None, told.enter()):
        seen = see(told, path, cookie, language)
        shown = seen.text + " ".join(
            str(value) for _, attrs in seen.tags for name, value in attrs.items() if name in ("title", "placeholder")
        )
        assert not re.search(r"\b(?:console|web|state|message|word|due|respond|trouble|impact|prober|metric)\.[a-z_]+", shown), (
            shown
        )
        assert "{" not in shown
        if language == "zh":
            assert "nobody" not in shown


# --- hostile words ---


def hostile(stage: Stage) -> None:
    """Everything that comes from outside, hostile."""
    bad = HOSTILE
    labels = (("mount", bad),)
    said = say("respond.note", text=bad)
    evil = finding(target=bad, why=said, rule=bad, labels=labels, evidence=Evidence(lines=(bad,), n=1), source=bad)
    owned = incident(
        title=said, why=said, owner=bad, plan=bad, resolution=bad, pinned=bad, declared_by=bad, services=(bad,), messages=("M-7", "M-5"),
    )  # fmt: skip
    owned = replace(
        owned, impact=replace(owned.impact, affected=(bad,), exposed=(bad,), factors=(Factor(name=bad, value=bad, source=bad),))
    )
    other = replace(owned, id="INC-2", state=IncidentState.OPEN, level=Level.P0)
    task = replace(evil, id="F-18", incident=None)
    draft = message(subject=bad, text=bad, to=bad, why=said, ended=said)
    paged = message("M-5", kind=MessageKind.PAGE, subkind=None, subject=bad, text=bad, to=bad)
    step = StepResult(name=bad, kind="run", summary=bad, output=bad)
    lines = [TimelineEntry(incident="INC-3", at=ENTRIES[0].at, say=said, by=bad)]
    stage.keep(
        evil, owned, other, task, draft, paged, due(owner=bad, what=bad), replace(run(), playbook=bad, steps=(step,)), entries=lines
    )
    series = replace(views()[0].targets[0].series[0].series, labels=labels, metric=bad)
    view = SeriesView(
        series=series, value=1.0, at=stage.clock.moment, rules=(RuleView(rule=bad, state=RuleState.FIRING, why=said),)
    )
    target = TargetView(target=bad, outcome="down", reason=bad, detail=bad, at=stage.clock.moment, lateness_ms=None, series=(view,))
    stage.stats.shown = [ProbeView(probe=probe("host", service=bad), targets=(target,))]
    stage.stats.said = [say("trouble.store", text=bad)]


@pytest.mark.parametrize(
    "path", ["/", "/i/INC-3", "/i/INC-2", "/p/host", "/messages", "/<script>alert(1)</script>", "/?lang=<script>"]
)
def test_hostile_words_stay_words(bare: Stage, path: str) -> None:
    hostile(bare)
    for cookie in (None, bare.enter()):
        body = bare.ask(path.replace("<", "%3C").replace(">", "%3E"), Cookie=cookie).body
        assert "<script>alert" not in body
        assert "49" not in Seen(body).text.replace("{{7*7}}", "")
        for tag, attrs in Seen(body).tags:
            assert tag != "img"
            assert tag != "script" or OURS.fullmatch(attrs.get("src") or "") or attrs == {"type": "application/json"}
            assert not any(name.startswith("on") for name in attrs)
            assert "style" not in attrs
    if path in ("/", "/i/INC-3", "/p/host", "/messages"):
        assert HOSTILE in "".join(Seen(bare.ask(path).body).words)


def test_a_hostile_foreign_host_is_escaped_too(bare: Stage) -> None:
    body = bare.ask("/", Host="<script>alert(1)</script>").body
    assert "<script>alert" not in body


def test_each_incident_shows_its_own_next_update(told: Stage) -> None:
    """The earliest open clock for customers, of this incident and of no other; ended ones and other clocks don't count."""
    told.keep(
        due("D-20", what="update.customer", subject="INC-2", incident="INC-2", due_at=at("11:00:00")),
        due("D-21", what="update.customer", subject="INC-2", incident="INC-2", due_at=at("10:40:00")),
        due("D-22", what="update.customer", subject="INC-2", incident="INC-2", due_at=at("10:10:00"), done_at=at("10:02:00")),
        due("D-23", what="update.customer", due_at=at("10:20:00")),
    )
    found = told.ledger.next_updates(["INC-2", "INC-3", "INC-9"])
    assert found == {"INC-2": at("10:40:00"), "INC-3": at("10:20:00")}
    assert told.ledger.next_updates(["INC-2"]) == {"INC-2": at("10:40:00")}


# --- docs/console.md ---

GUIDE = (Path(__file__).parents[2] / "docs" / "console.md").read_text("utf-8")


def test_the_guide_names_addresses_that_there_are(told: Stage) -> None:
    series = str(told.stats.shown[0].targets[0].series[0].series)
    named = {"PROBE\\|TARGET\\|METRIC": quote(series), "NAME": "host", "/ID": "/M-7", "...": "/api/v1/incidents/INC-3", "HOST": ""}
    found = re.findall(r"`((?:/api/v1|\.\.\.|/)[^`\s]*)`", GUIDE)
    assert len(found) > 20
    for path in found:
        for word, real in named.items():
            path = path.replace(word, real) if word != "..." or path.startswith("...") else path
        if path in ("/live", "/api/v1/events", "/api/v1/commands", "/api/v1/reload"):
            continue  # streams, and what is posted
        assert told.ask(path, Cookie=told.enter()).status == 200, path


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_guide_and_the_help_name_the_same_keys(told: Stage, language: str) -> None:
    body = told.ask("/", **{"Accept-Language": language}).body
    helped = re.findall(r"<kbd>(.*?)</kbd>", body)
    assert helped == re.findall(r"^\| `?([^`|]{1,3}?)`? \|", GUIDE.partition("## Keys")[2].partition("## ")[0], re.MULTILINE)[1:]
