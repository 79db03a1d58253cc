"""`forewarn reload` of thousands of targets: it says what it waits for, and what happens when it stops waiting."""

from __future__ import annotations

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from forewarn.cli import client, reload

DONE = {
    "ok": True, "config": "b", "was": "a", "files": 2, "changes": {}, "others": [], "anew": [], "needs_restart": [], "problems": []
}  # fmt: skip


@pytest.fixture
def daemon(tmp_path: Path) -> Any:
    """Answers a reload when `go` is set. Yields the arguments of a command that asks it, and `go`."""
    go = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            go.wait(30)
            body = json.dumps(DONE).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    (tmp_path / "daemon.json").write_text(json.dumps({"host": "127.0.0.1", "port": server.server_address[1], "pid": 1}))
    (tmp_path / "token").write_text("x" * 43)
    (tmp_path / "token").chmod(0o600)
    yield argparse.Namespace(state=str(tmp_path), config=None, lang="en", json=False), go
    go.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_who_waits_is_told_what_for(daemon: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    args, go = daemon
    monkeypatch.setattr(reload, "SOON_S", 0.0)
    said = threading.Timer

    def then_go(after_s: float, what: Any) -> threading.Timer:
        return said(after_s, lambda: (what(), go.set()))

    monkeypatch.setattr(threading, "Timer", then_go)
    assert reload.run(args) == 0
    out, complaint = capsys.readouterr()
    assert complaint.startswith("The daemon reads the files") and out.startswith("Applied: configuration b (before: a)")


def test_a_quick_one_says_only_what_it_did(daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    args, go = daemon
    go.set()
    assert reload.run(args) == 0
    assert capsys.readouterr().err == ""


def test_one_that_takes_too_long_goes_on(daemon: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    args, _ = daemon

    def late(*_: Any) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(client.HTTPConnection, "getresponse", late)
    assert reload.run(args) == 1
    assert "goes on with it" in capsys.readouterr().err
