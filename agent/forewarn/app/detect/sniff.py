"""What is spoken on a port of this machine: a greeting, TLS, HTTP. A few short connections, each with a time limit.

Databases that are known by their program or port are not spoken to: a stray line in their log is somebody's question.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass

GREETING_S, ANSWER_S = 0.4, 2.0
MOST_BYTES = 4096
QUESTION = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: forewarn\r\nConnection: close\r\n\r\n"
GREETINGS = {
    "ssh": re.compile(rb"^SSH-\d"),
    "smtp": re.compile(rb"^220[ -]"),
    "imap": re.compile(rb"^\* OK"),
    "pop3": re.compile(rb"^\+OK"),
    "mysql": re.compile(rb"^.{3}\x00\x0a[\d.]+", re.DOTALL),
}
SILENT = {
    "postgresql": ({"postgres"}, {5432}),
    "mysql": ({"mysqld", "mariadbd"}, {3306}),
    "redis": ({"redis-server", "valkey-server"}, {6379}),
    "memcached": ({"memcached"}, {11211}),
    "mongodb": ({"mongod"}, {27017}),
    "elasticsearch": (set[str](), {9200}),
    "amqp": ({"beam.smp"}, {5672}),
    "dns": ({"named", "unbound", "systemd-resolve", "dnsmasq"}, {53}),
    "cups": ({"cupsd"}, {631}),
    "nfs": ({"rpcbind", "rpc.mountd", "rpc.statd"}, {111, 2049}),
}
"""Protocol -> names of programs, and ports where the program can't be seen."""
ASKED = frozenset({"elasticsearch", "cups"})
"""Of those, what is HTTP all the same."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """`protocol`: a key of GREETINGS or SILENT, `http`, or `tcp` where nobody knows. `status` of an HTTP answer."""

    protocol: str
    tls: bool = False
    status: int | None = None


def silent(program: str | None, port: int) -> str | None:
    """The protocol of a program that need not be spoken to."""
    by_name = next((name for name, (programs, _) in SILENT.items() if program in programs), None)
    by_port = next((name for name, (_, ports) in SILENT.items() if program is None and port in ports), None)
    found = by_name or by_port
    return None if found in ASKED else found


async def listen_in(address: str, port: int) -> Spoken | None:
    """None where nothing takes a connection."""
    try:
        said = await _talk(address, port, None, GREETING_S)
    except OSError:
        return None
    for protocol, pattern in GREETINGS.items():
        if pattern.search(said):
            return Spoken(protocol)
    if said:
        return Spoken("tcp")
    for tls in (True, False):
        with suppress(OSError, TimeoutError, ssl.SSLError):
            answer = await _talk(address, port, tls, ANSWER_S)
            status = re.match(rb"HTTP/\d\S* (\d{3})", answer)
            if status:
                return Spoken("http", tls, int(status[1]))
            if tls:
                return Spoken("tcp", tls=True)
    return Spoken("tcp")


async def _talk(address: str, port: int, tls: bool | None, limit_s: float) -> bytes:
    """What comes back: to a question in HTTP, or (tls is None) of itself. Raises OSError, TimeoutError."""
    async with asyncio.timeout(ANSWER_S):
        reader, writer = await asyncio.open_connection(address, port, ssl=_anyone() if tls else None)
    try:
        if tls is not None:
            writer.write(QUESTION)
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                return await reader.read(MOST_BYTES)
        return b""
    finally:
        writer.close()
        with suppress(OSError, TimeoutError, ssl.SSLError):
            async with asyncio.timeout(ANSWER_S):
                await writer.wait_closed()


def _anyone() -> ssl.SSLContext:
    """It is asked what it speaks, not whether it can be trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
