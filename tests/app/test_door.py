"""The door of a real daemon: the one-time link, what a restart does to it and to a session, and who stays outside."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
from fault_bench import CUSTOMERS, bench
from test_daemon import living

PAGES = ("/", "/now", "/messages", "/loaded", "/search?q=orders")


class Got(NamedTuple):
    status: int
    cookie: str
    body: str


def asked(folder: Path, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Got:
    port = json.loads((folder / "state" / "daemon.json").read_text())["port"]
    given = {name.replace("_", "-"): value.replace("PORT", str(port)) for name, value in headers.items()}
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as wire:
        wire.request(method, path, body, given)
        answer = wire.getresponse()
        return Got(answer.status, answer.headers["Set-Cookie"] or "", answer.read().decode())


async def link(on, folder: Path) -> str:
    return urlsplit((await asyncio.to_thread(on.command, "status", "--link")).stdout.strip()).path


async def test_a_link_opens_once_and_a_session_outlives_a_restart_that_ends_unused_links(tmp_path):
    async with bench(tmp_path, {}, CUSTOMERS) as on:
        unused, used = await link(on.life, tmp_path), await link(on.life, tmp_path)
        first, again = asked(tmp_path, used), asked(tmp_path, used)
        assert (first.status, again.status, again.cookie) == (200, 403, "")
        assert "HttpOnly" in first.cookie
        assert "SameSite=strict" in first.cookie
        assert "Path=/" in first.cookie
        cookie = first.cookie.partition(";")[0]
        port = cookie.partition("=")[0]
    (tmp_path / "notify").unlink()
    async with living(tmp_path, watchdog_s=30) as life:
        assert asked(tmp_path, unused).status == 403, "a link that was made before a restart is over"
        value = cookie.partition("=")[2]
        now = f"{asked(tmp_path, await link(life, tmp_path)).cookie.partition('=')[0]}={value}"
        assert asked(tmp_path, "/", Cookie=now).status == 200, f"the session of {port} goes on"


@pytest.mark.parametrize("customers", ["", CUSTOMERS], ids=["no customers", "customers"])
async def test_pages_are_open_on_this_machine_only_while_there_are_no_customers(tmp_path, customers):
    async with bench(tmp_path, {}, customers):
        for path in PAGES:
            assert asked(tmp_path, path).status == (401 if customers else 200), path
        for path in ("/healthz", "/readyz"):
            assert asked(tmp_path, path) == (200, "", "ok\n")
        for path in ("/metrics", "/api/v1/status", "/api/v1/search?q=orders", "/api/v1/events"):
            assert asked(tmp_path, path).status == 401, path


async def test_who_comes_from_elsewhere_stays_outside(tmp_path):
    async with bench(tmp_path, {}) as on:
        cookie = asked(tmp_path, await link(on.life, tmp_path)).cookie.partition(";")[0]
        token = (tmp_path / "state" / "token").read_text().strip()
        ran = await on.command(
            "incident", "declare", "Orders are empty", "--service", "orders", "--level", "P3", "--by", "on-call-1"
        )
        id = str(ran.stdout).split()[0]
        page = asked(tmp_path, f"/i/{id}", Cookie=cookie)
        form = page.body.partition('name="token" value="')[2].partition('"')[0]
        press = urlencode({"token": form, "id": id, "verb": "acknowledge", "by": "on-call-1"})
        kind = {"Content_Type": "application/x-www-form-urlencoded"}
        for path in (*PAGES, "/healthz", "/api/v1/status"):
            assert asked(tmp_path, path, Host="forewarn.example:PORT", Authorization=f"Bearer {token}").status == 421
            assert asked(tmp_path, path, Origin="http://evil.example", Authorization=f"Bearer {token}").status == 403
        assert asked(tmp_path, "/do", "POST", press, Cookie=cookie, Origin="http://evil.example", **kind).status == 403
        assert asked(tmp_path, "/do", "POST", press, Origin="http://127.0.0.1:PORT", **kind).status == 401
        wish = json.dumps({"verb": "resolve", "id": id, "by": "on-call-1"})
        assert asked(tmp_path, "/api/v1/commands", "POST", wish, Cookie=cookie).status == 403
        assert (await on.incident(id=id))["state"] == "open", "nothing of that was done"
        assert asked(tmp_path, "/do", "POST", press, Cookie=cookie, Origin="http://127.0.0.1:PORT", **kind).status == 303
        assert (await on.incident(id=id))["state"] == "acknowledged"
