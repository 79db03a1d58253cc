"""Live changes: what a viewer hears, at once, later, after a break, and when they do not listen."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

from web_stage import TOKEN, Stage, due, finding, incident, message

from forewarn.web.feed import MOST_KEPT, MOST_LISTENERS, MOST_WAITING, Changes


def read(event: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Ids and data of the events in a piece of the stream."""
    found = []
    for block in event.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if fields.get("event") == "change":
            found.append((fields["id"], json.loads(fields["data"])))
    return found


async def heard(events: AsyncIterator[bytes]) -> list[tuple[str, dict[str, Any]]]:
    async with asyncio.timeout(10):
        return read(await anext(events))


async def test_the_count_comes_at_once_and_then_what_changed() -> None:
    feed = Changes()
    events = feed.events()
    assert (await heard(events))[0][1] == {"count": 0, "ids": []}
    feed.publish([incident(), message()])
    feed.tell()
    assert (await heard(events))[0][1] == {"count": 1, "ids": ["INC-3", "M-7"]}
    feed.close()


async def test_what_happens_together_is_one_event_and_each_thing_is_named_once() -> None:
    feed = Changes()
    events = feed.events()
    await heard(events)
    for thing in (incident(), message(), incident(), finding()):
        feed.publish([thing])
    [(_, said)] = await heard(events)  # after COALESCED_S, by the feed's own timer
    assert said == {"count": 4, "ids": ["INC-3", "M-7", "F-17"]}
    feed.close()


async def test_an_event_is_written_once_for_all() -> None:
    feed = Changes()
    streams = [feed.events() for _ in range(3)]
    for events in streams:
        await heard(events)
    feed.publish([due()])
    feed.tell()
    waiting = [listener.waiting[0] for listener in feed._listeners]
    assert len(waiting) == 3
    assert all(one is waiting[0] for one in waiting)
    feed.close()


async def test_who_comes_back_gets_what_came_since() -> None:
    feed = Changes()
    events = feed.events()
    await heard(events)
    feed.publish([incident("INC-1")])
    feed.tell()
    [(last, _)] = await heard(events)
    await events.aclose()  # type: ignore[attr-defined]
    for id in ("INC-2", "INC-4", "INC-2"):
        feed.publish([incident(id)])
        feed.tell()
    [(_, said)] = await heard(feed.events(last))
    assert said == {"count": 4, "ids": ["INC-2", "INC-4"]}
    assert (await heard(feed.events(last.replace("-1", "-4"))))[0][1]["ids"] == []


async def test_who_was_away_too_long_or_before_a_restart_is_told_that_all_may_differ() -> None:
    before, feed = Changes(), Changes()
    [(last, _)] = await heard(before.events())
    assert (await heard(feed.events(last)))[0][1] == {"count": 0, "ids": [], "all": True}
    for odd in ("", "-", "7", "x-1", f"{last.partition('-')[0]}-", "\x00-1"):
        said = (await heard(feed.events(odd)))[0][1]
        assert said.get("all", False) is bool(odd)
    [(first, _)] = await heard(feed.events())
    for _ in range(MOST_KEPT + 1):
        feed.publish([incident()])
        feed.tell()
    assert (await heard(feed.events(first)))[0][1]["all"] is True
    assert "all" not in (await heard(feed.events(first.replace("-0", "-1"))))[0][1]
    assert len(feed._kept) == MOST_KEPT


async def test_who_does_not_read_is_let_go_and_costs_nothing_more() -> None:
    feed = Changes()
    slow, quick = feed.events(), feed.events()
    [(last, _)] = await heard(slow)
    await heard(quick)
    for _ in range(MOST_WAITING + 5):
        feed.publish([incident()])
        feed.tell()
        await heard(quick)
    assert feed.listeners == 1
    assert [event async for event in slow] == []
    assert (await heard(feed.events(last)))[0][1]["ids"] == ["INC-3"]
    feed.close()


async def test_the_stream_ends_with_the_feed_after_what_waited() -> None:
    feed = Changes()
    events = feed.events()
    await heard(events)
    feed.publish([incident()])
    feed.tell()
    feed.close()
    assert [said["ids"] for event in [event async for event in events] for _, said in read(event)] == [["INC-3"]]


async def test_a_listener_that_went_is_forgotten() -> None:
    feed = Changes()
    events = feed.events()
    await heard(events)
    await events.aclose()  # type: ignore[attr-defined]
    assert feed.listeners == 0


async def test_there_is_a_most_of_listeners() -> None:
    feed = Changes()
    streams = [feed.events() for _ in range(MOST_LISTENERS)]
    for events in streams:
        await heard(events)
    assert [event async for event in feed.events()] == []
    for events in streams:
        await events.aclose()  # type: ignore[attr-defined]
    feed.close()


async def test_the_stream_is_open_and_goes_on_where_a_viewer_was(bare: Stage) -> None:
    def listen(last: str, until: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", bare.port), timeout=10) as raw:
            lines = (f"Host: 127.0.0.1:{bare.port}", f"Authorization: Bearer {TOKEN}", f"Last-Event-ID: {last}")
            raw.sendall(("GET /api/v1/events HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode())
            got = b""
            while until not in got:
                got += raw.recv(4096)
            return got

    got = await asyncio.to_thread(listen, "", b"event: change")
    assert b"text/event-stream" in got
    assert b'data: {"count": 0, "ids": []}' in got
    last = got.partition(b"id: ")[2].partition(b"\n")[0].decode()
    bare.publish(incident())
    assert b'"ids": ["INC-3"]' in await asyncio.to_thread(listen, last, b"INC-3")
