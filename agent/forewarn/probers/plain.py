"""The short way of an http probe: its request, and what came of it, without a library for HTTP.

For nothing but a question and an answer: no redirects, no secrets, no body to send, no certificate of our own. Everything else
goes libcurl's way (long_way.py), and so does a name with several addresses, since libcurl tries them side by side. Both ways
have the same bounds, give the same phases and reasons, and pass the same tests. TLS is that of tls_talk.py, imported with the
first target that needs it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from forewarn import __version__
from forewarn.probers.answer import Answer, Broken, Code, Phases, Times, bare
from forewarn.probers.answer_read import AnswerReader
from forewarn.probers.bundle import bundle
from forewarn.probers.ends import Ends
from forewarn.probers.http import HttpOptions
from forewarn.probers.talk import Address, Talk

_PLAIN = re.compile(
    r"^(?P<scheme>https?)://(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?(?P<path>/[!-~]*)?$"
)
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_OWN_HEADERS = frozenset({"host", "user-agent", "accept", "content-length", "transfer-encoding", "connection", "expect", "te"})
_TYPE = re.compile(rb"\ncontent-type:[^\r\n]*?charset=[ \t\"']*([A-Za-z0-9._:-]+)", re.IGNORECASE)
_LOCATION = re.compile(rb"\nlocation:[ \t]*([^\r\n]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Way:
    """How one target of a probe is asked. `address` is None where the name must be looked up first."""

    host: str
    port: int
    family: int  # 4, 6, or 0 for either
    address: Address | None
    request: bytes
    options: HttpOptions
    tls: bool


def way(options: HttpOptions, url: str) -> Way | None:
    """The short way to a target; None where it must go the long one."""
    if (
        options.redirects
        or options.secret_file
        or options.proxy
        or options.compressed
        or options.http2
        or options.body is not None
        or options.method not in _METHODS
        or options.cert_file
    ):
        return None
    if any(name.lower() in _OWN_HEADERS for name in options.headers):
        return None
    found = _PLAIN.match(url)
    if found is None or "#" in url or "/." in (found["path"] or ""):
        return None
    tls = found["scheme"] == "https"
    usual = 443 if tls else 80
    host, port = found["six"] or found["host"], int(found["port"] or usual)
    if not 0 < port < 65536 or (tls and (host.endswith(".") or not _has_tls())):
        return None
    literal = _literal(host)
    if (found["six"] and (literal is None or literal == 4)) or (literal and options.ip and literal != options.ip):
        return None
    if literal is None and not is_name(host):
        return None  # an address in a form that only a library knows
    address = _place(host, port, literal) if literal else None
    shown = f"[{host}]" if literal == 6 else host
    lines = [f"{options.method} {found['path'] or '/'} HTTP/1.1", f"Host: {shown}" + (f":{port}" if port != usual else "")]
    lines += [
        f"User-Agent: forewarn/{__version__}",
        "Accept: */*",
        *(f"{name}: {value}".rstrip(" ") for name, value in options.headers.items()),
    ]
    return Way(
        sys.intern(host), port, literal or options.ip or 0, address, ("\r\n".join(lines) + "\r\n\r\n").encode(), options, tls
    )


def is_name(host: str) -> bool:
    """Whether a host is a name to look up, and not an address in one of its forms."""
    return bool(host) and host.isascii() and _literal(host) is None and not re.fullmatch(r"[0-9.]+|0[xX].*", host)


@lru_cache(maxsize=1024)
def _literal(host: str) -> int | None:
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _place(host: str, port: int, version: int) -> Address:
    """The same object for all targets there."""
    return (host, port) if version == 4 else (host, port, 0, 0)


def place(way: Way, address: str) -> Address:
    """Where to connect to, once the name was found."""
    return (address, way.port, 0, 0) if ":" in address else (address, way.port)


def talk(job: Any, way: Way, address: Address, timeout_s: float, ends: Ends) -> Talk:
    """The connection that asks it. Raises OSError where this machine has no socket left, Untrusted where nobody can be."""
    options = way.options
    reader = AnswerReader(options.method == "HEAD", options.reads_body, options.max_body)
    if way.tls:
        return _over_tls(job, way, address, reader, timeout_s, ends.group(job.target.address, job.at_s))
    return Talk(job, socket.AF_INET6 if len(address) == 4 else socket.AF_INET, address, way.request, reader, timeout_s)


class Untrusted(Exception):
    """Whom to trust can't be read; its words say why."""


