"""Every way in which a target can fail an http probe, on real sockets. Each ends bounded, with its reason and the value."""

from __future__ import annotations

import asyncio
import socket
import struct
import time

import pytest
from probing import answering, both_ways, certificate, ended, http_engine, look, probe, saying, server, values  # noqa: F401

pytestmark = pytest.mark.usefixtures("both_ways")


async def test_up_with_each_phase_its_own() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"cd")

    async with server(slow) as url:
        run = await look(url)
    found = values(run)
    assert (run.outcome, run.reason, run.detail) == ("up", None, None)
    assert 0.04 < found["first_byte_s"] < found["total_s"] and found["total_s"] > 0.09
    assert found["connect_s"] < 0.04 and found["resolve_s"] < 0.04
    assert (found["status"], found["size_bytes"]) == (200.0, 4.0)
    assert "tls_s" not in found and "certificate_s" not in found
    parts = sum(found[f"{phase}_s"] for phase in ("resolve", "connect", "first_byte"))
    assert parts <= found["total_s"]


@pytest.mark.parametrize(
    ("raw", "then", "options", "reason", "detail"),
    [
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", None, {"expect": {"status": 200}}, "status", "status 503, expected 200"),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: http://user:pw@x.example/a?token=1\r\nContent-Length: 0\r\n\r\n",
            None,
            {},
            "status",
            "status 301 (to http://x.example/a), expected 2xx",
        ),
        (
            b'HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{"status": "degraded"}',
            None,
            {"expect": {"json": {"$.status": "ok"}}},
            "json",
            '$.status is "degraded", expected "ok"',
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops", None, {"expect": {"body": "fine"}}, "body", 'body begins with "oops", expected "fine"'),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops",
            None,
            {"values": {"orders": "$.orders"}},
            "json",
            'the answer is not JSON (Expecting value); it begins with "oops"',
        ),
        (
            b"HTTP/1.1 200 OK\r\nX-Build: 7\r\nContent-Length: 0\r\n\r\n",
            None,
            {"expect": {"headers": {"X-Build": "8"}}},
            "header",
            'header x-build is "7", expected "8"',
        ),
        (b"", None, {}, "reset", "the connection was closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", None, {}, "reset", "the answer ended early, after 3 bytes of its body"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, {}, "protocol", "not an HTTP answer: "),
        (b"HTTP/1.1 200 OK\r\n", 3, {}, "timeout", "no answer within 0.2 s: "),
        (b"", 3, {}, "timeout", "no answer within 0.2 s: waiting for the first byte"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 3, {}, "timeout", "no answer within 0.2 s: after 3 bytes of the body"),
    ],
)  # fmt: skip
async def test_down_with_its_reason(raw: bytes, then: float | None, options: dict[str, object], reason: str, detail: str) -> None:
    async with server(saying(raw, then)) as url:
        run = await look(url, timeout_s=0.2 if then else 2.0, **options)
    assert (run.outcome, run.reason) == ("down", reason), run
    assert run.detail is not None and run.detail.startswith(detail), run.detail


async def test_an_endless_body_is_cut_at_its_bound() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with server(endless) as url:
        run = await look(url, max_body="256KiB")
    assert (run.outcome, run.reason) == ("down", "too_big")
    assert run.detail == "the answer is larger than 256 KiB; raise max_body if that is right"
    assert run.took_s < 10.0


async def test_a_flood_of_headers_is_cut() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        writer.writelines(b"X-%d: %s\r\n" % (number, b"y" * 200) for number in range(5000))
        await writer.drain()
        await asyncio.sleep(5)

    async with server(flood) as url:
        run = await look(url)
    assert (run.outcome, run.reason) == ("down", "too_big"), run
    assert str(run.detail).startswith("the headers of the answer are too large")
    assert run.took_s < 10.0


async def test_a_slow_trickle_ends_at_the_deadline() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with server(trickle) as url:
        run = await look(url, timeout_s=0.2)
    assert (run.outcome, run.reason) == ("down", "timeout")
    assert 0.19 <= run.took_s < 10.0


