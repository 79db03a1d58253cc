"""The console in a real browser: it follows what happens, keys reach the buttons, and nothing breaks the page's rules."""

from __future__ import annotations

import shutil
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from web_stage import NOW, Stage, incident, message

from forewarn.model.hindsight import Hindsight, Progress
from forewarn.model.incident import IncidentState
from forewarn.model.level import Level
from forewarn.model.message import MessageState
from forewarn.model.series import Window
from forewarn.model.text import say

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not here (package chromium)")
DESK = {"viewport": {"width": 1100, "height": 800}, "locale": "en-GB"}
PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "zh-CN", "color_scheme": "dark", "has_touch": True}
SOON_MS = 10_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(**DESK)
    context.set_default_timeout(SOON_MS)
    yield context
    context.close()


def opened(context: BrowserContext, stage: Stage, path: str = "/", enter: bool = True) -> tuple[Page, list[str]]:
    """A page at `path`, and a list that fills with whatever the browser complains of."""
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda it: complaints.append(it.text) if it.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    base = f"http://127.0.0.1:{stage.port}"
    if enter:
        page.goto(f"{base}/link/{stage.links.make()}")
        page.wait_for_url(f"{base}/")
    page.goto(base + path)
    return page, complaints


def say_who(page: Page, who: str = "on-call-1") -> None:
    """Choose a name where the page asks for it."""
    page.locator("main select[name=by]").first.select_option(who)


@pytest.mark.parametrize("settings", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", ["/", "/now", "/p/host", "/i/INC-3", "/messages", "/loaded", "/why/INC-3"])
def test_no_page_breaks_its_own_rules(browser: Browser, told: Stage, settings: dict, path: str) -> None:
    """No script error, nothing that the content policy forbids, and nothing wider than the screen."""
    context = browser.new_context(**settings)
    page, complaints = opened(context, told, path)
    page.wait_for_load_state("load")
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= settings["viewport"]["width"]
    assert page.locator("html").get_attribute("lang") == ("zh-CN" if settings is PHONE else "en")
    context.close()


def test_the_page_follows_what_happens(context: BrowserContext, told: Stage) -> None:
    page, complaints = opened(context, told)
    assert page.get_by_text("Payments are down").count() == 0
    new = incident("INC-9", title=say("respond.note", text="Payments are down"), state=IncidentState.OPEN, level=Level.P0)
    told.keep(new)
    told.publish(new)
    page.get_by_text("Payments are down").wait_for()
    assert complaints == []


def test_what_somebody_is_writing_is_not_taken_away(context: BrowserContext, told: Stage) -> None:
    page, _ = opened(context, told, "/i/INC-3")
    page.fill("main input[type=text]", "more room is on its way")
    changed = replace(incident(), owner="on-call-2")
    told.keep(changed)
    told.publish(changed)
    page.wait_for_timeout(1500)  # the script looks 0.4 s after a change
    assert page.input_value("main input[type=text]") == "more room is on its way"
    page.fill("main input[type=text]", "")
    page.locator("header").click()
    page.get_by_text("on-call-2 has it").wait_for()


def test_keys_reach_the_buttons(context: BrowserContext, told: Stage) -> None:
    page, _ = opened(context, told, "/i/INC-3")
    page.keyboard.press("/")
    page.keyboard.type("disk")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=disk")
    page.goto(f"http://127.0.0.1:{told.port}/i/INC-3")
    page.keyboard.press("r")
    page.keyboard.type("done")
    assert page.input_value("main input[type=text]") == "done"
    page.keyboard.press("Escape")
    page.fill("main input[type=text]", "")
    page.locator("h1").click()
    page.keyboard.press("a")
    assert told.wishes.given == [], "nobody has said who it is"
    say_who(page)
    page.locator("h1").click()
    with page.expect_navigation():
        page.keyboard.press("a")
    assert [given[:3] for given in told.wishes.given] == [("acknowledge", "INC-3", "on-call-1")]


@pytest.mark.parametrize("settings", [DESK, PHONE], ids=["desk", "phone"])
def test_a_notice_is_read_approved_and_undone(browser: Browser, told: Stage, settings: dict) -> None:
    context = browser.new_context(**settings)
    page, _ = opened(context, told)
    page.locator("main section", has=page.locator("details")).locator("summary").first.click()
    page.get_by_text("今晚 20:40–22:30").first.wait_for()
    say_who(page)
    with page.expect_navigation():
        page.locator("button[value=approve]").first.click()
    verb, id, *_ = told.wishes.given[0]
    assert verb == "approve"
    told.keep(replace(message(id), state=MessageState.HELD))
    page.goto(f"http://127.0.0.1:{told.port}/messages?state=held")
    with page.expect_navigation():
        page.locator(f"form:has(input[value={id}]) button[value=undo]").click()
    assert [given[:2] for given in told.wishes.given] == [("approve", id), ("undo", id)]
    context.close()


def test_without_script_everything_can_be_read_and_done(browser: Browser, told: Stage) -> None:
    context = browser.new_context(**DESK, java_script_enabled=False)
    page, _ = opened(context, told, "/i/INC-3")
    say_who(page)
    with page.expect_navigation():
        page.locator("button[value=acknowledge]").click()
    assert told.wishes.given[0][:2] == ("acknowledge", "INC-3")
    context.close()


def test_a_lost_connection_is_said(context: BrowserContext, told: Stage) -> None:
    page, _ = opened(context, told)
    page.wait_for_timeout(300)
    context.set_offline(True)
    told.end_streams()
    page.get_by_text("The connection is lost").wait_for()


def test_a_count_under_way_appears_by_itself(context: BrowserContext, told: Stage) -> None:
    page, complaints = opened(context, told, "/p/host")
    cell = page.locator("table.ruled tr", has_text="disk-fills").locator("td.count .narrow-not").last
    assert cell.inner_text() == "…"
    series = 'host|local|fs_used_ratio{mount="/srv"}'
    told.would = Hindsight(
        progress=Progress.COUNTED, since=NOW, until=NOW, fired={("disk-fills", series): 12}, samples=9, share=1.0
    )
    page.get_by_text("12×").first.wait_for()
    assert page.locator("[data-running]").count() == 0
    assert complaints == []


def test_a_picture_reaches_over_the_whole_span(context: BrowserContext, told: Stage) -> None:
    """Of ninety days only the last ten are kept: the rest of the picture is empty, and the reading says nothing there."""
    now_s = NOW.timestamp()
    told.past['host|local|fs_used_ratio{mount="/srv"}'] = Window.of([(now_s - 3600 * n, 0.5) for n in range(240, 0, -1)])
    page, complaints = opened(context, told, "/p/host?hours=2160")
    canvas = page.locator(".plot canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box
    reading = page.locator("figure.chart .reading").first
    page.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + box["height"] / 2)
    reading.get_by_text("50 %").wait_for()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2)
    page.wait_for_function("!document.querySelector('figure.chart .reading').textContent.includes('50 %')")
    assert complaints == []