def _over_tls(job: Any, way: Way, address: Address, reader: AnswerReader, timeout_s: float, group: str) -> Talk:
    from forewarn.probers.tls_talk import TlsTalk, trust

    ca_file = bundle(way.options.ca_file) if way.options.verify else None
    family = socket.AF_INET6 if len(address) == 4 else socket.AF_INET
    try:
        trusted = trust(ca_file, way.options.verify, group)
    except (OSError, ValueError) as error:
        raise Untrusted(getattr(error, "strerror", None) or str(error)) from None
    return TlsTalk(job, family, address, way.request, reader, timeout_s, way.host, trusted)


@cache
def _has_tls() -> bool:
    """Without pyOpenSSL, or with one that lacks what we need of it, https goes the long way."""
    try:
        from forewarn.probers import tls_talk
    except (ImportError, AttributeError):
        return False
    return tls_talk.usable()


def answer(talk: Talk, url: str, resolve_s: float, over: float, ends: Ends) -> Answer:
    """Of a talk that ended well, at the monotonic time `over`."""
    reader: AnswerReader = talk.reader  # type: ignore[assignment]
    way_headers, status = talk.job.probe.options.expect.headers, reader.status
    sent, tls_s, certificate_s = talk.connected, None, None
    if shaken := getattr(talk, "shaken", 0.0):
        sent, tls_s, at_s = shaken, shaken - talk.connected, talk.job.at_s
        if ends.wanted(url, at_s) and (end_s := talk.end_s()) is not None:  # type: ignore[attr-defined]
            ends.read(url, at_s, end_s, talk.group())  # type: ignore[attr-defined]
        certificate_s = ends.left_s(url, at_s)
    phases = Phases(resolve_s, talk.connected - talk.begun, tls_s, talk.first - sent, resolve_s + over - talk.begun)
    body = reader.body
    charset = "utf-8"
    if body and (found := _TYPE.search(reader.head)):
        charset = found[1].decode().lower()
    return Answer(
        status=status,
        phases=phases,
        size_bytes=reader.size,
        body=body,
        charset=charset,
        headers=_headers(reader.head) if way_headers else {},
        location=_location(reader.head, url) if 300 <= status < 400 else None,
        certificate_s=certificate_s,
    )


def _headers(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode("iso-8859-1").splitlines()[1:] if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _location(head: bytes, url: str) -> str | None:
    """Where it leads, without what may be secret."""
    from urllib.parse import urljoin

    found = _LOCATION.search(head)
    return bare(urljoin(url, found[1].decode("iso-8859-1").strip())) if found else None


def broken(talk: Talk, url: str, resolve_s: float, over: float) -> Broken:
    """Of a talk that came to nothing, in libcurl's terms."""
    reader: AnswerReader = talk.reader  # type: ignore[assignment]
    begun, spoilt = talk.begun - resolve_s, talk.spoilt
    if talk.late:
        code = Code.TIMED_OUT
    elif spoilt:
        code = Code(spoilt.code)
    elif not talk.connected:
        code = Code.CONNECT
    else:
        code = Code.RECEIVE
    connected = max(1, round((talk.connected - begun) * 1e6)) if talk.connected else 0
    shaken = round((at - begun) * 1e6) if (at := getattr(talk, "shaken", 0.0)) else 0
    return Broken(
        url=url,
        code=code,
        message=spoilt.words if spoilt else "",
        os_errno=talk.error,
        times=Times(
            resolved=max(1, round(resolve_s * 1e6)),
            connected=connected,
            tls_done=shaken,
            sent=shaken or connected,
            first_byte=round((talk.first - begun) * 1e6) if talk.first and reader.status else 0,
            total=round((over - begun) * 1e6),
        ),
        size_bytes=reader.size,
        timeout_s=talk.job.probe.timeout_s,
        max_body=talk.job.probe.options.max_body,
        too_big=reader.too_big,
    )
