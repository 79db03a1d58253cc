"""Real servers on loopback that behave as they are told: HTTP answers from a list, an SMTP sink with faults."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

from forewarn.model.map import Channel, Secret
from forewarn.model.message import Envelope
from forewarn.model.settings import Daemon

HANG, RESET, DRIP, LONG_HEADER = "hang", "reset", "drip", "long header"


def envelope(**changes) -> Envelope:
    fields = {
        "message": "M-7",
        "kind": "notice",
        "subkind": "forewarning",
        "to": "customer-zh",
        "subject": "【提前告知】今晚下单可能变慢",
        "text": "11 月 23 日(周一)可能比平时慢。\n.这一行以点开头\n",
        "key": "5f1c",
        "language": "zh",
        "incident": "INC-3",
    }
    return Envelope(**{**fields, **changes})


def channel(url: str, kind: str = "mail") -> Channel:
    return Channel(kind, Secret(url))


def daemon(relay: str | None = None, sender: str = "Forewarn <forewarn@ops.example>") -> Daemon:
    return Daemon(zone=UTC, smtp_url=Secret(relay) if relay else None, mail_from=sender)


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Hook:
    """An HTTP server that gives the next of `answers` to each request, and keeps what it was sent."""

    def __init__(self, *answers: bytes | str) -> None:
        self.answers = list(answers)
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.port = 0
        self.serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.current_task())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next((int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
            self.heads.append(head)
            self.bodies.append(await reader.readexactly(length))
            await self.behave(self.answers.pop(0), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def behave(self, what: bytes | str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if what == HANG:
            await reader.read()  # until the other side gives up
        elif what == RESET:
            writer.transport.abort()
        elif what == DRIP:  # a byte at a time: no single read ever times out
            writer.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        else:
            writer.write(what if isinstance(what, bytes) else what.encode())
            await writer.drain()

    @asynccontextmanager
    async def up(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Hook]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await asyncio.gather(*self.serving)


class Session(SMTP):
    """One conversation; `over` when its connection is gone."""

    def __init__(self, *given, **options) -> None:
        super().__init__(*given, **options)
        self.over = asyncio.Event()

    def connection_lost(self, error) -> None:
        super().connection_lost(error)
        self.over.set()


class Sink:
    """aiosmtpd's handler: takes mail, or answers with a fault at one point of the conversation."""

    def __init__(
        self, *, rcpt: dict[str, str] | None = None, mail: str = "250 OK", data: str = "250 OK", hang: bool = False
    ) -> None:
        self.rcpt, self.mail, self.data, self.hang = rcpt or {}, mail, data, hang
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.users: list[str] = []
        self.helo = ""
        self.port = 0
        self.ended = asyncio.Event()
        self.sessions: list[Session] = []

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.helo = session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.mail.startswith("250"):
            envelope.mail_from = address
        return self.mail

    async def handle_RCPT(self, server, session, envelope, address, options):
        said = self.rcpt.get(address, "250 OK")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server, session, envelope):
        if self.data == "drop":
            server.transport.abort()
            return "250 never read"
        if self.hang:
            await self.ended.wait()
        if self.data.startswith("250"):
            self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return self.data

    def login(self, server, session, envelope, mechanism, data) -> AuthResult:
        self.users.append(data.login.decode())
        return AuthResult(success=data.password == b"right", handled=False)

    @asynccontextmanager
    async def up(self, *, tls: ssl.SSLContext | None = None, wrapped: bool = False, **options) -> AsyncIterator[Sink]:
        def session() -> Session:
            given = {"tls_context": tls} if tls and not wrapped else {}
            self.sessions.append(Session(self, hostname="sink.example", **given, **options))
            return self.sessions[-1]

        loop = asyncio.get_running_loop()
        server = await loop.create_server(session, "127.0.0.1", 0, ssl=tls if wrapped else None)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.ended.set()
            server.close()
            await asyncio.gather(*(session.over.wait() for session in self.sessions))


class Authority:
    """An own certificate authority in a folder, made with openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "ca.pem"
        self._openssl("req", "-x509", "-nodes", "-subj", "/CN=test authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem")

    def context(self, name: str) -> ssl.SSLContext:
        """A server's TLS with a certificate for `name`."""
        (self.folder / "san").write_text(f"subjectAltName=DNS:{name}")
        self._openssl("req", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san", "-days", "2")
        self._sign("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context

    def _openssl(self, verb: str, *rest: str) -> None:
        self._sign(verb, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *rest)

    def _sign(self, *argv: str) -> None:
        subprocess.run(["openssl", *argv], cwd=self.folder, check=True, capture_output=True)
