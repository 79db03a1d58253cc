"""Exchanges with a real Elasticsearch, recorded and played again where there is none.

python tests/probers/elastic_recorded.py http://127.0.0.1:9200 tests/data/elastic/VERSION.json    records anew
"""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from elastic_server import Server, call
from elastic_story import START, Story
from probing import probe, server

from forewarn.model.probe import Probe

INDEX = "forewarn-recorded"
FOLDER = Path(__file__).parents[1] / "data" / "elastic"
KEPT = ("x-elastic-product", "content-type")


def probes(url: str) -> list[Probe]:
    """What is asked: pages, labels, figures, KQL; a query that is refused, an index that is not there."""
    by: dict[str, Any] = {"by": ["user"], "changes": {"country": "country"}, "page": 4, "language": "kql", "query": "level: error"}
    values = {
        "bad_ratio": {"share": "status >= 500"},
        "took_p95_s": {"p95": "took_ms", "scale": 0.001},
        "hosts": {"distinct": "host"},
    }
    return [
        probe("elasticsearch", url, timeout_s=30.0, index=INDEX, values=values, **by),
        probe("elasticsearch", url, timeout_s=30.0, index=INDEX, values={"n": {"count": True}, "mean": {"avg": "took_ms"}}),
        probe("elasticsearch", url, timeout_s=30.0, index=INDEX, query={"nonsense": {}}),
        probe("elasticsearch", url, timeout_s=30.0, index=f"{INDEX}-none"),
    ]


async def play(url: str) -> list[Story]:
    """Two looks of each probe; the documents lie between them."""
    stories = [Story(one) for one in probes(url)]
    for story in stories:
        await story.play(None)
    return stories


def documents() -> list[dict[str, Any]]:
    made = [
        {
            "user": f"u{i % 3}",
            "country": "FR" if i < 8 else "US",
            "status": 200 + 300 * (i % 2),
            "took_ms": 100.0 * i,
            "host": f"h{i % 4}",
        }
        for i in range(11)
    ]
    return [{"@timestamp": int((START + 1 + i / 2) * 1000), "_id": str(i), "level": "error", **one} for i, one in enumerate(made)]


def fill(real: Server) -> None:
    real.make(
        INDEX,
        user="keyword",
        country="keyword",
        status="integer",
        took_ms="double",
        host="keyword",
        level="keyword",
        message="text",
    )
    real.put(INDEX, documents())


@asynccontextmanager
async def recorder(url: str, into: list[dict[str, Any]]) -> AsyncIterator[str]:
    """Hands requests on, and notes them with their answers."""

    def passed_on(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(url + path, body or None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            method, path, headers, body = await read_request(reader)
            sent = {name: value for name, value in headers.items() if name in ("accept", "content-type")}
            status, got, answer = await asyncio.to_thread(passed_on, method, path, sent, body)
            kept = {name.lower(): value for name, value in got.items() if name.lower() in KEPT}
            into.append(
                {
                    "ask": [method, path, json.loads(body or b"null")],
                    "status": status,
                    "headers": kept,
                    "answer": json.loads(answer),
                }
            )
            writer.write(response(status, kept, answer))
            await writer.drain()

    async with server(handle) as local:
        yield local.rstrip("/")


@asynccontextmanager
async def player(exchanges: list[dict[str, Any]], asked: list[Any]) -> AsyncIterator[str]:
    """Answers as recorded, in order; `asked` gets what was asked."""
    left = list(exchanges)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            method, path, _, body = await read_request(reader)
            asked.append([method, path, json.loads(body or b"null")])
            one = left.pop(0)
            writer.write(response(one["status"], one["headers"], json.dumps(one["answer"]).encode()))
            await writer.drain()

    async with server(handle) as local:
        yield local.rstrip("/")


async def read_request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *rest = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    method, path, _ = first.split(" ")
    return method, path, headers, await reader.readexactly(int(headers.get("content-length", 0)))


def response(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def record(url: str, file: Path) -> None:
    real = Server(url)
    fill(real)
    try:
        found: list[dict[str, Any]] = []
        async with recorder(url, found) as local:
            await play(local)
    finally:
        call(url, f"/{INDEX}", method="DELETE")
    file.write_text(json.dumps({"version": real.version, "exchanges": found}, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1], Path(sys.argv[2])))
