"""Pings to a real watcher on loopback: sent while there is progress, left out without, counted, logged once, never a secret."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import structlog

from forewarn.config.daemon import daemon
from forewarn.config.environment import SecretFiles
from forewarn.config.files import read
from forewarn.config.problems import Problems
from forewarn.model.map import Secret
from forewarn.model.settings import Heartbeat
from forewarn.runtime.clock import SystemClock
from forewarn.runtime.heartbeat import Pacemaker
from forewarn.runtime.telemetry import Telemetry

TOKEN = "1f0a-nobody-may-read-this"


class Watcher(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Ping)
        self.seen: list[tuple[str, str, str | None]] = []
        self.answers: dict[str, int] = {}


class _Ping(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        assert isinstance(self.server, Watcher)
        self.server.seen.append((self.command, self.path, self.headers["Authorization"]))
        self.send_response(self.server.answers.get(self.command, 200))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    server = Watcher()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Body:
    """What the ping speaks for."""

    alive = True


def pacemaker(beat: Heartbeat, body: Body) -> tuple[Pacemaker, Telemetry]:
    telemetry = Telemetry()

    async def alive() -> bool:
        return body.alive

    return Pacemaker(lambda: beat, alive, SystemClock(), None, telemetry), telemetry


def beat_to(server: HTTPServer) -> Heartbeat:
    return Heartbeat(url=Secret(f"http://127.0.0.1:{server.server_port}/ping/{TOKEN}"), every_s=60)


async def test_a_daemon_that_gets_on_pings(watcher: Watcher) -> None:
    maker, telemetry = pacemaker(beat_to(watcher), Body())
    await maker.beat(beat_to(watcher))
    assert watcher.seen == [("GET", f"/ping/{TOKEN}", None)] and maker.trouble is None
    assert telemetry.value("forewarn_heartbeats_total", result="sent") == 1


async def test_a_watcher_that_takes_no_get_is_posted_to_with_its_password(watcher: Watcher) -> None:
    watcher.answers["GET"] = 405
    beat = Heartbeat(url=Secret(f"http://me:pass%20word@127.0.0.1:{watcher.server_port}/x"))
    maker, _ = pacemaker(beat, Body())
    await maker.beat(beat)
    assert [verb for verb, _, _ in watcher.seen] == ["GET", "POST"] and watcher.seen[1][2] == "Basic bWU6cGFzcyB3b3Jk"
    assert maker.beaten.failures == 0


async def test_without_progress_nothing_is_sent_and_status_says_so(watcher: Watcher) -> None:
    body = Body()
    maker, telemetry = pacemaker(beat_to(watcher), body)
    body.alive = False
    await maker.beat(beat_to(watcher))
    assert watcher.seen == [] and maker.trouble is not None and maker.trouble.key == "trouble.heartbeat_left_out"
    assert telemetry.value("forewarn_heartbeats_total", result="left_out") == 1
    body.alive = True
    await maker.beat(beat_to(watcher))
    assert len(watcher.seen) == 1 and maker.trouble is None


async def test_failures_are_counted_logged_once_and_show_no_secret(watcher: Watcher) -> None:
    watcher.answers["GET"] = 500
    maker, telemetry = pacemaker(beat_to(watcher), Body())
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await maker.beat(beat_to(watcher))
        trouble = maker.trouble
        watcher.answers["GET"] = 200
        await maker.beat(beat_to(watcher))
    assert [line["event"] for line in logs] == ["heartbeat_failed", "heartbeat_again"]
    assert trouble is not None and trouble.facts == {"host": "127.0.0.1", "count": 3, "why": "HTTP 500"}
    assert telemetry.value("forewarn_heartbeats_total", result="failed") == 3 and maker.trouble is None
    assert TOKEN not in str(logs) + str(trouble) + repr(beat_to(watcher))


async def test_a_watcher_that_is_not_there_is_a_failure_with_a_plain_reason(watcher: Watcher) -> None:
    closed = HTTPServer(("127.0.0.1", 0), _Ping)
    closed.server_close()
    maker, _ = pacemaker(beat_to(closed), Body())
    await maker.beat(beat_to(closed))
    assert maker.beaten.failures == 1 and "connection refused" in maker.beaten.why and TOKEN not in maker.beaten.why


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("heartbeat: {every: 60s}", "either url or url_file"),
        ("heartbeat: {url: 'ftp://x.example/a'}", "not an address that can be pinged"),
        ("heartbeat: {url: 'https://x.example/a', every: 1s}", "too often"),
        ("heartbeat: {url_file: not-there}", "not-there"),
    ],
)
def test_what_is_written_wrong_is_named(text: str, problem: str, tmp_path) -> None:
    problems = Problems()
    (doc,) = read(text.encode(), "config/forewarn.yaml", [])
    daemon(doc, problems, SecretFiles(tmp_path, {}))
    assert any(problem in str(one) for one in problems.all()), list(map(str, problems.all()))


def test_the_address_may_lie_in_a_file_of_its_own(tmp_path) -> None:
    (tmp_path / "beat").write_text("https://hc.ops.example/ping/1\n")
    problems = Problems()
    (doc,) = read(b"heartbeat: {url_file: beat, every: 2m}", "config/forewarn.yaml", [])
    made, _ = daemon(doc, problems, SecretFiles(tmp_path, {}))
    assert not problems.all() and made.heartbeat == Heartbeat(url=Secret("https://hc.ops.example/ping/1"), every_s=120)
