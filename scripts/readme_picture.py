"""Makes docs/images/console-and-notice.png from the demo: the console with a forewarning and its drafts, and the notice that arrived.

usage: .venv/bin/python scripts/readme_picture.py [FILE]      (needs Chromium)
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from forewarn.app import demo_history
from forewarn.app.demo_parts import Api, Shop, environment, free_port, start_daemon
from forewarn.app.demo_sinks import Sinks
from forewarn.config.find import shipped

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "console-and-notice.png"
PATIENCE_S = 60.0
SCALE = 1.5
SHEET = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 28px; background: #eef0f2; display: flex; gap: 28px; align-items: center; width: max-content; }}
img {{ display: block; background: #fff; border-radius: 8px; box-shadow: 0 1px 6px rgb(0 0 0 / .18); }}
</style><img src="{console}" width="800"><img src="{notice}" width="500">"""


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (found := await look()):
        if time.monotonic() > end:
            raise SystemExit("the demo did not come so far; look at its log")
        await asyncio.sleep(0.2)
    return found


async def staged(folder: Path, stack: AsyncExitStack) -> tuple[Api, Sinks]:
    """The demo's shop and daemon, as `forewarn demo` starts them."""
    shop, sinks = Shop(folder), Sinks(lambda arrived: None)
    stack.push_async_callback(sinks.stop)
    await sinks.start()
    stack.push_async_callback(shop.stop)
    await shop.start(demo_history.USED_NOW)
    state, port = folder / "state", free_port()
    state.mkdir(mode=0o700)
    await asyncio.to_thread(demo_history.write, state / "samples.db", time.time())
    environ = environment(shop, sinks.smtp_port, sinks.hook_port)
    daemon = await start_daemon(shipped() / "config" / "demo", state, port, environ, folder / "daemon.log")
    stack.push_async_callback(daemon.stop)
    return Api(port, state), sinks


async def drafts(api: Api) -> list[dict[str, Any]]:
    try:
        found = await api.items("/api/v1/messages?kind=notice&state=waiting_approval")
    except OSError:  # it is not up yet
        return []
    return found if len(found) == 2 else []


async def inlined(page: Page, what: str, **more: Any) -> str:
    """A picture of one element as a data address."""
    raw = await page.locator(what).screenshot(**more)
    return f"data:image/png;base64,{base64.b64encode(raw).decode()}"


async def draw(api: Api, sinks: Sinks) -> bytes:
    async with async_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = await browser.new_context(viewport={"width": 860, "height": 900}, device_scale_factor=SCALE, locale="en-GB")
        page = await context.new_page()
        waiting = await until(lambda: drafts(api))
        incident = waiting[0]["incident"]
        await api.command("acknowledge", incident, "on-call-1")
        link = await asyncio.to_thread(api._call, "POST", "/api/v1/links", {})
        await page.goto(str(link["url"]))
        await page.wait_for_url(f"http://127.0.0.1:{api.port}/")
        await context.add_cookies([{"name": "forewarn_who", "value": "on-call-1", "url": f"http://127.0.0.1:{api.port}"}])
        await page.goto(f"http://127.0.0.1:{api.port}/")
        await page.evaluate("document.body.style.paddingBottom = '1.25rem'")
        console = await inlined(page, "body")
        chinese = next(one["id"] for one in waiting if one["language"] == "zh")
        await api.command("approve", chinese, "on-call-1")

        async def arrived() -> bool:
            return any(one.to == "customer-zh" for one in sinks.arrived)

        await until(arrived)
        await page.goto(f"http://127.0.0.1:{api.port}/messages?state=sent&lang=zh")
        await page.set_viewport_size({"width": 540, "height": 900})
        notice = await inlined(page, f"article[id='{chinese}']")
        sheet = await (await browser.new_context(viewport={"width": 1400, "height": 400}, device_scale_factor=SCALE)).new_page()
        await sheet.set_content(SHEET.format(console=console, notice=notice))
        drawn: bytes = await sheet.locator("body").screenshot()
        await browser.close()
        return drawn


async def made() -> bytes:
    with tempfile.TemporaryDirectory(prefix="forewarn-picture-") as folder:
        async with AsyncExitStack() as stack:
            return await draw(*await staged(Path(folder), stack))


if __name__ == "__main__":
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    picture.write_bytes(asyncio.run(made()))
    print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB")
