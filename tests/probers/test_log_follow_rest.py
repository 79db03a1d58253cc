"""A log that rests wakes nobody: the kernel tells when there is something to read. Where it does not, we look ourselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from probing import probe, values

from forewarn.model.series import ProbeRun
from forewarn.probers import log_follow
from forewarn.probers.log_files import Files
from forewarn.probers.log_follow import LogFollower


class Followed:
    """A follower at work; `steps` says of each step what had changed (None: everything was looked at)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *files: Path, every_s: float = 60.0) -> None:
        self.steps, self.runs = list[object](), list[ProbeRun]()
        step = Files.step

        def counted(one: Files, now: float, changed: set[int] | None = None) -> object:
            self.steps.append(None if changed is None else set(changed))
            return step(one, now, changed)

        monkeypatch.setattr(Files, "step", counted)
        one = probe("log", files=[str(file) for file in files], patterns={"errors": "ERROR"}, every_s=every_s)
        self.follower = LogFollower()
        self.task = asyncio.create_task(self.follower.follow(one, None, self.runs.append))

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not done():
                await asyncio.sleep(0.005)

    def errors(self) -> float:
        return values(self.runs[-1]).get("errors_total", 0.0) if self.runs else 0.0

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.follower.close()


async def test_a_resting_log_wakes_nobody_and_its_first_line_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, other = tmp_path / "x.log", tmp_path / "other.txt"
    file.write_text("begun\n")
    other.write_text("")
    followed = Followed(monkeypatch, tmp_path / "*.log")
    await followed.until(lambda: bool(followed.runs))
    await asyncio.sleep(0.2)
    before = len(followed.steps)
    for _ in range(5):
        with other.open("a") as out:
            out.write("nobody follows this\n")
        await asyncio.sleep(0.1)
    assert len(followed.steps) == before, "nothing was looked at, although a neighbour grew"
    with file.open("a") as out:
        out.write("ERROR one\n")
    await followed.until(lambda: followed.errors() == 1)
    assert None not in followed.steps[before:], "only the file that had changed was read"
    await followed.stop()


async def test_new_files_and_rotation_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pod-1").mkdir()
    file = tmp_path / "pod-1" / "a.log"
    file.write_text("begun, and long enough to tell it from others\n")
    followed = Followed(monkeypatch, tmp_path / "pod-*" / "*.log")
    await followed.until(lambda: bool(followed.runs))
    (tmp_path / "pod-1" / "b.log").write_text("ERROR in a new file\n")
    await followed.until(lambda: followed.errors() == 1)
    file.rename(tmp_path / "pod-1" / "a.log.1")
    file.write_text("ERROR after rotation\n")
    await followed.until(lambda: followed.errors() == 2)
    with (tmp_path / "pod-1" / "a.log.1").open("a") as out:
        out.write("ERROR by a writer that has not noticed\n")
    await followed.until(lambda: followed.errors() == 3)
    (tmp_path / "pod-2").mkdir()
    (tmp_path / "pod-2" / "c.log").write_text("ERROR in a new folder\n")
    await followed.until(lambda: followed.errors() == 4)
    await followed.stop()


@pytest.mark.parametrize("how", ["no watches", "silent"])
async def test_where_the_kernel_does_not_tell_we_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """As on a network file system, whose changes come from elsewhere, or with no watch left."""
    monkeypatch.setattr(log_follow, "POLL_S", 0.02)
    if how == "silent":
        monkeypatch.setattr(log_follow, "LOOK_S", 0.02)
        monkeypatch.setattr("forewarn.probers.log_wake.Wake._ready", lambda self: self._loop.remove_reader(self._fd))
    else:
        monkeypatch.setattr(
            "forewarn.probers.log_wake.Wake.__init__", lambda self, loop: (_ for _ in ()).throw(OSError(24, "none left"))
        )
    file = tmp_path / "x.log"
    file.write_text("begun\n")
    followed = Followed(monkeypatch, file, every_s=0.05 if how == "silent" else 60.0)
    await followed.until(lambda: bool(followed.runs))
    for count in range(1, 4):
        with file.open("a") as out:
            out.write("ERROR\n")
        await followed.until(lambda: followed.errors() == count)  # noqa: B023 - awaited at once
    await followed.stop()
