"""What the tests of probers share: probes made by hand, and small servers that misbehave in one way each."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from forewarn.model.probe import Probe, Source, Target
from forewarn.model.series import ProbeRun
from forewarn.probers import PROBERS
from forewarn.probers.http_engine import HttpEngine
from forewarn.probers.once import run_once

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def probe(kind: str, *targets: str, timeout_s: float = 2.0, every_s: float = 10.0, **options: Any) -> Probe:
    """A probe without rules, its options checked as the loader checks them."""
    return Probe(
        name="p",
        kind=kind,
        every_s=every_s,
        timeout_s=timeout_s,
        targets=tuple(Target(target, target) for target in targets) or PROBERS[kind].targets,
        options=PROBERS[kind].options.model_validate(options),
        rules=(),
        source=Source("probes/p.yaml", 1),
    )


SHORT = True
"""Whether engines made here go the short way where they can (the fixture `both_ways` runs a test once with each)."""


@pytest.fixture(params=[True, False], ids=["short", "libcurl"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One contract, two ways of an http probe."""
    monkeypatch.setattr(sys.modules[__name__], "SHORT", request.param)


def http_engine(**given: Any) -> HttpEngine:
    return HttpEngine(short=SHORT, **given)


async def look(url: str, timeout_s: float = 2.0, **options: Any) -> ProbeRun:
    """One run of an http probe on an engine of its own."""
    engine = http_engine()
    try:
        return (await run_once("engine", engine, probe("http", url, timeout_s=timeout_s, **options), time.time()))[0]
    finally:
        await engine.close()


def values(run: ProbeRun) -> dict[str, float]:
    return {metric: value for (metric, _), value in zip(run.columns, run.values, strict=True)}


@asynccontextmanager
async def server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Runs `handler` for each connection; answers the address. Handlers still at work are cancelled at the end."""
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls, ssl_handshake_timeout=5 if tls else None)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}/"
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        while tasks:
            await asyncio.sleep(0.001)


def answering(body: bytes = b"ok", status: str = "200 OK", *headers: str) -> Handler:
    """A server that answers properly."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
        writer.write(head.encode() + b"\r\n" + body)
        await writer.drain()

    return handle


def saying(raw: bytes, then: float | None = None) -> Handler:
    """A server that says just that; `then`: keeps the connection open so many seconds, else closes it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()
        if then:
            await asyncio.sleep(then)

    return handle


def certificate(folder: Path, days: int = 30, name: str = "localhost") -> ssl.SSLContext:
    """A server's context with a fresh self-signed certificate, which lies in folder/cert.pem."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    argv += ["-keyout", str(key), "-out", str(cert), "-days", str(days), "-subj", f"/CN={name}"]
    argv += ["-addext", f"subjectAltName=DNS:{name}" + (",IP:127.0.0.1" if name == "localhost" else "")]
    subprocess.run(argv, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def ended(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate that ended years ago, signed by itself."""
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=c\n[c]\ndir=.\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
        "[e]\nsubjectAltName=IP:127.0.0.1\nbasicConstraints=CA:TRUE\n"
    )
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    key = [
        "openssl",
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "r.pem",
    ]
    sign = ["openssl", "ca", "-config", "ca.cnf", "-batch", "-selfsign", "-keyfile", "key.pem", "-in", "r.pem", "-out", "cert.pem"]
    sign += ["-extensions", "e", "-notext", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
    for argv in ([*key, "-subj", "/CN=localhost"], sign):
        subprocess.run(argv, check=True, capture_output=True, cwd=folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
