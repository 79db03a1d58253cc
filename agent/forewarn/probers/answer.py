"""What an HTTP exchange came to, free of the library that made it: phases, the answer, or why there is none."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from forewarn.probers.options import size_text
from forewarn.probers.reasons import Failure, Reason, down, unknown


class Phases(NamedTuple):
    """Each phase's own duration in seconds; `total_s` is the whole, with the rest of the body."""

    resolve_s: float
    connect_s: float
    tls_s: float | None  # None without TLS
    first_byte_s: float
    total_s: float


class Times(NamedTuple):
    """libcurl's clock: microseconds from the start until each point, 0 where it was not reached.

    After redirects each is the sum over all legs. Source: https://curl.se/libcurl/c/curl_easy_getinfo.html ("Times")
    """

    resolved: int
    connected: int
    tls_done: int
    sent: int  # "pretransfer": TLS is done or not needed, the request goes out
    first_byte: int
    total: int


def split(times: Times) -> Phases:
    """Phases of an exchange that got its first byte. `sent` is the border of TLS, since after a redirect from http to
    https `tls_done` lacks the leg that had no TLS."""
    border = times.sent if times.tls_done else times.connected
    tls = max(0, times.sent - times.connected) / 1e6 if times.tls_done else None
    return Phases(
        resolve_s=times.resolved / 1e6,
        connect_s=max(0, times.connected - times.resolved) / 1e6,
        tls_s=tls,
        first_byte_s=max(0, times.first_byte - border) / 1e6,
        total_s=times.total / 1e6,
    )


@dataclass(slots=True, kw_only=True)
class Answer:
    """A complete answer (not frozen for the sake of speed; nobody changes one). `headers` has lower-case names; `location` is where a redirect that was not followed leads."""

    status: int
    phases: Phases
    size_bytes: int
    body: bytes = b""
    charset: str = "utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    location: str | None = None
    certificate_s: float | None = None  # until the end of the target's certificate

    @property
    def text(self) -> str:
        try:
            return self.body.decode(self.charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An exchange without a complete answer: libcurl's code and words, the system's error number, how far it came."""

    url: str
    code: int
    message: str
    os_errno: int
    times: Times
    size_bytes: int
    timeout_s: float
    max_body: int
    too_big: bool = False


class Code(IntEnum):
    """libcurl's results that can come of HTTP. Source: https://curl.se/libcurl/c/libcurl-errors.html"""

    UNSUPPORTED = 1
    URL = 3
    RESOLVE = 6
    CONNECT = 7
    WEIRD = 8
    PARTIAL = 18
    TIMED_OUT = 28
    TLS = 35
    REDIRECTS = 47
    NOTHING = 52
    SEND = 55
    RECEIVE = 56
    OWN_CERTIFICATE = 58
    CIPHER = 59
    UNTRUSTED = 60
    ENCODING = 61
    CA_FILE = 77
    CERT_STATUS = 91
    TOO_LARGE = 100


OURS = {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS}
"""System errors of a connect that say nothing about the target: no way out of this machine, or no socket left."""
FORBIDDEN = {errno.EACCES, errno.EPERM}
VERDICT = re.compile(r"(?:verify result|certificate problem): (.+?)(?: \(\d+\))?$")
"""What OpenSSL has against a certificate, in the words of libcurl since 8.10 and before."""
TOO_MUCH = re.compile(r"(?i)too (?:large|many) response headers|headers? too large")
CUT = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}


