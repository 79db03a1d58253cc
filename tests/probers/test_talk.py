"""Plain connections: what came before the deadline counts, even where the loop looks only afterwards."""

from __future__ import annotations

import asyncio
import socket
import time

from forewarn.probers.answer_read import AnswerReader
from forewarn.probers.talk import Talk, Talks


async def test_an_answer_that_lies_in_the_socket_when_the_deadline_is_seen_is_an_answer() -> None:
    ended: list[Talk] = []
    talks = Talks(ended.append)
    with socket.create_server(("127.0.0.1", 0)) as door:
        reader = AnswerReader(False, True, 100)
        talks.begin(Talk(None, socket.AF_INET, door.getsockname(), b"GET / HTTP/1.1\r\n\r\n", reader, 0.05))
        peer, _ = door.accept()
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        time.sleep(0.08)
        while not ended:
            await asyncio.sleep(0.01)
        peer.close()
    assert not ended[0].late and reader.body == b"ok"
    assert len(talks) == 0
    list(talks.close())


async def test_deadlines_of_many_kinds_come_each_in_its_time() -> None:
    ended: list[Talk] = []
    talks = Talks(ended.append)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        for timeout_s in (0.3, 0.05, 0.2, 0.05, 0.1):
            talks.begin(Talk(None, socket.AF_INET, door.getsockname(), b"?", AnswerReader(False, True, 100), timeout_s))
        while len(ended) < 5:
            await asyncio.sleep(0.01)
    assert [talk.timeout_s for talk in ended] == [0.05, 0.05, 0.1, 0.2, 0.3] and all(talk.late for talk in ended)
    list(talks.close())


async def test_nothing_is_held_of_a_talk_that_is_over() -> None:
    ended: list[Talk] = []
    talks = Talks(ended.append)
    with socket.create_server(("127.0.0.1", 0)) as door:
        for _ in range(20):
            talks.begin(Talk(None, socket.AF_INET, door.getsockname(), b"?", AnswerReader(False, True, 100), 60.0))
            peer, _ = door.accept()
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            peer.close()
        while len(ended) < 20:
            await asyncio.sleep(0.01)
    assert len(talks) == 0 and not any(talks._deadlines.values()), "its deadline is a minute away"
    list(talks.close())
