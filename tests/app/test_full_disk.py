"""A daemon on a real file system that really is full: a small tmpfs, filled to the last byte while it runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from forewarn.config.find import shipped
from forewarn.runtime.ballast import SIZE, Ballast

DOOR = 'probe: door\nkind: http\nevery: 1s\ntargets: {own: "http://127.0.0.1:${FOREWARN_PORT}/healthz"}\n'
needs_mount = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount the small tmpfs that is filled here")


class Pages(ThreadingHTTPServer):
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.bodies: list[dict[str, str]] = []


class _Take(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Pages)
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pages() -> Iterator[Pages]:
    server = Pages()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB."""
    place = tmp_path / "state"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m,mode=0700", "none", str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a tmpfs can't be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@contextmanager
def daemon(tmp_path: Path, state: Path, pages: Pages) -> Iterator[Callable[..., dict]]:
    made = tmp_path / "set"
    shutil.copytree(shipped() / "config", made / "config", ignore=shutil.ignore_patterns("demo", "phrases", "schemas"))
    (made / "probes").mkdir()
    (made / "probes" / "door.yaml").write_text(DOOR)
    steps = "[{to: on-call-1, ack: 5m}]"
    (made / "config" / "oncall.yaml").write_text(
        f'people:\n  on-call-1: {{channels: ["json://127.0.0.1:{pages.server_port}/"]}}\nescalations: {{default: {steps}, local: {steps}}}\n'
    )
    argv = [sys.executable, "-m", "forewarn", "--config", str(made), "--state", str(state)]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen([*argv, "run", "--port", "0"], stdout=out, stderr=out)

    def status(what: str = "status", *rest: str) -> dict:
        done = subprocess.run([*argv, what, *rest, "--json"], capture_output=True, text=True, timeout=30, check=False)
        return json.loads(done.stdout)

    try:
        until(lambda: "Console:" in (tmp_path / "out").read_text(), 20)
        yield status
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def until(true: Callable[[], object], within_s: float) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.1)


def fill(place: Path) -> Path:
    """Take all that is left, to the last byte."""
    filler = place / "somebody-elses"
    with filler.open("wb", buffering=0) as out:
        for piece in (1024 * 1024, 4096, 1):
            try:
                while True:
                    out.write(b"x" * piece)
            except OSError:
                continue
    return filler


@needs_mount
def test_a_full_disk_gives_up_the_ballast_pages_and_goes_on(tmp_path: Path, small: Path, pages: Pages) -> None:
    with daemon(tmp_path, small, pages) as ask:
        assert (small / "ballast").stat().st_size == SIZE
        filler = fill(small)
        until(lambda: pages.bodies, 30)
        page = pages.bodies[0]
        assert "is full" in page["subject"] and page["incident"] == "INC-1" and page["kind"] == "page"
        assert not (small / "ballast").exists()
        assert "has been full since" in " ".join(ask()["troubles"])
        assert ask()["probes"]["up"] == 1  # it still looks
        filler.unlink()
        until((small / "ballast").exists, 20)
        until(lambda: ask("incident", "show", "INC-1")["state"] == "resolved", 20)
        assert ask()["troubles"] == []


@needs_mount
def test_what_cannot_be_stored_at_all_is_paged_unrecorded_and_says_so(tmp_path: Path, small: Path, pages: Pages) -> None:
    with daemon(tmp_path, small, pages) as ask:
        (small / "ballast").unlink()
        filler = fill(small)
        until(lambda: pages.bodies, 40)
        page = pages.bodies[0]
        assert page["id"] == "unrecorded" and page["incident"] is None and "not recorded" in page["text"]
        assert any("can't be written" in trouble for trouble in ask()["troubles"])
        filler.unlink()
        until((small / "ballast").exists, 20)
        until(lambda: ask()["troubles"] == [], 20)


@needs_mount
def test_a_start_on_a_full_disk_uses_the_ballast_of_the_life_before(tmp_path: Path, small: Path, pages: Pages) -> None:
    assert Ballast(small / "ballast").build()
    filler = fill(small)
    with daemon(tmp_path, small, pages) as ask:
        until(lambda: pages.bodies, 30)
        assert "is full" in pages.bodies[0]["subject"] and ask()["probes"]["up"] == 1
        filler.unlink()
        until((small / "ballast").exists, 20)


def test_ballast_is_built_where_there_is_room_only_and_given_up_once(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", size=64 * 1024)
    assert not ballast.build(room=ballast.free_bytes() * 2) and not ballast.there
    assert ballast.build(room=1) and ballast.there
    assert (tmp_path / "ballast").stat().st_mode & 0o777 == 0o600
    assert ballast.give_up() and not ballast.there
    assert not ballast.give_up()
