"""Steps that run a real program or ask a real HTTP server."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from forewarn.steps import build
from forewarn.steps.run import CAP_BYTES, run_step


async def none(name):
    return []


def python(code: str) -> dict[str, list[str]]:
    return {"argv": [sys.executable, "-S", "-c", code]}


@pytest.mark.parametrize(
    ("code", "result", "summary"),
    [
        ("print('  12 %  free ')", "ok", "12 % free"),
        ("pass", "ok", "exit 0, no output"),
        ("import sys; print('usage'); sys.stderr.write('no such disk\\n'); sys.exit(3)", "failed", "exit 3: no such disk"),
        ("import sys; sys.exit(2)", "failed", "exit 2"),
        ("import os; os.kill(os.getpid(), 15)", "failed", "ended by signal 15"),
    ],
)
async def test_programs(code, result, summary):
    outcome = await build(none)["run"](python(code), "local", 5.0)
    assert (outcome.result, outcome.summary) == (result, summary)


async def test_a_program_that_does_not_end_may_have_done_its_work():
    began = time.monotonic()
    outcome = await run_step()(python("import time; print('begun', flush=True); time.sleep(30)"), "local", 0.2)
    assert time.monotonic() - began < 10.0
    assert (outcome.result, outcome.summary) == ("unknown", "stopped: no end within 0.2 s")


async def test_output_is_masked_and_bounded():
    outcome = await run_step()(python("print('password=hunter2'); print('x' * 50_000)"), "local", 5.0)
    assert outcome.summary == "password=***"
    assert "hunter2" not in outcome.output
    assert len(outcome.output.encode()) <= CAP_BYTES
    assert outcome.output.endswith("[the rest was cut off]")


async def test_out_and_err_together_stay_under_the_cap():
    code = "import sys; print('盘' * 5_000); sys.stderr.write('e' * 10_000); sys.exit(1)"
    outcome = await run_step()(python(code), "local", 5.0)
    assert len(outcome.output.encode()) <= CAP_BYTES
    assert len(outcome.summary) <= 160


async def test_an_argument_is_never_read_by_a_shell():
    outcome = await run_step()({"argv": ["echo", "$(id)", ";", "ls", "*"]}, "local", 5.0)
    assert outcome.summary == "$(id) ; ls *"


@pytest.mark.parametrize(
    ("spec", "where", "says"),
    [
        ({"argv": ["no-such-program-here"]}, "local", "missing"),
        ({"argv": []}, "local", "nothing to run"),
        ({"argv": "df -h"}, "local", "nothing to run"),
        ({}, "local", "nothing to run"),
        ({"argv": ["true"]}, "db-1", 'no host "db-1"'),
        ({"http": {"url": "http://127.0.0.1/"}}, "db-1", "made from this machine"),
        ({"http": {"method": "BREW", "url": "http://127.0.0.1/"}}, "local", "BREW is not a method"),
        ({"http": {"url": "ftp://127.0.0.1/"}}, "local", "can't be used"),
        ({"http": {"url": "http://127.0.0.1:99999/"}}, "local", "can't be used"),
        ({"http": {"url": "http://u:geheim@127.0.0.1/"}}, "local", "leave user and password out"),
        ({"http": {"url": "http://127.0.0.1/", "headers": {"X": "a\r\nY: b"}}}, "local", "can't be"),
    ],
)
async def test_what_can_not_be_run(spec, where, says):
    outcome = await run_step()(spec, where, 2.0)
    assert outcome.result == "failed"
    assert says in outcome.summary
    assert "geheim" not in outcome.summary


@asynccontextmanager
async def answering(raw: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    heads: list[bytes] = []
    over: list[asyncio.Task[None]] = []

    async def serve(reader, writer):
        over.append(asyncio.current_task())
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if raw:
            writer.write(raw)
            await writer.drain()
        else:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    finally:
        server.close()
        await asyncio.gather(*over, return_exceptions=True)


async def test_an_http_answer():
    async with answering(b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{\n"token": "abcdef" }\n   ') as (url, heads):
        outcome = await run_step()({"http": {"url": f"{url}/status?x=1", "headers": {"X-Team": "shop"}}}, "local", 3.0)
    assert (outcome.result, outcome.summary) == ("ok", "HTTP 200 OK: {")
    assert "abcdef" not in outcome.output
    assert heads[0].startswith(b"GET /status?x=1 HTTP/1.1\r\n")
    assert b"X-Team: shop" in heads[0]


@pytest.mark.parametrize(
    ("raw", "result", "says"),
    [
        (b"HTTP/1.1 503 Down\r\nContent-Length: 4\r\n\r\nbusy", "failed", "HTTP 503 Down: busy"),
        (b"HTTP/1.1 302 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "failed", "HTTP 302 There"),
        (b"", "failed", "gave no answer within 0.2 s"),
        (b"garbage\r\n\r\n", "failed", "closed the connection"),
    ],
)
async def test_http_failures(raw, result, says):
    async with answering(raw) as (url, _):
        outcome = await run_step()({"http": {"url": url}}, "local", 0.2)
    assert outcome.result == result
    assert says in outcome.summary


async def test_a_huge_http_answer_is_cut():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    async with answering(head + b"y" * 100_000) as (url, _):
        outcome = await run_step()({"http": {"url": url}}, "local", 3.0)
    assert outcome.result == "ok"
    assert len(outcome.output.encode()) <= CAP_BYTES
    assert outcome.output.endswith("[the rest was cut off]")
