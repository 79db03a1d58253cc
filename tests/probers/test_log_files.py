"""Real files with real rotation: nothing is counted twice, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from probing import probe

from forewarn.model.series import ProbeRun
from forewarn.probers.log import LogOptions
from forewarn.probers.log_files import GONE_S, Files
from forewarn.probers.log_follow import LogFollower
from forewarn.probers.once import run_once

HEAD = "2026-11-23T10:00:00 a first line that is long enough to tell this file from others\n"


class Reading:
    """Steps over files by hand, at times that the test gives."""

    def __init__(self, *globs: object, start: str = "end", cursor: dict[str, Any] | None = None) -> None:
        options = LogOptions(files=tuple(str(one) for one in globs), patterns={"any": "x"})
        self.files = Files(options, start, cursor)
        self.now = 0.0

    def step(self, seconds: float = 1.0) -> list[str]:
        self.now += seconds
        lines: list[str] = []
        while True:
            batch = self.files.step(self.now)
            lines += batch.lines
            if not batch.more:
                return lines

    def stop(self) -> dict[str, Any]:
        cursor = self.files.stored()
        self.files.close()
        return cursor


def append(path: Path, text: str) -> None:
    with path.open("a", newline="") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text(HEAD)
    return path


def test_start_at_the_end_or_at_the_beginning(log: Path) -> None:
    assert Reading(log).step() == []
    assert Reading(log, start="beginning").step() == [HEAD.rstrip()]
    late = Reading(log)
    late.step()
    append(log, "new\r\n")
    assert late.step() == ["new"]


def test_a_partial_line_waits_for_its_end(log: Path) -> None:
    reading = Reading(log)
    reading.step()
    append(log, "half")
    assert reading.step() == []
    append(log, " and half\nnext")
    assert reading.step() == ["half and half"]
    again = Reading(log, cursor=reading.stop())
    append(log, " one\n")
    assert again.step() == ["next one"], "what was only half there is read whole after a restart"


def test_the_end_of_a_line_that_was_begun_before_is_not_a_line(log: Path) -> None:
    append(log, "old ERROR ")
    reading = Reading(log)
    reading.step()
    append(log, "tail\nnew\n")
    assert reading.step() == ["new"]


def test_rename_and_create(log: Path) -> None:
    reading = Reading(log)
    reading.step()
    append(log, "one\n")
    log.rename(log.with_suffix(".log.1"))
    append(log.with_suffix(".log.1"), "two\n")
    log.write_text("three\n")
    assert sorted(reading.step()) == ["one", "three", "two"]
    append(log.with_suffix(".log.1"), "the writer has not noticed yet\nlast words")
    assert reading.step() == ["the writer has not noticed yet"]
    assert reading.step(GONE_S + 1) == ["last words"]
    assert len(reading.files.stored()["files"]) == 1, "the old file is let go"


def test_rename_under_a_glob_that_sees_both(log: Path) -> None:
    reading = Reading(log.parent / "app.log*", start="beginning")
    assert reading.step() == [HEAD.rstrip()]
    log.rename(log.with_suffix(".log.1"))
    log.write_text("new\n")
    assert reading.step() == ["new"]
    log.with_suffix(".log.1.gz").write_text("packed\n")
    assert reading.step() == []


@pytest.mark.parametrize("glob", ["app.log", "app.log*"])
def test_copytruncate(log: Path, glob: str) -> None:
    reading = Reading(log.parent / glob)
    reading.step()
    append(log, "one\n")
    assert reading.step() == ["one"]
    shutil.copy(log, log.with_suffix(".log.1"))
    os.truncate(log, 0)
    append(log, "two\n")
    assert reading.step() == ["two"]
    append(log, "three\n")
    assert reading.step() == ["three"]


def test_copytruncate_keeps_what_only_the_copy_has(log: Path) -> None:
    reading = Reading(log.parent / "app.log*")
    reading.step()
    append(log, "not read yet\n")
    shutil.copy(log, log.with_suffix(".log.1"))
    os.truncate(log, 0)
    append(log, "new\n")
    assert sorted(reading.step()) == ["new", "not read yet"]


def test_a_truncated_file_that_has_grown_past_us(log: Path) -> None:
    reading = Reading(log)
    reading.step()
    log.write_text("a quite different beginning\n" + "x\n" * 200)
    assert len(reading.step()) == 201


def test_a_file_that_comes_later_is_read_from_its_beginning(log: Path) -> None:
    late = log.parent / "late.log"
    reading = Reading(log, late)
    reading.step()
    late.write_text("first\n")
    assert reading.step() == ["first"]
    late.unlink()
    reading.step()
    late.write_text("again\n")
    assert reading.step() == ["again"]


def test_restart_goes_on_where_it_was(log: Path) -> None:
    reading = Reading(log)
    reading.step()
    append(log, "one\n")
    reading.step()
    cursor = reading.stop()
    append(log, "two\n")
    assert Reading(log, cursor=cursor).step() == ["two"]


def test_rotated_while_we_were_away(log: Path) -> None:
    reading = Reading(log)
    reading.step()
    cursor = reading.stop()
    append(log, "one\n")
    log.rename(log.with_suffix(".log.1"))
    log.write_text("two\n")
    again = Reading(log, cursor=cursor)
    assert sorted(again.step()) == ["one", "two"]
    assert again.step() == []


def test_copytruncated_while_we_were_away(log: Path) -> None:
    reading = Reading(log.parent / "app.log*")
    reading.step()
    append(log, "one\n")
    reading.step()
    cursor = reading.stop()
    append(log, "two\n")
    shutil.copy(log, log.with_suffix(".log.1"))
    os.truncate(log, 0)
    append(log, "three\n")
    assert sorted(Reading(log.parent / "app.log*", cursor=cursor).step()) == ["three", "two"]


def test_a_new_file_of_a_known_glob_is_new_and_of_a_new_glob_is_old(log: Path) -> None:
    cursor = {"files": [], "globs": [str(log.parent / "*.log")], "blind": []}
    assert Reading(log.parent / "*.log", cursor=cursor).step() == [HEAD.rstrip()]
    assert Reading(log, cursor=cursor).step() == []


def test_a_folder_that_is_away_at_the_start_comes_back(log: Path) -> None:
    reading = Reading(log, start="beginning")
    reading.step()
    cursor = reading.stop()
    away = log.parent.rename(log.parent.with_name("away"))
    again = Reading(log, start="beginning", cursor=cursor)
    assert again.step() == []
    again.files.stored()
    away.rename(log.parent)
    append(log, "new\n")
    assert again.step() == ["new"], "it is gone on with, not read again from its beginning"


def test_long_and_binary_lines_survive(log: Path) -> None:
    reading = Reading(log)
    reading.step()
    with log.open("ab") as file:
        file.write(b"L" * 3_000_000 + b"\n\xff\xfe\0bin\n")
    lines = reading.step()
    assert [len(line) for line in lines] == [1024**2, 6] and lines[1].endswith("bin")
    with log.open("ab") as file:
        file.write(b"M" * 1_500_000)
    assert len(reading.step()[0]) == 1024**2
    cursor = reading.stop()
    append(log, "rest of it\nshort\n")
    assert Reading(log, cursor=cursor).step() == ["short"], "a restart inside a long line"


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reading = Reading(tmp_path / "pipe", tmp_path / "none")
    assert reading.step() == []
    failure = reading.files.failure()
    assert failure and failure.outcome == "unknown" and f"{tmp_path}/pipe is not a file" in failure.detail
    failure = Reading(tmp_path / "none").files.failure()
    assert failure and failure.reason == "missing" and f"there is no such file: {tmp_path}/none" in failure.detail


def test_a_cursor_holds_no_line_of_the_log(log: Path) -> None:
    reading = Reading(log, start="beginning")
    reading.step()
    assert "first line" not in str(reading.stop())


# --- following ---


async def following(one: Any, cursor: Any, act: Any, until: Any) -> list[ProbeRun]:
    """Follow until `until(runs)`; `act` is called once following has begun."""
    follower, runs = LogFollower(), list[ProbeRun]()
    task = asyncio.create_task(follower.follow(one, cursor, runs.append))
    begun = time.monotonic()
    while not runs and time.monotonic() - begun < 5:
        await asyncio.sleep(0.005)
    act()
    while not until(runs) and time.monotonic() - begun < 5:
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    follower.close()
    assert until(runs), runs
    return runs


def count(runs: list[ProbeRun], metric: str) -> float:
    return sum(value for (name, _), value in zip(runs[-1].columns, runs[-1].values, strict=True) if name == metric)


async def test_matching_lines_are_told_at_once_and_survive_a_restart(log: Path) -> None:
    one = probe("log", files=[str(log)], patterns={"errors": "ERROR (?P<who>\\w+)"})
    runs = await following(
        one, None, lambda: append(log, "ERROR a\nfine\nERROR a\n"), lambda runs: count(runs, "errors_total") == 2
    )
    assert len(runs) == 3 and runs[-2].values[-1] == 0.0, "the first, the birth, and the news: long before the interval ends"
    assert runs[-1].lines == ("ERROR a", "ERROR a") and runs[-1].outcome == "up"
    append(log, "ERROR b\n")
    more = await following(one, runs[-1].cursor, lambda: None, lambda runs: count(runs, "errors_total") == 3)
    assert count(more, "lines_total") == 4


async def test_quiet_files_are_told_at_every_interval(log: Path) -> None:
    one = probe("log", files=[str(log)], patterns={"errors": "ERROR"}, every_s=0.1)
    runs = await following(one, None, lambda: None, lambda runs: len(runs) >= 4)
    gaps = [after.at_s - before.at_s for before, after in pairwise(runs)]
    assert all(run.values == (0.0, 0.0) for run in runs) and sum(gaps) / len(gaps) == pytest.approx(0.1, abs=0.05)
    assert runs[0].columns is runs[-1].columns


async def test_nothing_to_read_is_unknown_until_it_is_there(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    one = probe("log", files=[str(log)], patterns={"errors": "ERROR"}, every_s=0.1)
    runs = await following(one, None, lambda: log.write_text("ERROR\n"), lambda runs: runs[-1].outcome == "up")
    assert (runs[0].outcome, runs[0].reason) == ("unknown", "missing") and str(log) in str(runs[0].detail)
    assert count(runs, "errors_total") == 1


def as_nobody(act: Callable[[], str]) -> str:
    """What `act` answers in a child process that has given up root for good."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of other tests: the child does nothing but `act`
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(write, act().encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        return pipe.read().decode()


def said_of(path: Path) -> str:
    reading = Reading(path)
    reading.step()
    return str(reading.files.failure())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_permission_names_the_group_that_helps() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder, log = Path(name), Path(name, "auth.log")
        log.write_text(HEAD)
        folder.chmod(0o755)
        log.chmod(0o640)
        os.chown(log, 0, 4)  # adm
        said = as_nobody(lambda: said_of(log))
        assert f"{log} can't be read: permission denied; add the user nobody to the group adm" in said
        assert "permission" in said and "unknown" in said
        log.chmod(0o600)
        assert f"only its owner may read {log}" in as_nobody(lambda: said_of(log))
        folder.chmod(0o750)
        os.chown(folder, 0, 4)
        assert "add the user nobody to the group adm" in as_nobody(lambda: said_of(log))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_file_that_becomes_readable_is_read_from_then_on() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        log = Path(name, "auth.log")
        log.write_text(HEAD)
        Path(name).chmod(0o755)
        log.chmod(0o600)

        def story() -> str:
            reading = Reading(log)
            first = reading.step()
            os.write(ready_in, b".")
            os.read(open_out, 1)
            second = reading.step()
            os.write(ready_in, b".")
            os.read(open_out, 1)
            return f"{first} {second} {reading.step()}"

        (ready_out, ready_in), (open_out, open_in) = os.pipe(), os.pipe()

        def owner() -> None:
            os.read(ready_out, 1)
            log.chmod(0o644)
            os.write(open_in, b".")
            os.read(ready_out, 1)
            append(log, "new\n")
            os.write(open_in, b".")

        acting = threading.Thread(target=owner)
        acting.start()
        said = as_nobody(story)
        acting.join()
        for fd in (ready_out, ready_in, open_out, open_in):
            os.close(fd)
    assert said == "[] [] ['new']"


async def test_once_looks_at_the_end(log: Path) -> None:
    log.write_text("ERROR cut off\n" + "x" * 2_000_000 + "\nERROR 1\nERROR 2\n")
    follower = LogFollower()
    run = (await run_once("follower", follower, probe("log", files=[str(log)], patterns={"errors": "ERROR"}), time.time()))[0]
    follower.close()
    assert dict(zip(run.columns, run.values, strict=True)) == {("lines_total", ()): 2.0, ("errors_total", ()): 2.0}
    assert run.cursor is None
