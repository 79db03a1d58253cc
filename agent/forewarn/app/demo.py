"""`forewarn demo`: the whole chain on real parts in about a minute, told as it happens.

Each step says what was done, then waits until the daemon itself shows that the link of the chain is there. With --once
the exit status is 0 only if every link was really seen.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.error import URLError

from forewarn.app import demo_history
from forewarn.app.demo_parts import Api, Child, Shop, environment, free_port, start_daemon
from forewarn.app.demo_sinks import Arrived, Sinks
from forewarn.config.find import shipped

PATIENCE_S = 30.0
LOOK_EVERY_S = 0.2
ENDING = (signal.SIGTERM, signal.SIGHUP)


class Missing(Exception):
    """A link of the chain did not appear in time."""


def main(args: argparse.Namespace) -> int:
    """Run the demo; 0 when every link was seen, 1 otherwise."""
    with tempfile.TemporaryDirectory(prefix="forewarn-demo-") as folder:
        try:
            return asyncio.run(_play(Path(folder), bool(args.once)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            print("\nstopped; everything that the demo started has ended")
            return 1 if args.once else 0


def _end_on_signals() -> None:
    """Being told to stop, or losing the terminal, ends the demo as Ctrl-C does: what it started is ended first. Told once:
    a second signal must not cut that short, nor the tidying after the loop (whose own handlers would be gone by then)."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def end(*_: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(lambda: task.cancelling() or task.cancel())

    for one in ENDING:
        signal.signal(one, end)


async def _play(folder: Path, once: bool) -> int:
    _end_on_signals()
    async with AsyncExitStack() as stack:
        story = await _staged(folder, stack)
        try:
            await story.tell()
        except Missing as missing:
            story.say(f"NOT SEEN  {missing}")
            print((folder / "daemon.log").read_text(encoding="utf-8")[-4000:])
            return 1
        if not once:
            await story.stay()
    return 0


async def _staged(folder: Path, stack: AsyncExitStack) -> Story:
    """Start the shop, the sinks and the daemon; each is stopped again in reverse."""
    story_started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - story_started:6.1f} s  {text}", flush=True)

    say("Forewarn demo: a small shop on this machine; everything below is real except the past")
    shop, sinks = Shop(folder), Sinks(lambda arrived: _show(arrived, say))
    stack.push_async_callback(sinks.stop)
    await sinks.start()
    stack.push_async_callback(shop.stop)  # before it starts: a stop in the middle ends what there is already
    await shop.start(demo_history.USED_NOW)
    state, port = folder / "state", free_port()
    state.mkdir(mode=0o700)
    made = await asyncio.to_thread(demo_history.write, state / "samples.db", time.time())
    say(f"wrote {demo_history.DAYS} days of made-up past, {made:,} samples, through the Samples port")
    for child in shop.children.values():
        say(f"runs   {child.name:<8} pid {child.pid}, http://127.0.0.1:{child.port}/")
    say(f"runs   sinks    SMTP 127.0.0.1:{sinks.smtp_port}, webhook 127.0.0.1:{sinks.hook_port}")
    environ = environment(shop, sinks.smtp_port, sinks.hook_port)
    daemon = await start_daemon(shipped() / "config" / "demo", state, port, environ, folder / "daemon.log")
    stack.push_async_callback(daemon.stop)
    say(f"runs   forewarn pid {daemon.pid}, console http://127.0.0.1:{port}/, its log {folder / 'daemon.log'}")
    return Story(shop, sinks, daemon, Api(port, state), say)


def _show(arrived: Arrived, say: Callable[[str], None]) -> None:
    """A notice came out of a real socket: shown whole, in a box."""
    say(f"ARRIVED by {arrived.by} for {arrived.to}")
    for line in (arrived.subject, "", *arrived.text.splitlines()):
        print(f"          | {line}".rstrip())
    print(flush=True)


