"""A real daemon in a process of its own: what systemd hears of it, reloads that are applied and refused, a port of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from forewarn.config.find import shipped

PROBE = 'probe: door\nkind: http\nevery: 1s\ntargets: {own: "http://127.0.0.1:${FOREWARN_PORT}/healthz"}\n'


class Life:
    """One running daemon, and what it told its notify socket."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process, heard: list[str]) -> None:
        self.folder, self.process, self.heard = folder, process, heard

    def command(self, *args: str, language: str = "en") -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "forewarn", "--state", str(self.folder / "state"), "--lang", language, *args]
        return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)

    async def said(self, pattern: str, after: int = 0) -> str:
        """The first message that matches, of those from number `after` on."""
        async with asyncio.timeout(20):
            while True:
                for text in self.heard[after:]:
                    if re.search(pattern, text):
                        return text
                await asyncio.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(shipped() / "config", tmp_path / "config", ignore=shutil.ignore_patterns("demo"))
    (tmp_path / "probes").mkdir()
    (tmp_path / "probes" / "door.yaml").write_text(PROBE)
    (tmp_path / "state").mkdir(mode=0o700)
    return tmp_path


@asynccontextmanager
async def living(folder: Path, watchdog_s: float = 3.0):
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as ear:
        ear.bind(str(folder / "notify"))
        loop = asyncio.get_running_loop()
        loop.add_reader(ear, lambda: heard.append(ear.recv(4096).decode()))
        environ = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": str(int(watchdog_s * 1e6))}
        argv = [sys.executable, "-m", "forewarn", "--config", str(folder), "--state", str(folder / "state"), "run", "--port", "0"]
        with (folder / "out").open("wb") as out:
            process = await asyncio.create_subprocess_exec(*argv, stdout=out, stderr=out, env=environ)
        try:
            life = Life(folder, process, heard)
            await life.said("READY=1")
            yield life
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await process.wait()
            loop.remove_reader(ear)


async def test_systemd_hears_that_it_is_ready_alive_and_stopping(folder):
    async with living(folder) as life:
        assert "/link/" not in (folder / "out").read_text()  # whoever may read the journal would get the buttons
        assert "STATUS=0 ahead, 0 open; targets: 1 up, 0 down, 0 cannot see" in life.heard[0]
        await life.said("^WATCHDOG=1$")
        seen = len(life.heard)
        await life.said("^WATCHDOG=1$", seen)
    assert life.process.returncode == 0
    after = life.heard[life.heard.index("STOPPING=1") + 1 :]
    assert set(after) <= {"WATCHDOG=1"}  # a stop that takes its time is alive, and not ready any more


async def test_a_free_port_is_known_to_the_probe_that_looks_at_forewarn_itself(folder):
    async with living(folder) as life:
        port = json.loads((folder / "state" / "daemon.json").read_text())["port"]
        probes = json.loads((await asyncio.to_thread(life.command, "status", "--json")).stdout)["probes"]
        assert port > 0 and probes["up"] == 1


async def test_reload_applies_what_changed_and_says_it(folder):
    async with living(folder) as life:
        same = await asyncio.to_thread(life.command, "reload")
        assert same.returncode == 0 and same.stdout.startswith("Nothing has changed")
        (folder / "probes" / "second.yaml").write_text(PROBE.replace("door", "second"))
        (folder / "probes" / "door.yaml").write_text(PROBE.replace("1s", "2s"))
        seen = len(life.heard)
        done = await asyncio.to_thread(life.command, "reload")
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"probes\s+added\s+second\n\s+probes\s+changed\s+door", done.stdout), done.stdout
        assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", await life.said("RELOADING", seen))
        await life.said("READY=1", seen)


@pytest.mark.parametrize(("language", "words"), [("en", "Refused; problems: 2"), ("zh", "未采用：有 2 处问题")])
async def test_a_bad_set_is_refused_naming_every_problem(folder, language, words):
    async with living(folder) as life:
        (folder / "probes" / "door.yaml").write_text(PROBE.replace("1s", "5 mins") + "tag: [public]\n")
        done = await asyncio.to_thread(lambda: life.command("reload", language=language))
        assert done.returncode == 1
        assert "probes/door.yaml:3" in done.stdout and "probes/door.yaml:5" in done.stdout and words in done.stdout
        status = json.loads((await asyncio.to_thread(life.command, "status", "--json")).stdout)
        assert status["config"]["refused"] is not None and status["probes"]["up"] == 1
        assert "a changed configuration was refused" in await life.said("STATUS=.*refused")
        (folder / "probes" / "door.yaml").write_text(PROBE)
        assert (await asyncio.to_thread(life.command, "reload")).returncode == 0
        status = json.loads((await asyncio.to_thread(life.command, "status", "--json")).stdout)
        assert status["config"]["refused"] is None


async def test_without_a_daemon_reload_says_so(folder):
    argv = [sys.executable, "-m", "forewarn", "--state", str(folder / "state"), "reload"]
    done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "needs the running daemon" in done.stderr


async def test_files_that_changed_and_were_not_loaded_show_until_they_are(folder):
    async with living(folder) as life:
        (folder / "probes" / "door.yaml").write_text(PROBE.replace("1s", "2s"))

        def troubles() -> str:
            return " ".join(json.loads(life.command("status", "--json").stdout)["troubles"])

        async with asyncio.timeout(40):
            while "probes/door.yaml" not in await asyncio.to_thread(troubles):
                await asyncio.sleep(0.5)
        assert "forewarn reload" in await asyncio.to_thread(troubles)
        assert json.loads((await asyncio.to_thread(life.command, "status", "--json")).stdout)["state"] == "warning"
        assert (await asyncio.to_thread(life.command, "reload")).returncode == 0
        assert await asyncio.to_thread(troubles) == ""


async def test_its_own_health_is_a_probe_with_any_port_and_in_the_metrics(folder):
    shutil.copy(shipped() / "probes" / "own-health.yaml", folder / "probes")
    async with living(folder) as life:
        probe = json.loads((await asyncio.to_thread(life.command, "status", "--json")).stdout)["probes"]
        assert probe["up"] == 2
        token = (folder / "state" / "token").read_text().strip()
        port = json.loads((folder / "state" / "daemon.json").read_text())["port"]

        def read(path: str) -> str:
            asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})
            with urllib.request.urlopen(asked, timeout=5) as answer:
                return answer.read().decode()

        text = await asyncio.to_thread(read, "/metrics")
        figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert float(figures["forewarn_rss_bytes"]) > 10e6 and figures["forewarn_ballast"] == "1"
        assert figures["forewarn_config_older"] == "0" and figures["forewarn_outbox_age_seconds"] == "0"
        body = json.loads(await asyncio.to_thread(read, "/api/v1/probes/own-health"))
        values = {one["metric"]: one["value"] for target in body["targets"] for one in target["series"]}
        assert values["rss_bytes"] > 10e6 and values["store_trouble_s"] == 0 and 0 <= values["loop_delay_s"] < 5
