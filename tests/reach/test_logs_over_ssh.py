"""Logs followed over a real sshd: positions, rotation, cuts, restarts. Nothing is counted twice, nothing is lost."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sshd import Sshd

sys.path.insert(0, str(Path(__file__).parents[1] / "probers"))

from probing import probe

from forewarn.model.map import Host
from forewarn.model.probe import Target
from forewarn.model.series import Outcome, ProbeRun
from forewarn.probers.log_far import FarPlace
from forewarn.probers.log_follow import LogFollower
from forewarn.probers.once import run_once
from forewarn.reach.connection import Connection, Shared
from forewarn.reach.fleet import Fleet

SFTP = "Subsystem sftp internal-sftp"
PATTERNS = {"errors": r"ERROR (?P<what>\w+)"}


@pytest.fixture
def server(sshd: Callable[..., Sshd]) -> Sshd:
    return sshd(SFTP)


@pytest.fixture
def log(place: Any, tmp_path: Path) -> Path:
    """A log in a folder that the far account may look into."""
    folder = place.folder / f"{tmp_path.name}-logs"
    folder.mkdir(mode=0o755)
    path: Path = folder / "app.log"
    path.write_text("INFO a first line of this file\n")
    return path


class Followed:
    """What a follower of hosts has told so far."""

    def __init__(self, hosts: list[Host], log: Path, cursor: Any = None, **options: Any) -> None:
        self.runs: list[ProbeRun] = []
        self.fleet = Fleet({host.name: host for host in hosts})
        self.follower = LogFollower(self.fleet, sleep=self._soon)
        given = {"files": [str(log)], "patterns": PATTERNS, "start": "beginning", **options}
        made = probe("log", every_s=0.2, timeout_s=20.0, **given)
        self.probe = replace(made, targets=tuple(Target(host.name, "local", host.name) for host in hosts))
        self.task = asyncio.create_task(self.follower.follow(self.probe, cursor, self.runs.append))

    async def _soon(self, seconds: float) -> None:
        await asyncio.sleep(0.05)

    def count(self, target: str = "web-1") -> float:
        return sum(self.counts(target).values())

    def counts(self, target: str = "web-1") -> dict[str, float]:
        run = next((run for run in reversed(self.runs) if run.target == target and run.outcome is Outcome.UP), None)
        pairs = zip(run.columns, run.values, strict=True) if run else ()
        return {dict(labels)["what"]: value for (metric, labels), value in pairs if metric == "errors_total"}

    @property
    def cursor(self) -> Any:
        return next((run.cursor for run in reversed(self.runs) if run.cursor), None)

    async def until(self, good: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not good():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.02)

    async def looked(self, more: int = 3) -> None:
        """Until it has told some times more."""
        before = len(self.runs)
        await self.until(lambda: len(self.runs) >= before + more)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.follower.close()
        self.fleet.close()


@asynccontextmanager
async def following(*given: Any, **options: Any) -> AsyncIterator[Followed]:
    one = Followed(*given, **options)
    try:
        yield one
    finally:
        await one.stop()


def append(path: Path, *words: str) -> None:
    with path.open("a") as file:
        file.writelines(f"ERROR {word}\n" for word in words)


async def test_lines_come_with_their_labels_and_a_restart_goes_on(server: Sshd, key: Path, log: Path) -> None:
    append(log, "old")
    async with following([server.host(key)], log) as it:
        await it.until(lambda: it.count() == 1)
        append(log, "disk", "disk", "net")
        await it.until(lambda: it.counts() == {"old": 1, "disk": 2, "net": 1})
        assert any("ERROR net" in line for run in it.runs for line in run.lines)
        cursor = it.cursor
    append(log, "meanwhile")
    async with following([server.host(key)], log, cursor) as it:
        await it.until(lambda: it.counts() == {"old": 1, "disk": 2, "net": 1, "meanwhile": 1})


async def test_only_what_comes_from_now_on(server: Sshd, key: Path, log: Path) -> None:
    append(log, "old")
    async with following([server.host(key)], log, start="end") as it:
        await it.looked()
        append(log, "new")
        await it.until(lambda: it.counts() == {"new": 1})


@pytest.mark.parametrize("glob", ["app.log", "app.log*", "*.log"])
async def test_rotation_by_renaming(server: Sshd, key: Path, log: Path, glob: str) -> None:
    async with following([server.host(key)], log.parent / glob) as it:
        append(log, "before")
        await it.until(lambda: it.count() == 1)
        log.rename(log.with_suffix(".log.1"))
        append(log.with_suffix(".log.1"), "late")
        append(log, "after")
        await it.until(lambda: it.counts() == {"before": 1, "late": 1, "after": 1})
        append(log, "after")
        await it.until(lambda: it.counts()["after"] == 2)
        await it.looked()
        assert it.counts() == {"before": 1, "late": 1, "after": 2}


async def test_rotation_by_copying_and_truncating(server: Sshd, key: Path, log: Path) -> None:
    async with following([server.host(key)], log) as it:
        append(log, *["before"] * 20)
        await it.until(lambda: it.count() == 20)
        shutil.copy2(log, log.with_suffix(".log.1"))
        log.write_text("")
        append(log, "after")
        await it.until(lambda: it.counts() == {"before": 20, "after": 1})
        await it.looked()
        assert it.counts() == {"before": 20, "after": 1}


async def test_what_was_rotated_and_packed_while_nobody_was_connected(server: Sshd, key: Path, log: Path) -> None:
    async with following([server.host(key)], log) as it:
        append(log, "before")
        await it.until(lambda: it.count() == 1)
        cursor = it.cursor
    append(log, "missed", "missed")
    with gzip.open(log.with_suffix(".log.1.gz"), "wb") as file:
        file.write(log.read_bytes())
    log.unlink()
    log.write_text("INFO another first line, of the next file\n")
    append(log, "after")
    async with following([server.host(key)], log, cursor) as it:
        await it.until(lambda: it.counts() == {"before": 1, "missed": 2, "after": 1})


async def test_cut_at_any_moment_nothing_counts_twice_or_is_lost(server: Sshd, key: Path, log: Path) -> None:
    """The server kills every connection again and again, between lines and rotations."""
    wanted = 0
    async with following([server.host(key)], log) as it:
        for turn in range(6):
            append(log, *[f"t{turn}"] * 50)
            wanted += 50
            server.cut()
            if turn % 2:
                log.rename(log.with_name(f"app.log.{turn}"))
                append(log, f"first{turn}")
                wanted += 1
            await it.until(lambda: it.count() >= wanted)  # noqa: B023 - waited for before it changes
            assert it.count() == wanted
        assert any(run.outcome is Outcome.UNKNOWN for run in it.runs) or it.count() == wanted


async def test_a_host_that_is_away_is_unknown_and_goes_on_where_it_was(
    server: Sshd, key: Path, log: Path, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = server.host(key)
    now = [0.0]
    async with following([host], log) as it:
        it.fleet._shared = Shared(clock=lambda: now[0])
        it.fleet._connections["web-1"] = Connection(host, it.fleet._shared)
        append(log, "before")
        await it.until(lambda: it.count() == 1)
        server.stop()
        await it.until(lambda: it.runs[-1].outcome is Outcome.UNKNOWN)
        append(log, "meanwhile")
        monkeypatch.setattr("sshd.free_port", lambda: server.port)
        again = Sshd(server.folder, SFTP, under=place.under, user=place.user)
        try:
            now[0] += 1000.0  # the pause after a failure is over
            await it.until(lambda: it.counts() == {"before": 1, "meanwhile": 1})
        finally:
            again.stop()


async def test_two_hosts_each_in_its_own_series_and_one_that_is_away_holds_up_nobody(server: Sshd, key: Path, log: Path) -> None:
    there = server.host(key, "web-1")
    away = replace(server.host(key, "web-2"), port=1)
    async with following([there, away], log) as it:
        append(log, "here")
        await it.until(lambda: it.count("web-1") == 1)
        assert it.cursor["targets"].keys() == {"web-1"}
        assert {run.outcome for run in it.runs if run.target == "web-2"} == {Outcome.UNKNOWN}


async def test_without_sftp_it_says_what_to_do(sshd: Callable[..., Sshd], key: Path, log: Path) -> None:
    async with following([sshd().host(key)], log) as it:
        await it.until(lambda: bool(it.runs))
        assert it.runs[0].reason == "protocol" and "Subsystem sftp internal-sftp" in str(it.runs[0].detail)


async def test_a_file_that_is_missing_or_may_not_be_read(server: Sshd, key: Path, log: Path, place: Any) -> None:
    async with following([server.host(key)], log.with_name("none.log")) as it:
        await it.until(lambda: bool(it.runs))
        assert (it.runs[0].outcome, it.runs[0].reason) == (Outcome.UNKNOWN, "missing")
        assert "journal" not in str(it.runs[0].detail), "that is about this machine"
    if not place.accounts:
        pytest.skip("the far account is ours, which may read all")
    os.chmod(log, 0o600)
    async with following([server.host(key)], log) as it:
        await it.until(lambda: bool(it.runs))
        assert (it.runs[0].reason, it.runs[0].detail) == ("permission", f"{log} can't be read: permission denied")


async def test_one_look_at_its_end(server: Sshd, key: Path, log: Path) -> None:
    append(log, "one", "two")
    it = Followed([server.host(key)], log)
    try:
        await it.until(lambda: it.count() == 2)
        (run,) = await run_once("follower", it.follower, it.probe, 1.0)
        assert run.outcome is Outcome.UP and run.cursor is None and run.at_s == 1.0
        assert sum(value for (name, _), value in zip(run.columns, run.values, strict=True) if name == "errors_total") == 2
    finally:
        await it.stop()


async def test_globs_are_those_of_a_shell(server: Sshd, key: Path, log: Path) -> None:
    for name in ("a/x.log", "a/y.txt", "b/x.log", ".hidden/x.log", "b/.x.log"):
        (log.parent / name).parent.mkdir(exist_ok=True)
        (log.parent / name).write_text("x")
    fleet = Fleet({"web-1": server.host(key)})
    files = await fleet("web-1").files(20.0)
    assert files
    far = FarPlace(files)
    found = await asyncio.to_thread(far.paths, f"{log.parent}/*/*.log")
    assert found == [f"{log.parent}/a/x.log", f"{log.parent}/b/x.log"]
    assert await asyncio.to_thread(far.paths, f"{log.parent}/none/*.log") == []
    far.close()
    fleet.close()
