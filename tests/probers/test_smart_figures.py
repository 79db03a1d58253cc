"""Figures and verdicts from what disks answer: real answers of smartctl, and each quirk that we know of."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from forewarn.probers.smart import METRICS
from forewarn.probers.smart_answer import Disk, Unseen, disk_of
from forewarn.probers.smart_json import count, decimal
from forewarn.probers.smart_verdict import Word, verdict_of

ANSWERS = Path(__file__).parents[1] / "data" / "smart"
REAL = Path(os.environ.get("FOREWARN_DATA", "data")) / "smart"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"real answers of smartctl are not in {REAL} (set FOREWARN_DATA)")
PASSED = {"smart_status": {"passed": True}}


def disk(answer: dict, code: int = 0) -> Disk:
    found = disk_of("/dev/x", code, {"smartctl": {"argv": ["smartctl", "-a"]}, "model_name": "M", "serial_number": "S"} | answer)
    assert isinstance(found, Disk), found
    return found


def ata(*rows: dict, **more: object) -> dict:
    return PASSED | {"ata_smart_attributes": {"table": list(rows)}} | more


def row(id: int, name: str, raw: int | None = None, shown: str | None = None, **more: object) -> dict:
    held = {} if raw is None else {"raw": {"value": raw, "string": str(raw) if shown is None else shown}}
    return {"id": id, "name": name, "value": 100, "thresh": 0} | held | more


def keys(answer: dict, code: int = 0) -> tuple[Word, list[str]]:
    found = verdict_of(disk(answer, code))
    return found.word, [reason.key for reason in found.reasons]


# --- real ones --------------------------------------------------------------------------------------------------------


def captures() -> list[tuple[dict, Disk | Unseen]]:
    listed = [entry for entry in json.loads((REAL / "manifest.json").read_text()) if entry["class"] != "text"]
    answers = [(entry, json.loads((REAL / entry["file"]).read_text())) for entry in listed]
    return [(entry, disk_of("/dev/x", (given.get("smartctl") or {}).get("exit_status") or 0, given)) for entry, given in answers]


@real
def test_each_real_device_gets_the_verdict_that_is_known_of_it():
    found = [(entry, verdict_of(one)) for entry, one in captures()]
    wrong = [(entry["file"], verdict) for entry, verdict in found if str(verdict.word) != (entry["verdict"] or "unknown")]
    assert wrong == [] and len(found) >= 100
    assert all(verdict.reasons for _, verdict in found if verdict.word is not Word.OK), "each says why"


@real
def test_each_real_device_tells_at_least_twenty_figures_that_are_documented():
    disks = {entry["file"]: one for entry, one in captures() if isinstance(one, Disk)}
    assert min(len(one.values) for one in disks.values()) >= 20
    assert {name for one in disks.values() for name in one.values} <= set(METRICS)
    classes = Counter(entry["class"] for entry, one in captures() if isinstance(one, Disk))
    assert min(classes[kind] for kind in ("ATA-HDD", "ATA-SSD", "NVMe", "SCSI")) > 0
    assert all("power_on_s" in one.values or "sat.json" in file or "usb" in file for file, one in disks.items())


# --- counts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "raw", "shown", "is_"),
    [
        (188, 51540393996, "51540393996", 12.0),  # three counters in one, which the database of this smartctl does not know
        (188, 51540393996, "12 12 12", 12.0),
        (188, 0x0001_0002_0005, "1 2 5", 5.0),
        (188, 8, "8", 8.0),
        (196, 815073343, "2111 (12437 0)", 2111.0),  # the rest of the 48 bits is another figure
        (173, 1114162, "50 (Average 17)", 50.0),
        (5, 1 << 40, "?", None),
        (5, -1, "-1", None),
        (5, 7, "0x07", 7.0),
        (5, None, None, None),
    ],
)
def test_the_count_in_a_raw_value(id, raw, shown, is_):
    assert count({"id": id, "raw": {"value": raw, "string": shown}}) == is_


@pytest.mark.parametrize(
    ("written", "is_"),
    [("3641.250", 3641.25), ("3,641", 3.641), ("2124,590", 2124.59), ("176,987.332", 176987.332), ("0,000", 0.0), ("", None), (None, None), ("-", None)],
)  # fmt: skip
def test_gigabytes_are_read_in_the_locale_that_wrote_them(written, is_):
    assert decimal(written) == is_


def test_data_written_comes_in_the_unit_that_the_name_says():
    def written(*rows: dict) -> float:
        return disk(ata(*rows, logical_block_size=512)).values["bytes_written_total"]

    assert written(row(241, "Total_LBAs_Written", 1000)) == 512_000
    assert written(row(241, "Host_Writes_32MiB", 3)) == 3 * (32 << 20)
    assert written(row(241, "Lifetime_Writes_GiB", 2)) == 2 << 30
    nvme = disk(PASSED | {"nvme_smart_health_information_log": {"data_units_written": 2, "critical_warning": 0}})
    assert nvme.values["bytes_written_total"] == 1_024_000


def test_wear_is_taken_from_where_it_is_said_most_plainly():
    leveling, life = row(177, "Wear_Leveling_Count", 9, value=99), row(231, "SSD_Life_Left", 60, value=60)
    assert disk(ata(leveling)).values["wear_ratio"] == pytest.approx(0.01)
    assert disk(ata(leveling, life)).values["wear_ratio"] == pytest.approx(0.4)
    assert disk(ata(leveling, life, endurance_used={"current_percent": 55})).values["wear_ratio"] == pytest.approx(0.55)


def test_a_sas_disk_tells_its_temperature_on_another_page():
    page = {"scsi_environmental_reports": {"temperature_1": {"current": 38}}, "temperature": {"current": 0}}
    assert disk(PASSED | {"scsi_grown_defect_list": 0} | page).values["disk_temperature_celsius"] == 38.0


def test_self_tests_that_a_later_one_made_outdated_are_no_sign():
    ata_log = {"ata_smart_self_test_log": {"standard": {"error_count_total": 3, "error_count_outdated": 3}}}
    assert keys(ata(**ata_log)) == (Word.OK, [])
    scsi = {"scsi_grown_defect_list": 0, "scsi_self_test_0": {"result": {"value": 0}}, "scsi_self_test_1": {"result": {"value": 7}}}
    assert keys(PASSED | scsi) == (Word.OK, [])
    worse = scsi | {"scsi_self_test_0": {"result": {"value": 7}}}
    assert keys(PASSED | worse) == (Word.WATCH, ["smart.self_test"])
    nvme = {
        "nvme_smart_health_information_log": {"critical_warning": 0},
        "nvme_self_test_log": {"table": [{"self_test_result": {"value": 6}}, {"self_test_result": {"value": 0}}]},
    }
    assert keys(PASSED | nvme) == (Word.WATCH, ["smart.self_test"])


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code", "word", "why"),
    [
        (ata(row(5, "Reallocated_Sector_Ct", 0)), 0, "ok", []),
        (ata(row(199, "UDMA_CRC_Error_Count", 3118119)), 0, "ok", []),
        (ata(row(188, "Command_Timeout", 12)), 0, "ok", []),
        (ata(row(5, "Reallocated_Sector_Ct", 1)), 0, "watch", ["smart.count"]),
        (ata(row(184, "End-to-End_Error", 2)), 0, "watch", ["smart.count"]),
        (ata(row(5, "Vendor_Specific", 900)), 0, "ok", []),
        (ata(), 64, "watch", ["smart.logged"]),
        (ata(), 128, "watch", ["smart.self_test"]),
        (ata(), 32, "watch", ["smart.failed_before"]),
        (ata(row(194, "Temperature", 60, when_failed="past", flags={"prefailure": False})), 0, "watch", ["smart.failed_before"]),
        (ata(row(190, "Airflow_Temperature", 60, when_failed="now", flags={"prefailure": False})), 0, "ok", []),
        (ata(row(1, "Raw_Read_Error_Rate", when_failed="now", flags={"prefailure": True})), 16, "failing", ["smart.at_limit"]),
        (ata(), 16, "failing", ["smart.attribute_failing"]),
        (ata(row(233, "Media_Wearout_Indicator", value=4)), 0, "watch", ["smart.worn"]),
        (ata(row(233, "Media_Wearout_Indicator", value=15)), 0, "ok", []),
        ({"smart_status": {"passed": False}}, 8, "failing", ["smart.says_failing"]),
        (PASSED | {"nvme_smart_health_information_log": {"critical_warning": 2}}, 0, "ok", []),
        (PASSED | {"nvme_smart_health_information_log": {"num_err_log_entries": 4871}}, 0, "ok", []),
        ({"nvme_smart_health_information_log": {"critical_warning": 8}}, 0, "failing", ["smart.says_failing", "smart.says"]),
        (PASSED | {"nvme_smart_health_information_log": {"available_spare": 3, "available_spare_threshold": 5}}, 0, "failing", ["smart.says"]),
        (PASSED | {"nvme_smart_health_information_log": {"available_spare": 100, "available_spare_threshold": 99}}, 0, "ok", []),
        (PASSED | {"scsi_grown_defect_list": 56}, 0, "watch", ["smart.count"]),
    ],
)  # fmt: skip
def test_a_verdict_and_why(answer, code, word, why):
    assert keys(answer, code) == (word, why)


def test_figures_without_the_disks_own_verdict_are_unknown_where_no_threshold_tells():
    sas = {"scsi_grown_defect_list": 0, "device": {"protocol": "SCSI"}}
    assert "disk_ok" not in disk(sas).values and keys(sas) == (Word.UNKNOWN, ["smart.no_verdict"])
    assert "own health" in (disk(sas).note or "")
    assert keys(sas | {"scsi_grown_defect_list": 7}) == (Word.WATCH, ["smart.count"])
    table = [row(1, "Raw_Read_Error_Rate", 5, thresh=34, flags={"prefailure": True})]
    assert keys({"ata_smart_attributes": {"table": table}}) == (Word.OK, []), "its thresholds were all there to see"
    assert keys({"ata_smart_attributes": {"table": [row(5, "Reallocated_Sector_Ct", 0)]}}) == (Word.UNKNOWN, ["smart.no_verdict"])


def test_an_answer_that_asked_for_no_health_says_so():
    found = disk_of("/dev/sda", 0, {"smartctl": {"argv": ["smartctl", "--json", "--info", "/dev/sda"]}, "model_name": "M"})
    assert isinstance(found, Unseen) and "asks for no health" in found.detail and verdict_of(found).word is Word.UNKNOWN


@pytest.mark.parametrize("odd", [{"smart_status": []}, {"smart_status": {"passed": "yes"}}, {"ata_smart_attributes": {"table": 7}}])
def test_odd_shapes_are_unknown_and_break_nothing(odd):
    found = disk_of("/dev/x", 0, {"model_name": "M", "temperature": "hot", "power_on_time": [], "wwn": 3} | odd)
    assert isinstance(found, Unseen) and verdict_of(found).word is Word.UNKNOWN
