"""Every figure in an answer of `smartctl --json -a`, by metric: ATA attributes, the NVMe health log, SCSI pages, and logs.

Attributes go by number and by what their name must say, since makers give some numbers another meaning. What a disk keeps in
more than one place (its wear) is taken from the most direct of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from forewarn.probers.smart_dates import dates
from forewarn.probers.smart_json import count, decimal, number, part, rows

FACTS = {16: "attribute_failing", 32: "attribute_failed", 64: "logged_errors", 128: "self_test_failed"}
"""Exit bits that are facts of their own; bit 3 is the overall health, which the answer spells out."""

ATTRIBUTES: Mapping[int, tuple[str, str]] = {
    4: ("start_stops_total", "start_stop"),
    5: ("reallocated_total", "realloc|retired|bad_block"),
    10: ("spin_retries_total", "spin_retry"),
    184: ("end_to_end_errors_total", "end.to.end"),
    187: ("reported_uncorrectable_total", "uncorrect"),
    188: ("command_timeouts_total", "timeout"),
    189: ("high_fly_writes_total", "high_fly"),
    191: ("shocks_total", "g.sense"),
    192: ("head_retracts_total", "retract"),
    193: ("load_cycles_total", "load_cycle|load_retr"),
    196: ("reallocation_events_total", "realloc"),
    197: ("pending_sectors", "pending"),
    198: ("uncorrectable_sectors", "uncorrect"),
    199: ("crc_errors_total", "crc"),
}
"""ATA attribute -> metric, and what its name must say."""
BY_NAME = (
    (re.compile(r"^program_fail", re.IGNORECASE), "program_fails_total"),
    (re.compile(r"^erase_fail", re.IGNORECASE), "erase_fails_total"),
    (re.compile(r"^unexpect\w*power_loss|^unsafe_shutdown|^power_loss_count", re.IGNORECASE), "unsafe_shutdowns_total"),
)
"""SSDs number these as they like."""
REMAINING = re.compile(r"Media_Wearout|Life_Left|Lifetime_Remain|Remaining_Life|Life_Remaining|Rated_Life_Used", re.IGNORECASE)
LEVELING = re.compile(r"Wear_Leveling_Count", re.IGNORECASE)
"""Attributes whose normalised value is the share of its life that an SSD has left, in percent; the second only where no other is."""
MOVED = re.compile(
    r"^(?:Total|Host|Lifetime)_(?P<what>LBAs_|)(?P<way>Written|Read|Writes|Reads)(?:_(?P<unit>\d*[MG]iB))?$", re.IGNORECASE
)
UNITS = {"mib": 1 << 20, "32mib": 32 << 20, "gib": 1 << 30}
NVME_UNIT_BYTES = 512_000
"""NVMe counts data in thousands of 512-byte blocks, whatever its block size (NVMe base specification, SMART log)."""

NVME_COUNTS = {
    "critical_warning": ("critical_warning", 1.0),
    "media_errors": ("media_errors_total", 1.0),
    "num_err_log_entries": ("num_err_log_entries_total", 1.0),
    "power_cycles": ("power_cycles_total", 1.0),
    "unsafe_shutdowns": ("unsafe_shutdowns_total", 1.0),
    "host_reads": ("read_commands_total", 1.0),
    "host_writes": ("write_commands_total", 1.0),
    "data_units_read": ("bytes_read_total", NVME_UNIT_BYTES),
    "data_units_written": ("bytes_written_total", NVME_UNIT_BYTES),
    "controller_busy_time": ("busy_s", 60.0),
    "warning_temp_time": ("warning_temperature_s", 60.0),
    "critical_comp_time": ("critical_temperature_s", 60.0),
    "percentage_used": ("wear_ratio", 0.01),
}
SCSI_WAYS = ("read", "write", "verify")
SCSI_COUNTS = {
    "total_errors_corrected": "errors_corrected_total",
    "errors_corrected_by_rereads_rewrites": "errors_retried_total",
    "total_uncorrected_errors": "errors_uncorrected_total",
}
SCSI_CYCLES = {"accumulated_start_stop_cycles": "start_stops_total", "accumulated_load_unload_cycles": "load_cycles_total"}


def figures(answer: Mapping[str, Any], code: int) -> dict[str, float]:
    """Every metric that the answer holds, `disk_ok` last; nothing where it shows neither health nor figures."""
    found = dict(_ata(answer)) | dict(_nvme(answer)) | dict(_scsi(answer))
    passed = part(answer, "smart_status").get("passed")
    if not found and not isinstance(passed, bool):
        return {}
    found |= dict(_common(answer)) | dict(_facts(answer, code))
    found |= dict(dates(answer, found))
    ok = _ok(answer, passed, code)
    return found if ok is None else found | {"disk_ok": ok}


def _ok(answer: Mapping[str, Any], passed: object, code: int) -> float | None:
    """What the disk says of itself. Where nobody asked it, its own thresholds (ATA) or its warnings (NVMe) tell the same."""
    if isinstance(passed, bool):
        return float(passed)
    if code & 8 or at_limit(answer):
        return 0.0
    if any((number(one.get("thresh")) or 0) > 0 for one in rows(answer, "ata_smart_attributes", "table")):
        return float(not code & 16)
    warning = number(part(answer, "nvme_smart_health_information_log").get("critical_warning"))
    return None if warning is None else float(int(warning) & ~2 == 0)


def at_limit(answer: Mapping[str, Any], when: str = "now", prefail: bool = True) -> list[str]:
    """Names of the attributes that are at the maker's threshold now (or were once, "past"). `prefail`: those that foretell."""
    return [
        str(one.get("name") or one.get("id"))
        for one in rows(answer, "ata_smart_attributes", "table")
        if when in str(one.get("when_failed") or "").lower() and (not prefail or part(one, "flags").get("prefailure") is True)
    ]


