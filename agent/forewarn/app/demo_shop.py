"""The demo's shop: a real HTTP server process of its own, and the process that counts its orders and its volume.

    python -m forewarn.app.demo_shop web   PORT LOG LATENCY
    python -m forewarn.app.demo_shop stats PORT ORDERS VOLUME

`web` serves one page, after as many seconds as stand in the file LATENCY, and writes a log line for each.
`stats` answers {"orders_per_min": ..., "volume": {"used": ...}}: orders from the file ORDERS,
the volume's use from the file VOLUME ("used growth_per_s since_s"). Only for the demo and its test.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = b'{"status": "ok"}'


def _serve(port: int, answer: Callable[[str], bytes]) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """The shop writes its own log."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.serve_forever()


def web(port: int, log: Path, latency: Path) -> None:
    """One web server of the shop."""

    def answer(path: str) -> bytes:
        time.sleep(float(latency.read_text() or 0))
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} INFO {path} 200\n")
        return PAGE

    _serve(port, answer)


def stats(port: int, orders: Path, volume: Path) -> None:
    """What the shop tells about its business and its volume."""

    def answer(path: str) -> bytes:
        used, growth, since = map(float, volume.read_text().split())
        used = min(1.0, used + growth * max(0.0, time.time() - since))
        return json.dumps({"orders_per_min": float(orders.read_text()), "volume": {"used": round(used, 6)}}).encode()

    _serve(port, answer)


def main(argv: list[str]) -> None:
    kind, port, *paths = argv
    {"web": web, "stats": stats}[kind](int(port), *map(Path, paths))


if __name__ == "__main__":
    main(sys.argv[1:])
