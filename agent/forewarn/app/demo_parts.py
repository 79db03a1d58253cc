"""The demo's real parts: processes of the shop, the daemon itself, and a client of its API."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forewarn.app.demo_disk import DemoDisk
from forewarn.app.demo_history import GROWTH_PER_S


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass(slots=True)
class Child:
    """A process that the demo started; only such are ever ended, by their pid."""

    name: str
    process: asyncio.subprocess.Process
    port: int

    @property
    def pid(self) -> int:
        return self.process.pid

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process.returncode is None:
            self.process.send_signal(how)
        await self.process.wait()


@dataclass(slots=True)
class Shop:
    """Two web servers, the endpoint that counts, and a disk. Files in `folder` say how they behave."""

    folder: Path
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in ("web-1", "web-2", "stats")})
    children: dict[str, Child] = field(default_factory=dict)
    disk: DemoDisk = field(init=False)

    def __post_init__(self) -> None:
        self.disk = DemoDisk(self.folder / "disks")

    @property
    def log(self) -> Path:
        return self.folder / "shop.log"

    async def start(self, used: float) -> None:
        self.log.touch()
        self.disk.start()
        self.latency(0.0)
        self.orders(120.0)
        self.volume(used, GROWTH_PER_S)
        for name in self.ports:
            await self.start_one(name)

    async def start_one(self, name: str) -> None:
        files = [self.folder / "orders", self.folder / "volume"] if name == "stats" else [self.log, self.folder / "latency"]
        kind = "stats" if name == "stats" else "web"
        argv = [sys.executable, "-m", "forewarn.app.demo_shop", kind, str(self.ports[name]), *map(str, files)]
        self.children[name] = Child(name, await asyncio.create_subprocess_exec(*argv), self.ports[name])

    def latency(self, seconds: float) -> None:
        self._set("latency", str(seconds))

    def orders(self, per_min: float) -> None:
        self._set("orders", str(per_min))

    def volume(self, used: float, growth_per_s: float) -> None:
        self._set("volume", f"{used} {growth_per_s} {time.time()}")

    def _set(self, name: str, text: str) -> None:
        """Whole or not at all: the shop may read it at this very moment."""
        fresh = self.folder / f"{name}.new"
        fresh.write_text(text)
        fresh.replace(self.folder / name)

    def fail_for(self, tenant: str, lines: int) -> None:
        with self.log.open("a", encoding="utf-8") as file:
            file.writelines(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} ERROR tenant={tenant} pay refused\n" for _ in range(lines))

    async def stop(self) -> None:
        await self.disk.stop()
        for child in self.children.values():
            await child.stop()


def environment(shop: Shop, smtp_port: int, hook_port: int) -> Mapping[str, str]:
    """What the demo's configuration reads from ${DEMO_...}."""
    base = "http://127.0.0.1"
    return {
        "DEMO_SHOP_1": f"{base}:{shop.ports['web-1']}/",
        "DEMO_SHOP_2": f"{base}:{shop.ports['web-2']}/",
        "DEMO_STATS": f"{base}:{shop.ports['stats']}/",
        "DEMO_LOG": str(shop.log),
        "DEMO_DISKS": str(shop.disk.folder),
        "DEMO_SMTP": f"smtp://127.0.0.1:{smtp_port}",
        "DEMO_HOOK": f"json://127.0.0.1:{hook_port}/notices",
    }


async def start_daemon(config: Path, state: Path, port: int, environ: Mapping[str, str], log: Path) -> Child:
    """The daemon as anybody would start it, in a process of its own; what it prints goes to the file `log`."""
    argv = [sys.executable, "-m", "forewarn", "--config", str(config), "--state", str(state), "run", "--port", str(port)]
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(*argv, stdout=out, stderr=out, env={**os.environ, **environ})
    return Child("forewarn", process, port)


@dataclass(frozen=True, slots=True)
class Api:
    """The daemon's API over loopback, with the token of its state folder."""

    port: int
    state: Path

    async def get(self, path: str) -> Any:
        return await asyncio.to_thread(self._call, "GET", path, None)

    async def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get(path))["items"]
        return found

    async def command(self, verb: str, id: str | None, by: str, *words: str, text: str | None = None) -> Any:
        body = {"verb": verb, "id": id, "by": by, "words": list(words), "text": text}
        return await asyncio.to_thread(self._call, "POST", "/api/v1/commands", body)

    def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:
        token = (self.state / "token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.loads(answer.read())
