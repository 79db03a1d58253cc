"""What disks say, from real answers of smartctl (tests/data/smart, made in QEMU) and from a stand-in program that gives them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from probing import probe

from forewarn.model.series import Outcome, ProbeRun
from forewarn.probers.reasons import Reason
from forewarn.probers.smart import METRICS
from forewarn.probers.smart_answer import Disk, Unseen, disk_of
from forewarn.probers.smart_read import SmartProber, read_files

ANSWERS = Path(__file__).parents[1] / "data" / "smart"
SATA, NVME = (("model", "QEMU HARDDISK"), ("serial", "LABSATA01")), (("model", "QEMU NVMe Ctrl"), ("serial", "LABNVME01"))


def answer(name: str) -> dict:
    return json.loads((ANSWERS / f"{name}.json").read_text())


def seen(name: str) -> Disk | Unseen:
    given = answer(name)
    return disk_of("/dev/x", given["smartctl"]["exit_status"], given)


# --- one answer -------------------------------------------------------------------------------------------------------


def test_a_sata_disk():
    disk = seen("sata-ok")
    assert isinstance(disk, Disk) and disk.labels == SATA
    assert disk.values == {
        "start_stops_total": 100.0,
        "reallocated_total": 0.0,
        "attribute_margin": 19.0,
        "disk_temperature_celsius": 31.0,
        "power_on_s": 3600.0,
        "power_cycles_total": 0.0,
        "capacity_bytes": 67108864.0,
        "exit_status": 0.0,
        "error_log_total": 0.0,
        "attribute_failing": 0.0,
        "attribute_failed": 0.0,
        "logged_errors": 0.0,
        "self_test_failed": 0.0,
        "disk_ok": 1.0,
    }


def test_a_healthy_nvme_of_qemu_has_no_spare_to_judge():
    disk = seen("nvme-ok")
    assert isinstance(disk, Disk) and disk.labels == NVME
    assert disk.values["disk_ok"] == 1.0 and disk.values["critical_warning"] == 0.0 and disk.values["media_errors_total"] == 0.0
    assert not {"spare_ratio", "spare_margin_ratio"} & set(disk.values), "available_spare 0 with threshold 0 says nothing"


def test_a_failing_nvme_is_seen_with_its_warning():
    disk = seen("nvme-failing")
    assert isinstance(disk, Disk) and disk.values["disk_ok"] == 0.0 and disk.values["critical_warning"] == 4.0


def test_health_is_the_last_column_so_that_what_judges_it_sees_the_rest():
    for name in ("sata-ok", "nvme-ok", "nvme-failing"):
        disk = seen(name)
        assert isinstance(disk, Disk) and list(disk.values)[-1] == "disk_ok" and set(disk.values) <= set(METRICS)


def test_exit_0_without_any_health_is_unknown():
    assert answer("sata-no-capability")["smartctl"]["exit_status"] == 0
    unseen = seen("sata-no-capability")
    assert isinstance(unseen, Unseen) and unseen.reason is Reason.PERMISSION and "CAP_SYS_RAWIO" in unseen.detail


def test_no_permission_is_named_with_what_smartctl_said():
    unseen = seen("nvme-no-capability")
    assert isinstance(unseen, Unseen) and unseen.reason is Reason.PERMISSION and "Permission denied" in unseen.detail


def test_a_virtual_disk_is_unknown():
    unseen = seen("virtio-unknown")
    assert isinstance(unseen, Unseen) and unseen.reason is Reason.NO_SMART and "virtual" in unseen.detail
    known = disk_of("/dev/sda", 0, answer("sata-no-capability") | {"scsi_vendor": "QEMU", "scsi_product": "QEMU HARDDISK"})
    assert isinstance(known, Unseen) and known.reason is Reason.NO_SMART


@pytest.mark.parametrize(
    "given",
    [
        {"smartctl": {"messages": [{"string": "Device is in STANDBY mode, exit(3)", "severity": "information"}]}},
        {"smartctl": {"messages": [{"string": "Device is in SLEEP mode, exit(2)", "severity": "information"}]}},
    ],
)
def test_a_sleeping_disk_is_unknown_and_not_failing(given):
    unseen = disk_of("/dev/sdb", 3 if "(3)" in str(given) else 2, given)
    assert isinstance(unseen, Unseen) and unseen.reason is Reason.ASLEEP


@pytest.mark.parametrize("given", [None, [], "smart", 3])
def test_what_is_no_answer_is_unknown(given):
    unseen = disk_of("/dev/sda", 0, given)
    assert isinstance(unseen, Unseen) and unseen.reason is Reason.UNDECIDED


@pytest.mark.parametrize("bit", [8, 16, 32, 64, 128])
def test_bits_3_to_7_are_facts_about_a_disk_that_was_seen(bit):
    disk = disk_of("/dev/sda", bit, answer("sata-ok"))
    facts = {16: "attribute_failing", 32: "attribute_failed", 64: "logged_errors", 128: "self_test_failed"}
    assert isinstance(disk, Disk)
    assert [name for name in facts.values() if disk.values[name]] == ([facts[bit]] if bit in facts else [])


@pytest.mark.parametrize("bit", [1, 2])
def test_bits_0_and_1_are_never_a_fact_about_the_disk(bit):
    assert isinstance(disk_of("/dev/sda", bit | 8, answer("sata-ok")), Unseen)


def test_bit_2_alone_hides_nothing_that_is_there():
    disk = disk_of("/dev/sda", 4, answer("sata-ok"))
    assert isinstance(disk, Disk) and disk.note == "/dev/sda: a part of its answer failed"
    bare = {key: value for key, value in answer("sata-ok").items() if not key.startswith(("ata_smart", "temperature", "power_on"))}
    assert isinstance(disk_of("/dev/sda", 0, bare), Disk), "its verdict alone is something"


def ata(*rows: tuple[int, str, int, str], value: int = 100) -> dict:
    table = [{"id": id, "name": name, "value": value, "raw": {"value": raw, "string": text}} for id, name, raw, text in rows]
    return answer("sata-ok") | {"ata_smart_attributes": {"table": table}}


@pytest.mark.parametrize(
    ("row", "metric", "value"),
    [
        ((5, "Reallocated_Sector_Ct", 1975, "1975"), "reallocated_total", 1975.0),
        ((187, "Reported_Uncorrect", 3, "3"), "reported_uncorrectable_total", 3.0),
        ((188, "Command_Timeout", 51540393996, "51540393996"), "command_timeouts_total", 12.0),  # three counters in one
        ((188, "Command_Timeout", 8590065666, "2 2 2"), "command_timeouts_total", 2.0),
        ((197, "Current_Pending_Sector", 8, "8"), "pending_sectors", 8.0),
        ((198, "Offline_Uncorrectable", 2, "2"), "uncorrectable_sectors", 2.0),
        ((199, "UDMA_CRC_Error_Count", 5, "5"), "crc_errors_total", 5.0),
        ((197, "Current_Pending_Sector", 1 << 40, "7 (0 9)"), "pending_sectors", 7.0),
    ],
)
def test_raw_values(row, metric, value):
    disk = disk_of("/dev/sda", 0, ata(row))
    assert isinstance(disk, Disk) and disk.values[metric] == value


def test_a_number_that_a_maker_uses_for_something_else_is_left_out():
    disk = disk_of("/dev/sda", 0, ata((187, "Vendor_Specific", 4_000_000, "4000000"), (5, "Reallocated_Sector_Ct", 1 << 40, "?")))
    assert isinstance(disk, Disk) and not {"reported_uncorrectable_total", "reallocated_total"} & set(disk.values)


def test_wear_of_an_ssd_is_what_its_life_lacks():
    disk = disk_of("/dev/sda", 0, ata((233, "Media_Wearout_Indicator", 0, "0"), value=93))
    assert isinstance(disk, Disk) and disk.values["wear_ratio"] == pytest.approx(0.07)


def test_the_spare_of_an_nvme_is_told_with_its_margin():
    log = answer("nvme-ok")["nvme_smart_health_information_log"] | {"available_spare": 8, "available_spare_threshold": 10}
    disk = disk_of("/dev/nvme0", 0, answer("nvme-ok") | {"nvme_smart_health_information_log": log})
    assert isinstance(disk, Disk) and disk.values["spare_margin_ratio"] == pytest.approx(-0.02)


def test_what_hardware_calls_itself_commands_no_terminal():
    disk = disk_of("/dev/sda", 0, answer("sata-ok") | {"model_name": "EVIL\x1b[2J\n" + "x" * 200})
    assert isinstance(disk, Disk) and "\x1b" not in disk.model and len(disk.model) <= 80


# --- a run on all disks -------------------------------------------------------------------------------------------------


@pytest.fixture
def smartctl(tmp_path: Path) -> Path:
    """A program in smartctl's place: answers for a device with the file of that name, and ends with the status in it."""
    program = tmp_path / "smartctl"
    program.write_text(
        """#!/bin/sh
for last; do :; done
case " $* " in *" --scan "*) last=scan;; esac
file=$(dirname "$0")/$(basename "$last").json
cat "$file"
exit $(grep -m1 -o '"exit_status": *[0-9]*' "$file" | grep -o '[0-9]*$')
"""
    )
    program.chmod(0o755)
    put(program, "scan", answer("scan"))
    put(program, "sda", answer("sata-ok"))
    put(program, "nvme0", answer("nvme-ok"))
    return program


