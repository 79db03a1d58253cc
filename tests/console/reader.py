"""Somebody at a screen: a browser window of a size, a language and a scheme, signed in by a one-time link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console_shop import Open
from playwright.sync_api import Browser, Page

from forewarn.cli.words import phrases
from forewarn.core.tell.words import render
from forewarn.model.text import Say

SOON_MS = 30_000
SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
SCHEMES = ("light", "dark")
EVERYBODY = [f"{language}-{size}-{scheme}" for language in LOCALES for size in SIZES for scheme in SCHEMES]
DESK_EN, PHONE_ZH, PHONE_EN, DESK_ZH = "en-desk-light", "zh-phone-dark", "en-phone-dark", "zh-desk-light"


@dataclass(eq=False)
class Somebody:
    """`complaints` fills with whatever the browser has to say against a page."""

    page: Page
    shop: Open
    language: str
    size: str
    scheme: str
    complaints: list[str]

    def go(self, path: str) -> Page:
        self.page.goto(self.shop.base + path)
        return self.page

    def says(self, key: str, **facts: Any) -> str:
        """A sentence of the console in this reader's language."""
        return render(Say(key, facts), phrases(self.language), UTC, datetime(2026, 1, 1, tzinfo=UTC))

    def i_am(self, who: str) -> None:
        self.page.locator("main select[name=by]").first.select_option(who)

    def press(self, within: str, verb: str) -> None:
        """Press a button of the form that carries this id, as on-call-1 unless somebody was chosen, and wait for its page."""
        form = self.page.locator(f"form:has(input[name=id][value='{within}']):has(button[value={verb}])").first
        by = form.locator("select[name=by]")
        if not by.input_value():
            by.select_option("on-call-1")
        with self.page.expect_navigation():
            form.locator(f"button[value={verb}]").click()

    @property
    def fits(self) -> bool:
        """Whether nothing is wider than the screen."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    @property
    def sees_their_scheme(self) -> bool:
        """Whether the page is dark for who wants it dark, and light for the others."""
        ground = self.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        levels = [int(one) for one in re.findall(r"\d+", ground)[:3]]
        return (sum(levels) < 3 * 128) == (self.scheme == "dark")


class People:
    """Everybody who looks, signed in once by a link of their own; who comes back finds their window and its cookies."""

    def __init__(self, browser: Browser, shop: Open, stack: ExitStack) -> None:
        self._browser, self._shop, self._stack = browser, shop, stack
        self._known: dict[str, Somebody] = {}

    def of(self, how: str) -> Somebody:
        if how not in self._known:
            self._known[how] = self._stack.enter_context(somebody(self._browser, self._shop, how))
        return self._known[how]


@contextmanager
def somebody(browser: Browser, shop: Open, how: str, script: bool = True) -> Iterator[Somebody]:
    """`how` is LANGUAGE-SIZE-SCHEME, e.g. zh-phone-dark."""
    language, size, scheme = how.split("-")
    context = browser.new_context(
        viewport=SIZES[size], locale=LOCALES[language], color_scheme=scheme, has_touch=size == "phone", java_script_enabled=script
    )
    context.set_default_timeout(SOON_MS)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda it: complaints.append(it.text) if it.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(shop.link())
    page.wait_for_url(f"{shop.base}/")
    try:
        yield Somebody(page, shop, language, size, scheme, complaints)
    finally:
        context.close()
