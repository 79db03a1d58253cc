"""The unit files: systemd finds nothing wrong, exposure stays low, and every name in them is one that the code knows."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from forewarn.cli.main import COMMANDS
from forewarn.probers.smart import FOLDER
from forewarn.probers.smart_collect import ALL_S

UNITS = Path(__file__).parents[2] / "systemd"
MOST = {"forewarn.service": 15, "forewarn-smart.service": 20}
"""Exposure in tenths, as `systemd-analyze security --threshold` takes it."""
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here (package systemd)")


def lines(unit: str) -> list[tuple[str, str]]:
    """The settings of a unit, in order; a key may stand more than once."""
    written = (UNITS / unit).read_text().splitlines()
    return [(key, value) for key, is_set, value in (line.partition("=") for line in written) if is_set and not key.startswith("#")]


def values(unit: str, key: str) -> list[str]:
    return [value for name, value in lines(unit) if name == key]


@needs_systemd
@pytest.mark.parametrize("unit", sorted(MOST))
def test_systemd_finds_nothing_wrong(tmp_path, unit):
    text = (UNITS / unit).read_text().replace("/usr/bin/forewarn", "/bin/true").replace("/usr/lib/forewarn/bin/python", "/bin/true")
    (tmp_path / unit).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize(("unit", "most"), sorted(MOST.items()))
def test_exposure_stays_low(unit, most):
    argv = ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", "--no-pager", UNITS / unit]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1:] + done.stderr.splitlines()


def test_each_command_of_the_unit_exists():
    for key in ("ExecStart", "ExecReload"):
        for value in values("forewarn.service", key):
            program, command = value.split()[:2]
            assert program == "/usr/bin/forewarn" and command in COMMANDS


def test_the_state_folder_is_the_one_that_systemd_makes():
    assert values("forewarn.service", "StateDirectory") == ["forewarn"]
    environ = dict(one.split("=", 1) for line in values("forewarn.service", "Environment") for one in line.split())
    assert environ["FOREWARN_STATE"] == "/var/lib/forewarn" and environ["FOREWARN_CONFIG"] == "/etc/forewarn"


def test_the_user_of_the_unit_is_the_one_that_sysusers_makes():
    made = [line.split()[1] for line in (UNITS / "sysusers.d/forewarn.conf").read_text().splitlines() if line.startswith("u")]
    assert values("forewarn.service", "User") == values("forewarn.service", "Group") == made == ["forewarn"]


def test_the_disks_are_read_by_a_module_that_exists_into_the_folder_that_the_daemon_reads():
    (call,) = values("forewarn-smart.service", "ExecStart")
    python, *options, module, folder = call.split()
    assert python == "/usr/lib/forewarn/bin/python" and options == ["-I", "-m"]
    assert (
        importlib.util.find_spec(module) and folder == FOLDER == f"/run/{values('forewarn-smart.service', 'RuntimeDirectory')[0]}"
    )
    assert values("forewarn-smart.service", "Group") == values("forewarn.service", "Group"), "or the daemon could not read them"
    assert float(values("forewarn-smart.service", "TimeoutStartSec")[0]) > ALL_S, "it ends by itself before it is ended"


def test_reading_the_disks_takes_two_capabilities_and_no_network():
    assert values("forewarn-smart.service", "CapabilityBoundingSet") == ["CAP_SYS_RAWIO CAP_SYS_ADMIN"]
    assert values("forewarn-smart.service", "PrivateNetwork") == ["yes"] and values("forewarn-smart.service", "DevicePolicy") == [
        "closed"
    ]