COUNT = """async (shot) => {
  const image = new Image();
  image.src = "data:image/png;base64," + shot;
  await image.decode();
  const [w, h] = [image.width, image.height], canvas = new OffscreenCanvas(w, h).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const all = canvas.getImageData(Math.round(w * 0.25), 0, Math.round(w * 0.2), h).data;
  let count = 0;
  for (let at = 0; at < all.length; at += 4) {
    const rgb = all.slice(at, at + 3);
    count += Math.max(...rgb) - Math.min(...rgb) > 60;
  }
  return count;
}"""


def coloured(browser: Browser, shot: bytes) -> int:
    """Pixels that are not grey in a fifth of a picture, where half an hour ago is (a forecast takes the right of it)."""
    page = browser.new_page()
    try:
        return int(page.evaluate(COUNT, b64encode(shot).decode()))
    finally:
        page.close()


@pytest.mark.parametrize("script", [True, False])
def test_a_single_value_is_to_be_seen(browser: Browser, told: Stage, script: bool) -> None:
    """As many accent-coloured pixels as a point has: the picture of the page itself, and the script's."""
    now_s = NOW.timestamp()
    told.past['host|local|fs_used_ratio{mount="/srv"}'] = Window.of([(now_s - 1800, 0.5)])
    context = browser.new_context(**DESK, java_script_enabled=script)
    context.set_default_timeout(SOON_MS)
    try:
        page, complaints = opened(context, told, "/p/host")
        plot = page.locator(".plot").first
        plot.locator("canvas" if script else "svg").first.wait_for()
        assert coloured(browser, plot.screenshot()) >= 12
        assert complaints == []
    finally:
        context.close()
