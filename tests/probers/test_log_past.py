"""What was rotated away while nobody looked is read once: renamed, copied, packed, several times over."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import zstandard
from test_log_files import HEAD, Reading, append

PACKERS: dict[str, Any] = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": zstandard.compress}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text(HEAD)
    os.utime(path, (1_795_000_000, 1_795_000_000))
    return path


def stopped(log: Path, *patterns: object) -> dict[str, Any]:
    reading = Reading(*(patterns or (log,)))
    reading.step()
    return reading.stop()


def rotate(log: Path, number: int, pack: str = "", at: float = 0) -> Path:
    """As logrotate does: `log` becomes log.NUMBER, packed if wanted, with the time of its last line."""
    name = log.with_name(f"{log.name}.{number}{pack}")
    name.write_bytes(PACKERS[pack](log.read_bytes()) if pack else log.read_bytes())
    log.unlink()
    os.utime(name, (at, at))
    return name


@pytest.mark.parametrize("pack", [".gz", ".xz", ".bz2", ".zst"])
def test_a_packed_predecessor_is_read_once_from_where_we_were(log: Path, pack: str) -> None:
    cursor = stopped(log)
    append(log, "missed\n" + "x" * 300_000 + "\nand its last line has no end")
    rotate(log, 1, pack, 1_795_000_100)
    log.write_text("new\n")
    reading = Reading(log, cursor=cursor)
    assert sorted(line[:30] for line in reading.step()) == ["and its last line has no end", "missed", "new", "x" * 30]
    again = Reading(log, cursor=reading.stop())
    assert again.step() == []


@pytest.mark.parametrize("pack", [".gz", ".xz", ".bz2", ".zst"])
def test_a_long_packed_predecessor_is_gone_on_with_and_not_begun_anew(log: Path, pack: str) -> None:
    """Where we were lies further in than is unpacked at one go."""
    append(log, "".join(f"line {number}\n" for number in range(100_000)))
    reading = Reading(log)
    while reading.step():
        pass
    cursor = reading.stop()
    append(log, "missed\n")
    rotate(log, 1, pack, 1_795_000_100)
    log.write_text("new\n")
    assert sorted(Reading(log, cursor=cursor).step()) == ["missed", "new"]


def test_rotated_three_times_and_packed_in_between(log: Path) -> None:
    cursor = stopped(log)
    append(log, "one\n")
    rotate(log, 3, ".gz", 1_795_000_100)
    log.write_text("two, of a file that came and went while nobody looked\n")
    rotate(log, 2, ".zst", 1_795_000_200)
    log.write_text("three\n")
    rotate(log, 1, "", 1_795_000_300)
    log.write_text("four\n")
    found = Reading(log, cursor=cursor).step()
    assert sorted(line.split(",")[0] for line in found) == ["four", "one", "three", "two"]


def test_older_archives_are_left_alone(log: Path) -> None:
    old = log.with_name("app.log.2.gz")
    old.write_bytes(gzip.compress(b"long ago\n"))
    os.utime(old, (1_794_000_000, 1_794_000_000))
    cursor = stopped(log)
    append(log, "one\n")
    rotate(log, 1, ".gz", 1_795_000_100)
    log.write_text("two\n")
    assert sorted(Reading(log, cursor=cursor).step()) == ["one", "two"]
    assert Reading(log, start="beginning").step() == ["two"], "at first sight no archive is opened"


def test_copytruncated_while_we_were_away_under_a_plain_name(log: Path) -> None:
    cursor = stopped(log)
    append(log, "one\n")
    shutil.copy(log, log.with_name("app.log.1"))
    os.truncate(log, 0)
    append(log, "two\n")
    assert sorted(Reading(log, cursor=cursor).step()) == ["one", "two"]


def test_what_came_between_our_look_and_the_truncation_is_in_the_copy(log: Path) -> None:
    reading = Reading(log)
    reading.step()
    append(log, "just before\n")
    shutil.copy(log, log.with_name("app.log.1"))
    os.truncate(log, 0)
    append(log, "just after\n")
    assert sorted(reading.step()) == ["just after", "just before"]
    assert reading.step() == []


def test_a_damaged_archive_does_not_stop_the_rest(log: Path) -> None:
    cursor = stopped(log)
    append(log, "one\n" * 1000)
    whole = rotate(log, 1, ".gz", 1_795_000_100)
    whole.write_bytes(whole.read_bytes()[:-20])
    (log.with_name("app.log.2.gz")).write_bytes(b"not packed at all")
    log.write_text("two\n")
    reading = Reading(log, cursor=cursor)
    assert "two" in reading.step()
    append(log, "three\n")
    assert reading.step() == ["three"]
