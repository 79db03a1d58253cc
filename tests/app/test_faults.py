"""A real daemon and what goes wrong around it: each ends in plain words for people, and the rest goes on."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from test_daemon import Life, living

from forewarn.app.demo_sinks import Arrived, Sinks

sys.path.append(str(Path(__file__).parents[1] / "probers"))  # for the servers that misbehave
from probing import answering, ended, server

HTML = """<script>alert(1)</script><img src=x onerror=alert(2)>"'&amp;</pre>"""
TENANT = HTML.split()[0]
DANGEROUS = re.compile(r"<script>alert|<img src=x|</pre>\s*pay")
PAGES = ["/", "/messages", "/p/orders-log"]
SERVICES = """\
services:
  shop: {criticality: core, team: ops, users: 1000}
  orders: {criticality: core, team: ops, users: 1000}
"""
CUSTOMERS = """\
customers:
  customer-en: {name: Customer A, language: en, zone: UTC, uses: {orders: 60%}, channels: ["json://127.0.0.1:HOOK/"]}
"""
ONCALL = """\
people:
  on-call-1: {zone: UTC, channels: ["json://127.0.0.1:HOOK/"]}
  on-call-2: {zone: UTC, channels: ["mailto://two@ops.example"]}
escalations:
  ops: [{to: on-call-1, ack: 5m}, {to: on-call-2, ack: 5m}]
"""
DAEMON = """\
daemon: {zone: UTC, mail: {server: "smtp://127.0.0.1:SMTP", from: forewarn@ops.example}}
policy:
  modes: {page: live, notice: suggest}
  undo: 1s
"""
SHOP = 'probe: shop\nkind: http\nevery: 1s\nservice: shop\ntargets: {{web-1: "{url}"}}\n'
SAME = ("state", "level", "effect", "findings", "services", "opened_at")
LOG = """\
probe: orders-log
kind: log
every: 1s
service: orders
files: ["FILE"]
patterns: {errors: 'ERROR tenant=(?P<tenant>\\S+)'}
rules: [{name: refused, effect: fails, pattern: {metric: errors_total, more_than: 3, within: 1m}}]
"""


