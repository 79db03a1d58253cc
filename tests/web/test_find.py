"""Search, the pages' JSON twins, and long lists that say how long they are."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import quote

import pytest
from web_stage import NOW, TOKEN, Stage, at, finding, incident, message, probe, views

from forewarn.model.errors import Refused
from forewarn.model.incident import IncidentState, TimelineEntry
from forewarn.model.level import Level
from forewarn.model.text import say
from forewarn.ports import ProbeView
from forewarn.web.now import MOST_INCIDENTS

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def found(stage: Stage, text: str, more: str = "") -> list[str]:
    return [hit["id"] for hit in stage.api(f"search?q={quote(text)}{more}")["items"]]


def ended(n: int, title: str, **changed):
    given = {"title": say("title.declared", text=title), "findings": (), "messages": (), "runs": (), "state": IncidentState.CLOSED}
    return incident(f"INC-{n}", **{**given, **changed})


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("下单", ["M-7"]),  # two signs of a message's subject
        ("结账", ["INC-3", "checkout"]),  # the service's Chinese name, of its incident and of itself
        ("客户甲", ["INC-3", "INC-2", "customer-zh"]),
        ("search is", ["INC-2"]),
        ("slow tonight", ["M-6"]),
        ("disks", ["disks"]),
        ("inc-3", ["INC-3", "M-5"]),  # the thing itself first, then a page that names it
        ("F-17", ["F-17"]),
        ("R-1", ["R-1"]),
        ("nothing of the kind", []),
        ("", []),
    ],
)
def test_things_are_found_by_id_name_and_words(locked: Stage, text: str, ids: list[str]) -> None:
    locked.settings.probes.update({view.probe.name: view.probe for view in views()})  # type: ignore[attr-defined]
    known = [one for one in found(locked, text) if one in ids or not one.startswith("M-")]
    assert known == ids


def test_the_page_shows_what_was_found_in_both_languages(locked: Stage) -> None:
    cookie = locked.enter()
    for language, word in (("en", "Messages"), ("zh", "消息")):
        page = locked.ask(f"/search?q={quote('下单')}&lang={language}", Cookie=cookie)
        assert page.status == 200
        assert 'href="/i/INC-3#M-' in page.body, "to the letter itself"
        assert f"<h2>{word}</h2>" in page.body
    assert "Nothing has all of these words" in locked.ask("/search?q=zzz&lang=en", Cookie=cookie).body
    assert "Write an id" in locked.ask("/search?lang=en", Cookie=cookie).body
    assert locked.ask("/search?q=x").status == 401


def test_programs_get_states_as_everywhere_else(bare: Stage) -> None:
    bare.keep(ended(1, "a trouble of words", state=IncidentState.OPEN), message("M-7", subject="下单"))
    states = {
        hit["id"]: hit["state"] for hit in bare.api(f"search?q={quote('下单')}")["items"] + bare.api("search?q=trouble")["items"]
    }
    assert states["INC-1"] == bare.api("incidents/INC-1")["state"] == "open"
    assert states["M-7"] == bare.api("messages/M-7")["state"]


def test_hostile_words_are_only_words(bare: Stage) -> None:
    for text in ("<script>alert(1)</script>", '"*', "a' OR 1=1 --", "\u202e磁盘", "NEAR(a b)", "x" * 5000, "磁" * 300):
        page = bare.ask(f"/search?q={quote(text)}")
        assert page.status == 200, text
        assert "<script>alert" not in page.body
        assert "\u202e" not in page.body


def test_one_kind_is_found_page_by_page(bare: Stage) -> None:
    bare.keep(*(ended(n, f"磁盘 {n}") for n in range(1, 26)))
    first = bare.api(f"search?q={quote('磁盘')}")
    assert (len(first["items"]), first["more"], first["next"]) == (10, ["incidents"], None)
    seen, after = [], ""
    while True:
        page = bare.api(f"search?q={quote('磁盘')}&kind=incidents&limit=10&after={after}")
        seen += [hit["id"] for hit in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [f"INC-{n}" for n in range(25, 0, -1)]
    for query, key in (("kind=fish", "web.kind"), ("kind=incidents&after=M-1", "web.after"), ("limit=0", "web.limit")):
        answer = bare.ask(f"/api/v1/search?q=x&{query}", **BEARER)
        assert (answer.status, answer.json()["key"]) == (400, key)


# --- twins ------------------------------------------------------------------------------------------------------------

TWINS = {
    "/": "/api/v1/ahead", "/now": "/api/v1/now", "/i/INC-3": "/api/v1/incidents/INC-3", "/p/host": "/api/v1/probes/host",
    "/messages": "/api/v1/messages", "/loaded": "/api/v1/loaded", "/search?q=orders": "/api/v1/search?q=orders",
    "/why/M-7": "/api/v1/why/M-7",
}  # fmt: skip


@pytest.mark.parametrize(("page", "twin"), TWINS.items())
def test_every_page_names_its_twin_and_the_twin_answers(told: Stage, page: str, twin: str) -> None:
    answer = told.ask(page)
    assert answer.headers["link"] == f'<{twin}>; rel="alternate"; type="application/json"'
    assert told.ask(twin, **BEARER).status == 200


def test_the_twins_say_what_the_pages_say(told: Stage) -> None:
    ahead, now, loaded = told.api("ahead"), told.api("now"), told.api("loaded")
    assert ([it["id"] for it in ahead["items"]], ahead["count"]) == (["INC-3"], 1)
    assert [it["id"] for it in ahead["waiting"]] == ["M-7"]
    assert ahead["status"]["next_breach"] == "INC-3"
    assert ([it["id"] for it in now["items"]], now["count"]) == (["INC-2"], 1)
    assert ([it["id"] for it in now["tasks"]], now["tasks_count"]) == (["F-18"], 1)
    assert now["cannot_see"] == [{"why": "asleep", "targets": ["disks"]}]
    assert (now["learning_count"], now["learning"][0]["series"]) == (1, 'host|local|fs_used_ratio{mount="/srv"}')
    assert (loaded["id"], loaded["playbooks"]["count"]) == ("3fa9c1", 1)


def test_long_lists_say_how_long_they_are_and_lead_on(bare: Stage) -> None:
    """Beyond a thousand too: what is not shown is counted."""
    many = [ended(n, f"trouble {n}", state=IncidentState.OPEN, level=Level.P3, opened_at=NOW) for n in range(1, 1206)]
    grave = ended(2000, "the gravest", state=IncidentState.OPEN, level=Level.P0, opened_at=NOW)
    bare.keep(*many, grave)
    assert bare.api("status")["incidents"] == {"ahead": 0, "P0": 1, "P1": 0, "P2": 0, "P3": 1205, "P4": 0}
    page = bare.ask("/now?lang=en").body
    assert page.index("the gravest") < page.index("trouble 1<")
    assert f"{MOST_INCIDENTS} of 1,206, the gravest first" in page or f"{MOST_INCIDENTS} of 1206, the gravest first" in page
    seen: list[str] = []
    address: str | None = "/now?lang=en"
    for _ in range(40):
        if address is None:
            break
        body = bare.ask(address).body
        seen += [part.partition('"')[0] for part in body.split('href="/i/')[1:]]
        after = body.rpartition("<main")[2].partition('href="/now?incident=')[2].partition('"')[0]
        address = f"/now?incident={after}" if after else None
    assert seen == ["INC-2000", *(f"INC-{n}" for n in range(1, 1206))]
    rest, after = [], ""
    while after is not None:
        part = bare.api(f"now?limit=500&after={after}")
        rest, after = rest + [it["id"] for it in part["items"]], part["next"]
        assert part["count"] == 1206
    assert rest == seen
    assert "All 1,206" in bare.ask("/?lang=en").body or "All 1206" in bare.ask("/?lang=en").body


def test_forewarnings_and_declared_things_lead_on_too(bare: Stage) -> None:
    bare.keep(*(incident(f"INC-{n}", findings=(), messages=(), runs=()) for n in range(1, 60)))
    first = bare.ask("/?lang=en").body
    after = first.partition('href="/?after=')[2].partition('"')[0]
    assert after
    assert f'href="/i/{after}"' not in bare.ask(f"/?after={after}").body
    bare.settings.probes.update({f"p-{n:04}": probe(f"p-{n:04}") for n in range(450)})  # type: ignore[attr-defined]
    names, after = [], ""
    while after is not None:
        table = bare.api(f"loaded?kind=probes&after={after}")["probes"]
        names, after = names + [row["name"] for row in table["items"]], table["next"]
        assert table["count"] == 450
    assert names == [f"p-{n:04}" for n in range(450)]
    assert "/loaded?kind=probes&amp;after=p-0199" in bare.ask("/loaded").body
    assert bare.ask("/loaded?kind=fish").status == 400


def test_probes_are_listed_page_by_page_and_filtered(bare: Stage) -> None:
    host, _, asleep = views()
    bare.stats.shown = [replace(host, probe=probe(f"p-{n:03}")) for n in range(30)]
    bare.stats.shown += [ProbeView(probe=probe(f"q-{n:03}", "smart"), targets=asleep.targets) for n in range(5)]
    seen, after = [], ""
    while after is not None:
        page = bare.api(f"probes?limit=8&after={after}")
        seen, after = seen + [it["name"] for it in page["items"]], page["next"]
    assert seen == [view.probe.name for view in bare.stats.shown]
    assert len(bare.api("probes?state=unknown")["items"]) == 5
    assert bare.api("probes?kind=smart&limit=2")["next"] == "q-001"


# --- too late ---------------------------------------------------------------------------------------------------------


def test_who_comes_too_late_is_shown_what_was_done_and_by_whom(told: Stage) -> None:
    told.keep(
        incident(version=6),
        entries=[
            TimelineEntry(
                incident="INC-3", at=at("10:03:21"), say=say("respond.note", text="old news"), by="on-call-1", versions={"INC-3": 2}
            ),
            TimelineEntry(
                incident="INC-3",
                at=at("10:03:22"),
                say=say("respond.note", text="dumps moved"),
                by="on-call-2",
                versions={"INC-3": 6},
            ),
        ],
    )
    told.wishes.answer = Refused(say("refused.version", id="INC-3"))
    wish = json.dumps({"verb": "resolve", "id": "INC-3", "by": "on-call-1", "version": 3})
    answer = told.ask("/api/v1/commands", "POST", wish, **BEARER)
    body = answer.json()
    assert (answer.status, body["key"], body["id"], body["version"]) == (409, "refused.version", "INC-3", 6)
    assert [(line["by"], line["what"]) for line in body["changes"]] == [("on-call-2", "dumps moved")]
    cookie = told.enter()
    token = told.links.form_token(cookie.partition("=")[2])
    form = f"token={token}&id=INC-3&verb=resolve&by=on-call-1&version=3&back=/i/INC-3&text=all+is+well+again"
    kind = {"Content_Type": "application/x-www-form-urlencoded"}
    page = told.ask("/do", "POST", form, Cookie=cookie, Origin=told.origin, **kind)
    assert page.status == 409
    assert "dumps moved" in page.body
    assert "on-call-2" in page.body
    assert "all is well again" in page.body, "what was written is not lost"
    assert 'href="/i/INC-3"' in page.body


def test_words_that_were_refused_are_mended_by_whoever_wrote_them(told: Stage) -> None:
    """Somebody else had pressed the last button in this browser."""
    told.wishes.answer = Refused(say("refused.version", id="M-7"))
    cookie = told.enter()
    token = told.links.form_token(cookie.partition("=")[2])
    form = f"token={token}&id=M-7&verb=edit&by=on-call-1&version=1&back=/i/INC-3&text=Dear+customers"
    kind = {"Content_Type": "application/x-www-form-urlencoded"}
    page = told.ask("/do", "POST", form, Cookie=f"{cookie}; forewarn_who=on-call-2", Origin=told.origin, **kind)
    assert page.status == 409 and "Dear customers" in page.body
    assert '<option value="on-call-1" selected>' in page.body
    assert '<option value="on-call-2" selected>' not in page.body


def test_two_who_look_share_a_page_but_not_a_form_token(told: Stage) -> None:
    told.clock.monotonic = lambda: 1.0  # type: ignore[method-assign]
    cookies = [told.enter(), told.enter()]
    pages = [told.ask("/i/INC-3", Cookie=cookie).body for cookie in cookies]
    tokens = [told.links.form_token(cookie.partition("=")[2]) for cookie in cookies]
    for page, own, other in zip(pages, tokens, reversed(tokens), strict=True):
        assert own in page
        assert other not in page
        assert "token-" not in page
    told.keep(incident(title=say("title.declared", text="Another title")), finding(), message())
    assert "Another title" not in told.ask("/i/INC-3", Cookie=cookies[0]).body, "kept for a second"
    told.publish(incident())
    for _ in range(50):
        if "Another title" in told.ask("/i/INC-3", Cookie=cookies[0]).body:
            return
    raise AssertionError("a change must end what was kept")
