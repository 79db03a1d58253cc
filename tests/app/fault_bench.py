"""A configuration, a daemon over it in a process of its own, and where its messages arrive: for tests of what goes wrong around it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from test_daemon import Life, living

from forewarn.app.demo_sinks import Arrived, Sinks

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
        try:
            async with asyncio.timeout(30):
                while not (found := await look()):
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            stands = [json.dumps(one) for path in ("incidents", "messages", "findings") for one in await self.items(path)]
            error.add_note("\n".join(stands))
            error.add_note("\n".join(map(repr, self.sinks.arrived)))
            raise
        return found

    async def arrived(self, by: str, to: str | None = None, about: str = "") -> Arrived:
        async def look() -> Arrived | None:
            return next((one for one in self.sinks.arrived if one.by == by and to in (None, one.to) and about in one.subject), None)

        found: Arrived = await self.until(look)
        return found

    async def incident(self, **wanted: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            return next((i for i in await self.items("incidents") if all(i[k] == v for k, v in wanted.items())), None)

        found: dict[str, Any] = await self.until(look)
        return found


@asynccontextmanager
async def bench(
    folder: Path, probes: dict[str, str], customers: str = "", daemon: str = DAEMON, services: str = SERVICES
) -> AsyncIterator[Bench]:
    sinks = Sinks(lambda arrived: None)
    await sinks.start()
    files = {"services": services, "oncall": ONCALL, "forewarn": daemon} | ({"customers": customers} if customers else {})
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
    except BaseException as error:
        error.add_note((folder / "out").read_text(encoding="utf-8", errors="replace")[-4000:])
        raise
    finally:
        await sinks.stop()
