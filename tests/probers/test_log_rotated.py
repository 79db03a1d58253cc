"""Rotations that come one upon the other, or while nobody looks: each file is known by its first bytes, whatever inode it has."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from forewarn.probers.log import LogOptions
from forewarn.probers.log_files import Files


def head(number: int) -> str:
    return f"file {number}: a first line that is long enough to tell this file from others\n"


class Reading:
    """All lines of a log and of what it becomes, from the beginning on or from where a cursor says."""

    def __init__(self, log: Path, cursor: dict[str, Any] | None = None) -> None:
        options = LogOptions(files=(str(log),), patterns={"any": "x"})
        self.files = Files(options, "beginning", cursor)
        self._now = 0.0

    def step(self) -> str:
        self._now += 1.0
        lines: list[str] = []
        while True:
            batch = self.files.step(self._now)
            lines += batch.lines
            if not batch.more:
                return "".join(f"{line}\n" for line in lines)

    def stop(self) -> dict[str, Any]:
        cursor = self.files.stored()
        self.files.close()
        return cursor


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text(head(0))
    return path


def rotate(log: Path, number: int) -> Path:
    """By renaming; the new file has its own first line. Files change a second apart."""
    old = log.rename(f"{log}.{number}")
    log.write_text(head(number))
    changed = old.stat().st_mtime + 1.0
    os.utime(log, (changed, changed))
    return old


def pack(old: Path) -> Path:
    packed, changed = Path(f"{old}.gz"), old.stat().st_mtime
    packed.write_bytes(gzip.compress(old.read_bytes()))
    os.utime(packed, (changed, changed))
    return packed


def test_an_inode_that_a_packed_file_had_is_not_that_file(log: Path) -> None:
    """Two rotations while nobody looks; the file between has by now the inode of one that was read to its end."""
    reading = Reading(log)
    assert reading.step() == head(0)
    cursor = reading.stop()
    first = rotate(log, 1)
    between = rotate(log, 2)
    pack(first)
    first.unlink()
    cursor["done"] = [{"inode": between.stat().st_ino, "print": [64, "of another file"]}]
    cursor["files"][0]["inode"] = between.stat().st_ino
    again = Reading(log, cursor)
    assert sorted(again.step().splitlines()) == sorted((head(1) + head(2)).splitlines())
    again.stop()


def test_a_file_that_lies_there_packed_and_plain_counts_once(log: Path) -> None:
    reading = Reading(log)
    reading.step()
    cursor = reading.stop()
    rotate(log, 1)
    pack(rotate(log, 2))
    again = Reading(log, cursor)
    assert sorted(again.step().splitlines()) == sorted((head(1) + head(2)).splitlines())
    again.stop()


def test_two_copies_between_two_looks(log: Path) -> None:
    reading = Reading(log)
    reading.step()
    for number in (1, 2):
        with log.open("a") as file:
            file.write(f"written just before copy {number}\n")
        shutil.copy2(log, f"{log}.{number}")
        log.write_text(head(number))
    expected = "written just before copy 1\n" + head(1) + "written just before copy 2\n" + head(2)
    assert sorted(reading.step().splitlines()) == sorted(expected.splitlines())
    assert reading.step() == ""
    reading.stop()


def test_a_rest_that_is_renamed_once_more_is_read_on(log: Path) -> None:
    """logrotate's numbers move on: app.log.1 is app.log.2 when Forewarn comes back a second time."""
    reading = Reading(log)
    reading.step()
    cursor = reading.stop()
    old = rotate(log, 1)
    again = Reading(log, cursor)
    assert again.step() == head(1)
    cursor = again.stop()
    old.rename(f"{log}.2")
    with Path(f"{log}.2").open("a") as file:
        file.write("a late writer's line\n")
    log.rename(f"{log}.1")
    log.write_text(head(2))
    third = Reading(log, cursor)
    assert sorted(third.step().splitlines()) == sorted((head(2) + "a late writer's line\n").splitlines())
    third.stop()


def test_a_file_that_was_empty_when_we_left_may_be_another(log: Path) -> None:
    """It was filled, copied and truncated meanwhile: only the copy has what came first."""
    log.write_text("")
    reading = Reading(log)
    assert reading.step() == ""
    cursor = reading.stop()
    log.write_text(head(1))
    shutil.copy2(log, f"{log}.1")
    log.write_text(head(2))
    again = Reading(log, cursor)
    assert sorted(again.step().splitlines()) == sorted((head(1) + head(2)).splitlines())
    again.stop()
