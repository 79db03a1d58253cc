"""The demo's shop with a daemon of its own in a process of its own: what the browser tests look at and act on.

The configuration is the demo's (three customers, two languages), with the undo time as shipped, a playbook whose step a person
approves, and a probe that cannot look. Real servers answer, fail and are started again; only the shop's past is made up.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forewarn.app import demo_history
from forewarn.app.demo_parts import Api, Child, Shop, environment, start_daemon
from forewarn.app.demo_sinks import Sinks
from forewarn.config.find import shipped

PATIENCE_S = 60.0
DAEMON = """\
daemon:
  port: 0
  zone: Asia/Shanghai
  mail: {server: "${DEMO_SMTP}", from: "Forewarn <forewarn@ops.example>"}
policy:
  modes: {page: live, ask: live, notice: suggest, step.reads: live, step.changes: suggest}
  undo: 60s
  changes_per_hour: 100
  approval: 1h
"""
PEOPLE = """\
people:
  on-call-1: {zone: Asia/Shanghai, skills: [shop], channels: ["${DEMO_HOOK}"]}
  on-call-2: {zone: Asia/Shanghai, skills: [shop, db], channels: ["mailto://on-call-2@ops.example"]}
  head: {zone: Asia/Shanghai, channels: ["console://"]}
escalations:
  shop: [{to: on-call-1, ack: 5m}, {to: on-call-2, ack: 10m}, {to: head, ack: 15m}]
"""
MAKE_ROOM = """\
playbook: make-room
title: {en: Make room for the orders, zh: 为订单腾出空间}
for: {probe: disk, rule: failed}
takes: 15m
risk: low
limits: {per_hour: 100, per_day: 100, cooldown: 1s, at_once: 9}
steps:
  - {name: look, run: [PYTHON, -c, "print('3 old dumps, 41 GB')"], reads: true, timeout: 10s}
  - {name: remove, run: [PYTHON, -u, PROGRAM], irreversible: true, timeout: 2m}
"""
REMOVE = """\
import pathlib, time
print("removing dump 1 of 3", flush=True)
while not pathlib.Path(__file__).with_name("go-on").exists():
    time.sleep(0.05)
print("removed 41 GB")
"""
BLIND = """\
probe: vault
kind: log
service: search
every: 1s
files: ["{missing}"]
patterns: {{errors: 'ERROR'}}
"""


@dataclass
class Open:
    """A running shop, its daemon and what its messages arrived in."""

    folder: Path
    shop: Shop
    sinks: Sinks
    daemon: Child
    api: Api
    loop: asyncio.AbstractEventLoop = field(repr=False)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.api.port}"

    def call(self, what: Coroutine[Any, Any, Any], patience_s: float = PATIENCE_S) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(patience_s)

    def get(self, path: str) -> Any:
        return self.call(self.api.get(f"/api/v1/{path}"))

    def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path)["items"]
        return found

    def say(self, verb: str, id: str | None, *words: str, by: str = "on-call-1", text: str | None = None) -> str:
        return str(self.call(self.api.command(verb, id, by, *words, text=text))["id"])

    def link(self) -> str:
        """A fresh one-time link, as `forewarn status --link` prints it."""
        return str(self.call(asyncio.to_thread(self.api._call, "POST", "/api/v1/links", {}))["url"])

    def until(self, what: str, look: Callable[[], Any]) -> Any:
        end = time.monotonic() + PATIENCE_S
        while not (found := look()):
            assert time.monotonic() < end, f"{what}: not within {PATIENCE_S:.0f} s\n{self.log()}"
            assert self.daemon.process.returncode is None, self.log()
            time.sleep(0.1)
        return found

    def incident(self, **wanted: str) -> dict[str, Any]:
        found: dict[str, Any] = self.until(
            f"an incident {wanted}",
            lambda: next((i for i in self.items("incidents") if all(i[k] == v for k, v in wanted.items())), None),
        )
        return found

    def drafts(self, incident: str) -> list[dict[str, Any]]:
        """The notices about it that wait for a yes, one for each language."""

        def look() -> list[dict[str, Any]] | None:
            found = self.items(f"messages?kind=notice&incident={incident}&state=waiting_approval")
            return found if {one["language"] for one in found} == {"en", "zh"} else None

        drafts: list[dict[str, Any]] = self.until(f"drafts for {incident}", look)
        return drafts

    def break_shop(self) -> None:
        """Both web servers are killed, and orders fall."""
        self.shop.orders(20.0)
        for name in ("web-1", "web-2"):
            self.call(self.shop.children[name].stop(signal.SIGKILL))

    def hold_on(self) -> None:
        """The playbook's step stays under way until it may go on."""
        (self.folder / "go-on").unlink(missing_ok=True)

    def go_on(self) -> None:
        """Let the playbook's step end."""
        (self.folder / "go-on").touch()

    def log(self) -> str:
        return (self.folder / "daemon.log").read_text()[-4000:]


def _files(folder: Path) -> Path:
    """The configuration: the demo's, with our own parts."""
    config = folder / "shop"
    shutil.copytree(shipped() / "config" / "demo", config)
    (config / "config" / "forewarn.yaml").write_text(DAEMON)
    (config / "config" / "oncall.yaml").write_text(PEOPLE)
    (folder / "remove.py").write_text(REMOVE)
    text = MAKE_ROOM.replace("PYTHON", sys.executable).replace("PROGRAM", str(folder / "remove.py"))
    (config / "playbooks" / "make-room.yaml").write_text(text)
    (config / "probes" / "vault.yaml").write_text(BLIND.format(missing=folder / "no-such.log"))
    return config


async def _start(folder: Path, stack: AsyncExitStack) -> tuple[Shop, Sinks, Child, Api]:
    shop, sinks = Shop(folder), Sinks(lambda arrived: None)
    stack.push_async_callback(sinks.stop)
    await sinks.start()
    stack.push_async_callback(shop.stop)
    await shop.start(demo_history.USED_NOW)
    state = folder / "state"
    state.mkdir(mode=0o700)
    await asyncio.to_thread(demo_history.write, state / "samples.db", time.time())
    environ = environment(shop, sinks.smtp_port, sinks.hook_port)
    daemon = await start_daemon(_files(folder), state, 0, environ, folder / "daemon.log")
    stack.push_async_callback(daemon.stop)
    async with asyncio.timeout(PATIENCE_S):
        while not (state / "daemon.json").exists():
            assert daemon.process.returncode is None, (folder / "daemon.log").read_text()
            await asyncio.sleep(0.05)
    port = int(json.loads((state / "daemon.json").read_text())["port"])
    return shop, sinks, daemon, Api(port, state)


@contextmanager
def opened(folder: Path) -> Iterator[Open]:
    """The shop and its daemon on a loop of their own thread, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="console-shop", daemon=True)
    thread.start()
    stack = AsyncExitStack()

    def call(what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, loop).result(60)

    try:
        yield Open(folder, *call(_start(folder, stack)), loop)
    finally:
        call(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
