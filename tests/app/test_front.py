"""The console is made for who asks first, once, and what moved before that is nobody's news."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from forewarn.app.front import Front


class Feed:
    def __init__(self) -> None:
        self.told: list[Any] = []
        self.closed = False

    def publish(self, entities: Any) -> None:
        self.told += entities

    def close(self) -> None:
        self.closed = True


def made(feed: Feed, by: list[str]) -> Starlette:
    async def hello(_: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    by.append(threading.current_thread().name)
    app = Starlette(routes=[Route("/", hello)])
    app.state.feed = feed
    return app


async def asked(front: Front) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await front({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}, receive, send)
    return sent


async def test_many_who_ask_at_once_get_the_same_console() -> None:
    feed, by = Feed(), list[str]()
    front = Front(lambda: made(feed, by))
    front.publish(["INC-1"])  # type: ignore[list-item]
    front.close()
    assert not by and not feed.told and not feed.closed, "nobody has asked"
    answers = await asyncio.gather(*(asked(front) for _ in range(5)))
    assert [answer[0]["status"] for answer in answers] == [200] * 5
    assert len(by) == 1 and by[0] != threading.main_thread().name, "made once, while the loop goes on"
    front.publish(["INC-2"])  # type: ignore[list-item]
    front.close()
    assert feed.told == ["INC-2"] and feed.closed