class Bench:
    """A configuration in a folder, a daemon over it, and where its messages arrive."""

    def __init__(self, folder: Path, life: Life, sinks: Sinks) -> None:
        self.folder, self.life, self.sinks = folder, life, sinks
        self.cookie = ""

    def ask(self, path: str) -> str:
        return self._get(path)[0]

    async def signed_in(self) -> str:
        """The cookie that the console sets for a one-time link."""
        link = (await self.command("status", "--link")).stdout.strip()
        _, cookie = await asyncio.to_thread(self._get, urlsplit(link).path)
        return str(cookie).split(";")[0]

    def _get(self, path: str) -> tuple[str, str | None]:
        port = json.loads((self.folder / "state" / "daemon.json").read_text())["port"]
        token = (self.folder / "state" / "token").read_text().strip()
        wire = HTTPConnection("127.0.0.1", port, timeout=10)
        wire.request("GET", path, headers={"Authorization": f"Bearer {token}", "Cookie": self.cookie})
        answer = wire.getresponse()
        found = answer.read().decode(), answer.headers["Set-Cookie"]
        wire.close()
        return found

    async def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await asyncio.to_thread(self.ask, f"/api/v1/{path}"))["items"]
        return found

    async def command(self, *args: str, language: str = "en") -> Any:
        return await asyncio.to_thread(lambda: self.life.command(*args, language=language))

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        async with asyncio.timeout(30):
            while not (found := await look()):
                await asyncio.sleep(0.05)
        return found

    async def arrived(self, by: str, to: str | None = None) -> Arrived:
        async def look() -> Arrived | None:
            return next((one for one in self.sinks.arrived if one.by == by and to in (None, one.to)), None)

        found: Arrived = await self.until(look)
        return found

    async def incident(self, **wanted: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            return next((i for i in await self.items("incidents") if all(i[k] == v for k, v in wanted.items())), None)

        found: dict[str, Any] = await self.until(look)
        return found


@asynccontextmanager
async def bench(folder: Path, probes: dict[str, str], customers: str = "") -> AsyncIterator[Bench]:
    sinks = Sinks(lambda arrived: None)
    await sinks.start()
    files = {"services": SERVICES, "oncall": ONCALL, "forewarn": DAEMON} | ({"customers": customers} if customers else {})
    for part in ("config", "probes", "state"):
        (folder / part).mkdir(mode=0o700)
    for name, text in files.items():
        text = text.replace("HOOK", str(sinks.hook_port)).replace("SMTP", str(sinks.smtp_port))
        (folder / "config" / f"{name}.yaml").write_text(text)
    for name, text in probes.items():
        (folder / "probes" / f"{name}.yaml").write_text(text)
    try:
        async with living(folder, watchdog_s=30) as life:
            yield Bench(folder, life, sinks)
    finally:
        await sinks.stop()


async def test_an_ended_certificate_is_a_page_that_says_so(tmp_path):
    certificates = tmp_path / "tls"
    certificates.mkdir()
    async with server(answering(), ended(certificates)) as url:
        shop = SHOP.format(url=url) + f"ca_file: {certificates}/cert.pem\n"
        async with bench(tmp_path, {"shop": shop}) as on:
            page = await on.arrived("webhook")
            assert "its certificate can't be trusted: certificate has expired" in page.text, page
            assert (await on.arrived("mail")).subject == page.subject
            incident = await on.incident(state="open")
            assert (incident["effect"], incident["services"]) == ("stopped", ["shop"])


@pytest.mark.parametrize(("language", "words"), [("en", "Refused; problems: 3"), ("zh", "未采用：有 3 处问题")])
async def test_a_broken_set_is_refused_while_an_incident_is_open_and_the_incident_goes_on(tmp_path, language, words):
    health = ["503 gone"]

    async def shop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(status=health[-1])(reader, writer)

    async with server(shop) as url, bench(tmp_path, {"shop": SHOP.format(url=url)}) as on:
        await on.arrived("mail")
        before = await on.incident(level="P0")
        (tmp_path / "probes" / "shop.yaml").write_text("probe: shop\nkind: http\nevery: often\ntargets: 7\n")
        (tmp_path / "config" / "oncall.yaml").write_text("people: {}\nescalations: {ops: [{to: nobody, ack: 5m}]}\n")
        refused = await on.command("reload", language=language)
        assert refused.returncode == 1 and words in refused.stdout, refused.stdout
        assert "probes/shop.yaml:3" in refused.stdout and "nobody" in refused.stdout
        same = await on.incident(id=before["id"])
        assert {name: same[name] for name in SAME} == {name: before[name] for name in SAME}
        acknowledged = await on.command("incident", "acknowledge", before["id"], "--by", "on-call-1")
        assert acknowledged.returncode == 0, acknowledged.stderr
        status = json.loads((await on.command("status", "--json", language=language)).stdout)
        assert "config/oncall.yaml:2" in status["config"]["refused"], status
        health.append("200 OK")  # the probe of the running set still looks, and says that it is over
        assert (await on.incident(id=before["id"], state="mitigated"))["findings"] == before["findings"]


async def test_html_in_a_log_line_stays_text_wherever_it_is_shown(tmp_path):
    log = tmp_path / "orders.log"
    log.write_text("")
    async with bench(tmp_path, {"log": LOG.replace("FILE", str(log))}, CUSTOMERS) as on:
        with log.open("a") as out:
            out.writelines(f"ERROR tenant={HTML} pay refused\n" for _ in range(9))
        incident = await on.incident(services=["orders"])
        for by in ("webhook", "mail"):  # a mail's text is that of its part text/plain: were it HTML, nothing would be there
            page = await on.arrived(by)
            assert TENANT in page.text, page
        (drafted,) = await on.until(lambda: on.items("messages?kind=notice"))
        assert (await on.command("notice", "approve", drafted["id"], "--by", "on-call-1")).returncode == 0
        notice = await on.arrived("webhook", "customer-en")
        assert "alert(" not in notice.text + notice.subject, "what a log says is nothing for customers"
        on.cookie = await on.signed_in()
        shown = {path: await asyncio.to_thread(on.ask, path) for path in [*PAGES, f"/i/{incident['id']}"]}
        for path, html in shown.items():
            assert "</html>" in html and not DANGEROUS.search(html), path
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown[f"/i/{incident['id']}"]
        (finding,) = await on.items("findings")
        assert HTML in finding["evidence"]["lines"][0]
        why = await on.command("why", drafted["id"])
        assert TENANT in why.stdout, why.stdout
