"""What else an http probe can do, and what else a target can do to it; simple requests are tried both ways."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
import time
from pathlib import Path

import pytest
from probing import answering, both_ways, certificate, http_engine, look, probe, saying, server, values  # noqa: F401
from pydantic import ValidationError

from forewarn.probers.once import run_once

pytestmark = pytest.mark.usefixtures("both_ways")

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nall is\r\n5\r\n well\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        (CHUNKED, 11.0),
        (b"HTTP/1.0 200 OK\r\n\r\nall is well", 11.0),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nall is well", 11.0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: text/plain; charset=utf-16-le\r\n\r\n" + "all is well".encode("utf-16-le"), None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\nContent-Type: text/plain; charset=utf-16-le\r\n\r\n" + "all is well".encode("utf-16-le"), 22.0),
    ],
)  # fmt: skip
async def test_every_form_of_an_answer(raw: bytes, size: float | None) -> None:
    async with server(saying(raw)) as url:
        run = await look(url, expect={"body": ["is well"], "status": 200})
    assert values(run).get("size_bytes", 13.0) == (size or 13.0)
    assert run.outcome == ("up" if size else "down"), run


async def test_ipv6_and_a_host_header_as_it_should_be() -> None:
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(handle, "::1", 0)
    port = listening.sockets[0].getsockname()[1]
    assert (await look(f"http://[::1]:{port}/a?b=c")).outcome == "up"
    assert asked[0].startswith(b"GET /a?b=c HTTP/1.1\r\nHost: [::1]:%d\r\n" % port)
    listening.close()


@pytest.mark.parametrize("phase", ["accepted", "asked", "status", "headers", "body"])
async def test_a_reset_at_each_phase(phase: str) -> None:
    said = {
        "accepted": None,
        "asked": b"",
        "status": b"HTTP/1.1 200 OK\r\n",
        "headers": b"HTTP/1.1 200 OK\r\nX-Y: z\r\nContent-",
        "body": CHUNKED[:60],
    }

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if said[phase] is not None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said[phase] or b"")
            await writer.drain()
        await asyncio.sleep(0.02)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with server(handle) as url:
        run = await look(url)
    assert (run.outcome, run.reason) == ("down", "reset"), run


async def test_a_connection_that_is_never_accepted_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as door:
        port, held = door.getsockname()[1], []
        for _ in range(4):  # the queue is full: the next one's handshake gets no answer
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            held.append(one)
        run = await look(f"http://127.0.0.1:{port}/", timeout_s=0.3)
        for one in held:
            one.close()
    assert (run.outcome, run.reason) == ("down", "timeout"), run
    assert str(run.detail).startswith("no answer within 0.3 s: "), run


async def test_what_a_bomb_unpacks_to_is_bounded() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    async with server(answering(bomb, "200 OK", "Content-Encoding: gzip")) as url:
        run = await look(url, compressed=True, max_body="64KiB")
        assert (run.outcome, run.reason) == ("down", "too_big")
        assert (await look(url)).outcome == "up", "packed it is small"
    async with server(answering(gzip.compress(b"all is well"), "200 OK", "Content-Encoding: gzip")) as url:
        run = await look(url, compressed=True, expect={"body": "all is well"})
        assert (run.outcome, values(run)["size_bytes"]) == ("up", 11.0)


async def test_a_certificate_of_our_own(tmp_path: Path) -> None:
    context = certificate(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tmp_path / "cert.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 a refusal comes after the handshake
    async with server(answering(), context) as url:
        trust = {"ca_file": str(tmp_path / "cert.pem")}
        run = await look(url, **trust)
        assert run.outcome == "down" and run.reason in ("tls", "reset"), run
        shown = {"cert_file": str(tmp_path / "cert.pem"), "key_file": str(tmp_path / "key.pem")}
        run = await look(url, **trust, **shown)
        assert run.outcome == "up", run


async def test_through_a_proxy() -> None:
    async with server(answering()) as proxy:
        run = await look("http://shop.invalid/", proxy=proxy.rstrip("/"))
    assert run.outcome == "up", "the proxy looks up the name, not we"
    with pytest.raises(ValidationError, match="is not a proxy"):
        probe("http", "http://x/", proxy="proxy.example")
    with pytest.raises(ValidationError, match="key_file is the key of a cert_file"):
        probe("http", "http://x/", key_file="/x")


async def test_the_end_of_a_certificate_is_told_each_run_and_read_now_and_then(tmp_path: Path) -> None:
    engine = http_engine()
    async with server(answering(), certificate(tmp_path)) as url:
        one = probe("http", url, ca_file=str(tmp_path / "cert.pem"))
        first, again = [(await run_once("engine", engine, one, time.time()))[0] for _ in range(2)]
        assert again.columns is first.columns
        assert values(first)["certificate_s"] > values(again)["certificate_s"] > 29 * 86400
    await engine.close()
