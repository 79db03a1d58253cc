"""Where the demo's notices arrive: a small SMTP server and a small webhook server on loopback, both real sockets.

Only for the demo: they keep what they get in memory and show it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(frozen=True, slots=True)
class Arrived:
    """One notice that really came out of a socket."""

    by: str  # mail | webhook
    to: str
    subject: str
    text: str
    key: str


class Sinks:
    """`smtp_port` and `hook_port` are chosen by the system; `arrived` grows; `told` is called for each."""

    def __init__(self, told: Callable[[Arrived], None]) -> None:
        self.arrived: list[Arrived] = []
        self._told = told
        self._stack = AsyncExitStack()
        self.smtp_port = 0
        self.hook_port = 0

    async def start(self) -> None:
        smtp = await asyncio.start_server(self._smtp, "127.0.0.1", 0)
        hook = await asyncio.start_server(self._hook, "127.0.0.1", 0)
        for server in (smtp, hook):
            self._stack.push_async_callback(server.wait_closed)
            self._stack.callback(server.close)
        self.smtp_port = smtp.sockets[0].getsockname()[1]
        self.hook_port = hook.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        await self._stack.aclose()

    def _take(self, arrived: Arrived) -> None:
        if all(one.key != arrived.key for one in self.arrived):
            self.arrived.append(arrived)
            self._told(arrived)

    async def _smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As much of RFC 5321 as a mail takes."""
        to = ""
        writer.write(b"220 demo ESMTP\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"RCPT":
                to = line.decode(errors="replace").partition("<")[2].partition(">")[0]
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                self._take(_mail(await reader.readuntil(b"\r\n.\r\n"), to))
            writer.write({b"EHLO": b"250-demo\r\n250 8BITMIME\r\n", b"QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n"))
            await writer.drain()
            if word == b"QUIT":
                break
        writer.close()

    async def _hook(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One POST a connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        length = next((int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
        body = json.loads(await reader.readexactly(length))
        self._take(Arrived("webhook", body["to"], body["subject"], body["text"], body["key"]))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


def _mail(raw: bytes, to: str) -> Arrived:
    letter = message_from_bytes(raw.removesuffix(b".\r\n"), _class=EmailMessage, policy=policy.default)
    body = letter.get_body(("plain",))
    text = body.get_content() if body else ""
    return Arrived(
        "mail", to.partition("@")[2].removesuffix(".example") or to, str(letter["Subject"]), text.strip(), str(letter["Message-ID"])
    )
