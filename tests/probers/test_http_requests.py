"""What an http probe sends, and what a reused handle must not carry from one probe to the next."""

from __future__ import annotations

import asyncio
import base64
import time

import pytest
from probing import both_ways, http_engine, look, probe, server, values  # noqa: F401

from forewarn.probers.once import run_once

pytestmark = pytest.mark.usefixtures("both_ways")


class Recorder:
    """Answers 200 and keeps what it was sent."""

    def __init__(self, body: bytes = b"{}") -> None:
        self.requests: list[str] = []
        self.connections = 0
        self.body = body

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
        self.requests.append(head + (await reader.readexactly(length)).decode())
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body) + (b"" if head.startswith("HEAD") else self.body)
        )
        await writer.drain()


async def test_methods_headers_and_bodies() -> None:
    recorder = Recorder()
    async with server(recorder) as url:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert (await look(url, method=method)).outcome == "up", method
        await look(url, method="POST", body='{"a": 1}', headers={"Content-Type": "application/json", "X-Empty": ""})
        await look(url, method="GET", body="query")
    lines = [request.split("\r\n")[0] for request in recorder.requests]
    assert lines[:7] == [f"{method} / HTTP/1.1" for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")]
    assert recorder.requests[7].endswith('\r\n\r\n{"a": 1}') and "Content-Type: application/json" in recorder.requests[7]
    assert "X-Empty:" in recorder.requests[7] and "Expect" not in recorder.requests[7]
    assert lines[8] == "GET / HTTP/1.1" and recorder.requests[8].endswith("\r\n\r\nquery")
    assert "User-Agent: forewarn/" in recorder.requests[0] and "Accept-Encoding" not in recorder.requests[0]


async def test_secrets_come_from_files_each_time(tmp_path) -> None:
    secret = tmp_path / "secret"
    recorder = Recorder()
    engine = http_engine()
    async with server(recorder) as url:
        basic = probe("http", url, basic={"user": "me", "password_file": str(secret)})
        bearer = probe("http", url, bearer_file=str(secret))
        plain = probe("http", url)
        missing = (await run_once("engine", engine, basic, time.time()))[0]
        for text, one in (("first\n", basic), ("second\n", basic), ("third\n", bearer), ("third\n", plain)):
            secret.write_text(text)
            await run_once("engine", engine, one, time.time())
    await engine.close()
    sent = [[line for line in request.split("\r\n") if line.startswith("Authorization")] for request in recorder.requests]
    assert sent == [
        [f"Authorization: Basic {base64.b64encode(b'me:first').decode()}"],
        [f"Authorization: Basic {base64.b64encode(b'me:second').decode()}"],
        ["Authorization: Bearer third"],
        [],
    ], "a handle that is used again carries no secret along"
    assert (missing.outcome, missing.reason) == ("unknown", "missing") and "secret" in str(missing.detail)


async def test_a_secret_is_not_carried_to_another_host(tmp_path) -> None:
    (tmp_path / "secret").write_text("hush")
    recorder = Recorder()

    async with server(recorder) as there:

        async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            other = there.replace("127.0.0.1", "localhost")
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {other}\r\nContent-Length: 0\r\n\r\n".encode())

        async with server(elsewhere) as url:
            run = await look(url, redirects=1, ip=4, bearer_file=str(tmp_path / "secret"))
    assert run.outcome == "up"
    assert "hush" not in recorder.requests[0]


async def test_every_run_has_a_fresh_connection() -> None:
    recorder, engine = Recorder(), http_engine()
    async with server(recorder) as url:
        one = probe("http", url)
        for _ in range(3):
            await run_once("engine", engine, one, time.time())
    await engine.close()
    assert recorder.connections == 3


async def test_the_environment_has_no_say(monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    async with server(Recorder()) as url:
        assert (await look(url)).outcome == "up"


async def test_values_of_a_json_answer_become_series() -> None:
    recorder = Recorder(b'{"orders": 12.5, "deep": [{"n": 3}], "on": true, "text": "7", "huge": 1e999}')
    async with server(recorder) as url:
        run = await look(url, values={"orders_per_min": "$.orders", "deep": "$.deep[0].n"})
        assert (values(run)["orders_per_min"], values(run)["deep"], run.detail) == (12.5, 3.0, None)
        again = await look(url, values={"orders_per_min": "$.orders", "deep": "$.deep[0].n"})
        assert again.columns is run.columns, "the same columns, run after run"
        for path, shown in (("$.on", "true"), ("$.text", '"7"'), ("$.none", "missing"), ("$.huge", "Infinity")):
            run = await look(url, values={"n": path})
            assert (run.outcome, run.detail) == ("up", f"no number for n: it is {shown}")
            assert "n" not in values(run)


async def test_a_failing_expectation_keeps_the_figures() -> None:
    async with server(Recorder(b'{"orders": 4}')) as url:
        run = await look(url, expect={"json": {"$.orders": "> 5"}}, values={"orders": "$.orders"})
    assert (run.outcome, run.detail) == ("down", "$.orders is 4, expected > 5")
    assert values(run)["orders"] == 4.0 and values(run)["total_s"] > 0
