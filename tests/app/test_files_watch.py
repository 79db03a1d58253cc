"""Files that are newer than the running set: named with the command that applies them, and only where content differs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forewarn.app.files_watch import FilesWatch, Snapshot


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("config", "probes", "playbooks"):
        (tmp_path / part).mkdir()
    (tmp_path / "probes" / "a.yaml").write_text("probe: a\n")
    (tmp_path / "probes" / "b.yaml").write_text("probe: b\n")
    return tmp_path


def test_changed_added_and_removed_files_are_named(folder: Path) -> None:
    watch = FilesWatch(folder, Snapshot.of(folder))
    assert watch.look() == () and watch.trouble is None
    (folder / "probes" / "a.yaml").write_text("probe: other\n")
    (folder / "probes" / "b.yaml").unlink()
    (folder / "config" / "people.yaml").write_text("x: 1\n")
    assert watch.look() == ("config/people.yaml", "probes/a.yaml", "probes/b.yaml")
    assert watch.trouble is not None and watch.trouble.key == "trouble.older"


def test_touched_or_changed_back_is_the_same(folder: Path) -> None:
    watch, file = FilesWatch(folder, Snapshot.of(folder)), folder / "probes" / "a.yaml"
    os.utime(file, (1, 1))
    assert watch.look() == ()
    file.write_text("probe: x\n")
    os.utime(file, (2, 2))
    assert watch.look() == ("probes/a.yaml",)
    file.write_text("probe: a\n")
    os.utime(file, (3, 3))
    assert watch.look() == ()


def test_a_set_that_was_applied_is_the_new_measure(folder: Path) -> None:
    watch = FilesWatch(folder, Snapshot.of(folder))
    (folder / "probes" / "a.yaml").write_text("probe: other\n")
    assert watch.look()
    watch.adopt(Snapshot.of(folder))
    assert watch.trouble is None and watch.look() == ()


def test_many_files_are_counted_and_others_do_not_matter(folder: Path) -> None:
    watch = FilesWatch(folder, Snapshot.of(folder))
    for number in range(5):
        (folder / "probes" / f"new-{number}.yaml").write_text("probe: n\n")
    (folder / "probes" / "notes.txt").write_text("no YAML")
    (folder / "probes" / ".hidden.yaml").write_text("x: 1")
    watch.look()
    assert watch.trouble is not None and watch.trouble.facts["more"] == 2
