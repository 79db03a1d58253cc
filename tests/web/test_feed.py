"""Live changes."""

from __future__ import annotations

import asyncio
import json
import socket

from web_stage import TOKEN, Stage, finding, message

from forewarn.web.feed import MOST_WAITING, Changes


async def test_a_listener_gets_the_counter_and_each_change() -> None:
    feed = Changes()
    feed.publish([finding()])
    events = feed.events()
    assert "id: 1\n" in await anext(events)
    feed.publish([finding(), message()])
    lines = (await anext(events)).splitlines()
    assert lines[:2] == ["id: 2", "event: change"]
    assert json.loads(lines[2].removeprefix("data: ")) == {"count": 2, "ids": ["F-17", "M-7"]}
    feed.close()
    assert [event async for event in events] == []


async def test_a_listener_that_does_not_read_loses_the_oldest_only() -> None:
    feed = Changes()
    events = feed.events()
    await anext(events)
    for _ in range(MOST_WAITING + 5):
        feed.publish([])
    assert (await anext(events)).startswith("id: 6\n")
    feed.close()
    ids = [int(event.partition("\n")[0].removeprefix("id: ")) async for event in events]
    assert ids[-1] == MOST_WAITING + 5


async def test_a_listener_that_went_is_forgotten() -> None:
    feed = Changes()
    events = feed.events()
    await anext(events)
    await events.aclose()  # type: ignore[attr-defined]
    assert not feed._listeners


async def test_the_stream_is_open_and_ends_with_the_feed(bare: Stage) -> None:
    def listen() -> bytes:
        with socket.create_connection(("127.0.0.1", bare.port), timeout=10) as raw:
            raw.sendall(
                f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{bare.port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
            )
            got = b""
            while b"event: change" not in got:
                got += raw.recv(4096)
            return got

    got = await asyncio.to_thread(listen)
    assert b"text/event-stream" in got
    assert b"id: 0\nevent: change\n" in got
