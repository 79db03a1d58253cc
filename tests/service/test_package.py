"""Package and bundle in a booted Debian: install, reload, kill, hang, upgrade, remove, purge. The root is made once, in var/lab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def missing() -> str | None:
    if os.geteuid() != 0:
        return "only root can boot a root"
    tools = [tool for tool in ("debootstrap", "systemd-nspawn", "dpkg-deb") if shutil.which(tool) is None]
    return f"not here: {', '.join(tools)}" if tools else None


def life(script: str, folder: Path) -> list[str]:
    """The lines that a trial says inside a freshly booted root with `folder` in it; fails with all that it said."""
    shutil.copy(HERE / script, folder)
    argv = ["scripts/nspawn.sh", "-c", "var/lab", "-f", folder, "sh", script]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_one_life_of_the_package(tmp_path):
    version = subprocess.run(["packaging/deb.sh"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split("_")[1]
    subprocess.run(["packaging/deb.sh", f"{version}+trial"], cwd=REPOSITORY, capture_output=True, check=True)
    for package in (*REPOSITORY.glob(f"dist/forewarn_{version}_*.deb"), *REPOSITORY.glob(f"dist/forewarn_{version}+trial_*.deb")):
        shutil.copy(package, tmp_path)
    for answer in ("scan.json", "nvme-ok.json"):
        shutil.copy(REPOSITORY / "tests" / "data" / "smart" / answer, tmp_path)
    assert len(life("trial.sh", tmp_path)) == 7


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_one_life_of_the_bundle(tmp_path):
    subprocess.run(["scripts/bundle.sh", sys.executable, tmp_path], cwd=REPOSITORY, capture_output=True, check=True)
    assert len(life("bundle.sh", tmp_path)) == 3
