"""What a page of the console costs the daemon at 5,000 probes and 2,000 incidents, and whether asking holds up the probes.

    python scripts/bench console [--probes 5000] [--incidents 2000] [--times 100]

Every address is asked `times` times over one connection, in turn, while 500 runs a second come in; p50 and p95 are from the
first byte of the question to the last of the answer, so the kernel and our own client are in them, and on a crowded machine its
other work. CPU is the daemon's processor time meanwhile, probing included, which a crowded machine does not change much. "Loop
held" is the longest callback, "own" its processor time, "gc" the longest walk of Python's collector. Figures go flat into
var/bench.json as console_p95_ms_NAME.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

from report import keep
from tools import ROOT, end

TOKEN = "the-token-of-the-benchmark-0123456789"
BEGUN_S, STORED_S, QUIET_S = 180.0, 8.0, 5.0
"""Until every target has been looked at, at the longest; until the store has numbers for their series; then what happens while
nobody asks."""
ADDRESSES = {
    "home": "/",
    "home_zh": "/?lang=zh",
    "now": "/now",
    "now_filtered": "/now?q=bench-04",
    "incident": "/i/INC-1201",
    "incident_ahead": "/i/INC-1600",
    "messages": "/messages",
    "probe": "/p/bench-00042",
    "loaded": "/loaded",
    "search": "/search?q=" + quote("磁盘"),
    "search_id": "/search?q=INC-77",
    "search_common": "/search?q=orders",
    "api_status": "/api/v1/status",
    "api_incidents": "/api/v1/incidents",
    "api_incidents_open": "/api/v1/incidents?state=open,acknowledged",
    "api_findings": "/api/v1/findings?state=open",
    "api_messages": "/api/v1/messages",
    "api_messages_kind": "/api/v1/messages?kind=notice",
    "api_dues": "/api/v1/dues",
    "api_probes": "/api/v1/probes",
    "api_probes_unknown": "/api/v1/probes?state=unknown",
    "api_incident": "/api/v1/incidents/INC-1201",
    "api_search": "/api/v1/search?q=" + quote("连接"),
}


def main(arguments: list[str]) -> int:
    args = _arguments(arguments)
    with tempfile.TemporaryDirectory(prefix="forewarn-console-") as folder:
        command = [
            sys.executable,
            str(Path(__file__).with_name("console_server.py")),
            folder,
            str(args.probes),
            str(args.incidents),
            str(args.every),
        ]
        (ROOT / "var").mkdir(exist_ok=True)
        with (ROOT / "var" / "console-bench.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            figures = _measured(process, args)
        finally:
            if process.stdin:
                process.stdin.close()
            end(process)
    keep(figures, ROOT / "var" / "bench.json")
    return 0


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench console", description="what a page of the console costs the daemon")
    parser.add_argument("--probes", type=int, default=5000, help="one target, six series and five rules each (5,000)")
    parser.add_argument("--incidents", type=int, default=2000, help="four in five of them not yet resolved (2,000)")
    parser.add_argument("--every", type=int, default=30, help="interval of each probe in seconds (30)")
    parser.add_argument("--times", type=int, default=100, help="how often each page is asked for (100)")
    parser.add_argument("--only", default="", help="names of pages, with commas")
    return parser.parse_args(arguments)


def _measured(process: subprocess.Popen[str], args: argparse.Namespace) -> dict[str, Any]:
    assert process.stdout
    told = json.loads(process.stdout.readline())
    connection = HTTPConnection("127.0.0.1", told["port"], timeout=60)
    cookie = _entered(connection, told["code"])
    _begun(process)
    _figures(process)
    time.sleep(QUIET_S)
    quiet = _figures(process)
    figures: dict[str, Any] = {"console_probes": args.probes, "console_incidents": args.incidents, "console_every_s": args.every}
    figures |= {f"console_idle_{name}": quiet[name] for name in ("hold_ms_max", "hold_own_ms_max", "late_p99_ms")}
    print(f"{args.probes} probes every {args.every} s, {args.incidents} incidents; {args.times} times each")
    print(f"{'':22}{'p50 ms':>9}{'p95 ms':>9}{'CPU p50':>9}{'CPU p95':>9}{'kB':>7}{'loop held':>11}{'own':>8}{'gc':>8}")
    for name, path in ADDRESSES.items():
        if not args.only or name in args.only.split(","):
            figures |= _page(process, connection, cookie, name, path, args.times)
    for what in ("p95_ms", "cpu_p95_ms", "loop_own_ms_max", "gc_ms_max"):
        worst = max((value, name) for name, value in figures.items() if name.startswith(f"console_{what}_"))
        figures[f"console_{what}"] = worst[0]
        print(f"worst {what}: {worst[0]:.1f} ({worst[1].removeprefix(f'console_{what}_')})")
    figures["console_late_p99_ms"] = _figures(process)["late_p99_ms"]
    print(f"probes late p99: {quiet['late_p99_ms']:.1f} ms before, {figures['console_late_p99_ms']:.1f} ms after")
    return figures


def _page(
    process: subprocess.Popen[str], connection: HTTPConnection, cookie: str, name: str, path: str, times: int
) -> dict[str, float]:
    """Of one address. Each question differs by an unused part, so that none is answered from a page kept for somebody else."""
    connection.close()  # the server closes what was quiet for a while; http.client connects anew by itself
    _figures(process)
    took, spent, size, holds = list[float](), list[float](), 0, dict[str, float]()
    for n in range(times):
        before, began = _figures(process), time.perf_counter()
        connection.request("GET", f"{path}{'&' if '?' in path else '?'}n={n}", headers={"Cookie": cookie})
        answer = connection.getresponse()
        size = len(answer.read())
        took.append((time.perf_counter() - began) * 1000)
        after = _figures(process)
        spent.append((after["cpu_s"] - before["cpu_s"]) * 1000)
        holds = {key: max(holds.get(key, 0.0), after[key]) for key in ("hold_ms_max", "hold_own_ms_max", "gc_ms_max")}
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}")
    found = {
        "p50_ms": _share(took, 0.5),
        "p95_ms": _share(took, 0.95),
        "cpu_p50_ms": _share(spent, 0.5),
        "cpu_p95_ms": _share(spent, 0.95),
    }
    row = "".join(f"{value:9.1f}" for value in found.values())
    print(
        f"{name:22}{row}{size / 1000:7.0f}{holds['hold_ms_max']:11.1f}{holds['hold_own_ms_max']:8.1f}{holds['gc_ms_max']:8.1f}",
        flush=True,
    )
    found |= {
        "loop_held_ms_max": holds["hold_ms_max"],
        "loop_own_ms_max": holds["hold_own_ms_max"],
        "gc_ms_max": holds["gc_ms_max"],
    }
    return {f"console_{what}_{name}": value for what, value in found.items()}


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _entered(connection: HTTPConnection, code: str) -> str:
    """The cookie of somebody who opened the one-time link."""
    connection.request("GET", f"/link/{code}")
    answer = connection.getresponse()
    answer.read()
    return (answer.headers["Set-Cookie"] or "").partition(";")[0]


def _begun(process: subprocess.Popen[str]) -> None:
    """Wait until a start is over: thousands of first runs are spread, and each makes the lines of its target."""
    until = time.monotonic() + BEGUN_S
    while not _told(process, "begun")["begun"]:
        if time.monotonic() > until:
            raise SystemExit(f"not every target was looked at within {BEGUN_S:.0f} s; see var/console-bench.log")
        time.sleep(1.0)
    time.sleep(STORED_S)
    _told(process, "settled")


def _figures(process: subprocess.Popen[str]) -> dict[str, float]:
    return _told(process, "figures")


def _told(process: subprocess.Popen[str], what: str) -> dict[str, Any]:
    assert process.stdin and process.stdout
    process.stdin.write(f"{what}\n")
    process.stdin.flush()
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found
