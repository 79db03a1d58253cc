"""A real daemon, a real service that breaks, and playbooks that mend it: approved over the API, verified by the probe."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

SERVICE = Path(__file__).with_name("mend_service.py")
PLAYBOOKS = """\
playbook: web-restart
title: {{en: Restart the web service, zh: 重启网页服务}}
for: {{service: web, rule: down}}
verify: {verify}
limits: {{cooldown: 0s, per_hour: 50, per_day: 50}}
steps:
  - {{name: look, probe: "${{probe}}", target: "${{target}}"}}
  - name: restart
    when: look.outcome == down
    run: ["{python}", "{service}", start, "${{port}}", "{folder}"]
    {declares}
"""


class Daemon:
    """`forewarn run` with one probe and one playbook, on free ports."""

    def __init__(self, folder: Path, declares: str, verify: str = "6s", run: str | None = None) -> None:
        self.folder, self.port = folder, _free()
        self.service = folder / "service"
        self.service.mkdir()
        self._write(declares, verify, run)
        self._process: subprocess.Popen[str] | None = None

    def _write(self, declares: str, verify: str, run: str | None) -> None:
        for name in ("config", "probes", "playbooks"):
            (self.folder / name).mkdir()
        (self.folder / "config/forewarn.yaml").write_text(
            "daemon: {port: 0, zone: UTC}\npolicy: {changes_per_hour: 50, breaker: 2}\n"
        )
        (self.folder / "config/services.yaml").write_text(
            f"services: {{web: {{criticality: important, internal: true, tags: [port={self.port}]}}}}\n"
        )
        (self.folder / "config/customers.yaml").write_text("customers: {}\n")
        (self.folder / "config/oncall.yaml").write_text(
            'people: {on-call-1: {channels: ["console://"]}, on-call-2: {channels: ["console://"], language: zh}}\n'
            "escalations: {default: [{to: on-call-1, ack: 5m}, {to: on-call-2, ack: 5m}]}\n"
        )
        (self.folder / "probes/web.yaml").write_text(
            f'probe: web\nkind: http\nevery: 1s\ntimeout: 1s\nservice: web\ntargets: {{web-1: "http://127.0.0.1:{self.port}/"}}\n'
        )
        text = PLAYBOOKS.format(verify=verify, python=sys.executable, service=SERVICE, folder=self.service, declares=declares)
        (self.folder / "playbooks/web.yaml").write_text(text.replace("RUN", run or ""))

    def start(self) -> None:
        environ = {**os.environ, "FOREWARN_STATE": str(self.folder / "state")}
        argv = [sys.executable, "-m", "forewarn.cli.main", "--config", str(self.folder), "run"]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, env=environ, text=True)
        self.until(lambda: self._address() and self.get("status")["probes"]["unknown"] == 0)

    def kill(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        (self.folder / "state/daemon.json").unlink(missing_ok=True)

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)
        self.break_it()

    def mend(self) -> None:
        subprocess.run([sys.executable, SERVICE, "start", str(self.port), self.service], check=True, capture_output=True)

    def break_it(self) -> None:
        subprocess.run([sys.executable, SERVICE, "stop", self.service], check=True, capture_output=True)

    @property
    def starts(self) -> int:
        log = self.service / "starts"
        return len(log.read_text().splitlines()) if log.exists() else 0

    # --- asking it ---

    def _address(self) -> tuple[str, int] | None:
        try:
            told = json.loads((self.folder / "state/daemon.json").read_text())
        except (OSError, ValueError):
            return None
        return told["host"], told["port"]

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        address = self._address()
        assert address
        token = (self.folder / "state/token").read_text().strip()
        connection = HTTPConnection(*address, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {token}"}
            connection.request(method, f"/api/v1/{path}", json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        return self.call("GET", path)[1]

    def command(self, verb: str, id: str | None, by: str, *words: str) -> tuple[int, Any]:
        return self.call("POST", "commands", {"verb": verb, "id": id, "by": by, "words": list(words)})

    def until(self, what: Callable[[], Any], most_s: float = 25.0) -> Any:
        end = time.monotonic() + most_s
        while time.monotonic() < end:
            try:
                if found := what():
                    return found
            except (OSError, KeyError):
                pass
            time.sleep(0.1)
        raise AssertionError(f"it never came; the log ends {(self.folder / 'log').read_text()[-2000:]}")

    def run_in(self, id: str, *states: str) -> Any:
        return self.until(lambda: (run := self.get(f"runs/{id}"))["state"] in states and run)


def _free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    made: list[Daemon] = []

    def make(*args: str, **named: str) -> Daemon:
        made.append(Daemon(tmp_path, *args, **named))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_a_service_breaks_and_is_mended(daemon: Callable[..., Daemon]) -> None:
    """Two people say yes at the same moment: it runs once. The probe agrees; the record says who, what, how long."""
    it = daemon("idempotent: true")
    it.mend()
    it.start()
    it.break_it()
    run = it.run_in("R-1", "waiting")
    assert [(step["name"], step["state"]) for step in run["steps"]] == [
        ("look", "ok"),
        ("restart", "waiting"),
        ("verify", "waiting"),
    ]
    assert run["steps"][1]["argv"][2:4] == ["start", str(it.port)]
    asked = it.get("messages?kind=ask")["items"][0]
    assert str(it.port) in asked["text"]
    assert "no yes" in asked["text"] or "Without a yes" in asked["text"]

    answers: list[int] = []
    both = [
        threading.Thread(target=lambda who=who: answers.append(it.command("approve", "R-1", who)[0]))
        for who in ("on-call-1", "on-call-2")
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(answers) == [200, 409]

    ended = it.run_in("R-1", "done")
    assert ended["repair"] == "repaired"
    restart = ended["steps"][1]
    assert len(restart["approved_by"]) == 1
    assert (restart["summary"], restart["facts"]["exit"]) == ("started", "0")
    assert restart["took_s"] > 0
    assert it.starts == 2  # ours and the playbook's
    assert it.until(lambda: it.get("incidents/INC-1")["state"] == "mitigated")
    assert it.get("why/R-1")["complete"]


def test_in_vain_is_undone_and_opens_the_breaker(daemon: Callable[..., Daemon]) -> None:
    it = daemon('undo: ["touch", "{}/undone"]'.format("UNDO"), verify="4s")
    text = (it.folder / "playbooks/web.yaml").read_text().replace("UNDO", str(it.service))
    (it.folder / "playbooks/web.yaml").write_text(text)
    (it.service / "broken").touch()
    it.start()
    it.run_in("R-1", "waiting")
    assert it.command("approve", "R-1", "on-call-1")[0] == 200
    ended = it.run_in("R-1", "failed")
    assert [(step["name"], step["state"]) for step in ended["steps"]] == [
        ("look", "ok"), ("restart", "ok"), ("verify", "failed"), ("undo-restart", "ok"),
    ]  # fmt: skip
    assert ended["repair"] == "unchanged"
    assert (it.service / "undone").exists()
    told = it.get("messages?kind=ask")["items"][0]
    assert (told["subkind"], "did not help" in told["subject"]) == ("outcome", True)

    assert it.command("run", "INC-1", "on-call-1", "web-restart")[0] == 200
    it.run_in("R-2", "waiting")
    it.command("approve", "R-2", "on-call-1")
    it.run_in("R-2", "failed")
    assert it.get("playbooks/web-restart")["breaker"]["why"].startswith("breaker of web-restart open")
    it.kill()
    it.start()  # a restart forgets neither count nor breaker
    it.command("run", "INC-1", "on-call-1", "web-restart")
    third = it.run_in("R-3", "done")
    assert third["steps"][1]["state"] == "skipped"
    assert "breaker" in third["steps"][1]["summary"]
    assert it.command("close-breaker", None, "on-call-1", "web-restart")[0] == 200
    assert it.get("playbooks/web-restart")["changed"] == {"hour": 2, "day": 2, "bad": 0}


@pytest.mark.parametrize(("declares", "starts", "state"), [("irreversible: true", 1, "unknown"), ("idempotent: true", 2, "done")])
def test_killed_in_the_middle(daemon: Callable[..., Daemon], declares: str, starts: int, state: str) -> None:
    """The daemon dies while the change runs. Irreversible: never again, a person is told. Idempotent: once more, by itself."""
    it = daemon(declares, verify="4s")
    path = it.folder / "playbooks/web.yaml"
    slow = f'run: [sh, -c, "echo x >> {it.service}/begun; sleep 2; exit 0"]'
    lines = [slow if line.strip().startswith("run:") else line.strip() for line in path.read_text().splitlines()]
    kept = path.read_text().splitlines()
    path.write_text("\n".join("    " + slow if new == slow else old for old, new in zip(kept, lines, strict=True)) + "\n")
    it.start()
    it.run_in("R-1", "waiting")
    it.command("approve", "R-1", "on-call-1")
    begun = it.service / "begun"
    it.until(begun.exists)
    it.kill()
    if state == "done":
        it.mend()
    it.start()
    ended = it.run_in("R-1", state, "failed")
    assert ended["state"] == state
    assert begun.read_text().count("x") == starts
    assert ended["steps"][1]["state"] == ("unknown" if state == "unknown" else "ok")
    if state == "unknown":
        assert it.get("messages?kind=ask")["items"][0]["subkind"] == "outcome"
