"""What people do in the console, from the first look to the last button, against a real daemon with a real fault."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from console_shop import Open
from playwright.sync_api import Browser, expect
from reader import DESK_EN, DESK_ZH, EVERYBODY, PHONE_EN, PHONE_ZH, SOON_MS, People, Somebody, somebody

expect.set_options(timeout=SOON_MS)
COUPLE = [DESK_EN, PHONE_ZH]
for_all = pytest.mark.parametrize("me", EVERYBODY, indirect=True)
"""What people come for: in both languages, on both sizes, light and dark."""
for_two = pytest.mark.parametrize("me", COUPLE, indirect=True)
"""The rest: each language, size and scheme once. The looks of all pages are proved in test_looks.py."""


@pytest.fixture
def me(request: pytest.FixtureRequest, people: People) -> Iterator[Somebody]:
    it = people.of(request.param)
    it.complaints.clear()
    it.go("/")
    yield it
    assert it.fits, "nothing is wider than the screen"
    assert it.sees_their_scheme
    it.page.goto("about:blank")  # who has gone follows nothing
    assert [said for said in it.complaints if "409 (Conflict)" not in said] == []  # how a browser notes that words were refused


def declared(me: Somebody, level: str) -> str:
    """An incident of this test's own, as if a colleague had declared it."""
    return me.shop.say("declare", None, "checkout", level, text=f"Orders are empty ({me.language}, {me.size})")


def drafted(me: Somebody, incident: str) -> str:
    """A draft of this test's own for the customer who reads this language."""
    return me.shop.say("tell", incident, "update", f"customer-{me.language}")


def state(me: Somebody, id: str) -> str:
    kind = {"INC": "incidents", "M": "messages", "R": "runs"}[id.partition("-")[0]]
    return str(me.shop.get(f"{kind}/{id}")["state"])


@for_all
def test_what_is_ahead_is_found_and_explained(me: Somebody) -> None:
    """From the first page to the forewarning, why it is believed, and the picture with its limit."""
    ahead = me.shop.incident(state="ahead")
    page = me.page
    row = page.locator("section.ahead li").filter(has=page.locator(f"a[href='/i/{ahead['id']}']"))
    expect(row.locator(".act")).to_be_visible()
    expect(row.locator("svg.bar rect.window")).to_be_attached()
    row.locator("a.title").click()
    expect(page.locator("h1")).to_contain_text("Checkout" if me.language == "en" else "结账")
    page.locator("section.decision a[href^='/why/']").first.click()
    expect(page.locator("ol.chain")).to_contain_text("volume|local|volume_used_ratio")
    page.locator("ol.chain a[href^='/p/volume']").first.click()
    expect(page.locator("figure.chart .limit-name")).to_contain_text("95")
    expect(page.locator(".plot canvas")).to_be_visible()


@for_all
def test_a_notice_is_approved_and_taken_back_within_the_minute(me: Somebody) -> None:
    incident = declared(me, "P2")
    id = drafted(me, incident)
    page = me.go("/")
    card = page.locator(f"article[id='{id}']")
    card.locator("details summary").first.click()
    expect(card.locator(".text").first).to_be_visible()
    me.i_am("on-call-2")
    me.press(id, "approve")
    left = page.locator("li", has=page.locator(f"input[value='{id}']")).locator("time.left")
    seconds = me.says("console.undo.left", seconds="#").replace("#", r"(\d+)")
    expect(left).to_have_text(re.compile(seconds))
    first = int(re.search(r"\d+", left.inner_text())[0])  # type: ignore[index]
    assert 0 < first <= 60
    expect(left).not_to_have_text(me.says("console.undo.left", seconds=str(first)))  # it runs
    assert state(me, id) == "held"
    me.press(id, "undo")
    me.shop.until("the notice is taken back", lambda: state(me, id) == "dropped")
    expect(page.locator(f"input[value='{id}']")).to_have_count(0)
    me.go(f"/i/{incident}")
    expect(page.locator(f"article[id='{id}']")).to_contain_text(me.says("message.state.dropped"))
    assert me.shop.get(f"messages/{id}")["approval"]["by"] == "on-call-2"