def put(program: Path, device: str, given: object) -> None:
    (program.parent / f"{device}.json").write_text(given if isinstance(given, str) else json.dumps(given))


def asleep() -> dict:
    messages = [{"string": "Device is in STANDBY mode, exit(3)", "severity": "information"}]
    return {"smartctl": {"messages": messages, "exit_status": 3}, "device": {"name": "/dev/sda"}}


async def look(
    program: Path | str, prober: SmartProber | None = None, *targets: str, timeout_s: float = 5.0, **options
) -> ProbeRun:
    made = probe("smart", *targets, timeout_s=timeout_s, source="smartctl", program=str(program), **options)
    return await (prober or SmartProber())(made, made.targets[0], time.time())


def shown(run: ProbeRun, metric: str) -> dict[str, float]:
    """A metric's values by serial number."""
    return {dict(labels)["serial"]: value for (name, labels), value in zip(run.columns, run.values, strict=True) if name == metric}


async def test_every_disk_has_its_series_under_its_serial_number(smartctl):
    run = await look(smartctl)
    assert (run.outcome, run.detail, run.hidden) == (Outcome.UP, None, ())
    assert shown(run, "disk_ok") == {"LABNVME01": 1.0, "LABSATA01": 1.0}


async def test_a_renamed_disk_goes_on_as_the_same_series(smartctl):
    prober = SmartProber()
    before = await look(smartctl, prober)
    scan = answer("scan")
    scan["devices"][0]["name"] = "/dev/sdq"
    put(smartctl, "scan", scan)
    put(smartctl, "sdq", answer("sata-ok"))
    (smartctl.parent / "sda.json").unlink()
    after = await look(smartctl, prober)
    assert after.columns == before.columns and after.columns is before.columns