def explain(broken: Broken) -> Failure:
    """Down with a reason where the target is at fault, unknown where we are."""
    if broken.too_big:
        return down(Reason.TOO_BIG, f"the answer is larger than {size_text(broken.max_body)}; raise max_body if that is right")
    match broken.code:
        case Code.TIMED_OUT if not broken.times.resolved:
            return down(Reason.RESOLVE, f"the name {host_of(broken.url)} was not resolved within {broken.timeout_s:g} s")
        case Code.TIMED_OUT:
            return down(Reason.TIMEOUT, f"no answer within {broken.timeout_s:g} s: {_stage(broken)}")
        case Code.RESOLVE:
            return down(Reason.RESOLVE, f"the name {host_of(broken.url)} has no address")
        case Code.CONNECT:
            return _unconnected(broken)
        case Code.URL | Code.UNSUPPORTED if not broken.times.connected:
            return unknown(Reason.CONFIG, f"the target can't be used as an address: {_words(broken)}")
        case Code.CA_FILE:
            return unknown(Reason.MISSING, f"the certificates to trust can't be read: {_words(broken)}")
    return _talked(broken)


def _talked(broken: Broken) -> Failure:
    """What went wrong after the connection stood."""
    match broken.code:
        case Code.NOTHING:
            return down(Reason.RESET, "the connection was closed without an answer")
        case Code.PARTIAL:
            return down(Reason.RESET, f"the answer ended early, after {broken.size_bytes} bytes of its body")
        case Code.TLS | Code.SEND | Code.RECEIVE if broken.os_errno in CUT or "reset" in broken.message.lower():
            return down(Reason.RESET, f"the connection was reset: {_stage(broken)}")
        case Code.UNTRUSTED if found := VERDICT.search(broken.message):
            return down(Reason.TLS, f"its certificate can't be trusted: {found[1]}")
        case Code.TLS | Code.OWN_CERTIFICATE | Code.CIPHER | Code.UNTRUSTED | Code.CERT_STATUS:
            return down(Reason.TLS, f"TLS failed: {_words(broken)}")
        case Code.REDIRECTS:
            return down(Reason.REDIRECTS, f"redirected too often: {_words(broken)}")
        case Code.TOO_LARGE | Code.RECEIVE if broken.code == Code.TOO_LARGE or TOO_MUCH.search(broken.message):
            return down(Reason.TOO_BIG, f"the headers of the answer are too large: {_words(broken)}")
        case Code.WEIRD | Code.UNSUPPORTED | Code.RECEIVE | Code.ENCODING | Code.URL | Code.SEND:
            return down(Reason.PROTOCOL, f"not an HTTP answer: {_words(broken)}")
    return unknown(Reason.BUG, f"libcurl error {broken.code}: {_words(broken)}")


def _unconnected(broken: Broken) -> Failure:
    number, where = broken.os_errno, host_of(broken.url)
    if number == errno.ECONNREFUSED:
        return down(Reason.REFUSED, f"connection refused by {where}")
    if number == errno.ETIMEDOUT:
        return down(Reason.TIMEOUT, f"no connection to {where}: the system gave up waiting")
    if number in CUT:
        return down(Reason.RESET, f"the connection to {where} was reset while it was made")
    why = os.strerror(number).lower() if number else _words(broken)
    if number in OURS:
        return unknown(Reason.NO_NETWORK, f"this machine can't reach {where}: {why}")
    if number in FORBIDDEN:
        return unknown(Reason.PERMISSION, f"this machine forbids the connection to {where}: {why}")
    return down(Reason.UNREACHABLE, f"no connection to {where}: {why}")


def _stage(broken: Broken) -> str:
    """How far the exchange had come."""
    times = broken.times
    if not times.connected:
        return f"connecting to {host_of(broken.url)}"
    if broken.url.startswith("https:") and not times.tls_done:
        return "in the TLS handshake"
    if not times.first_byte:
        return "waiting for the first byte"
    return f"after {broken.size_bytes} bytes of the body"


def host_of(url: str) -> str:
    """Host and port of an address, never what stands before an @."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or url
    except ValueError:
        return url.rpartition("@")[2]


def bare(url: str) -> str:
    """An address without user, password, query and fragment: these can hold secrets."""
    scheme, colon, rest = url.split("?")[0].split("#")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{colon}{host.rpartition('@')[2]}{slash}{path}"


def _words(broken: Broken) -> str:
    """libcurl's own words on one line, without repeating what ours say."""
    return " ".join(broken.message.split())[:200]
