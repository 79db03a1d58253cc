"""A backup of a state folder that is being written, and what comes back out of it."""

from __future__ import annotations

import stat
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
from ledger_things import incident

from forewarn.model.errors import StoreError
from forewarn.model.series import SeriesId
from forewarn.store import backup
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples

LOG = SeriesId("log", "web-1", "errors")


def fill(folder: Path, runs: int = 3_000) -> None:
    folder.mkdir()
    ledger, samples = SqliteLedger(folder / "ledger.db"), SqliteSamples(folder / "samples.db")
    ledger.commit([incident(1)], (), (), {"INC": 1})
    samples.append([(LOG, float(at), at / 7) for at in range(runs)], {"log": {"n": runs - 1}})
    ledger.close()
    samples.close()


def restored(file: Path, folder: Path) -> tuple[SqliteLedger, SqliteSamples]:
    folder.mkdir()
    subprocess.run(["tar", "-xf", str(file), "-C", str(folder)], check=True)
    return SqliteLedger(folder / "ledger.db"), SqliteSamples(folder / "samples.db")


def test_what_was_copied_comes_back(tmp_path):
    fill(tmp_path / "state")
    seen: list[tuple[str, int, int]] = []
    size = backup.back_up(tmp_path / "state", tmp_path / "copy.tar", lambda *given: seen.append(given))
    assert size == (tmp_path / "copy.tar").stat().st_size and stat.S_IMODE((tmp_path / "copy.tar").stat().st_mode) == 0o600
    assert {name for name, _, _ in seen} == {"samples.db", "ledger.db"}
    assert all(done <= pages for _, done, pages in seen) and seen[-1][1] == seen[-1][2]
    assert backup.check(tmp_path / "copy.tar").keys() == {"samples.db", "ledger.db"}
    ledger, samples = restored(tmp_path / "copy.tar", tmp_path / "again")
    assert ledger.counts("incident") == {"open": 1}
    window = samples.read(LOG, 0, 1e9)
    assert list(window.times_s) == list(range(3_000)) and window.values[7] == 1.0
    samples.append([(LOG, 3_000.0, 1.0)])
    ledger.close()
    samples.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "copy.tar", "state"]


def test_a_copy_is_of_one_moment_while_the_daemon_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "PAGES", 1)  # so that many appends fall into one copy
    fill(tmp_path / "state")
    samples, over, n = SqliteSamples(tmp_path / "state" / "samples.db"), threading.Event(), 3_000

    def write() -> None:
        nonlocal n
        while not over.is_set():
            samples.append([(LOG, float(n), n / 7)], {"log": {"n": n}})
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            backup.back_up(tmp_path / "state", tmp_path / "copy.tar", lambda *_: None)
    finally:
        over.set()
        writer.join()
        samples.close()
    ledger, copy = restored(tmp_path / "copy.tar", tmp_path / "again")
    last = (copy.cursor("log") or {})["n"]
    assert 3_000 <= last < n
    assert list(copy.read(LOG, 0, 1e9).times_s) == list(range(last + 1))
    ledger.close()
    copy.close()


def test_a_copy_that_fails_leaves_the_earlier_one(tmp_path):
    fill(tmp_path / "state")
    file = tmp_path / "copy.tar"
    backup.back_up(tmp_path / "state", file, lambda *_: None)
    before = file.read_bytes()
    database = tmp_path / "state" / "ledger.db"
    database.write_bytes(database.read_bytes()[:4096] + b"\xff" * 20_000)
    with pytest.raises(StoreError, match=r"ledger\.db"):
        backup.back_up(tmp_path / "state", file, lambda *_: None)
    assert file.read_bytes() == before
    database.unlink()
    with pytest.raises(StoreError, match=r"ledger\.db: there is no such file; start forewarn once"):
        backup.back_up(tmp_path / "state", file, lambda *_: None)
    with pytest.raises(StoreError, match=r"nowhere/copy\.tar: it can't be written .+ name a file in a folder with room"):
        backup.back_up(tmp_path / "state", tmp_path / "nowhere" / "copy.tar", lambda *_: None)
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.tar", "state"]


@pytest.mark.parametrize("damage", ["cut", "other", "part"])
def test_a_copy_that_is_not_whole_says_so(tmp_path, damage):
    fill(tmp_path / "state")
    file = tmp_path / "copy.tar"
    backup.back_up(tmp_path / "state", file, lambda *_: None)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:30_000])
    elif damage == "other":
        file.write_text("minutes of a meeting")
    elif damage == "part":
        with tarfile.open(file, "w") as tar:
            tar.add(tmp_path / "state" / "samples.db", "samples.db")
    with pytest.raises(StoreError, match=r"copy\.tar: this is not a backup of forewarn, or a part of one .+; take another copy"):
        backup.check(file)


def test_a_copy_that_is_not_there_says_so(tmp_path):
    with pytest.raises(StoreError, match=r"copy\.tar: there is no such file; name a copy that forewarn backup wrote"):
        backup.check(tmp_path / "copy.tar")


@pytest.mark.parametrize(("lang", "words"), [("en", "the copy is whole"), ("zh", "副本完整")])
def test_the_command(tmp_path, lang, words):
    fill(tmp_path / "state")
    command = [sys.executable, "-m", "forewarn.cli.main", "--lang", lang, "--state", str(tmp_path / "state"), "backup"]
    made = subprocess.run([*command, str(tmp_path / "copy.tar")], capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "") and words in made.stdout and "tar -xf" in made.stdout
    assert subprocess.run([*command, "--check", str(tmp_path / "copy.tar")], capture_output=True, check=False).returncode == 0
    bad = subprocess.run([*command, "--check", str(tmp_path / "state" / "ledger.db")], capture_output=True, text=True, check=False)
    assert bad.returncode == 1 and "not a backup of forewarn" in bad.stderr