async def test_a_failing_disk_is_a_fact_not_an_outage(smartctl):
    put(smartctl, "nvme0", answer("nvme-failing"))
    run = await look(smartctl)
    assert run.outcome is Outcome.UP and shown(run, "disk_ok")["LABNVME01"] == 0.0


async def test_a_sleeping_disk_keeps_its_name_and_the_others_are_seen(smartctl):
    prober = SmartProber()
    await look(smartctl, prober)
    put(smartctl, "sda", asleep())
    run = await look(smartctl, prober)
    assert run.outcome is Outcome.UP and set(shown(run, "disk_ok")) == {"LABNVME01"}
    assert run.hidden == (("serial", "LABSATA01"),) and run.detail == "/dev/sda is asleep and was left so"
    fresh = await look(smartctl)  # a daemon that was started while it slept
    assert fresh.hidden == (("serial", "*"),)


async def test_smartctl_is_asked_to_leave_sleeping_disks_alone(smartctl, tmp_path):
    (tmp_path / "log").touch()
    body = smartctl.read_text().replace("for last", f'echo "$*" >> {tmp_path}/log\nfor last')
    smartctl.write_text(body)
    await look(smartctl)
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls[0] == "--json --scan" and len(calls) == 3
    assert all(call.startswith("--json -n standby,3 -a ") for call in calls[1:])


async def test_a_disk_behind_a_controller_is_asked_by_its_kind(smartctl):
    said = smartctl.parent / "argv"
    put(smartctl, "sg0", answer("sata-ok"))
    smartctl.write_text(smartctl.read_text().replace("#!/bin/sh\n", f'#!/bin/sh\necho "$*" >> {said}\n'))
    run = await look(smartctl, None, "/dev/sg0 cciss,1")
    assert run.outcome is Outcome.UP and "-d cciss,1 /dev/sg0" in said.read_text()
    assert shown(run, "disk_ok") == {"LABSATA01": 1.0}


async def test_only_sleeping_disks_are_unknown(smartctl):
    put(smartctl, "sda", asleep())
    run = await look(smartctl, None, "/dev/sda")
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.ASLEEP)


async def test_no_disk_that_can_tell_is_unknown(smartctl):
    put(smartctl, "scan", answer("scan-none"))
    run = await look(smartctl)
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.MISSING) and "virtual" in str(run.detail)


async def test_smartctl_missing_is_unknown_and_says_the_package(tmp_path):
    run = await look(tmp_path / "nothing")
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.NO_TOOL) and "smartmontools" in str(run.detail)