@for_two
def test_the_words_of_a_draft_are_edited_and_a_slip_is_not_saved(me: Somebody) -> None:
    incident = declared(me, "P2")
    id = drafted(me, incident)
    page = me.go(f"/i/{incident}")
    me.i_am("on-call-1")
    page.locator("h1").click()
    page.keyboard.press("e")
    area = page.locator(f"article[id='{id}'] textarea")
    expect(area).to_be_focused()
    written = area.input_value()
    area.fill(written + "\n/srv/dumps")
    me.press(id, "edit")
    expect(page.locator("main")).to_contain_text("/srv/dumps")
    assert state(me, id) == "waiting_approval"
    again = page.locator("main textarea")
    assert again.input_value().endswith("/srv/dumps"), "the words are not lost"
    good = written + ("\nThank you for your patience." if me.language == "en" else "\n感谢您的耐心等待。")
    again.fill(good)
    me.press(id, "edit")
    assert page.url.endswith(f"/i/{incident}")
    shown = me.shop.get(f"messages/{id}")
    assert shown["text"].endswith(good.rsplit("\n", 1)[1])
    expect(page.locator(f"article[id='{id}'] .text").first).to_contain_text(good.rsplit("\n", 1)[1])
    expect(page.locator(f"article[id='{id}']")).to_contain_text(me.says("console.edited_by", who="on-call-1"))


def test_of_two_who_edit_the_second_sees_what_the_first_wrote(browser: Browser, shop: Open) -> None:
    with somebody(browser, shop, DESK_ZH) as first, somebody(browser, shop, PHONE_EN) as second:
        incident = declared(first, "P2")
        id = shop.say("tell", incident, "update", "customer-en")
        for me in (first, second):
            me.go(f"/i/{incident}").locator(f"article[id='{id}'] details.edit summary").click()
        for me, more in ((first, "It is nearly done."), (second, "Mine is better.")):
            area = me.page.locator(f"article[id='{id}'] textarea")
            area.fill(f"{area.input_value()}\n{more}")
        first.press(id, "edit")
        second.press(id, "edit")
        assert shop.get(f"messages/{id}")["text"].endswith("It is nearly done.")
        expect(second.page.locator("main textarea")).to_have_value(re.compile("Mine is better"))
        expect(second.page.locator("main .text")).to_contain_text("It is nearly done.")


@for_all
def test_a_p0_is_taken_and_resolved(me: Somebody) -> None:
    incident = declared(me, "P0")
    me.go("/")
    page = me.page
    first = page.locator("main section").first
    expect(first.locator(f"a[href='/i/{incident}']").first).to_be_visible()  # the gravest stands first
    first.locator(f"a.title[href='/i/{incident}']").click()
    if me.size == "phone":
        box = page.locator(".thumb").bounding_box()
        assert box and box["y"] + box["height"] == pytest.approx(844, abs=1), "the buttons are at the thumb"
    me.i_am("on-call-1")
    me.press(incident, "acknowledge")
    expect(page.locator("section.decision")).to_contain_text(me.says("console.has_it", who="on-call-1"))
    assert me.shop.get(f"incidents/{incident}")["owner"] == "on-call-1"
    page.locator("section.decision input[name=text]").fill("the queue was stuck")
    me.press(incident, "resolve")
    expect(page.locator("section.decision")).to_contain_text("the queue was stuck")
    assert state(me, incident) == "resolved"


