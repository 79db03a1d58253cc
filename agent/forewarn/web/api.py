"""/api/v1, /metrics and the two health pages: what programs ask, and the CLI among them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from forewarn.core.reader import Body
from forewarn.model.series import SeriesId
from forewarn.web import find, probe, twins
from forewarn.web.changed import words_of
from forewarn.web.desk import Desk, streamed
from forewarn.web.explain import explained
from forewarn.web.loaded import loaded_body
from forewarn.web.reads import DECLARED, LISTS, Live, Query, chosen
from forewarn.web.reported import reported
from forewarn.web.said import Trouble, Unanswerable
from forewarn.web.scores import scorecard

MOST_BODY = 65536


class Api:
    """Handlers; the routes are in app.py."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def healthz(self, request: Request) -> Response:
        """The process answers. Nothing more, since anybody may ask."""
        return PlainTextResponse("ok\n")

    async def readyz(self, request: Request) -> Response:
        """The store answers too."""
        try:
            await self._desk.read(self._desk.ledger.counts, "incident")
        except Unanswerable:
            return PlainTextResponse("the store does not answer; see `forewarn status`\n", 503)
        return PlainTextResponse("ok\n")

    async def metrics(self, request: Request) -> Response:
        return PlainTextResponse(self._desk.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def status(self, request: Request) -> Response:
        desk, reader = self._desk, self._desk.reader(request)
        return await self._said(desk.reads.status, await desk.live(), reader)

    async def ahead(self, request: Request) -> Response:
        """GET /api/v1/ahead: what the console's first page shows."""
        desk, query, reader = self._desk, Query.of(request.query_params), self._desk.reader(request)
        return await self._said(twins.ahead, desk.reads, await desk.live(), query, reader)

    async def now(self, request: Request) -> Response:
        """GET /api/v1/now: what the console's page Now shows, but for the list of probes."""
        desk, query, reader = self._desk, Query.of(request.query_params), self._desk.reader(request)
        return await self._said(twins.now, desk.reads, await desk.live(), query, reader)

    async def loaded(self, request: Request) -> Response:
        """GET /api/v1/loaded: the running set; `?kind=probes&after=NAME` leads on in one of its tables."""
        desk, given, reader = self._desk, request.query_params, self._desk.reader(request)
        reload, live = desk.stats.reloaded(), Live(troubles=desk.stats.troubles())
        return await self._said(loaded_body, desk.settings(), live, reload, reader, given.get("kind"), given.get("after"))

    async def search(self, request: Request) -> Response:
        """GET /api/v1/search?q=: what is found by id, title and text; `?kind=messages&after=M-9` leads on."""
        desk, asked, reader = self._desk, find.asked(request.query_params), self._desk.reader(request)
        return await self._said(find.search_body, desk.reads, asked, reader)

    async def list(self, request: Request) -> Response:
        """GET /api/v1/{probes,playbooks,findings,incidents,messages,holds,dues,runs}."""
        desk, name, query = self._desk, request.path_params["name"], Query.of(request.query_params)
        if name not in (*DECLARED, *LISTS):
            raise Unanswerable(Trouble(404, "web.no_page", {"path": request.url.path}))
        live = await desk.live(chosen(query, await desk.stats.glance())) if name == "probes" else Live()
        return await self._said(desk.reads.items, name, query, live, desk.reader(request))

    async def one(self, request: Request) -> Response:
        """GET /api/v1/LIST/ID: the same item alone; of a probe also how often its rules fired, and would have."""
        desk, name, id = self._desk, request.path_params["name"], request.path_params["id"]
        names = [id] if name == "probes" else ()
        live, reader = Live(views=await desk.stats.views(names)) if names else Live(), desk.reader(request)
        if name == "probes":
            shown = probe.viewed(live, id).probe
            would = desk.hindsight(shown)
            return await self._said(
                lambda: {**desk.reads.one(name, id, live, reader), **probe.fired_body(desk.reads, shown, would, reader)}
            )
        return await self._said(desk.reads.one, name, id, live, reader)

    async def _said(self, what: Callable[..., Body], *given: object) -> Response:
        """Read, and written as JSON, in a thread."""
        return await self._desk.read(lambda: JSONResponse(what(*given)))

    async def timeline(self, request: Request) -> Response:
        """GET /api/v1/incidents/ID/timeline: an incident's story, oldest line first."""
        desk = self._desk
        return await self._said(desk.reads.timeline, request.path_params["id"], desk.reader(request))

    async def outreach(self, request: Request) -> Response:
        """GET /api/v1/incidents/ID/outreach: who is told, would be told and is left out, and why."""
        desk = self._desk
        return await self._said(desk.reads.outreach, request.path_params["id"], desk.reader(request))

    async def series(self, request: Request) -> Response:
        """GET /api/v1/series/PROBE|TARGET|METRIC?hours=1|6|24|168|720|2160: at most 300 columns of least, mean and greatest value."""
        desk = self._desk
        try:
            id = SeriesId.parse(request.path_params["id"])
        except ValueError as error:
            raise Unanswerable(Trouble(400, "web.series", {"detail": str(error)})) from error
        reader, hours = desk.reader(request), probe.hours_of(request.query_params.get("hours"))
        view = probe.viewed(Live(views=await desk.stats.views([id.probe])), id.probe)
        shown = probe.pictured(view, str(id))[0]
        (window,) = await desk.past([id], reader.now - timedelta(hours=hours), reader.now)
        return await self._said(probe.series_body, desk.reads, view, shown, window, hours, reader)

    async def why(self, request: Request) -> Response:
        """GET /api/v1/why/ID: the chain from an id back to its samples; `?text=1` as the text that the CLI prints."""
        desk, id = self._desk, request.path_params["id"]
        found = await desk.read(explained, id, desk.reads, desk.reader(request))
        if found["why"] is None:
            raise Unanswerable(Trouble(404, "web.not_found", {"id": id}))
        body, text = found["why"]
        return PlainTextResponse(text) if request.query_params.get("text") else JSONResponse(body)

    async def report(self, request: Request) -> Response:
        """GET /api/v1/report?days=1: pages that were only recorded, and those that left."""
        desk, query = self._desk, request.query_params
        return await self._said(reported, desk.reads, query.get("days"), desk.reader(request))

    async def scorecard(self, request: Request) -> Response:
        """GET /api/v1/scorecard: how often forecasts were right, and which gates are open."""
        return await self._said(scorecard, self._desk.reads)

    async def commands(self, request: Request) -> Response:
        """POST {verb, id, by, words, text, version}; answers {"id"} of what was made or changed."""
        given = _wish(await request.body())
        words = tuple(given.get("words") or ())
        id = await self._desk.command(
            given["verb"], given.get("id"), given.get("by") or "api", words, given.get("text"), given.get("version")
        )
        return JSONResponse({"id": id})

    async def changed(self, request: Request) -> Response:
        """POST {what, text, who, service, host, at, key}: something was changed; answers its id. `text` and `who` must be there."""
        given = _object(await request.body())
        words = words_of({"what": "other", **given})
        return JSONResponse({"id": await self._desk.command("changed", None, given["who"], words, given["text"], None)})

    async def link(self, request: Request) -> Response:
        """POST: a one-time address that opens the console."""
        return JSONResponse({"url": f"http://{request.headers['host']}/link/{self._desk.links.make()}", "lives_s": 600})

    async def reload(self, request: Request) -> Response:
        """POST: read the files again. Answers what changed; 409 and every problem where they are refused."""
        body = await self._desk.reload()
        return JSONResponse(body, 200 if body["ok"] else 409)

    async def events(self, request: Request) -> Response:
        """Server-sent events: a counter and the ids that changed."""
        return streamed(self._desk, request)


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; raises Unanswerable."""
    if len(body) > MOST_BODY:
        raise Unanswerable(Trouble(413, "web.too_long", {"most": MOST_BODY}))
    try:
        given = json.loads(body)
    except ValueError as error:
        raise Unanswerable(Trouble(400, "web.json", {"detail": str(error)})) from error
    if not isinstance(given, dict):
        raise Unanswerable(Trouble(400, "web.json", {"detail": "it is not an object"}))
    return given


def _wish(body: bytes) -> dict[str, Any]:
    """A command's fields, each of its type; raises Unanswerable naming the one that isn't."""
    given = _object(body)
    if not isinstance(given.get("verb"), str) or not given["verb"]:
        raise Unanswerable(Trouble(400, "web.field", {"field": "verb"}))
    for field in ("id", "by", "text"):
        if not isinstance(given.get(field), str | None):
            raise Unanswerable(Trouble(400, "web.field", {"field": field}))
    words = given.get("words")
    if words is not None and not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
        raise Unanswerable(Trouble(400, "web.field", {"field": "words"}))
    version = given.get("version")
    if isinstance(version, bool) or not isinstance(version, int | None):
        raise Unanswerable(Trouble(400, "web.field", {"field": "version"}))
    return given
