"""The small part that runs with rights: what it writes, for whom, and what it refuses."""

from __future__ import annotations

import ast
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_smart import answer, asleep, put, smartctl

from forewarn.probers import smart_collect
from forewarn.probers.smart_answer import Disk, Unseen
from forewarn.probers.smart_read import read_files

__all__ = ["smartctl"]  # a fixture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir(mode=0o750)
    return made


@pytest.fixture
def collect(smartctl: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smart_collect, "SMARTCTL", ("/nowhere/smartctl", str(smartctl)))
    return lambda: smart_collect.main([str(folder)])


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


def test_each_disk_has_a_file_that_the_daemon_can_read(collect, folder):
    old = os.umask(0o027)
    try:
        assert collect() == 0
    finally:
        os.umask(old)
    assert sorted(path.name for path in folder.iterdir()) == ["disk-nvme0.json", "disk-sda.json", "scan.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o640}
    assert read(folder, "scan.json")["devices"] == ["/dev/sda", "/dev/nvme0"]
    disks = read_files(str(folder), None, time.time() - 60)
    assert [(one.device, one.serial) for one in disks if isinstance(one, Disk)] == [
        ("/dev/nvme0", "LABNVME01"),
        ("/dev/sda", "LABSATA01"),
    ]


def test_a_disk_that_fell_asleep_is_named_by_what_was_read_before(collect, folder, smartctl):
    collect()
    put(smartctl, "sda", asleep())
    for _ in range(2):  # also when it slept the time before
        assert collect() == 0
    document = read(folder, "disk-sda.json")
    assert document["exit"] == 3 and document["before"] == {"serial_number": "LABSATA01", "model_name": "QEMU HARDDISK"}
    assert [one.serial for one in read_files(str(folder), None, 0) if isinstance(one, Unseen)] == ["LABSATA01"]


def test_a_disk_that_was_taken_out_leaves_no_file(collect, folder, smartctl):
    collect()
    put(smartctl, "scan", answer("scan") | {"devices": answer("scan")["devices"][1:]})
    (folder / "notes.txt").write_text("not ours")
    assert collect() == 0
    assert sorted(path.name for path in folder.iterdir()) == ["disk-nvme0.json", "notes.txt", "scan.json"]


def test_behind_a_controller_the_kind_is_passed_on(collect, folder, smartctl):
    devices = [{"name": "/dev/bus/6", "type": f"megaraid,{n}", "protocol": "SCSI"} for n in (14, 15)]
    put(smartctl, "scan", answer("scan") | {"devices": devices})
    put(smartctl, "6", answer("sata-ok"))
    assert collect() == 0
    assert sorted(path.name for path in folder.glob("disk*")) == ["disk-bus-6-megaraid-14.json", "disk-bus-6-megaraid-15.json"]
    assert read(folder, "disk-bus-6-megaraid-14.json")["device"] == "/dev/bus/6 megaraid,14"
    assert smart_collect.argv_for("smartctl", "/dev/bus/6", "megaraid,14")[-3:] == ["-d", "megaraid,14", "/dev/bus/6"]


def test_garbage_is_passed_on_as_garbage(collect, folder, smartctl):
    put(smartctl, "sda", "Segmentation fault")
    assert collect() == 0
    document = read(folder, "disk-sda.json")
    assert (document["answer"], document["said"]) == (None, "Segmentation fault")


def test_an_answer_without_end_is_cut(collect, folder, smartctl, monkeypatch):
    monkeypatch.setattr(smart_collect, "CAP_BYTES", 1000)
    monkeypatch.setattr(smart_collect, "DISK_S", 5.0)
    smartctl.write_text(smartctl.read_text().replace('cat "$file"', 'case $last in *sda) yes;; *) cat "$file";; esac'))
    put(smartctl, "scan", {"smartctl": {"exit_status": 0}, "devices": [{"name": "/dev/sda", "type": "scsi"}]})
    begun = time.monotonic()
    assert collect() == 0 and time.monotonic() - begun < 4
    assert read(folder, "disk-sda.json")["answer"] is None


def test_smartctl_that_hangs_is_ended(collect, folder, smartctl, monkeypatch):
    monkeypatch.setattr(smart_collect, "DISK_S", 0.2)
    smartctl.write_text("#!/bin/sh\nexec sleep 60\n")
    assert collect() == 1
    assert "no end in time" in read(folder, "scan.json")["error"]


def test_smartctl_missing_is_said_in_the_file_and_in_the_status(folder, monkeypatch, capsys):
    monkeypatch.setattr(smart_collect, "SMARTCTL", ("/nowhere/smartctl",))
    assert smart_collect.main([str(folder)]) == 1
    assert "smartmontools" in read(folder, "scan.json")["error"] and "smartmontools" in capsys.readouterr().err


def test_links_are_replaced_and_never_followed(collect, folder, tmp_path):
    victim = tmp_path / "passwd"
    victim.write_text("root")
    for name in ("scan.json", "disk-sda.json", ".scan.json.part", ".disk-sda.json.part"):
        (folder / name).symlink_to(victim)
    assert collect() == 0
    assert victim.read_text() == "root" and not any(path.is_symlink() for path in folder.iterdir())


def test_a_folder_that_is_a_link_is_refused(collect, folder, tmp_path, capsys):
    (tmp_path / "link").symlink_to(folder)
    assert smart_collect.main([str(tmp_path / "link")]) == 1
    assert list(folder.iterdir()) == [] and "can't be used" in capsys.readouterr().err


def test_a_folder_that_others_may_write_is_refused(collect, folder, capsys):
    folder.chmod(0o777)
    assert collect() == 1 and list(folder.iterdir()) == []
    assert "writable by nobody else" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["a", "b"], ["--help"], ["-n"]])
def test_it_has_no_options(argv):
    assert smart_collect.main(argv) == 2


def test_it_reads_this_machine(folder):
    if not any(os.access(one, os.X_OK) for one in smart_collect.SMARTCTL):
        pytest.skip("smartctl is not here (package smartmontools)")
    assert smart_collect.main([str(folder)]) == 0
    assert isinstance(read(folder, "scan.json")["devices"], list)


def test_it_needs_the_standard_library_only():
    names = set()
    for node in ast.walk(ast.parse(Path(smart_collect.__file__).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)


def test_its_environment_is_its_own(collect, folder, smartctl, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD_TEST", "secret")
    smartctl.write_text("#!/bin/sh\nenv\n")
    assert collect() == 1
    assert "secret" not in (folder / "scan.json").read_text() and "LC_ALL=C" in (folder / "scan.json").read_text()


def test_as_the_unit_runs_it(folder):
    agent = Path(smart_collect.__file__).parents[2]
    code = f"import sys, runpy; sys.path.insert(0, {str(agent)!r}); sys.argv = ['x']; runpy.run_module('forewarn.probers.smart_collect', run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("usage:")
