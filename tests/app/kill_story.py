"""The demo's story, told by somebody who only looks at what is there and does the next sensible thing."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

from kill_stage import Person, Stage

PATIENCE_S = 100.0
QUIET_AFTER_S = 20.0
"""So long a phase goes on under kills. A daemon that never lives for ten seconds can't see that something has stopped."""
LOOK_EVERY_S = 0.15
TOLD = frozenset({"customer-en", "customer-zh"})
SETTLED = frozenset({"sent", "unknown", "dropped", "failed"})
ERROR_LINES = 40
Body = dict[str, Any]


class Tale:
    """Each phase changes the shop and then looks and acts until the daemon has followed."""

    def __init__(self, stage: Stage, person: Person) -> None:
        self._stage, self._person = stage, person
        self.errors_written = 0
        self.outages: list[str] = []
        self.ahead = ""
        self.trace: list[str] = []
        self._began = time.monotonic()

    async def until(self, what: str, look: Callable[[], Awaitable[bool]]) -> None:
        began = time.monotonic()
        while not await look():
            waited = time.monotonic() - began
            assert waited < PATIENCE_S, f"{what}: not within {PATIENCE_S:g} s\n{await self._seen()}\n{self._stage.tail()}"
            if waited > QUIET_AFTER_S:
                self._person.hurried.clear()
            await asyncio.sleep(LOOK_EVERY_S)
        quiet = "" if self._person.hurried.is_set() else " (with some quiet)"
        self._person.hurried.set()
        self.trace.append(f"{time.monotonic() - self._began:.1f} s {what}{quiet}")

    async def _seen(self) -> str:
        incidents = [(one["id"], one["state"], one["level"]) for one in await self._person.items("/api/v1/incidents")]
        return f"{incidents}\n{[(m['id'], m['subkind'], m['to'], m['state']) for m in await self._notices()]}"

    async def _notices(self, incident: str | None = None) -> list[Body]:
        of = f"&incident={incident}" if incident else ""
        return await self._person.items(f"/api/v1/messages?kind=notice{of}")

    async def forecast(self) -> None:
        """The volume will be full in hours: both customers are forewarned."""

        async def look() -> bool:
            ahead = [one for one in await self._person.items("/api/v1/incidents") if one["state"] == "ahead"]
            if not ahead:
                return False
            self.ahead = ahead[0]["id"]
            if ahead[0]["owner"] is None:
                await self._person.act("acknowledge", self.ahead)
                return False
            return await self._approved(self.ahead, "forewarning", TOLD)

        await self.until("a forecast, owned, and two customers forewarned", look)

    async def outage(self, errors: bool) -> None:
        """Both servers really go down: P0, owned, both customers told."""
        self._stage.shop.orders(20.0)
        for name in ("web-1", "web-2"):
            await self._stage.shop.children[name].stop(signal.SIGKILL)
        if errors:
            self._stage.shop.fail_for("customer-zh", ERROR_LINES)
            self.errors_written += ERROR_LINES

        async def look() -> bool:
            live = [one for one in await self._person.items("/api/v1/incidents") if one["state"] in ("open", "acknowledged")]
            worst = next((one for one in live if one["room"] and one["level"] == "P0"), None)
            if worst is None:
                return False
            if worst["state"] == "open":
                await self._person.act("acknowledge", worst["id"])
                return False
            self.down = worst["id"]
            return await self._approved(self.down, "started", TOLD)

        await self.until("P0, owned, and two customers told", look)
        self.outages.append(self.down)

    async def recovery(self) -> None:
        """Back again: resolved by hand, and whoever was told hears of it."""
        self._stage.shop.orders(120.0)
        for name in ("web-1", "web-2"):
            await self._stage.shop.start_one(name)

        async def look() -> bool:
            one = next(one for one in await self._person.items("/api/v1/incidents") if one["id"] == self.down)
            if one["state"] == "mitigated":
                await self._person.act("resolve", self.down, "servers restarted")
            if one["state"] not in ("resolved", "closed"):
                return False
            return await self._approved(self.down, "resolved", await self._told(self.down, "started"))

        await self.until("resolved, and whoever was told knows", look)

    async def withdrawal(self) -> None:
        """Somebody cleans the volume: the forewarning is taken back."""
        self._stage.shop.volume(0.40, 0.0)

        async def look() -> bool:
            one = next(one for one in await self._person.items("/api/v1/incidents") if one["id"] == self.ahead)
            if one["state"] != "withdrawn":
                return False
            return await self._approved(self.ahead, "withdrawn", await self._told(self.ahead, "forewarning"))

        await self.until("withdrawn, and whoever was told knows", look)

    async def rest(self) -> None:
        """Everything that is still on its way comes to its end."""

        async def look() -> bool:
            moving = [m for m in await self._person.items("/api/v1/messages") if m["state"] not in SETTLED]
            for one in moving:
                if one["state"] == "waiting_approval":
                    await self._person.act("approve", one["id"])
            return not moving

        await self.until("all at rest", look)

    async def _told(self, incident: str, subkind: str) -> frozenset[str]:
        """Who surely got a notice. One of which nobody knows whether it left is a person's to judge, not repeated."""
        return frozenset(m["to"] for m in await self._notices(incident) if m["subkind"] == subkind and m["state"] == "sent")

    async def _approved(self, incident: str, subkind: str, to: frozenset[str]) -> bool:
        """Approve what waits; whether all of `to` have a notice of this subkind that has come to its end."""
        notices = await self._notices(incident)
        for one in notices:
            if one["state"] == "waiting_approval":
                await self._person.act("approve", one["id"])
        return to <= {m["to"] for m in notices if m["subkind"] == subkind and m["state"] in SETTLED}