class Story:
    """The scripted responder and what it waits for."""

    def __init__(self, shop: Shop, sinks: Sinks, daemon: Child, api: Api, say: Callable[[str], None]) -> None:
        self.shop, self.sinks, self.daemon, self.api, self.say = shop, sinks, daemon, api, say

    async def tell(self) -> None:
        await self.until("the daemon answers", self._up)
        ahead = await self._forecast()
        await self._slow_and_down(ahead)
        await self._recovered()
        await self._withdrawn(ahead)
        await self._disk()
        await self._why(ahead)

    # --- the story ---

    async def _forecast(self) -> str:
        self.say("the volume grows by 2.9 % an hour; at that pace it is full in two hours")
        incident = await self.until("an incident that is ahead", lambda: self._incident(state="ahead"))
        self.seen(f"{incident['id']} {incident['title']}: would be {incident['would_be']}, act by {incident['act_by']}")
        self.must("exposed customers", incident["customers"]["exposed"] == ["customer-en", "customer-zh"])
        page = await self.until("a page", lambda: self._message(incident["id"], "page"))
        self.seen(f"{page['id']} page to {page['to']}")
        self.quote(f"{page['subject']}\n{page['text']}")
        drafts = await self._drafts(incident["id"], "forewarning", {"customer-en", "customer-zh"})
        self.must("languages", {draft["to"]: draft["language"] for draft in drafts} == {"customer-en": "en", "customer-zh": "zh"})
        self.seen("two notices drafted, in English and in Chinese; none for customer-other, who does not use the checkout")
        await self.until("a diagnosis that really ran", lambda: self._step_output(incident["id"], "look"))
        self.seen("playbook free-volume: `df -h` ran here, its output is attached")
        await self.api.command("acknowledge", incident["id"], "on-call-1", text=None)
        await self._approve(drafts)
        await self._arrived({("customer-en", "webhook"), ("customer-zh", "mail")}, 2)
        return str(incident["id"])

    async def _slow_and_down(self, ahead: str) -> None:
        self.shop.latency(0.8)
        self.say("the shop gets slow: 800 ms an answer, limit 500 ms for 10 s")
        slow = await self.until("an incident about slowness", lambda: self._incident(state="open"))
        self.must("its own incident", slow["id"] != ahead)
        self.seen(
            f"{slow['id']} {slow['title']}: {slow['level']}, {slow['effect']} x {slow['reach']}; nobody is paged for slowness"
        )
        self.shop.latency(0.0)
        self.shop.orders(20.0)
        for name in ("web-1", "web-2"):
            child = self.shop.children[name]
            self.say(f"kill {child.pid}   ({name} goes down for real)")
            await child.stop(signal.SIGKILL)
        self.shop.fail_for("customer-zh", 40)
        worst = await self.until("P0 with a war room", lambda: self._incident(level="P0", room=True))
        self.seen(f"{worst['id']} {worst['title']}: P0, {worst['effect']} x {worst['reach']}, room {worst['room']}")
        self.seen(f"affected: {', '.join(worst['customers']['affected'])}")
        page = await self.until("a page for it", lambda: self._message(worst["id"], "page"))
        self.quote(f"{page['subject']}\n{page['text']}")
        await self.api.command("acknowledge", worst["id"], "on-call-1", text=None)
        await self.until("the acknowledgement", lambda: self._incident(id=worst["id"], state="acknowledged"))
        self.seen("on-call-1 has it; the ack due has ended")
        await self.until("the playbook's diagnosis", lambda: self._step_output(worst["id"], "log"))
        self.seen("playbook shop-down: the probe ran again, the log's tail is attached")
        await self._approve(await self._drafts(worst["id"], "started", {"customer-en", "customer-zh"}))
        await self._arrived({("customer-en", "webhook"), ("customer-zh", "mail")}, 4)
        self.down = str(worst["id"])

    async def _recovered(self) -> None:
        self.say("both servers are started again")
        self.shop.orders(120.0)
        for name in ("web-1", "web-2"):
            await self.shop.start_one(name)
        await self.until("mitigated", lambda: self._incident(id=self.down, state="mitigated"))
        self.seen(f"{self.down} is mitigated: no finding is left")
        await self.api.command("resolve", self.down, "on-call-1", text="servers restarted")
        await self._approve(await self._drafts(self.down, "resolved", {"customer-en", "customer-zh"}))
        await self._arrived({("customer-en", "webhook"), ("customer-zh", "mail")}, 6)

    async def _withdrawn(self, ahead: str) -> None:
        self.shop.volume(0.40, 0.0)
        self.say("somebody cleaned the volume: 40 % used")
        await self.until("the forecast's withdrawal", lambda: self._incident(id=ahead, state="withdrawn"))
        self.seen(f"{ahead} is withdrawn; only those who were told hear of it")
        await self._approve(await self._drafts(ahead, "withdrawn", {"customer-en", "customer-zh"}))
        await self._arrived({("customer-en", "webhook"), ("customer-zh", "mail")}, 8)
        self.must("nothing for customer-other", all(one.to != "customer-other" for one in self.sinks.arrived))

    async def _disk(self) -> None:
        self.shop.disk.worsen({197: 24, 187: 6})
        self.say("the search server's disk worsens: 24 pending sectors, 6 uncorrectable errors, none before")
        risk = await self.until("a forewarning with a risk", lambda: self._incident(state="ahead"))
        finding = await self.api.get(f"/api/v1/findings/{risk['findings'][0]}")
        forecast = finding["forecast"]
        self.must("a probability and no dates", forecast["p"] > 0.1 and forecast["likely"] is None)
        self.seen(f"{risk['id']} {risk['title']}: would be {risk['would_be']}")
        self.quote(finding["why"])
        await self.until("a diagnosis of the disk", lambda: self._step_done(risk["id"], "health"))
        self.seen("playbook failing-disk: the disk was looked at again; on-call-1 is asked for a spare")
        self.must("nobody outside is told of a risk below one half", not await self._messages(risk["id"], "notice"))

    async def _why(self, ahead: str) -> None:
        notice = next(
            m for m in await self._messages(ahead, "notice") if m["to"] == "customer-zh" and m["subkind"] == "forewarning"
        )
        whole = await self.api.get(f"/api/v1/why/{notice['id']}")
        self.must(f"a whole chain behind {notice['id']}, missing {whole['missing']}", whole["complete"])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "forewarn", "--state", str(self.api.state), "why", notice["id"], stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        self.must("`forewarn why` exits 0", process.returncode == 0)
        self.say(f"$ forewarn why {notice['id']}")
        self.quote(out.decode())
        self.say("every link of the chain was seen")

    async def stay(self) -> None:
        pids = " or ".join(f"`kill {self.shop.children[name].pid}`" for name in ("web-1", "web-2"))
        self.say(f"still running: break it yourself with {pids} and watch http://127.0.0.1:{self.api.port}/ ; Ctrl-C ends")
        self.say(f"sign in once with: forewarn --state {self.api.state} status --link")
        await asyncio.Event().wait()

    # --- waiting for links ---

    async def until(self, what: str, look: Callable[[], Awaitable[Any]]) -> Any:
        """What `look` finds, as soon as it finds something; Missing after PATIENCE_S."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := await look():
                return found
            await asyncio.sleep(LOOK_EVERY_S)
        raise Missing(f"{what}, within {PATIENCE_S:.0f} s")

    def must(self, what: str, true: bool) -> None:
        if not true:
            raise Missing(what)

    def seen(self, text: str) -> None:
        self.say(f"seen   {text}")

    def quote(self, text: str) -> None:
        for line in text.strip().splitlines():
            print(f"          | {line}")

    async def _up(self) -> bool:
        self.must("the daemon runs", self.daemon.process.returncode is None)
        try:
            return bool(await self.api.get("/api/v1/status"))
        except (URLError, OSError):
            return False

    async def _incident(self, id: str | None = None, state: str | None = None, level: str | None = None, room: bool = False) -> Any:
        for one in await self.api.items("/api/v1/incidents"):
            if (
                (id or one["id"]) == one["id"]
                and (state or one["state"]) == one["state"]
                and (level or one["level"]) == one["level"]
            ):
                return one if one["room"] or not room else None
        return None

    async def _messages(self, incident: str, kind: str) -> list[dict[str, Any]]:
        return await self.api.items(f"/api/v1/messages?kind={kind}&incident={incident}")

    async def _message(self, incident: str, kind: str) -> Any:
        return next((m for m in await self._messages(incident, kind) if m["state"] == "sent"), None)

    async def _drafts(self, incident: str, subkind: str, to: set[str]) -> list[dict[str, Any]]:
        async def look() -> list[dict[str, Any]]:
            found = [
                m for m in await self._messages(incident, "notice") if m["subkind"] == subkind and m["state"] == "waiting_approval"
            ]
            return sorted(found, key=lambda m: str(m["to"])) if {m["to"] for m in found} == to else []

        drafts: list[dict[str, Any]] = await self.until(f"{subkind} notices for {', '.join(sorted(to))}", look)
        return drafts

    async def _approve(self, drafts: list[dict[str, Any]]) -> None:
        for draft in drafts:
            await self.api.command("approve", draft["id"], "on-call-1", text=None)
        self.say(
            f"on-call-1 approves {' and '.join(draft['id'] for draft in drafts)}; the undo time runs (2 s here, 60 s as shipped)"
        )

    async def _arrived(self, who: set[tuple[str, str]], count: int) -> None:
        async def look() -> bool:
            return len(self.sinks.arrived) >= count and {(one.to, one.by) for one in self.sinks.arrived[count - 2 : count]} == who

        await self.until(f"{count} notices in the sinks", look)

    async def _step_done(self, incident: str, step: str) -> bool:
        runs = await self.api.items(f"/api/v1/runs?incident={incident}")
        return any(one["name"] == step and one["state"] == "ok" for run in runs for one in run["steps"])

    async def _step_output(self, incident: str, step: str) -> Any:
        runs = await self.api.items(f"/api/v1/runs?incident={incident}")
        found = [one for run in runs for one in run["steps"] if one["name"] == step]
        return next((one for one in found if one["state"] == "ok" and one["output"]), None)
