"""host, process, temperature and certificate over a real sshd: what they say of this machine is the same from outside."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sshd import Sshd

sys.path.insert(0, str(Path(__file__).parents[1] / "probers"))

from probing import certificate, probe

from forewarn.model.map import Host
from forewarn.model.probe import Target
from forewarn.model.series import ProbeRun, metric_text
from forewarn.probers import PROBERS
from forewarn.reach.fleet import Fleet


@pytest.fixture
def host(shared: Sshd, key: Path) -> Host:
    return shared.host(key)


def looked(host: Host, kind: str, runs: int = 1, **options: Any) -> list[ProbeRun]:
    """Runs of a probe on that host, with one prober."""

    async def run() -> list[ProbeRun]:
        fleet = Fleet({host.name: host})
        prober = PROBERS[kind].make(fleet)  # type: ignore[call-arg]
        made = replace(probe(kind, timeout_s=30.0, **options), targets=(Target(host.name, "local", host.name),))
        try:
            return [await prober(made, made.targets[0], time.time()) for _ in range(runs)]
        finally:
            prober.close()
            fleet.close()

    return asyncio.run(run())


def shown(run: ProbeRun) -> dict[str, float]:
    return {metric_text(*column): value for column, value in zip(run.columns, run.values, strict=True)}


def test_a_host_seen_from_outside_is_the_same_host(host: Host) -> None:
    first, second = looked(host, "host", runs=2)
    here = PROBERS["host"].make()
    made = probe("host", timeout_s=30.0)

    async def local() -> list[ProbeRun]:
        runs = [await here(made, made.targets[0], time.time()) for _ in range(2)]
        here.close()
        return runs

    inside, outside = shown(asyncio.run(local())[1]), shown(second)
    assert (first.outcome, second.outcome, second.target) == ("up", "up", "web-1")
    only_here = {"clock_synced"}  # what the kernel itself says of its clock can't be asked from outside
    assert set(inside) - only_here == set(outside) - {"clock_synced", "clock_offset_s"}
    for name in ("fs_used_ratio", "fs_inodes_used_ratio", "memory_used_ratio"):
        for each in [one for one in inside if one.startswith(name)]:
            assert outside[each] == pytest.approx(inside[each], abs=0.05)
    assert outside["uptime_s"] == pytest.approx(inside["uptime_s"], abs=120)


def test_processes_of_a_host(host: Host, tmp_path: Path) -> None:
    program = tmp_path / f"far-{os.getpid()}"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    running = subprocess.Popen([str(program), "60"])
    try:
        for _ in range(200):
            if Path(f"/proc/{running.pid}/comm").read_text().strip() == program.name[:15]:
                break
            time.sleep(0.005)
        (run,) = looked(host, "process", name=program.name)
        assert run.outcome == "up" and shown(run)["processes"] == 1.0 and shown(run)["memory_bytes"] > 50_000
        (run,) = looked(host, "process", name=f"{program.name}-none")
        assert (run.outcome, run.reason) == ("down", "processes")
    finally:
        running.kill()
        running.wait()


def test_sensors_and_certificates_of_a_host(host: Host, place: Any) -> None:
    (run,) = looked(host, "temperature")
    assert run.outcome in ("up", "unknown") and (run.outcome == "up" or run.reason == "missing")
    folder = place.folder / "tls"
    folder.mkdir(exist_ok=True)
    certificate(folder, days=30, name="shop.example")
    (folder / "cert.pem").chmod(0o644)
    folder.chmod(0o755)
    (run,) = looked(host, "certificate", files=[f"{folder}/cert*.pem"])
    assert list(shown(run).values()) == [pytest.approx(30 * 86400, abs=600)]
