"""The web application: routes, guard, and what a trouble looks like. Who may see what is told in guard.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from forewarn.core.reader import Body
from forewarn.model.hindsight import Hindsight
from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.model.text import Say
from forewarn.ports import Clock, Commands, Ledger, Stats
from forewarn.web.api import Api
from forewarn.web.columns import Past
from forewarn.web.console import Console
from forewarn.web.desk import Desk, as_json
from forewarn.web.feed import Changes
from forewarn.web.guard import MACHINES, Guard
from forewarn.web.links import Links
from forewarn.web.paper import environment
from forewarn.web.pieces import Pieces
from forewarn.web.reads import Reads
from forewarn.web.said import Trouble, Unanswerable
from forewarn.web.shared import Shared

STATIC = Path(__file__).parent / "static"


def build(
    *,
    ledger: Ledger,
    stats: Stats,
    settings: Callable[[], Settings],
    commands: Commands,
    clock: Clock,
    token: str,
    links: Links,
    metrics: Callable[[], str],
    reload: Callable[[], Awaitable[Body]],
    hindsight: Callable[[Probe], Hindsight],
    history: Callable[[SeriesId, float, float, int], Awaitable[Past]],
) -> Starlette:
    """The application for one daemon. `app.state.feed` is a ports.Feed: publish to it, and close it before stopping.

    `history(series, since_s, until_s, step_s)` answers samples for a step of 0, otherwise summaries of that step. `links` must be made from the same `token`; raises ValueError otherwise.
    """
    if not links.is_token(token):
        raise ValueError("links were made from another token than the one given")
    feed = Changes()
    desk = Desk(
        stats=stats,
        settings=settings,
        commands=commands,
        clock=clock,
        links=links,
        metrics=metrics,
        reload=reload,
        hindsight=hindsight,
        history=history,
        ledger=ledger,
        reads=Reads(ledger, settings),
        feed=feed,
        pages=environment(),
        shared=Shared(feed, clock),
        pieces=Pieces(),
    )
    console = Console(desk)

    def answer(connection: HTTPConnection, trouble: Trouble) -> Response:
        machine = connection.url.path.startswith(MACHINES)
        return as_json(trouble, desk.reader(connection)) if machine else console.trouble(connection, trouble)

    async def unanswerable(request: Request, error: Exception) -> Response:
        return answer(request, error.trouble if isinstance(error, Unanswerable) else _http(request, error))

    async def broken(request: Request, error: Exception) -> Response:
        """A fault of ours: the trace goes to the server's log, a plain word to the reader."""
        return PlainTextResponse(desk.reader(request).tell(Say("web.bug")), 500)

    app = Starlette(
        routes=_routes(Api(desk), console),
        middleware=[Middleware(Guard, links=links, locked=desk.locked, answer=answer, count=lambda: desk.feed.count)],
        exception_handlers={Unanswerable: unanswerable, HTTPException: unanswerable, Exception: broken},
    )
    app.state.feed = desk.feed
    return app


def _http(request: Request, error: Exception) -> Trouble:
    """What the router itself refuses: no such page, a wrong method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = {404: "web.no_page", 405: "web.method"}
    return Trouble(
        status, known.get(status, "web.http"), {"path": request.url.path, "method": request.method, "status": str(status)}
    )


def _routes(api: Api, console: Console) -> list[BaseRoute]:
    def get(path: str, handler: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(path, handler, methods=["GET"])

    def post(path: str, handler: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(path, handler, methods=["POST"])

    return [
        get("/", console.first),
        get("/now", console.now),
        get("/loaded", console.loaded),
        get("/scorecard", console.scorecard),
        get("/search", console.search),
        get("/live", console.live),
        get("/i/{id}", console.incident),
        get("/p/{name}", console.probe),
        get("/messages", console.messages),
        get("/why/{id:path}", console.why),
        get("/link/{code}", console.enter),
        post("/do", console.do),
        get("/healthz", api.healthz),
        get("/readyz", api.readyz),
        get("/metrics", api.metrics),
        get("/api/v1/status", api.status),
        get("/api/v1/events", api.events),
        get("/api/v1/why/{id:path}", api.why),
        get("/api/v1/report", api.report),
        get("/api/v1/scorecard", api.scorecard),
        get("/api/v1/ahead", api.ahead),
        get("/api/v1/now", api.now),
        get("/api/v1/loaded", api.loaded),
        get("/api/v1/search", api.search),
        post("/api/v1/commands", api.commands),
        post("/api/v1/changes", api.changed),
        post("/api/v1/links", api.link),
        post("/api/v1/reload", api.reload),
        get("/api/v1/incidents/{id}/timeline", api.timeline),
        get("/api/v1/incidents/{id}/outreach", api.outreach),
        get("/api/v1/series/{id:path}", api.series),
        get("/api/v1/{name}/{id}", api.one),
        get("/api/v1/{name}", api.list),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
