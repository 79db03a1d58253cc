"""forewarn doctor on real folders: what it says, the command below it, and how it ends. No daemon runs but where one is started."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from conftest import Forewarn
from forewarn.app.doctor import clock, tools
from forewarn.app.doctor.permissions import User
from forewarn.app.doctor.resolve import unresolved
from forewarn.config.find import shipped
from forewarn.model.probe import Target

HTTP = 'probe: door\nkind: http\nservice: this-host\ntargets: {own: "http://127.0.0.1:9/"}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration that needs nothing of this machine."""
    made = tmp_path / "set"
    shutil.copytree(shipped() / "config", made / "config", ignore=shutil.ignore_patterns("demo", "phrases", "schemas"))
    (made / "probes").mkdir()
    (made / "probes" / "door.yaml").write_text(HTTP)
    return made


def checks(ran, area: str) -> list[dict]:
    return [one for one in json.loads(ran.out)["checks"] if one["area"] == area]


def test_only_what_this_configuration_needs_is_looked_at(forewarn: Forewarn, folder: Path) -> None:
    ran = forewarn("--config", str(folder), "doctor", "--json")
    areas = {one["area"] for one in json.loads(ran.out)["checks"]}
    assert "sensors" not in areas and checks(ran, "tools")[0]["what"] == "this configuration starts no programs"


def test_a_daemon_that_does_not_run_is_a_problem_with_its_command(forewarn: Forewarn, folder: Path) -> None:
    ran = forewarn("--config", str(folder), "doctor")
    assert ran.code == 1
    at = next(at for at, line in enumerate(ran.lines) if "no daemon runs" in line)
    assert ran.lines[at].startswith("daemon") and "problem" in ran.lines[at]
    assert "start forewarn" in ran.lines[at + 1] or " run" in ran.lines[at + 1]


def test_it_speaks_chinese(forewarn: Forewarn, folder: Path) -> None:
    ran = forewarn("--config", str(folder), "--lang", "zh", "doctor")
    assert any(line.startswith("守护进程") and "没有守护进程在运行" in line for line in ran.lines)


def test_every_problem_and_note_brings_its_command(forewarn: Forewarn) -> None:
    ran = forewarn("--config", str(shipped()), "doctor", "--json")
    assert [one for one in json.loads(ran.out)["checks"] if one["state"] != "fine" and not one["mend"]] == []


def test_broken_files_are_named_and_the_rest_is_still_looked_at(forewarn: Forewarn, folder: Path) -> None:
    (folder / "probes" / "door.yaml").write_text(HTTP.replace("kind: http", "kind: htttp"))
    ran = forewarn("--config", str(folder), "doctor", "--json")
    one = checks(ran, "configuration")[0]
    assert ran.code == 1 and "probes/door.yaml:2" in one["what"]
    assert one["mend"] == f"${{EDITOR:-vi}} +2 {folder}/probes/door.yaml"
    assert checks(ran, "disk") and checks(ran, "clock") and not checks(ran, "channels")


def test_a_missing_program_names_who_wants_it_and_its_package(forewarn: Forewarn, folder: Path) -> None:
    (folder / "probes" / "disk.yaml").write_text("probe: load\nkind: command\nargv: [/usr/lib/nagios/plugins/check_nothing]\n")
    (one,) = checks(forewarn("--config", str(folder), "doctor", "--json"), "tools")
    assert one["state"] == "problem" and "check_nothing" in one["what"] and "load needs it (probes/disk.yaml:1)" in one["what"]
    assert "monitoring-plugins-basic" in one["mend"] or one["mend"].endswith("+1 " + str(folder / "probes/disk.yaml"))


def test_a_state_that_others_may_read_is_a_problem(forewarn: Forewarn, folder: Path, state: Path) -> None:
    state.chmod(0o755)
    found = checks(forewarn("--config", str(folder), "doctor", "--json"), "permissions")
    assert [one["mend"].removeprefix("sudo ") for one in found] == [f"chmod go= {state}"]


def test_a_secret_that_everybody_may_read_is_a_problem(forewarn: Forewarn, folder: Path, state: Path) -> None:
    state.chmod(0o700)
    (folder / "config" / "smtp-server").write_text("smtps://user:tell-nobody@mail.example")
    (folder / "config" / "smtp-server").chmod(0o644)
    ran = forewarn("--config", str(folder), "doctor", "--json")
    (one,) = checks(ran, "permissions")
    assert "smtp-server" in one["what"] and one["mend"].endswith(f"chmod o= {folder}/config/smtp-server")
    assert "tell-nobody" not in ran.out


