"""The console's pages and its one form target. Pages need no script; every button is a form that comes back to its page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from forewarn.core.reader import Body, Reader
from forewarn.model.message import Message
from forewarn.model.playbook import RunState
from forewarn.web import detail, find, probe
from forewarn.web.desk import Desk, streamed
from forewarn.web.explain import why_page
from forewarn.web.first import first_page
from forewarn.web.guard import cookie_name
from forewarn.web.language import COOKIE, choose
from forewarn.web.letters import leaves_at
from forewarn.web.links import SESSION_LIVES
from forewarn.web.loaded import loaded_page
from forewarn.web.names import Names
from forewarn.web.now import now_page, wanted
from forewarn.web.paper import answered, rendered
from forewarn.web.reads import Live, Query
from forewarn.web.said import Trouble, Unanswerable
from forewarn.web.scores import scorecard

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
Shows = Callable[[], Body]
"""Reads what a page shows; in a thread, since it asks the store."""
Show = Callable[[Reader], Awaitable[Shows]]
"""Takes, on the loop, what belongs to it, and answers what is left to do in a thread."""


class Console:
    """Handlers; the routes are in app.py, and who may come here is decided in guard.py."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def first(self, request: Request) -> Response:
        """`?after=` is the last forewarning of the page before."""
        after = request.query_params.get("after") or None

        async def show(reader: Reader) -> Shows:
            live = await self._desk.live()
            return lambda: first_page(self._desk.reads, live, reader, after)

        return await self._page(request, "first.html", show, "/api/v1/ahead")

    async def incident(self, request: Request) -> Response:
        desk, id = self._desk, request.path_params["id"]

        async def show(reader: Reader) -> Shows:
            shown = await desk.read(detail.incident_page, desk.reads, id, reader)
            said = {run.id: desk.stats.saying(run.id) for run in shown["runs"] if run.state is RunState.RUNNING}
            return lambda: {**shown, "saying": said}

        return await self._page(request, "incident.html", show, f"/api/v1/incidents/{quote(id)}")

    async def now(self, request: Request) -> Response:
        """`?q=` narrows the probes, `?after=` and `?incident=` are the last probe and incident of the page before."""
        given = request.query_params

        async def show(reader: Reader) -> Shows:
            words, glance = given.get("q", "").strip()[:MOST_WORDS], await self._desk.stats.glance()
            asked = wanted(glance, words, given.get("after") or None, given.get("incident") or None)
            live = await self._desk.live(asked.names)
            return lambda: now_page(self._desk.reads, live, reader, asked)

        return await self._page(request, "now.html", show, "/api/v1/now")

    async def probe(self, request: Request) -> Response:
        """`?hours=` says how far back the pictures reach (else as far as there are samples, a day at most), `?series=` shows one that no rule judges."""
        desk, given, name = self._desk, request.query_params, request.path_params["name"]
        hours = probe.hours_of(given.get("hours"))

        async def show(reader: Reader) -> Shows:
            view = probe.viewed(Live(views=await desk.stats.views([name])), name)
            series = probe.pictured(view, given.get("series"))
            windows = await desk.past([one.series for one in series], reader.now - timedelta(hours=hours), reader.now)
            asked = {"asked": given.get("series"), "would": desk.hindsight(view.probe)}
            span = hours if "hours" in given else probe.shortest(windows, reader.now)
            return lambda: {**probe.probe_page(desk.reads, view, series, windows, span, reader), **asked}

        return await self._page(request, "probe.html", show, f"/api/v1/probes/{quote(name)}")

    async def loaded(self, request: Request) -> Response:
        """`?kind=` and `?after=` lead on in one of the tables."""
        desk, kind, after = self._desk, request.query_params.get("kind"), request.query_params.get("after")

        async def show(reader: Reader) -> Shows:
            reload, live = desk.stats.reloaded(), Live(troubles=desk.stats.troubles())
            return lambda: loaded_page(desk.settings(), live, reload, reader, kind, after)

        return await self._page(request, "loaded.html", show, "/api/v1/loaded")

    async def scorecard(self, request: Request) -> Response:
        async def show(reader: Reader) -> Shows:
            return lambda: scorecard(self._desk.reads)

        return await self._page(request, "scorecard.html", show, "/api/v1/scorecard")

    async def search(self, request: Request) -> Response:
        """`?q=` is what is sought, `?kind=` and `?after=` lead on in what was found of one kind."""
        desk, asked = self._desk, find.asked(request.query_params)

        async def show(reader: Reader) -> Shows:
            return lambda: find.search_page(desk.reads, asked, reader)

        return await self._page(request, "search.html", show, "/api/v1/search")

    async def why(self, request: Request) -> Response:
        """Where a figure or sentence comes from, back to the samples."""
        desk, id = self._desk, request.path_params["id"]

        async def show(reader: Reader) -> Shows:
            return lambda: why_page(id, desk.reads, reader)

        return await self._page(request, "why.html", show, f"/api/v1/why/{quote(id)}")

    async def live(self, request: Request) -> Response:
        """Server-sent events for the pages' script: the same as the API's, under the pages' own door."""
        return streamed(self._desk, request)

    async def messages(self, request: Request) -> Response:
        query = Query.of(request.query_params)

        async def show(reader: Reader) -> Shows:
            return lambda: detail.messages_page(self._desk.reads, query, reader)

        return await self._page(request, "messages.html", show, "/api/v1/messages")

    async def enter(self, request: Request) -> Response:
        """A one-time link: sets the cookie and goes on to the first page by itself.

        The answer is a page, not a redirect: one that begins on another site would not carry a SameSite=Strict cookie.
        """
        if not self._desk.links.take(request.path_params["code"]):
            raise Unanswerable(Trouble(403, "web.code"))
        response = self._plain(request, "enter.html", {})
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
                return self.trouble(request, refused.trouble, text or "")
            return await self._again(request, refused.trouble, given.get("id", ""), text or "", by, back)
        response = RedirectResponse(back, 303)
        response.set_cookie(WHO, by, max_age=YEAR_S, path="/", httponly=True, samesite="strict")
        return response

    async def _again(self, request: Request, trouble: Trouble, id: str, text: str, by: str, back: str) -> Response:
        """Words that were refused are not lost: they can be mended and saved again, by the same person, over what stands there now."""
        message = await self._desk.read(self._desk.ledger.get, id)
        if not isinstance(message, Message):
            raise Unanswerable(trouble)
        shown = {"trouble": trouble, "message": message, "text": text, "back": back, "path": "/messages", "who": by}
        return self._plain(request, "again.html", shown, trouble.status)

    def trouble(self, connection: HTTPConnection, trouble: Trouble, written: str = "") -> Response:
        """A page that says what is wrong and what to do, with what somebody had written: it is not lost."""
        changed = trouble.missed.changes if trouble.missed else ()
        shown = {"trouble": trouble, "missed_at": f"/i/{changed[0].incident}" if changed else "/messages", "written": written}
        return self._plain(connection, "trouble.html", shown, trouble.status)

    async def _page(self, request: Request, template: str, show: Show, twin: str) -> Response:
        """A page, rendered once for all who look at it now. `twin` is where the API says the same."""
        desk, reader, session = self._desk, self._desk.reader(request), _session(request)
        token = desk.links.form_token(session) if session else None

        async def make() -> str:
            common, shows = self._common(request, reader, desk.shared.mark if token else None), await show(reader)
            return await desk.read(lambda: rendered(desk.pages, template, reader, {**common, **shows()}))

        who = request.cookies.get(WHO, "")
        key = (request.url.path, request.url.query, reader.language, who, "buttons" if token else None)
        response = answered(await desk.shared.text(key, make, token), reader)
        query = f"?{request.url.query}" if request.url.query else ""
        response.headers["link"] = f'<{twin}{query}>; rel="alternate"; type="application/json"'
        return self._remembering(request, response, reader)

    def _plain(self, connection: HTTPConnection, template: str, shown: Mapping[str, object], status: int = 200) -> Response:
        """A short page that asks nobody anything."""
        reader, session = self._desk.reader(connection), _session(connection)
        common = self._common(connection, reader, self._desk.links.form_token(session) if session else None)
        text = rendered(self._desk.pages, template, reader, {**common, **shown})
        return self._remembering(connection, answered(text, reader, status), reader)

    def _common(self, connection: HTTPConnection, reader: Reader, token: str | None) -> dict[str, object]:
        """What every page is given. `count`: how many changes there had been when it was asked for."""
        settings, who = self._desk.settings(), connection.cookies.get(WHO, "")
        return {
            "path": connection.url.path,
            "count": connection.scope.get("state", {}).get("count", 0),
            "languages": {other: _with_language(connection, other) for other in settings.phrases},
            "token": token,
            "who": who,
            "people": list(settings.people),
            "answers": detail.ANSWERS,
            "leaves_at": leaves_at,
            "names": Names(settings, reader),
            "piece": self._desk.pieces.writer(reader, settings, who, token),
        }

    def _remembering(self, connection: HTTPConnection, response: Response, reader: Reader) -> Response:
        """With the language that somebody chose kept for the next page."""
        asked = connection.query_params.get("lang")
        if asked and choose([asked], self._desk.settings().phrases, "") == reader.language:
            response.set_cookie(COOKIE, reader.language, max_age=YEAR_S, path="/", samesite="lax")
        return response


def _session(connection: HTTPConnection) -> str | None:
    found: str | None = connection.scope.get("state", {}).get("session")
    return found


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
