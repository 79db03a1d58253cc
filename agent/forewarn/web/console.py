"""The console's pages and its one form target. Pages need no script; every button is a form that comes back to its page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from forewarn.model.message import Message
from forewarn.model.playbook import RunState
from forewarn.web import detail, probe
from forewarn.web.desk import Desk
from forewarn.web.explain import why_page
from forewarn.web.first import first_page
from forewarn.web.guard import cookie_name
from forewarn.web.language import COOKIE, choose
from forewarn.web.letters import leaves_at
from forewarn.web.links import SESSION_LIVES
from forewarn.web.loaded import loaded_page
from forewarn.web.names import Names
from forewarn.web.now import now_page
from forewarn.web.paper import page
from forewarn.web.reads import Query
from forewarn.web.said import Trouble, Unanswerable

MOST_BODY = 65536
MENDABLE = frozenset({"refused.lint", "refused.version", "refused.needs_reason"})
"""Why new words are not taken, where other words would be."""
MOST_WORDS = 200
WHO = "forewarn_who"
BACK = re.compile(r"/(?:i/INC-\d+|now|messages(?:\?state=[a-z_]+)?)?")
YEAR_S = 365 * 86400
FORM_VERBS = frozenset(
    {
        "copied",
        "acknowledge",
        "unacknowledge",
        "resolve",
        "false-alarm",
        "useful",
        "not-useful",
        "note",
        "approve",
        "refuse",
        "undo",
        "edit",
        "answer",
    }
)


class Console:
    """Handlers; the routes are in app.py, and who may come here is decided in guard.py."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def first(self, request: Request) -> Response:
        desk = self._desk
        shown = await desk.read(first_page, desk.reads, desk.live(), desk.reader(request))
        return self._page(request, "first.html", shown)

    async def incident(self, request: Request) -> Response:
        desk = self._desk
        shown = await desk.read(detail.incident_page, desk.reads, request.path_params["id"], desk.reader(request))
        said = {run.id: desk.stats.saying(run.id) for run in shown["runs"] if run.state is RunState.RUNNING}
        return self._page(request, "incident.html", {**shown, "saying": said})

    async def now(self, request: Request) -> Response:
        desk, given = self._desk, request.query_params
        words, after = given.get("q", "").strip()[:MOST_WORDS], given.get("after") or None
        shown = await desk.read(now_page, desk.reads, desk.live(), desk.reader(request), words, after)
        return self._page(request, "now.html", shown)

    async def probe(self, request: Request) -> Response:
        """`?hours=` says how far back the pictures reach, `?series=` shows one that no rule judges."""
        desk, reader, given = self._desk, self._desk.reader(request), request.query_params
        hours = probe.hours_of(given.get("hours"))
        view = probe.viewed(desk.live(), request.path_params["name"])
        series = probe.pictured(view, given.get("series"))
        windows = await desk.past([one.series for one in series], reader.now - timedelta(hours=hours), reader.now)
        shown = await desk.read(probe.probe_page, desk.reads, view, series, windows, hours, reader)
        return self._page(request, "probe.html", {**shown, "asked": given.get("series")})

    async def loaded(self, request: Request) -> Response:
        desk = self._desk
        shown = loaded_page(desk.settings(), desk.live(), desk.stats.reloaded(), desk.reader(request))
        return self._page(request, "loaded.html", shown)

    async def why(self, request: Request) -> Response:
        """Where a figure or sentence comes from, back to the samples."""
        desk = self._desk
        shown = await desk.read(why_page, request.path_params["id"], desk.reads, desk.reader(request))
        return self._page(request, "why.html", shown)

    async def live(self, request: Request) -> Response:
        """Server-sent events for the pages' script: the same as the API's, under the pages' own door."""
        return StreamingResponse(self._desk.feed.events(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def messages(self, request: Request) -> Response:
        desk, query = self._desk, Query.of(request.query_params)
        shown = await desk.read(detail.messages_page, desk.reads, query, desk.reader(request))
        return self._page(request, "messages.html", shown)

    async def enter(self, request: Request) -> Response:
        """A one-time link: sets the cookie and goes on to the first page by itself.

        The answer is a page, not a redirect: one that begins on another site would not carry a SameSite=Strict cookie.
        """
        if not self._desk.links.take(request.path_params["code"]):
            raise Unanswerable(Trouble(403, "web.code"))
        response = self._page(request, "enter.html", {})
        response.set_cookie(
            cookie_name(request.scope),
            self._desk.links.session(),
            max_age=int(SESSION_LIVES.total_seconds()),
            path="/",
            httponly=True,
            samesite="strict",
        )
        return response

    async def do(self, request: Request) -> Response:
        """A button: fields verb, id, by, text, version, words, back and the form's token."""
        desk, given = self._desk, await _form(request)
        if not desk.links.is_form_token(request.state.session, given.get("token", "")):
            raise Unanswerable(Trouble(403, "web.form"))
        verb, by = given.get("verb", ""), given.get("by") or "console"
        if verb not in FORM_VERBS:
            raise Unanswerable(Trouble(400, "web.field", {"field": "verb"}))
        if by != "console" and by not in desk.settings().people:
            raise Unanswerable(Trouble(400, "web.field", {"field": "by"}))
        version, text = given.get("version", ""), given.get("text", "").replace("\r\n", "\n").strip() or None
        back = given.get("back", "/") if BACK.fullmatch(given.get("back", "/")) else "/"
        try:
            await desk.command(
                verb,
                given.get("id"),
                by,
                tuple(given.get("words", "").split()),
                text,
                int(version) if version.isascii() and version.isdigit() else None,
            )
        except Unanswerable as refused:
            if verb != "edit" or refused.trouble.key not in MENDABLE:
                raise
            return await self._again(request, refused.trouble, given.get("id", ""), text or "", back)
        response = RedirectResponse(back, 303)
        response.set_cookie(WHO, by, max_age=YEAR_S, path="/", httponly=True, samesite="strict")
        return response

    async def _again(self, request: Request, trouble: Trouble, id: str, text: str, back: str) -> Response:
        """Words that were refused are not lost: they can be mended and saved again over what stands there now."""
        message = await self._desk.read(lambda: {"it": self._desk.ledger.get(id)})
        if not isinstance(it := message["it"], Message):
            raise Unanswerable(trouble)
        return self._page(
            request,
            "again.html",
            {"trouble": trouble, "message": it, "text": text, "back": back, "path": "/messages"},
            trouble.status,
        )

    def trouble(self, connection: HTTPConnection, trouble: Trouble) -> Response:
        """A page that says what is wrong and what to do."""
        return self._page(connection, "trouble.html", {"trouble": trouble}, trouble.status)

    def _page(self, connection: HTTPConnection, template: str, shown: Mapping[str, object], status: int = 200) -> Response:
        desk, reader = self._desk, self._desk.reader(connection)
        session = connection.scope.get("state", {}).get("session")
        asked = connection.query_params.get("lang")
        common = {
            "path": connection.url.path,
            "count": connection.scope.get("state", {}).get("count", 0),
            "languages": {other: _with_language(connection, other) for other in desk.settings().phrases},
            "token": desk.links.form_token(session) if session else None,
            "who": connection.cookies.get(WHO, ""),
            "people": list(desk.settings().people),
            "answers": detail.ANSWERS,
            "leaves_at": leaves_at,
            "names": Names(desk.settings(), reader),
        }
        response = page(desk.pages, template, reader, status, {**common, **shown})
        if asked and choose([asked], desk.settings().phrases, "") == reader.language:
            response.set_cookie(COOKIE, reader.language, max_age=YEAR_S, path="/", samesite="lax")
        return response


def _with_language(connection: HTTPConnection, language: str) -> str:
    """The address of this page in another language."""
    query = {**connection.query_params, "lang": language}
    path = "/" if connection.url.path.startswith(("/link/", "/do")) else connection.url.path
    return f"{path}?{urlencode(query)}"


async def _form(request: Request) -> Mapping[str, str]:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            raise Unanswerable(Trouble(413, "web.too_long", {"most": MOST_BODY}))
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
