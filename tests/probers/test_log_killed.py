"""A follower that is killed at any moment, while its log is written and rotated, counts every line once."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from forewarn.store.samples import SqliteSamples

PROGRAM = Path(__file__).with_name("follower_process.py")


class Writer:
    """Writes lines with ids, and rotates in all the ways that logrotate has."""

    def __init__(self, log: Path, chance: random.Random) -> None:
        self.log, self._chance = log, chance
        self.written = Counter[str]()
        self._rotations = 0
        self._file: Any = log.open("a")
        self.write(3)

    def write(self, count: int) -> None:
        for _ in range(count):
            id = f"{self._chance.randrange(40):02d}"
            self.written[id] += 1
            self._file.write(f"{self._chance.random()} a line with id={id} {'x' * self._chance.choice((0, 50, 3000))}\n")
        self._file.flush()

    def rotate(self) -> None:
        self._rotations += 1
        old = self.log.with_name(f"{self.log.name}.{self._rotations}")
        how = self._chance.choice(("create", "create", "copytruncate", "late writer"))
        if how == "copytruncate":
            shutil.copy2(self.log, old)
            os.truncate(self.log, 0)
            self.write(3)
            return
        self.log.rename(old)
        before, self._file = self._file, self.log.open("a")
        if how == "late writer":
            now, self._file = self._file, before
            self.write(2)
            self._file = now
        before.close()
        self.write(3)

    def close(self) -> None:
        self._file.close()

    def pack(self) -> None:
        """As a later logrotate does with what is old by then."""
        for number in range(1, self._rotations):
            old = self.log.with_name(f"{self.log.name}.{number}")
            if old.exists():
                packed, found = Path(f"{old}.gz"), old.stat()
                packed.write_bytes(gzip.compress(old.read_bytes()))
                os.utime(packed, (found.st_mtime, found.st_mtime))
                old.unlink()


def counted(store: Path) -> Counter[str]:
    samples = SqliteSamples(store, read_only=True)
    found = {series.label("id"): value for series, (_, value) in samples.last("p").items() if series.metric == "hits_total"}
    samples.close()
    return Counter({str(id): int(value) for id, value in found.items()})


def start(store: Path, log: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", str(PROGRAM), str(store), str(log)], cwd=PROGRAM.parent, stdout=subprocess.PIPE
    )


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def story(folder: Path, seed: int, lives: int) -> None:
    chance, log, store = random.Random(seed), folder / "app.log", folder / "samples.db"
    SqliteSamples(store).close()
    writer = Writer(log, chance)
    for life in range(lives):
        process = start(store, log)
        assert process.stdout
        if life == 0 or chance.random() < 0.7:
            process.stdout.read(1)  # its first run is stored
        until = time.monotonic() + chance.random()
        while time.monotonic() < until:
            writer.write(chance.randrange(20))
            time.sleep(chance.random() * 0.05)
            if chance.random() < 0.08:
                writer.rotate()
        end(process)
        if chance.random() < 0.5:  # while nobody looks
            writer.write(chance.randrange(200))
            for _ in range(chance.randrange(3)):
                time.sleep(1.1)  # a rotation is known by its second
                writer.rotate()
            writer.pack()
    process = start(store, log)
    patience = time.monotonic() + 30
    while counted(store) != writer.written and time.monotonic() < patience:
        time.sleep(0.1)
    end(process)
    writer.close()
    found = counted(store)
    assert found == writer.written, f"twice: {found - writer.written}, lost: {writer.written - found}"


@pytest.mark.timeout(180)
def test_a_follower_that_is_killed_counts_every_line_once(tmp_path: Path) -> None:
    story(tmp_path, 1, 4)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_times(tmp_path: Path, seed: int) -> None:
    story(tmp_path, seed, 12)
