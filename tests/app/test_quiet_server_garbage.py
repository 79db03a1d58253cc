"""Our own port under a scan: garbage, half requests, floods and connections that say nothing leave it answering."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import nullcontext

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from forewarn.app.quiet_server import QuietServer

GARBAGE = (
    random.Random(5).randbytes(4000),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),  # a TLS hello
    b"SSH-2.0-scan\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X-Y: " + b"z" * 200_000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"\0" * 70_000,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


async def asked(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def test_garbage_is_refused_and_the_rest_is_answered() -> None:
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("well"))])
    with socket.create_server(("127.0.0.1", 0), backlog=128) as door:
        port = door.getsockname()[1]
        server = QuietServer(app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off", ws="none")
        server.capture_signals = nullcontext  # type: ignore[assignment]
        serving = asyncio.create_task(server.serve(sockets=[door]))
        while not server.started:
            await asyncio.sleep(0.01)
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        silent[0][1].write(b"GET / HTT")
        for said in GARBAGE:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            writer.write_eof()
            try:
                answer = await asyncio.wait_for(reader.read(1000), 10)
            except ConnectionError:
                answer = b""
            assert b"well" not in answer
            writer.close()
            assert b"200 OK" in await asked(port), said[:20]
        for _, writer in silent:
            writer.close()
        server.leave()
        await serving
