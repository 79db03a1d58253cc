"""A browser for each module, and a shop with its daemon."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from console_shop import Open, opened
from playwright.sync_api import Browser, sync_playwright
from reader import People

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(
                pytest.mark.timeout(240)
            )  # a browser beside other work on a small machine; every wait has a bound of its own
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="chromium is not here (package chromium)"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module, since it holds this thread's event loop: an async test beside it could not run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """A shop that will be full soon and whose servers were killed: a forewarning with drafts, and a P0."""
    with opened(tmp_path_factory.mktemp("shop")) as it:
        it.drafts(it.incident(state="ahead")["id"])
        it.break_shop()
        it.drafts(it.incident(level="P0")["id"])
        yield it


@pytest.fixture(scope="module")
def people(browser: Browser, shop: Open) -> Iterator[People]:
    with ExitStack() as stack:
        yield People(browser, shop, stack)
