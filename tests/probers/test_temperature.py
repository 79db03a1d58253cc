"""Temperatures from a made-up sysfs tree: hardware that this machine lacks is faked at the outermost edge, the kernel's files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from probing import probe

from forewarn.model.series import Outcome, ProbeRun, metric_text
from forewarn.probers.reasons import Reason
from forewarn.probers.temperature_read import STUCK_S, TemperatureProber

NOW_S = 1_800_000_000.0


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    """A server: two cores with limits, a board, a disk without any, a fan that turns, a header without a fan."""
    chip(tmp_path, 0, "coretemp", temp1=(45000, "Core 0", 84000, 100000), temp2=(46000, "Core 1", 84000, 100000))
    chip(tmp_path, 1, "nct6775", temp1=(30000, "SYSTIN", 0, None), fan1=1200, fan2=0)
    chip(tmp_path, 2, "drivetemp", temp1=(33000, None, None, None))
    return tmp_path


def chip(root: Path, number: int, name: str, **sensors) -> Path:
    folder = root / f"class/hwmon/hwmon{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(name + "\n")
    for stem, given in sensors.items():
        parts = zip(("input", "label", "max", "crit"), given if isinstance(given, tuple) else (given,), strict=False)
        for part, value in parts:
            if value is not None:
                (folder / f"{stem}_{part}").write_text(f"{value}\n")
    return folder


def zone(root: Path, number: int, kind: str, milli: int, critical: int | None = None) -> None:
    folder = root / f"class/thermal/thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "type").write_text(kind + "\n")
    (folder / "temp").write_text(f"{milli}\n")
    if critical:
        (folder / "trip_point_0_type").write_text("critical\n")
        (folder / "trip_point_0_temp").write_text(f"{critical}\n")


def look(root: Path, prober: TemperatureProber | None = None, at_s: float = NOW_S, **options) -> ProbeRun:
    made = probe("temperature", sysfs_root=str(root), **options)
    return (prober or TemperatureProber()).look(made, made.targets[0], at_s, at_s)


def shown(run: ProbeRun) -> dict[str, float]:
    return {metric_text(*column): value for column, value in zip(run.columns, run.values, strict=True)}


def test_each_sensor_with_its_own_limit(sys):
    run = look(sys)
    assert (run.outcome, run.detail) == (Outcome.UP, None)
    assert shown(run) == {
        'temperature_celsius{sensor="coretemp/Core 0"}': 45.0,
        'headroom_celsius{sensor="coretemp/Core 0"}': 39.0,
        'temperature_celsius{sensor="coretemp/Core 1"}': 46.0,
        'headroom_celsius{sensor="coretemp/Core 1"}': 38.0,
        'temperature_celsius{sensor="nct6775/SYSTIN"}': 30.0,  # its limit of 0 can't be true
        'temperature_celsius{sensor="drivetemp/temp1"}': 33.0,
        'fan_rpm{fan="nct6775/fan1"}': 1200.0,
    }


def test_a_sensor_may_be_left_out(sys):
    assert not [name for name in shown(look(sys, skip=["coretemp/*", "*/fan*"])) if "coretemp" in name or "fan" in name]


@pytest.mark.parametrize("milli", [127000, 255000, -128000, -40000, 130000])
def test_what_can_not_be_a_temperature_is_left_out_and_named(sys, milli):
    (sys / "class/hwmon/hwmon0/temp1_input").write_text(f"{milli}\n")
    run = look(sys)
    assert run.outcome is Outcome.UP and run.detail == f"coretemp/Core 0 shows {milli / 1000:g} °C, which can't be"
    assert not [name for name in shown(run) if "Core 0" in name]


def test_only_absurd_sensors_are_unknown(tmp_path):
    chip(tmp_path, 0, "odd", temp1=(255000, None, 90000, None))
    run = look(tmp_path)
    assert (run.outcome, run.reason, run.detail) == (Outcome.UNKNOWN, Reason.MISSING, "odd/temp1 shows 255 °C, which can't be")


def test_a_sensor_that_stands_still_while_others_move_is_left_out_until_it_moves(sys):
    prober, core = TemperatureProber(), sys / "class/hwmon/hwmon0/temp1_input"
    for hour in range(25):
        core.write_text(f"{45000 + 1000 * (hour % 3)}\n")
        run = look(sys, prober, NOW_S + hour * 3600)
    assert run.detail is not None and "drivetemp/temp1 has shown 33 °C for a day and does not move" in run.detail
    assert not [name for name in shown(run) if "drivetemp" in name] and [name for name in shown(run) if "Core 0" in name]
    (sys / "class/hwmon/hwmon2/temp1_input").write_text("34000\n")
    assert shown(look(sys, prober, NOW_S + STUCK_S + 3600))['temperature_celsius{sensor="drivetemp/temp1"}'] == 34.0


def test_where_nothing_moves_nothing_is_called_stuck(sys):
    prober = TemperatureProber()
    for hour in (0, 12, 48):
        run = look(sys, prober, NOW_S + hour * 3600)
    assert run.detail is None


def test_a_clock_that_was_set_back_makes_nothing_stuck(sys):
    prober = TemperatureProber()
    look(sys, prober, NOW_S + 10 * STUCK_S)
    (sys / "class/hwmon/hwmon0/temp1_input").write_text("47000\n")
    look(sys, prober, NOW_S)
    assert look(sys, prober, NOW_S + 60).detail is None


def test_zones_that_no_chip_shows_are_read_with_their_trip_point(tmp_path):
    chip(tmp_path, 0, "acpitz", temp1=(27800, None, None, None))
    zone(tmp_path, 0, "acpitz", 27800)
    zone(tmp_path, 1, "x86_pkg_temp", 52000, critical=105000)
    assert shown(look(tmp_path)) == {
        'temperature_celsius{sensor="acpitz/temp1"}': 27.8,
        'temperature_celsius{sensor="x86_pkg_temp"}': 52.0,
        'headroom_celsius{sensor="x86_pkg_temp"}': 53.0,
    }


def test_two_chips_of_one_name_are_told_apart(tmp_path):
    chip(tmp_path, 0, "nvme", temp1=(30000, "Composite", 80000, None))
    chip(tmp_path, 1, "nvme", temp1=(31000, "Composite", 80000, None))
    assert {name for name in shown(look(tmp_path)) if name.startswith("temp")} == {
        'temperature_celsius{sensor="nvme/Composite"}',
        'temperature_celsius{sensor="nvme/Composite #2"}',
    }


def test_a_faulty_or_garbled_sensor_does_not_stop_the_others(sys):
    (sys / "class/hwmon/hwmon0/temp1_fault").write_text("1\n")
    (sys / "class/hwmon/hwmon0/temp2_input").write_text("hot\n")
    assert [name for name in shown(look(sys)) if name.startswith("temp")] == [
        'temperature_celsius{sensor="nct6775/SYSTIN"}',
        'temperature_celsius{sensor="drivetemp/temp1"}',
    ]


def test_no_sensor_says_why_and_what_would_help(tmp_path):
    run = look(tmp_path)
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.MISSING)
    assert "virtual machine" in str(run.detail) and "lm-sensors" in str(run.detail)


async def test_it_runs_on_this_machine():
    made, prober = probe("temperature"), TemperatureProber()
    run = await prober(made, made.targets[0], time.time())
    prober.close()
    assert run.outcome in (Outcome.UP, Outcome.UNKNOWN)
    assert all(-40 < value < 130 for name, value in shown(run).items() if name.startswith("temp"))
