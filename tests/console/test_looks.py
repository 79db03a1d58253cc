"""Every page for every reader: nothing wider than the screen, no complaint of the browser, and axe finds nothing serious."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from console_shop import Open
from playwright.sync_api import Browser
from reader import LOCALES, SIZES, somebody

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here (tests/console/vendor; it is in no package)")
READERS = ["en-desk-light", "zh-phone-dark", "en-phone-light", "zh-desk-dark"]
GRAVE = ("serious", "critical")
RUN = "() => axe.run(document, {resultTypes: ['violations'], preload: false}).then((it) => it.violations)"
"""Rules for which a page of ours has a reason are none: all of them run."""


def pages(shop: Open) -> list[str]:
    ahead = shop.incident(state="ahead")["id"]
    worst = next(i["id"] for i in shop.items("incidents") if i["level"] == "P0")
    return [
        "/", "/now", "/p/volume?hours=6", "/p/shop?hours=2160", f"/i/{ahead}", f"/i/{worst}", "/messages", "/scorecard", "/loaded",
        "/search?q=shop", f"/why/{worst}",
    ]  # fmt: skip


ODD = [
    "/now?q=nothing-has-this-name",
    "/messages?state=unknown",
    "/p/shop",
    "/search",
    "/search?q=zzz",
    "/p/shop?hours=7",
    "/nothing-here",
]


def findings(violations: list[dict[str, Any]]) -> list[str]:
    return [
        f"{one['impact']} {one['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for one in violations
        if one["impact"] in GRAVE
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("how", READERS)
def test_every_page_can_be_read_by_everybody(browser: Browser, shop: Open, how: str) -> None:
    with somebody(browser, shop, how) as me:
        for path in [*pages(shop), *(ODD if how == READERS[0] else [])]:
            page = me.go(path)
            page.evaluate("document.querySelectorAll('main details').forEach((it) => { it.open = true; })")
            page.evaluate(AXE.read_text("utf-8"))
            assert findings(page.evaluate(RUN)) == [], path
            assert me.fits, f"{path} is wider than the screen"
            assert page.locator("h1").count() == 1, path
        assert [said for said in me.complaints if "404" not in said and "400" not in said] == []


@pytest.mark.parametrize("how", READERS)
def test_the_door_can_be_read_by_everybody(browser: Browser, shop: Open, how: str) -> None:
    """Whoever has no key yet is told what to type, and nothing else leads anywhere."""
    language, size, scheme = how.split("-")
    context = browser.new_context(viewport=SIZES[size], locale=LOCALES[language], color_scheme=scheme)
    page = context.new_page()
    for path in ("/", "/i/INC-1", "/link/used-already"):
        answer = page.goto(shop.base + path)
        assert answer is not None and answer.status in (401, 403), path
        assert "forewarn status --link" in page.locator("h1 code").inner_text()
        assert page.locator("main a, main form").count() == 0
        page.evaluate(AXE.read_text("utf-8"))
        assert findings(page.evaluate(RUN)) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()


def test_axe_finds_what_is_wrong(browser: Browser, shop: Open) -> None:
    """That it finds nothing means something."""
    with somebody(browser, shop, "en-desk-light") as me:
        page = me.go("/loaded")
        page.evaluate("document.querySelector('main').innerHTML += '<img src=/static/icon.svg><input>'")
        page.evaluate(AXE.read_text("utf-8"))
        found = " ".join(findings(page.evaluate(RUN)))
        assert "image-alt" in found
        assert "label" in found
