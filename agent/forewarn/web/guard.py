"""The first thing that every request meets: Host, Origin, then who may see what. Plain ASGI, so that streams pass through.

- Host must be a loopback name with our own port, else a web page could rebind its name to 127.0.0.1 and read us (421).
- A foreign Origin is refused, whatever the method (403). A request without Origin doesn't come from a page's script.
- `/healthz`, `/readyz` and `/static` are open: they tell nothing.
- `/api` and `/metrics` need `Authorization: Bearer TOKEN` or the console's cookie. With the cookie anything but reading
  also needs our own Origin.
- Console pages are readable by anybody on this machine while no customers are configured; afterwards they need the cookie.
  Buttons always need it (console.py checks their form token as well).

A cookie on 127.0.0.1 is shared by all ports, hence the port in its name: two daemons don't end each other's sessions.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forewarn.web.links import Links
from forewarn.web.said import Trouble

OPEN = ("/healthz", "/readyz", "/static/", "/link/")
MACHINES = ("/api/", "/metrics")
SAFE = ("GET", "HEAD")
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

Answer = Callable[[HTTPConnection, Trouble], ASGIApp]


class Guard:
    """Middleware. `locked` says whether pages need the cookie; `answer` makes the response that says why not; `count` is how many
    changes there have been: what a page shows is at least as new as that."""

    def __init__(self, app: ASGIApp, links: Links, locked: Callable[[], bool], answer: Answer, count: Callable[[], int]) -> None:
        self._app = app
        self._links = links
        self._locked = locked
        self._answer = answer
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        scope["state"] = {**scope.get("state", {}), "session": self._session(connection), "count": self._count()}
        trouble = self._trouble(connection)
        app = self._answer(connection, trouble) if trouble else self._app
        await app(scope, receive, _hardened(send, scope["path"]))

    def _trouble(self, connection: HTTPConnection) -> Trouble | None:
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        path, method, port = connection.url.path, connection.scope["method"], port_of(connection.scope)
        if host.lower() not in _own_hosts(port):
            return Trouble(421, "web.host", {"host": host, "port": str(port)})
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return Trouble(403, "web.origin", {"origin": origin})
        if path.startswith(OPEN):
            return None
        session = connection.scope["state"]["session"]
        if path.startswith(MACHINES):
            return self._machine(connection.headers, session, method, origin)
        if not session and (method not in SAFE or self._locked()):
            return Trouble(401, "web.locked")
        return None

    def _machine(self, headers: Headers, session: str | None, method: str, origin: str | None) -> Trouble | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._links.is_token(token.strip()):
            return None
        if session and (method in SAFE or origin is not None):
            return None
        return Trouble(403, "web.no_origin") if session else Trouble(401, "web.token")

    def _session(self, connection: HTTPConnection) -> str | None:
        given = connection.cookies.get(cookie_name(connection.scope), "")
        return given if self._links.is_session(given) else None


def port_of(scope: Scope) -> int:
    """The port that the request came in on."""
    return int(scope["server"][1])


def cookie_name(scope: Scope) -> str:
    return f"forewarn_{port_of(scope)}"


def _own_hosts(port: int) -> set[str]:
    names = ("127.0.0.1", "localhost", "[::1]")
    return {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set())


def _hardened(send: Send, path: str) -> Send:
    cache = "max-age=3600" if path.startswith("/static/") else "no-store"

    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = [
                (name, value) for name, value in message["headers"] if name.decode() not in HEADERS and name != b"cache-control"
            ]
            ours = {**HEADERS, "cache-control": cache}
            message = {**message, "headers": [*given, *((name.encode(), value.encode()) for name, value in ours.items())]}
        await send(message)

    return hardened
