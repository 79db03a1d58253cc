"""tcp against real servers on loopback: ports, banners, certificates, and all the ways in which they fail."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest
from probing import certificate, ended, probe, server, values
from pydantic import ValidationError

from forewarn.model.series import Outcome, ProbeRun
from forewarn.probers.reasons import Reason
from forewarn.probers.tcp import place
from forewarn.probers.tcp_connect import TcpProber


async def look(address: str, timeout_s: float = 5.0, **options) -> ProbeRun:
    made = probe("tcp", address, timeout_s=timeout_s, **options)
    return await TcpProber()(made, made.targets[0], time.time())


def port_of(url: str) -> str:
    return url.partition("//")[2].rstrip("/")


async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A mail server's first words; what it is told it says again."""
    writer.write(b"220 mail.example ready\r\n")
    while line := await reader.readline():
        writer.write(b"250 " + line)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def cuts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def test_a_port_that_takes_connections_is_up():
    async with server(silent) as url:
        run = await look(port_of(url))
    assert (run.outcome, run.reason) == (Outcome.UP, None)
    assert set(values(run)) == {"resolve_s", "connect_s", "total_s"} and all(value >= 0 for value in run.values)


async def test_a_closed_port_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    run = await look(f"127.0.0.1:{port}")
    assert (run.outcome, run.reason, run.detail) == (Outcome.DOWN, Reason.REFUSED, f"connection refused by 127.0.0.1:{port}")


async def test_a_name_without_address_is_down():
    run = await look("no-such-host.invalid:25")
    assert (run.outcome, run.reason) == (Outcome.DOWN, Reason.RESOLVE)


async def test_what_it_says_must_fit():
    async with server(greets) as url:
        run = await look(port_of(url), expect="^220 ")
        assert run.outcome is Outcome.UP and "first_byte_s" in values(run)
        assert (await look(port_of(url), send=r"EHLO probe.example\r\n", expect="(?m)^250 EHLO probe")).outcome is Outcome.UP


async def test_other_words_are_down_and_shown():
    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 no service, password=hunter2\r\n")

    async with server(refuses) as url:
        run = await look(port_of(url), expect="^220 ")
    assert (run.outcome, run.reason) == (Outcome.DOWN, Reason.BODY)
    assert str(run.detail).startswith('it said "554 no service') and "hunter2" not in str(run.detail)


async def test_one_that_says_nothing_runs_into_the_timeout():
    async with server(silent) as url:
        run = await look(port_of(url), timeout_s=0.2, expect="^220 ")
    assert (run.outcome, run.reason, run.detail) == (Outcome.DOWN, Reason.TIMEOUT, "no answer within 0.2 s, connected")


async def test_one_that_talks_without_end_is_cut():
    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"A" * 65536)
            await writer.drain()

    async with server(floods) as url:
        run = await look(port_of(url), expect="^220 ")
    assert (run.outcome, run.reason) == (Outcome.DOWN, Reason.BODY) and len(str(run.detail)) < 200


async def test_a_connection_that_is_cut_is_down():
    async with server(cuts) as url:
        run = await look(port_of(url), expect="^220 ")
    assert run.outcome is Outcome.DOWN and run.reason in (Reason.RESET, Reason.BODY)


async def test_a_trusted_certificate_gives_its_days(tmp_path):
    async with server(greets, certificate(tmp_path, days=30)) as url:
        run = await look(port_of(url), tls=True, ca_file=str(tmp_path / "cert.pem"), expect="^220 ")
    assert run.outcome is Outcome.UP, run.detail
    assert 29 * 86400 < values(run)["certificate_s"] <= 30 * 86400 and values(run)["tls_s"] > 0


@pytest.mark.parametrize(
    ("name", "trusted", "words"),
    [("localhost", False, "self-signed certificate"), ("other.example", True, "certificate is not valid for '127.0.0.1'")],
)
async def test_a_certificate_that_can_not_be_trusted_is_down(tmp_path, name, trusted, words):
    async with server(greets, certificate(tmp_path, name=name)) as url:
        more = {"ca_file": str(tmp_path / "cert.pem")} if trusted else {}
        run = await look(port_of(url), tls=True, **more)
        assert (run.outcome, run.reason) == (Outcome.DOWN, Reason.TLS)
        assert words in str(run.detail)
        assert (await look(port_of(url), tls=True, verify=False)).outcome is Outcome.UP


async def test_an_ended_certificate_is_down_and_says_so(tmp_path):
    async with server(greets, ended(tmp_path)) as url:
        run = await look(port_of(url), tls=True, ca_file=str(tmp_path / "cert.pem"))
    assert (run.outcome, run.reason, run.detail) == (
        Outcome.DOWN,
        Reason.TLS,
        "its certificate can't be trusted: certificate has expired",
    )


async def test_a_plain_port_asked_for_tls_is_down():
    async with server(greets) as url:
        run = await look(port_of(url), tls=True)
    assert (run.outcome, run.reason) == (Outcome.DOWN, Reason.TLS)


async def test_a_bundle_that_is_not_there_is_unknown(tmp_path):
    async with server(greets) as url:
        run = await look(port_of(url), tls=True, ca_file=str(tmp_path / "none.pem"))
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.MISSING)


async def test_many_at_once_leave_no_socket_behind():
    before = len(list(Path("/proc/self/fd").iterdir()))
    async with server(silent) as url:
        runs = await asyncio.gather(*(look(port_of(url)) for _ in range(100)))
        await asyncio.sleep(0)
    assert {run.outcome for run in runs} == {Outcome.UP}
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 3


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("a.example:25", ("a.example", 25)),
        ("[::1]:25", ("::1", 25)),
        ("a:0", None),
        ("a:70000", None),
        ("a", None),
        ("http://a:1", None),
    ],
)
def test_places(target, expected):
    assert place(target) == expected


async def test_a_target_that_is_no_place_is_unknown():
    run = await look("http://a.example/")
    assert (run.outcome, run.reason, run.detail) == (Outcome.UNKNOWN, Reason.CONFIG, '"http://a.example/" is not host:port')


def test_a_pattern_that_would_backtrack_is_refused():
    with pytest.raises(ValidationError, match="back-references"):
        probe("tcp", "a:1", expect=r"(a)\1")
