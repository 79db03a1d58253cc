"""A whole daemon with probes on a host: it looks there over one connection, keeps it through a reload, and names a host
that is away once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sshd import Sshd

from forewarn.config.find import shipped


class Daemon:
    def __init__(self, folder: Path) -> None:
        self.common = ["--config", str(folder), "--state", str(folder / "state"), "--lang", "en"]
        argv = [sys.executable, "-m", "forewarn", *self.common, "run", "--port", "0"]
        self.log = (folder / "out").open("w")
        self.process = subprocess.Popen(argv, stdout=self.log, stderr=self.log)

    def ask(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "forewarn", *self.common, *argv], capture_output=True, text=True, timeout=60)

    def until(self, fits: Callable[[str], bool]) -> str:
        """What `status` says once it fits."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            said = self.ask("status").stdout
            if fits(said):
                return said
            time.sleep(0.2)
        raise AssertionError(said)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


@pytest.mark.timeout(240)
def test_a_daemon_looks_at_a_host(sshd, key: Path, tmp_path: Path) -> None:
    daemon_there: Sshd = sshd()
    shutil.copytree(shipped() / "config", tmp_path / "config", ignore=shutil.ignore_patterns("demo"))
    (tmp_path / "probes").mkdir()
    (tmp_path / "state").mkdir(mode=0o700)
    known = daemon_there.host(key).known_hosts[0]
    (tmp_path / "config/hosts.yaml").write_text(
        f"defaults: {{user: {daemon_there.user}, key: {key}, known_hosts: {known}}}\n"
        f"hosts:\n  web-1: {{address: 127.0.0.1, port: {daemon_there.port}}}\n"
    )
    for n in range(3):
        (tmp_path / f"probes/p{n}.yaml").write_text(f"probe: p{n}\nkind: command\nevery: 1s\nargv: [uname, -s]\nwhere: web-1\n")
    daemon = Daemon(tmp_path)
    try:
        daemon.until(lambda said: all(f"p{n}" in said for n in range(3)) and "0 down, 0 cannot see" in said)
        (tmp_path / "probes/p3.yaml").write_text("probe: p3\nkind: command\nevery: 1s\nargv: [uname, -r]\nwhere: web-1\n")
        assert "p3" in daemon.ask("reload").stdout
        daemon.until(lambda said: "p3" in said and "0 down, 0 cannot see" in said)
        assert (daemon_there.folder / "log").read_text().count("Accepted publickey") == 1
        daemon_there.stop()
        said = daemon.until(lambda said: "connection refused" in said and "connection cut" not in said)
        line = next(line for line in said.splitlines() if "connection refused" in line)
        assert line.count("web-1") == 1 and "p0" not in line, said
        incidents = json.loads(daemon.ask("incident", "list", "--json").stdout)["items"]
        assert incidents == []
    finally:
        daemon.stop()
    assert (tmp_path / "out").read_text().count("reason=refused") == 1