@pytest.mark.parametrize("after", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
async def test_a_reset_is_told_from_a_close(after: bytes) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(after)
        await writer.drain()
        await asyncio.sleep(0.02)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with server(reset) as url:
        run = await look(url)
    assert (run.outcome, run.reason) == ("down", "reset"), run
    assert "reset" in str(run.detail)


async def test_redirects_are_followed_only_when_asked_and_not_for_ever() -> None:
    hops = 0

    async def circle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal hops
        hops += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")

    async with server(circle) as url:
        run = await look(url, redirects=3)
    assert (run.outcome, run.reason) == ("down", "redirects")
    assert hops == 4

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        await reader.readuntil(b"\r\n\r\n")
        to = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nX-Leg: one\r\nContent-Length: 0\r\n\r\n"
        writer.write(to if b" / " in line else b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with server(once) as url:
        run = await look(url, redirects=1, expect={"headers": {"X-Leg": "one"}})
    assert run.detail == 'header x-leg is missing, expected "one"', "headers are those of the last leg"
    found = values(run)
    assert found["status"] == 200.0 and all(value >= 0 for value in found.values())
    assert found["total_s"] >= found["first_byte_s"]


async def test_refused_and_without_an_address() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = await look(f"http://127.0.0.1:{port}/")
    assert (run.outcome, run.reason, run.detail) == ("down", "refused", f"connection refused by 127.0.0.1:{port}")
    run = await look("http://nothing.invalid/")
    assert (run.outcome, run.reason, run.detail) == ("down", "resolve", "the name nothing.invalid has no address")


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("example.org/health", 'the target "example.org/health" is not an address; write http://... or https://...'),
        ("ftp://u:secret@example.org/", 'the target "ftp://example.org/" is not an address; write http://... or https://...'),
        ("http://[::1/", "the target can't be used as an address: "),
        ("http://", "the target can't be used as an address: "),
    ],
)
async def test_a_target_that_is_no_address_is_unknown(url: str, detail: str) -> None:
    run = await look(url)
    assert (run.outcome, run.reason) == ("unknown", "config")
    assert str(run.detail).startswith(detail)


async def test_tls(tmp_path) -> None:
    context = certificate(tmp_path)
    async with server(answering(), context) as url:
        run = await look(url)
        assert (run.outcome, run.reason) == ("down", "tls") and "self-signed" in str(run.detail)
        run = await look(url, ca_file=str(tmp_path / "cert.pem"))
        found = values(run)
        assert run.outcome == "up"
        assert 0 < found["tls_s"] < found["total_s"]
        assert 29 * 86400 < found["certificate_s"] < 30 * 86400 + 60
        assert (await look(url, verify=False)).outcome == "up"
        run = await look(url, ca_file=str(tmp_path / "none.pem"))
        assert (run.outcome, run.reason) == ("unknown", "missing")


async def test_an_ended_certificate_is_down_and_says_so(tmp_path) -> None:
    async with server(answering(), ended(tmp_path)) as url:
        run = await look(url, ca_file=str(tmp_path / "cert.pem"))
        assert (run.outcome, run.reason) == ("down", "tls")
        assert run.detail == "its certificate can't be trusted: certificate has expired"
        assert values(await look(url, verify=False))["certificate_s"] < -5 * 365 * 86400


async def test_tls_for_another_name(tmp_path) -> None:
    async with server(answering(), certificate(tmp_path, name="other.example")) as url:
        run = await look(url, ca_file=str(tmp_path / "cert.pem"))
    assert (run.outcome, run.reason) == ("down", "tls"), run


async def test_tls_that_never_finishes_and_plain_text_instead() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async with server(silent) as url:
        run = await look(url.replace("http:", "https:"), timeout_s=0.2)
    assert (run.reason, run.detail) == ("timeout", "no answer within 0.2 s: in the TLS handshake")

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with server(plain) as url:
        run = await look(url.replace("http:", "https:"))
    assert (run.outcome, run.reason) == ("down", "tls"), run


async def test_the_wall_of_a_gzip_bomb_is_the_bound_on_the_wire() -> None:
    body = b"\x1f\x8b" + b"\0" * 1000
    async with server(answering(body, "200 OK", "Content-Encoding: gzip")) as url:
        run = await look(url)
    assert (run.outcome, values(run)["size_bytes"]) == ("up", 1002.0), "nothing is unpacked"


async def test_a_hanging_target_does_not_hold_the_others() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    engine, runs = http_engine(most=4), []
    async with server(answering()) as good, server(silent) as bad:
        probes = [probe("http", good, timeout_s=10) if number % 4 else probe("http", bad, timeout_s=0.25) for number in range(40)]
        engine.submit([(one, one.targets[0], time.time()) for one in probes], runs.append)
        begun = time.monotonic()
        while len(runs) < 40 and time.monotonic() - begun < 30:
            await asyncio.sleep(0.01)
    await engine.close()
    assert sorted(run.outcome for run in runs) == ["down"] * 10 + ["up"] * 30, "each job exactly once"
    assert max(run.lateness_s for run in runs) > 0.2, "waiting for room shows as lateness"


async def test_closing_delivers_what_is_under_way() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    engine, runs = http_engine(most=1), []
    async with server(silent) as url:
        one = probe("http", url)
        engine.submit([(one, one.targets[0], time.time())] * 3, runs.append)
        await asyncio.sleep(0.05)
        await engine.close()
    assert [(run.outcome, run.reason) for run in runs] == [("unknown", "stopped")] * 3


async def test_a_taker_that_fails_costs_nobody_else_a_result() -> None:
    engine, runs = http_engine(), []

    def fails(run) -> None:
        raise RuntimeError("taker's bug")

    async with server(answering()) as url:
        one = probe("http", url)
        engine.submit([(one, one.targets[0], time.time())], fails)
        engine.submit([(one, one.targets[0], time.time())], runs.append)
        begun = time.monotonic()
        while not runs and time.monotonic() - begun < 2:
            await asyncio.sleep(0.01)
    await engine.close()
    assert [run.outcome for run in runs] == ["up"]
