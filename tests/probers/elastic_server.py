"""A real Elasticsearch for tests: that of ELASTICSEARCH_URL, or one that is started on loopback, once for all workers."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "elasticsearch.sh"
ARCHIVE = ROOT / "var" / "elasticsearch" / f"elasticsearch-{os.environ.get('VERSION', '8.19.8')}.zip"
STARTS_S = 120


def call(url: str, path: str, body: Any = None, method: str = "POST") -> Any:
    """One request with JSON; a list is sent as lines (bulk)."""
    lines = isinstance(body, list)
    data = "".join(json.dumps(one) + "\n" for one in body) if lines else json.dumps(body) if body is not None else None
    headers = {"Content-Type": "application/x-ndjson" if lines else "application/json"}
    request = urllib.request.Request(url + path, data.encode() if data else None, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


class Server:
    """What tests want of it. Each test has indices of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.version = str(call(url, "/_nodes", method="GET")["nodes"].popitem()[1]["version"])

    def put(self, index: str, docs: list[dict[str, Any]]) -> None:
        """Index documents (an `_id` among the fields names one) and make them visible."""
        lines: list[Any] = []
        for doc in docs:
            fields = {key: value for key, value in doc.items() if key != "_id"}
            lines += [{"index": {"_index": index, **({"_id": doc["_id"]} if "_id" in doc else {})}}, fields]
        answer = call(self.url, "/_bulk?refresh=true", lines)
        assert not answer["errors"], answer

    def make(self, index: str, **properties: str) -> None:
        """An index with these fields, and a time; names with __ for dots."""
        fields = {name.replace("__", "."): {"type": kind} for name, kind in properties.items()}
        call(self.url, f"/{index}", {"mappings": {"properties": {"@timestamp": {"type": "date"}, **fields}}}, "PUT")

    def drop(self, pattern: str) -> None:
        """Delete the indices of that name, one by one: wildcards are refused where it is set up so."""
        for name in call(self.url, f"/{pattern}/_settings", method="GET"):
            call(self.url, f"/{name}", method="DELETE")


@contextmanager
def running(shared: Path) -> Iterator[Server]:
    """The server; skips the test where there can't be one. `shared` is a folder that all workers of a session know."""
    if url := os.environ.get("ELASTICSEARCH_URL"):
        yield Server(url.rstrip("/"))
        return
    for program, package in (("java", "openjdk-17-jre-headless"), ("unzip", "unzip")):
        if not shutil.which(program):
            pytest.skip(f"{program} is missing (Debian: {package}), and ELASTICSEARCH_URL names no server")
    if not ARCHIVE.is_file():
        pytest.skip("scripts/elasticsearch.sh fetch has not brought Elasticsearch, and ELASTICSEARCH_URL names no server")
    book = shared / "elasticsearch.json"
    try:
        yield Server(_enter(book))
    finally:
        _leave(book)


@contextmanager
def _held(book: Path) -> Iterator[dict[str, Any]]:
    """What all workers know, while nobody else changes it."""
    with book.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = json.loads(file.read() or "{}")
        yield known
        file.seek(0)
        file.truncate()
        file.write(json.dumps(known))
        file.flush()


def _enter(book: Path) -> str:
    with _held(book) as known:
        if not known.get("users"):
            known.update(_started())
        known["users"] = known.get("users", 0) + 1
        return f"http://127.0.0.1:{known['port']}"


def _leave(book: Path) -> None:
    with _held(book) as known:
        known["users"] = known.get("users", 1) - 1
        if known["users"] == 0:
            os.killpg(known["pid"], signal.SIGKILL)
            shutil.rmtree(known["folder"], ignore_errors=True)


def _started() -> dict[str, Any]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="forewarn-elastic-"))
    folder.chmod(0o755)
    with (folder / "out.log").open("wb") as out:
        process = subprocess.Popen(
            [str(SCRIPT), "run", str(folder / "it"), str(port)],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    until = time.monotonic() + STARTS_S
    while time.monotonic() < until and process.poll() is None:
        try:
            call(f"http://127.0.0.1:{port}", "/_cluster/health?wait_for_status=yellow&timeout=1s", method="GET")
        except (OSError, urllib.error.URLError):
            time.sleep(0.25)
            continue
        process.returncode = 0  # whoever leaves last ends it, by its group
        return {"pid": process.pid, "port": port, "folder": str(folder)}
    process.poll() is None and os.killpg(process.pid, signal.SIGKILL)
    pytest.fail("Elasticsearch did not start: " + (folder / "out.log").read_text("utf-8", "replace")[-1500:])