def _common(answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    temperature = number(part(answer, "temperature").get("current"))
    if not temperature:  # some SAS disks tell it on another page only
        temperature = number(part(answer, "scsi_environmental_reports", "temperature_1").get("current"))
    if temperature is not None and -40 < temperature < 125 and temperature != 0:
        yield "disk_temperature_celsius", temperature
    trip = number(part(answer, "temperature").get("drive_trip"))
    if trip is not None and 0 < trip < 125:
        yield "trip_temperature_celsius", trip
    hours = number(part(answer, "power_on_time").get("hours"))
    if hours is not None:
        yield "power_on_s", hours * 3600
    cycles = number(answer.get("power_cycle_count"))
    if cycles is not None:
        yield "power_cycles_total", cycles
    worn = number(part(answer, "endurance_used").get("current_percent"))
    if worn is not None:
        yield "wear_ratio", worn / 100
    size = number(part(answer, "user_capacity").get("bytes"))
    if size:
        yield "capacity_bytes", size
    turns = number(answer.get("rotation_rate"))
    if turns is not None:
        yield "rotation_rpm", turns
    per_s = [number(part(answer, "interface_speed", when).get("units_per_second")) for when in ("current", "max")]
    bits = [number(part(answer, "interface_speed", when).get("bits_per_unit")) for when in ("current", "max")]
    if all(per_s) and all(bits):
        yield "link_speed_ratio", (per_s[0] or 0) * (bits[0] or 0) / ((per_s[1] or 1) * (bits[1] or 1))


def _facts(answer: Mapping[str, Any], code: int) -> Iterator[tuple[str, float]]:
    """The exit bits, each also where only the answer shows it: captures and some controllers lose the exit status."""
    yield "exit_status", float(code)
    errors = _logged(answer)
    tests = _failed_tests(answer)
    if errors is not None:
        yield "error_log_total", errors
    if tests is not None:
        yield "self_test_errors", tests
    seen = {16: bool(at_limit(answer)), 32: bool(at_limit(answer, "", prefail=False) and at_limit(answer, "past", prefail=False))}
    seen |= {64: bool(errors), 128: bool(tests)}
    yield from ((name, float(bool(code & bit) or seen[bit])) for bit, name in FACTS.items())


def _logged(answer: Mapping[str, Any]) -> float | None:
    """Errors in the ATA error log. NVMe logs every refused command there, so that its count is no sign."""
    counts = [number(part(answer, "ata_smart_error_log", log).get("count")) for log in ("summary", "extended")]
    return max((one for one in counts if one is not None), default=None)


def _failed_tests(answer: Mapping[str, Any]) -> float | None:
    """Failed self-tests that no later one has made outdated."""
    counts = []
    for log in ("standard", "extended"):
        held = part(answer, "ata_smart_self_test_log", log)
        if (failed := number(held.get("error_count_total"))) is not None:
            counts.append(max(0.0, failed - (number(held.get("error_count_outdated")) or 0.0)))
    scsi = [number(part(answer, f"scsi_self_test_{n}", "result").get("value")) for n in range(20)]
    nvme = [number(part(one, "self_test_result").get("value")) for one in rows(answer, "nvme_self_test_log", "table")]
    for results, bad in ((scsi, range(3, 8)), (nvme, range(5, 8))):
        known = [one for one in results if one is not None]
        if known:
            newest = next((n for n, one in enumerate(known) if one == 0), len(known))  # newest first; one without error ends it
            counts.append(float(sum(int(one) in bad for one in known[:newest])))
    return max(counts, default=None)


def _ata(answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    block = number(answer.get("logical_block_size")) or 512.0
    wears: dict[bool, float] = {}
    margins = []
    for one in rows(answer, "ata_smart_attributes", "table"):
        id, name, raw = one.get("id"), str(one.get("name") or ""), count(one)
        metric, must = ATTRIBUTES.get(id, ("", "$^")) if isinstance(id, int) else ("", "$^")
        if raw is not None and metric and re.search(must, name, re.IGNORECASE):
            yield metric, raw
        if raw is not None:
            yield from ((metric, raw) for pattern, metric in BY_NAME if pattern.search(name))
            yield from _moved(name, part(one, "raw").get("value"), block)
        left = number(one.get("value"))
        if left is not None and 0 < left <= 100 and (direct := bool(REMAINING.search(name))) | bool(LEVELING.search(name)):
            wears.setdefault(direct, (100 - left) / 100)
        limit = number(one.get("thresh"))
        if left is not None and limit and part(one, "flags").get("prefailure") is True:
            margins.append(left - limit)
    if margins:
        yield "attribute_margin", min(margins)
    if wears:
        yield "wear_ratio", wears.get(True, wears.get(False, 0.0))


def _moved(name: str, raw: object, block: float) -> Iterator[tuple[str, float]]:
    """Bytes written and read in its life. The raw value is in blocks, or in the unit that its name says."""
    found = MOVED.match(name)
    value = number(raw)
    if not found or value is None:
        return
    unit = found["unit"]
    size = UNITS.get(unit.lower()) if unit else (block if found["what"] else None)
    if size:
        yield ("bytes_written_total" if found["way"].lower().startswith("writ") else "bytes_read_total"), value * size


def _nvme(answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The health log. A spare threshold of 0 (as QEMU has) means that the disk keeps no account of spare blocks."""
    log = part(answer, "nvme_smart_health_information_log")
    for key, (metric, unit) in NVME_COUNTS.items():
        if (value := number(log.get(key))) is not None and value >= 0:
            yield metric, value * unit
    spare, threshold = number(log.get("available_spare")), number(log.get("available_spare_threshold"))
    if spare is not None and threshold:
        yield "spare_ratio", spare / 100
        yield "spare_margin_ratio", (spare - threshold) / 100


def _scsi(answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    grown = number(answer.get("scsi_grown_defect_list"))
    if grown is not None:
        yield "reallocated_total", grown
    log = part(answer, "scsi_error_counter_log")
    counts = [number(part(log, way).get("total_uncorrected_errors")) for way in SCSI_WAYS]
    if known := [one for one in counts if one is not None]:
        yield "reported_uncorrectable_total", sum(known)
    for way, total in (("read", "bytes_read_total"), ("write", "bytes_written_total")):
        held = part(log, way)
        moved = decimal(held.get("gigabytes_processed"))
        for key, metric in SCSI_COUNTS.items():
            if (errors := number(held.get(key))) is not None:
                yield f"{way}_{metric}", errors
        if moved is not None:
            yield total, moved * 1e9
    cycles = part(answer, "scsi_start_stop_cycle_counter")
    for key, metric in SCSI_CYCLES.items():
        if (value := number(cycles.get(key))) is not None:
            yield metric, value
    pending = number(part(answer, "scsi_pending_defects").get("count"))
    if pending is not None:
        yield "pending_sectors", pending
    worn = number(answer.get("scsi_percentage_used_endurance_indicator"))
    if worn is not None:
        yield "wear_ratio", worn / 100
