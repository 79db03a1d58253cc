"""What fifty people with the console open cost the daemon, and whether its probes begin any later for it.

    python scripts/bench viewers [--viewers 50] [--seconds 60] [--targets 100]

The daemon as shipped, with its probes and some http targets of a local nginx, is measured twice in the same life: alone, and
with so many server-sent event streams open, both while somebody writes a note to an incident every two seconds, so that there
is something to hear. With --pages each viewer also fetches its page again after what it heard, as the page's script does.
"""

from __future__ import annotations

import argparse
import json
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from measure import cpu_s
from place import Place
from report import keep
from tools import ROOT, end, start

NOTE_EVERY_S, PAGE_AFTER_S = 2.0, 0.4
WARM_S = 15.0


class Api:
    """The daemon's API with its token."""

    def __init__(self, state: Path) -> None:
        self.port: int = json.loads((state / "daemon.json").read_text("utf-8"))["port"]
        self.key = {"Authorization": f"Bearer {(state / 'token').read_text('utf-8').strip()}"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        wire = HTTPConnection("127.0.0.1", self.port, timeout=30)
        wire.request(method, path, json.dumps(body) if body else None, {**self.key, "Content-Type": "application/json"})
        found: dict[str, Any] = json.loads(wire.getresponse().read())
        wire.close()
        return found


class Viewers:
    """Open streams that are read, and how many changes they heard; with `pages` each asks for its page after a change."""

    def __init__(self, api: Api, count: int, pages: bool) -> None:
        self._api, self._pages, self._open = api, pages, True
        self.heard = self.fetched = 0
        self._streams = [self._stream() for _ in range(count)]
        self._wires = deque(HTTPConnection("127.0.0.1", api.port, timeout=30) for _ in range(count))
        self._thread = threading.Thread(target=self._read, name="viewers", daemon=True)
        self._thread.start()

    def _stream(self) -> socket.socket:
        stream = socket.create_connection(("127.0.0.1", self._api.port), timeout=30)
        head = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self._api.port}\r\nAuthorization: {self._api.key['Authorization']}\r\n\r\n"
        stream.sendall(head.encode())
        return stream

    def _read(self) -> None:
        due: list[float] = []
        with selectors.DefaultSelector() as watch:
            for stream in self._streams:
                watch.register(stream, selectors.EVENT_READ)
            while self._open:
                for key, _ in watch.select(0.1):
                    changes = key.fileobj.recv(65536).count(b"event: change")  # type: ignore[union-attr]
                    self.heard += changes
                    due += [time.monotonic() + PAGE_AFTER_S] if changes and self._pages else []
                while due and due[0] <= time.monotonic():
                    due.pop(0)
                    self._fetch()

    def _fetch(self) -> None:
        """The next viewer's page, over the connection that their browser keeps open."""
        wire = self._wires[0]
        self._wires.rotate(-1)
        try:
            wire.request("GET", "/now", headers=self._api.key)
            wire.getresponse().read()
        except (HTTPException, OSError):  # the server had closed it meanwhile: the browser opens another one
            wire.close()
            wire.request("GET", "/now", headers=self._api.key)
            wire.getresponse().read()
        self.fetched += 1

    def close(self) -> None:
        self._open = False
        self._thread.join(5)
        for one in (*self._streams, *self._wires):
            one.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench viewers", description="what people with the console open cost")
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each half is measured (60)")
    parser.add_argument("--targets", type=int, default=100, help="http targets beside the shipped probes, every 10 s (100)")
    parser.add_argument("--pages", action="store_true", help="viewers also fetch their page after each change")
    args = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="forewarn-viewers-"))
    folder.chmod(0o755)
    place, process = Place(folder, ["forewarn"], False), None
    try:
        _configure(folder, place.addresses("forewarn", args.targets, 0))
        command = [
            sys.executable,
            "-m",
            "forewarn",
            "run",
            "--config",
            str(folder),
            "--state",
            str(folder / "state"),
            "--port",
            "0",
        ]
        process = start(command, folder / "out.log")
        figures = _measured(folder / "state", process, args)
    finally:
        if process:
            end(process)
        place.close()
        shutil.rmtree(folder, ignore_errors=True)
    keep(figures, ROOT / "var" / "bench.json")
    return 0


def _configure(folder: Path, addresses: list[str]) -> None:
    for part in ("config", "probes", "playbooks"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("demo", "schemas"))
    targets = "\n".join(f'  t{at}: "{address}"' for at, address in enumerate(addresses))
    (folder / "probes" / "bench.yaml").write_text(
        f"probe: bench\nkind: http\nevery: 10s\ntimeout: 5s\ntargets:\n{targets}\n", "utf-8"
    )


def _measured(state: Path, process: subprocess.Popen[bytes], args: argparse.Namespace) -> dict[str, Any]:
    for _ in range(600):
        if (state / "daemon.json").exists():
            break
        time.sleep(0.1)
    time.sleep(WARM_S)
    api = Api(state)
    id = api.ask("POST", "/api/v1/commands", {"verb": "declare", "by": "on-call-1", "words": ["P3"], "text": "a drill"})["id"]
    alone = _half(api, process, id, args.seconds)
    viewers = Viewers(api, args.viewers, args.pages)
    seen = _half(api, process, id, args.seconds)
    viewers.close()
    cost = (seen["cpu_s"] - alone["cpu_s"]) / args.seconds
    suffix = "_pages" if args.pages else ""
    print(
        f"{args.viewers} viewers{' who fetch pages' if args.pages else ''}, {args.targets} http targets and the shipped probes, {args.seconds:.0f} s each"
    )
    print(f"{'':16}{'CPU s':>8}{'late p50 ms':>13}{'p99':>9}")
    for name, half in (("alone", alone), ("with viewers", seen)):
        print(f"{name:16}{half['cpu_s']:8.2f}{half['late_p50_ms']:13.1f}{half['late_p99_ms']:9.1f}")
    print(f"they cost {cost:.2%} of a core; {viewers.heard} changes heard, {viewers.fetched} pages fetched")
    return {
        f"viewers{suffix}": args.viewers,
        f"viewers{suffix}_core_share": cost,
        f"viewers{suffix}_heard": viewers.heard,
        f"viewers{suffix}_late_p99_ms": seen["late_p99_ms"],
        f"viewers{suffix}_late_p99_ms_alone": alone["late_p99_ms"],
    }


def _half(api: Api, process: subprocess.Popen[bytes], incident: str, seconds: float) -> dict[str, float]:
    before, until = cpu_s([process.pid]), time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError):
            api.ask("POST", "/api/v1/commands", {"verb": "acknowledge", "id": incident, "by": "on-call-1", "text": "still at it"})
        time.sleep(NOTE_EVERY_S)
    spent = cpu_s([process.pid]) - before
    late = api.ask("GET", "/api/v1/status")["lateness_ms"]
    return {"cpu_s": spent, "late_p50_ms": late["p50"], "late_p99_ms": late["p99"]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