@for_two
def test_the_alarm_that_is_real_shows_evidence_and_customers(me: Somebody) -> None:
    worst = next(i for i in me.shop.items("incidents") if i["level"] == "P0" and i["findings"])
    page = me.go(f"/i/{worst['id']}")
    main = page.locator("main")
    for text in ("Customer A", "客户甲", "web-1"):
        expect(main).to_contain_text(text)
    expect(page.locator("table.called tbody tr").first).to_be_visible()
    letters = page.locator(".letters").first.locator("article .text")
    expect(letters).to_have_count(2)
    page.goto(f"{me.shop.base}/now")
    expect(page.locator("#blind")).to_contain_text("no-such.log")


@for_all
def test_a_step_is_approved_and_its_output_watched(me: Somebody) -> None:
    incident = declared(me, "P2")
    me.shop.hold_on()
    run = me.shop.say("run", incident, "make-room")
    me.shop.until("it asks", lambda: state(me, run) == "waiting")
    me.go("/")
    expect(me.page.locator("main")).to_contain_text("remove.py")
    page = me.go(f"/i/{incident}")
    me.i_am("on-call-1")
    me.press(run, "approve")
    expect(page.locator("[data-running] pre")).to_contain_text("removing dump 1 of 3")
    assert state(me, run) == "running", "it is seen while it runs"
    me.shop.go_on()
    expect(page.locator("[data-running]")).to_have_count(0)  # without a hand on the page
    step = page.locator("ol.steps li").filter(has_text="remove").first
    expect(step).to_contain_text(me.says("console.step_state.ok"))
    step.locator("summary").first.click()
    expect(step.locator("pre")).to_contain_text("removed 41 GB")


@for_two
def test_a_change_is_refused(me: Somebody) -> None:
    incident = declared(me, "P2")
    run = me.shop.say("run", incident, "make-room")
    me.shop.until("it asks", lambda: state(me, run) == "waiting")
    page = me.go("/")
    me.i_am("on-call-1")
    me.press(run, "refuse")
    me.shop.until("it is over", lambda: state(me, run) in ("stopped", "failed", "done"))
    assert "remove" not in [s["name"] for s in me.shop.get(f"runs/{run}")["steps"] if s["state"] == "ok"]
    expect(page.locator(f"input[value='{run}']")).to_have_count(0)


@for_two
def test_search_and_keys(me: Somebody) -> None:
    incident = declared(me, "P2")
    page = me.go("/")
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.keys")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("volume")
    page.keyboard.press("Enter")
    expect(page.locator("main a[href^='/p/volume']").first).to_be_visible()
    expect(page.locator("main a[href^='/p/vault']")).to_have_count(0)
    me.go(f"/i/{incident}")
    me.i_am("on-call-1")
    page.locator("h1").click()
    with page.expect_navigation():
        page.keyboard.press("a")
    assert me.shop.get(f"incidents/{incident}")["owner"] == "on-call-1"
    page.keyboard.press("r")
    page.keyboard.type("it was a test")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert state(me, incident) == "resolved"


@for_two
def test_an_open_page_follows_what_others_do(me: Somebody) -> None:
    page = me.go("/")
    incident = declared(me, "P1")  # whatever the others have declared, it stands among the first
    expect(page.locator(f"main a[href='/i/{incident}']").first).to_be_visible()
    me.go(f"/i/{incident}")
    me.shop.say("acknowledge", incident, by="on-call-2")
    expect(page.locator("section.decision")).to_contain_text(me.says("console.has_it", who="on-call-2"))


@pytest.mark.parametrize("how", COUPLE)
def test_all_of_it_works_without_script(browser: Browser, shop: Open, how: str) -> None:
    with somebody(browser, shop, how, script=False) as me:
        incident = declared(me, "P2")
        id = drafted(me, incident)
        page = me.go(f"/i/{incident}")
        me.press(id, "approve")
        expect(page.locator(f"article[id='{id}'] time.left")).to_be_visible()
        me.press(id, "undo")
        assert state(me, id) == "dropped"
        me.press(incident, "acknowledge")
        assert me.shop.get(f"incidents/{incident}")["owner"] == "on-call-1"
        me.go("/p/volume")
        expect(page.locator(".plot > svg path.mean")).to_be_attached()