@pytest.mark.parametrize("garbage", ["", "{", "[]", "Smartmontools 6.6: unknown option --json", '{"devices": 3}', "\x00\xff"])
async def test_a_scan_of_garbage_is_unknown(smartctl, garbage):
    put(smartctl, "scan", garbage)
    run = await look(smartctl)
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.UNDECIDED)


@pytest.mark.parametrize(
    "garbage", ["", "{", "[]", '{"smartctl": 3, "smart_status": [], "ata_smart_attributes": {"table": [1, {}]}}']
)
async def test_one_disk_of_garbage_does_not_hide_the_other(smartctl, garbage):
    put(smartctl, "sda", garbage)
    run = await look(smartctl)
    assert run.outcome is Outcome.UP and set(shown(run, "disk_ok")) == {"LABNVME01"} and "/dev/sda" in str(run.detail)


async def test_smartctl_that_hangs_is_cut(smartctl):
    smartctl.write_text("#!/bin/sh\nsleep 60\n")
    begun = time.monotonic()
    run = await look(smartctl, timeout_s=0.3)
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.TIMEOUT) and time.monotonic() - begun < 4


async def test_a_disk_may_be_left_out_by_device_serial_or_model(smartctl):
    assert set(shown(await look(smartctl, skip=["/dev/sd*"]), "disk_ok")) == {"LABNVME01"}
    assert set(shown(await look(smartctl, skip=["LABNVME01"]), "disk_ok")) == {"LABSATA01"}
    assert (await look(smartctl, skip=["QEMU*"])).outcome is Outcome.UNKNOWN


async def test_two_ways_to_one_disk_are_one_disk(smartctl):
    put(smartctl, "nvme0", answer("sata-ok"))
    run = await look(smartctl)
    assert len(run.columns) == len(set(run.columns)) and set(shown(run, "disk_ok")) == {"LABSATA01"}


# --- what the privileged unit wrote --------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    now = time.time()
    (tmp_path / "scan.json").write_text(json.dumps({"at": now, "devices": ["/dev/sda"]}))
    (tmp_path / "disk-sda.json").write_text(json.dumps({"at": now, "device": "/dev/sda", "exit": 0, "answer": answer("sata-ok")}))
    return tmp_path


async def from_files(folder: Path, source: str = "file") -> ProbeRun:
    made = probe("smart", every_s=600.0, source=source, folder=str(folder), program="/nowhere/smartctl")
    return await SmartProber()(made, made.targets[0], time.time())


async def test_files_are_read_where_there_are_some(folder):
    for source in ("file", "auto"):
        run = await from_files(folder, source)
        assert run.outcome is Outcome.UP and shown(run, "disk_ok") == {"LABSATA01": 1.0}
    assert (await from_files(folder / "none", "auto")).reason is Reason.NO_TOOL


async def test_old_files_are_unknown(folder):
    for name in ("scan.json", "disk-sda.json"):
        document = json.loads((folder / name).read_text()) | {"at": time.time() - 3600}
        (folder / name).write_text(json.dumps(document))
        run = await from_files(folder)
        assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.STALE) and "60 min ago" in str(run.detail), name
        (folder / name).write_text(json.dumps(document | {"at": time.time()}))


async def test_no_files_say_what_to_switch_on(tmp_path):
    run = await from_files(tmp_path)
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.MISSING) and "forewarn-smart.timer" in str(run.detail)


async def test_what_the_unit_could_not_do_is_passed_on(folder):
    (folder / "scan.json").write_text(json.dumps({"at": time.time(), "error": "smartctl is missing; install smartmontools"}))
    run = await from_files(folder)
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.NO_TOOL) and "smartmontools" in str(run.detail)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"at": "soon"}', '{"at": 1e300, "device": 5, "answer": []}'])
def test_a_broken_file_is_unknown(folder, text):
    (folder / "disk-sda.json").write_text(text)
    assert all(isinstance(one, Unseen) for one in read_files(str(folder), None, 0.0))


def test_a_link_in_the_folder_is_not_followed(folder):
    (folder / "disk-sda.json").rename(folder / "elsewhere")
    (folder / "disk-sda.json").symlink_to(folder / "elsewhere")
    assert [one.reason for one in read_files(str(folder), None, 0.0) if isinstance(one, Unseen)] == [Reason.UNDECIDED]


def test_a_sleeping_disk_is_known_by_what_was_read_before(folder):
    document = {"at": time.time(), "device": "/dev/sda", "exit": 3, "answer": asleep(), "before": {"serial_number": "LABSATA01"}}
    (folder / "disk-sda.json").write_text(json.dumps(document))
    (one,) = read_files(str(folder), None, 0.0)
    assert isinstance(one, Unseen) and (one.reason, one.serial) == (Reason.ASLEEP, "LABSATA01")
