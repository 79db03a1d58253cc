"""One HTTP exchange on a `Line`: no redirects followed, no proxy, the answer's body bounded."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from forewarn.reach.wire import Line, trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`url` is http or https, without user and password."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`headers` have lower-case names; `cut`: the body went on, or its rest did not come."""

    status: int
    phrase: str
    headers: Mapping[str, str]
    body: bytes
    cut: bool


class _Http(http.client.HTTPConnection):
    """http.client over our line, with TLS where a context is given."""

    def __init__(self, host: str, port: int, line: Line, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port)
        self.line, self.context = line, context

    def connect(self) -> None:
        sock = self.line.connect(self.host, self.port)
        self.sock = self.context.wrap_socket(sock, server_hostname=self.host) if self.context else sock


def exchange(request: Request, line: Line, cap_bytes: int) -> Reply:
    """The answer to `request`, with at most `cap_bytes` of its body.

    Raises OSError (TimeoutError, ssl.SSLError) or http.client.HTTPException: `line.why()` tells them apart.
    """
    parts = urlsplit(request.url)
    secure = parts.scheme == "https"
    connection = _Http(parts.hostname or "", parts.port or (443 if secure else 80), line, trusted() if secure else None)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(request.method, path, body=request.body, headers=dict(request.headers))
        with connection.getresponse() as answer:  # the answer holds the socket open beyond the connection's close()
            if line.was_cut:  # http.client takes the end of the connection for the end of the headers
                raise TimeoutError
            body, whole = _body(answer, cap_bytes + 1)
        return Reply(
            status=answer.status,
            phrase=answer.reason[:80],
            headers={name.lower(): value for name, value in answer.getheaders()},
            body=body[:cap_bytes],
            cut=len(body) > cap_bytes or line.was_cut or not whole,
        )
    finally:
        connection.close()


def _body(answer: http.client.HTTPResponse, most: int) -> tuple[bytes, bool]:
    """What comes of the body, and whether it came as announced: the status is an answer also without it."""
    try:
        return answer.read(most), True
    except http.client.IncompleteRead as error:
        return error.partial[:most], False
    except (OSError, http.client.HTTPException):
        return b"", False