def test_whether_another_user_may_read_follows_the_bits(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("")
    stranger = User("stranger", 4_000_000, frozenset({4_000_000}))
    for mode, may in ((0o600, False), (0o640, False), (0o604, True)):
        log.chmod(mode)
        assert stranger.may(log, os.R_OK) is may
    log.chmod(0o640)
    assert User("member", 4_000_000, frozenset({log.stat().st_gid})).may(log, os.R_OK)


def test_addresses_that_cannot_be_used_name_the_line(forewarn: Forewarn, folder: Path) -> None:
    people = 'people:\n  on-call-1: {channels: ["mailto://x:y@mail.invalid?to=one@ops.example&mode=ssl", "console://"]}\n'
    (folder / "config" / "oncall.yaml").write_text(
        people + "escalations: {default: [{to: on-call-1, ack: 5m}], local: [{to: on-call-1, ack: 5m}]}\n"
    )
    found = checks(forewarn("--config", str(folder), "doctor", "--json"), "channels")
    assert any(
        one["state"] == "problem" and "mail.invalid" in one["what"] and one["mend"] == "getent hosts mail.invalid" for one in found
    )


class Hook(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.bodies: list[dict] = []


class _Answers(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Hook)
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_send_reaches_people_and_never_a_customer(forewarn: Forewarn, folder: Path) -> None:
    hook = Hook()
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    url = f"json://127.0.0.1:{hook.server_port}/"
    (folder / "config" / "oncall.yaml").write_text(
        f'people:\n  on-call-1: {{language: zh, channels: ["{url}"]}}\nescalations: {{default: [{{to: on-call-1, ack: 5m}}], local: [{{to: on-call-1, ack: 5m}}]}}\n'
    )
    (folder / "config" / "customers.yaml").write_text(
        f'customers:\n  customer-zh: {{uses: {{this-host: 1}}, channels: ["{url}"]}}\n'
    )
    ran = forewarn("--config", str(folder), "doctor", "--json", "--send")
    hook.shutdown()
    hook.server_close()
    assert [(body["to"], body["subkind"], body["subject"]) for body in hook.bodies] == [
        ("on-call-1", "test", "Forewarn：测试消息")
    ], ran.out
    assert any("test message to on-call-1 sent" in one["what"] for one in checks(ran, "channels"))


def test_a_running_daemon_is_asked_for_its_set(forewarn: Forewarn, folder: Path, daemon) -> None:
    found = checks(forewarn("--config", str(folder), "doctor", "--json"), "daemon")
    assert found[0]["state"] == "fine" and f"127.0.0.1:{daemon.port}" in found[0]["what"]
    assert any(one["mend"] == "forewarn reload" and "the files are" in one["what"] for one in found)


def test_a_name_that_does_not_resolve_is_told_apart_from_one_that_does() -> None:
    found = unresolved(["localhost", socket.gethostname() if _resolves(socket.gethostname()) else "localhost", "no.such.invalid"])
    assert set(found) == {"no.such.invalid"}


def _resolves(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, None))
    except OSError:
        return False


def test_the_kernel_is_asked_about_the_clock() -> None:
    found = clock.read()
    assert found is None or (isinstance(found[0], bool) and found[1] >= 0)
    told = (
        subprocess.run(["timedatectl", "show", "-p", "NTPSynchronized"], capture_output=True, text=True, check=False)
        if shutil.which("timedatectl")
        else None
    )
    if found and told and told.returncode == 0:
        assert found[0] is (told.stdout.strip() == "NTPSynchronized=yes")


def test_smart_wants_its_program_only_where_nobody_reads_the_disks_for_it(tmp_path: Path) -> None:
    class Options:
        source, program, folder = "auto", "smartctl", str(tmp_path / "none")

    class Probe:
        kind, options, targets = "smart", Options, (Target("local", "local"),)

    assert list(tools._of_probe(Probe)) == ["smartctl"]  # type: ignore[arg-type]
    Options.folder = str(tmp_path)
    assert list(tools._of_probe(Probe)) == []  # type: ignore[arg-type]
