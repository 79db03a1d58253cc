"""Temperatures from a made-up sysfs tree: hardware that this machine lacks is faked at the outermost edge, the kernel's files."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from made_machine import MadeMachine
from probing import probe

from forewarn.model.series import Outcome, ProbeRun, metric_text
from forewarn.probers import ipmi, sensors
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
    made = probe("temperature", **{"sysfs_root": str(root), "ipmi": "never", **options})
    return asyncio.run((prober or TemperatureProber()).look(made, made.targets[0], at_s, at_s))


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


def test_a_doubtful_sensor_keeps_its_findings(sys):
    (sys / "class/hwmon/hwmon0/temp1_label").write_text("Core [0]\n")
    (sys / "class/hwmon/hwmon0/temp1_input").write_text("255000\n")
    assert look(sys).hidden == (("sensor", "coretemp/Core [[]0]"),)


def test_a_drive_is_called_by_its_serial_number(tmp_path):
    for number, serial in ((0, "S4EVNX0R"), (3, "S4EVNX0S")):
        folder = chip(tmp_path, number, "nvme", temp1=(30000 + number, "Composite", 80000, None))
        (folder / "device").mkdir()
        (folder / "device" / "serial").write_text(f"{serial}   \n")
    disk = chip(tmp_path, 5, "drivetemp", temp1=(33000, None, None, 70000))
    (disk / "device").mkdir()
    (disk / "device" / "vpd_pg80").write_bytes(b"\x00\x80\x00\x14     WD-WCC4N0123456")
    assert {name for name in shown(look(tmp_path)) if name.startswith("temp")} == {
        'temperature_celsius{sensor="nvme S4EVNX0R/Composite"}',
        'temperature_celsius{sensor="nvme S4EVNX0S/Composite"}',
        'temperature_celsius{sensor="drivetemp WD-WCC4N0123456/temp1"}',
    }


def test_sensors_below_the_device_as_old_kernels_have_them(tmp_path):
    folder = chip(tmp_path, 0, "k8temp")
    (folder / "device").mkdir()
    (folder / "device" / "temp1_input").write_text("41000\n")
    assert shown(look(tmp_path)) == {'temperature_celsius{sensor="k8temp/temp1"}': 41.0}


def test_a_fan_below_its_own_minimum_is_slow(sys):
    (sys / "class/hwmon/hwmon1/fan1_min").write_text("600\n")
    assert shown(look(sys))['fan_slow{fan="nct6775/fan1"}'] == 0.0
    (sys / "class/hwmon/hwmon1/fan1_input").write_text("400\n")
    assert shown(look(sys))['fan_slow{fan="nct6775/fan1"}'] == 1.0
    (sys / "class/hwmon/hwmon1/fan1_label").write_text("CPU fan\n")
    (sys / "class/hwmon/hwmon1/fan1_input").write_text("0\n")
    assert shown(look(sys))['fan_slow{fan="nct6775/CPU fan"}'] == 1.0, "it stands still"


def test_throttling_is_counted_from_the_first_look_on(sys):
    def throttle(core: int, times: int) -> None:
        folder = sys / f"devices/system/cpu/cpu{core}/thermal_throttle"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "core_throttle_count").write_text(f"{times}\n")
        (folder / "package_throttle_count").write_text("7\n")

    prober, name = TemperatureProber(), 'throttles_total{scope="core"}'
    throttle(0, 100), throttle(1, 40)
    assert (shown(look(sys, prober))[name], shown(look(sys, prober))['throttles_total{scope="package"}']) == (0.0, 0.0)
    throttle(0, 112)
    assert shown(look(sys, prober))[name] == 12.0
    throttle(0, 3), throttle(1, 1)  # the machine was started anew
    assert shown(look(sys, prober))[name] == 15.0


BMC = """\
CPU1 Temp        | 45.000     | degrees C  | ok    | 0.000     | 0.000     | 0.000     | 89.000    | 92.000    | 95.000
CPU2 Temp        | na         | degrees C  | na    | 0.000     | 0.000     | 0.000     | 89.000    | 92.000    | 95.000
Inlet Temp       | 23.000     | degrees C  | ok    | na        | -7.000    | 3.000     | 42.000    | 47.000    | na
DIMM Temp        | 255.000    | degrees C  | cr    | na        | na        | na        | 85.000    | 90.000    | na
FAN1             | 400.000    | RPM        | cr    | 300.000   | 500.000   | 700.000   | 25300.000 | 25400.000 | 25500.000
FAN2             | 5600.000   | RPM        | ok    | 300.000   | 500.000   | 700.000   | 25300.000 | 25400.000 | 25500.000
12V              | 12.000     | Volts      | ok    | 10.173    | 10.299    | 10.740    | 12.945    | 13.260    | 13.386
Chassis Intru    | 0x0        | discrete   | 0x0000| na        | na        | na        | na        | na        | na
"""
"""In the form of ipmitool 1.8; no machine with a controller was at hand."""


async def by_bmc(machine: MadeMachine, **options) -> ProbeRun:
    made, prober = probe("temperature", **options), TemperatureProber(lambda where: machine)
    run = await prober(made, made.targets[0], time.time())
    prober.close()
    return run


async def test_a_management_controller_is_asked_where_there_is_one():
    controller = {"/sys/class/ipmi/ipmi0/uevent": "MAJOR=1\n"}
    run = await by_bmc(MadeMachine(controller, {"ipmitool sensor": (0, BMC)}))
    assert shown(run) == {
        'temperature_celsius{sensor="bmc/CPU1 Temp"}': 45.0,
        'headroom_celsius{sensor="bmc/CPU1 Temp"}': 44.0,
        'temperature_celsius{sensor="bmc/Inlet Temp"}': 23.0,
        'headroom_celsius{sensor="bmc/Inlet Temp"}': 19.0,
        'fan_rpm{fan="bmc/FAN1"}': 400.0,
        'fan_slow{fan="bmc/FAN1"}': 1.0,
        'fan_rpm{fan="bmc/FAN2"}': 5600.0,
        'fan_slow{fan="bmc/FAN2"}': 0.0,
    }
    assert run.detail == "bmc/DIMM Temp shows 255 °C, which can't be"
    nothing = MadeMachine({}, {"ipmitool sensor": (0, BMC)})
    assert (await by_bmc(nothing)).outcome is Outcome.UNKNOWN and not nothing.ran, "no controller: nobody is asked"


async def test_a_controller_that_does_not_answer_is_named_where_it_was_asked_for():
    run = await by_bmc(MadeMachine({}, {"ipmitool sensor": (1, "Could not open device at /dev/ipmi0\n")}), ipmi="always")
    assert run.detail == "ipmitool gives no sensors: Could not open device at /dev/ipmi0"
    assert "missing" in str((await by_bmc(MadeMachine({}), ipmi="always")).detail)
    assert (await by_bmc(MadeMachine({"/sys/class/ipmi/ipmi0/uevent": ""}))).detail is not None


def test_small_readers():
    assert ipmi.sensors("nonsense\n|||\n") == ([], [])
    assert list(sensors.temperatures({})) == [] and sensors.throttles({"x": "y"}) == {}


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
