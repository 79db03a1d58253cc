"""What an answer of `smartctl --json -a` means: a disk with figures, or why nothing could be seen.

The exit status is a set of bits (smartctl(8), "EXIT STATUS"). Bits 0 to 2 are about the looking: bad call, disk not
opened or asleep, a command that failed. Bits 3 to 7 are facts about the disk. Exit 0 alone proves nothing: without
CAP_SYS_RAWIO smartctl ends with 0 and shows no health. So what counts is whether health or figures are really there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from forewarn.probers.reasons import Reason

ASLEEP = 3
"""The exit status that we ask for (`-n standby,3`) when the disk sleeps; smartctl never sets bits 0 and 1 together."""
BAD_CALL, NOT_OPENED, COMMAND_FAILED = 1, 2, 4
FACTS = {16: "attribute_failing", 32: "attribute_failed", 64: "logged_errors", 128: "self_test_failed"}
"""Exit bits that are facts of their own; bit 3 is the overall health, which the answer spells out."""

COUNTERS: Mapping[int, tuple[str, str]] = {
    5: ("reallocated_total", "realloc|retired|bad_block"),
    187: ("reported_uncorrectable_total", "uncorrect"),
    188: ("command_timeouts_total", "timeout"),
    197: ("pending_sectors", "pending"),
    198: ("uncorrectable_sectors", "uncorrect"),
    199: ("crc_errors_total", "crc"),
}
"""ATA attribute -> metric, and what its name must say: makers give some numbers another meaning."""
REMAINING = re.compile(r"Media_Wearout|Life_Left|Lifetime_Remain|Remaining_Life|Life_Remaining|Wear_Leveling_Count", re.IGNORECASE)
"""Attributes whose normalised value is the share of its life that an SSD has left, in percent."""

_SLEEPS = re.compile(r"in (?:STANDBY|SLEEP|IDLE)\w*(?: \w+)? mode", re.IGNORECASE)
_DENIED = re.compile(r"permission denied|operation not permitted|access denied|must be root|requires root", re.IGNORECASE)
_GONE = re.compile(r"no such (?:device|file)", re.IGNORECASE)
_NO_KIND = re.compile(r"unable to detect device type|unknown usb bridge|unsupported|please specify device type", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that was seen. `values` go by metric; `note` says what of it could not be read."""

    device: str
    serial: str
    model: str
    values: Mapping[str, float] = field(default_factory=dict)
    note: str | None = None

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        return (("model", self.model), ("serial", self.serial))


@dataclass(frozen=True, slots=True)
class Unseen:
    """A disk, or all of them, that could not be looked at. `serial` where it is known from before."""

    device: str
    reason: Reason
    detail: str
    serial: str | None = None


def disk_of(device: str, code: int, answer: object) -> Disk | Unseen:
    """What smartctl's exit status `code` and its parsed JSON say about `device`."""
    if not isinstance(answer, dict):
        return Unseen(device, Reason.UNDECIDED, f"{device}: smartctl's answer is not JSON")
    said = _said(answer)
    if code == ASLEEP or _SLEEPS.search(said):
        return Unseen(device, Reason.ASLEEP, f"{device} is asleep and was left so", _text(answer.get("serial_number")) or None)
    values = dict(_values(answer, code))
    if code & BAD_CALL or code & NOT_OPENED or not values or (code & COMMAND_FAILED and not _told(values)):
        return Unseen(device, *_why(device, code, said, answer))
    note = f"{device}: a part of its answer failed" if code & COMMAND_FAILED else None
    return Disk(device, _serial(device, answer), _model(answer), values, note)


def _told(values: Mapping[str, float]) -> bool:
    """Whether an answer with a failed command still says something: figures, or that the disk is failing."""
    return len(values) > 1 or values.get("disk_ok") == 0.0


def _why(device: str, code: int, said: str, answer: Mapping[str, Any]) -> tuple[Reason, str]:
    if _DENIED.search(said):
        return Reason.PERMISSION, f"{device}: smartctl may not look ({said}); run it as root, or enable forewarn-smart.timer"
    if _NO_KIND.search(said):
        return Reason.NO_SMART, f"{device}: {said}; a virtual disk or a bridge that passes nothing on"
    if _GONE.search(said):
        return Reason.MISSING, f"{device}: {said}"
    if code & BAD_CALL:
        return Reason.CONFIG, f"{device}: {said or 'smartctl did not take its arguments; it must be 7.0 or newer'}"
    if code & NOT_OPENED:
        return Reason.UNDECIDED, f"{device}: {said or 'smartctl could not open it'}"
    if _dict(answer, "smart_support").get("enabled") is False and _dict(answer, "smart_support").get("available"):
        return Reason.NO_SMART, f"{device}: SMART is switched off; smartctl -s on {device}"
    if not (answer.get("model_name") or answer.get("scsi_model_name") or answer.get("scsi_product")):
        return Reason.PERMISSION, f"{device}: smartctl showed nothing of it; it needs CAP_SYS_RAWIO (enable forewarn-smart.timer)"
    return Reason.NO_SMART, f"{device} ({_model(answer)}) shows no health; virtual disks and RAID volumes have none"


def _said(answer: Mapping[str, Any]) -> str:
    """smartctl's own messages in one line."""
    messages = _dict(answer, "smartctl").get("messages")
    texts = [one.get("string") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    return _text("; ".join(str(text) for text in texts if text))[:200]


def _serial(device: str, answer: Mapping[str, Any]) -> str:
    """What tells this disk from any other, wherever it is plugged in."""
    wwn = _dict(answer, "wwn")
    if all(isinstance(wwn.get(part), int) for part in ("naa", "oui", "id")):
        world_wide = f"{wwn['naa']:x}{wwn['oui']:06x}{wwn['id']:09x}"
    else:
        world_wide = ""
    return _text(answer.get("serial_number")) or world_wide or device


def _model(answer: Mapping[str, Any]) -> str:
    return _text(answer.get("model_name") or answer.get("scsi_model_name") or answer.get("scsi_product")) or "?"


# --- figures ----------------------------------------------------------------------------------------------------------


def _values(answer: Mapping[str, Any], code: int) -> Iterator[tuple[str, float]]:
    """Every metric that the answer holds; none at all where it shows neither health nor figures. `disk_ok` comes last."""
    figures = dict(_ata(answer)) | dict(_nvme(answer)) | dict(_scsi(answer))
    passed = _dict(answer, "smart_status").get("passed")
    if not figures and not isinstance(passed, bool):
        return
    yield from figures.items()
    yield from _common(answer)
    yield from ((name, float(bool(code & bit))) for bit, name in FACTS.items())
    yield "disk_ok", 0.0 if passed is False or (passed is None and code & 16) else 1.0


def _common(answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    temperature = _number(_dict(answer, "temperature").get("current"))
    if temperature is not None and -40 < temperature < 125 and temperature != 0:
        yield "disk_temperature_celsius", temperature
    hours = _number(_dict(answer, "power_on_time").get("hours"))
    if hours is not None:
        yield "power_on_s", hours * 3600
    worn = _number(_dict(answer, "endurance_used").get("current_percent"))
    if worn is not None:
        yield "wear_ratio", worn / 100


def _ata(answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    table = _dict(answer, "ata_smart_attributes").get("table")
    for one in table if isinstance(table, list) else ():
        if not isinstance(one, dict):
            continue
        id, name = one.get("id"), str(one.get("name") or "")
        metric, must = COUNTERS.get(id, ("", "$^")) if isinstance(id, int) else ("", "$^")
        if metric and re.search(must, name, re.IGNORECASE) and (count := _raw(one)) is not None:
            yield metric, count
        value = _number(one.get("value"))
        if REMAINING.search(name) and value is not None and 0 < value <= 100:
            yield "wear_ratio", (100 - value) / 100


def _raw(attribute: Mapping[str, Any]) -> float | None:
    """The count in a raw value; None where it can't be one.

    Seagate packs three counters of 16 bits into 188; the lowest is the total. Others append to the count ("180 (Average ..)").
    """
    raw = _dict(attribute, "raw")
    value = raw.get("value")
    if not isinstance(value, int) or value < 0:
        return None
    if attribute.get("id") == 188:
        return float(value & 0xFFFF)
    if value < 1 << 32:
        return float(value)
    leading = re.match(r"\d+", str(raw.get("string") or ""))
    return float(leading[0]) if leading and int(leading[0]) < 1 << 32 else None


def _nvme(answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The health log. A spare threshold of 0 (as QEMU has) means that the disk keeps no account of spare blocks."""
    log = _dict(answer, "nvme_smart_health_information_log")
    for key, metric in (("critical_warning", "critical_warning"), ("media_errors", "media_errors_total")):
        if (value := _number(log.get(key))) is not None:
            yield metric, value
    used = _number(log.get("percentage_used"))
    if used is not None:
        yield "wear_ratio", used / 100
    spare, threshold = _number(log.get("available_spare")), _number(log.get("available_spare_threshold"))
    if spare is not None and threshold:
        yield "spare_ratio", spare / 100
        yield "spare_margin_ratio", (spare - threshold) / 100


def _scsi(answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    grown = _number(answer.get("scsi_grown_defect_list"))
    if grown is not None:
        yield "reallocated_total", grown
    log = _dict(answer, "scsi_error_counter_log")
    counts = [_number(_dict(log, part).get("total_uncorrected_errors")) for part in ("read", "write", "verify")]
    if known := [count for count in counts if count is not None]:
        yield "reported_uncorrectable_total", sum(known)
    worn = _number(answer.get("scsi_percentage_used_endurance_indicator"))
    if worn is not None:
        yield "wear_ratio", worn / 100


# --- reading what may be anything ---------------------------------------------------------------------------------------


def _dict(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = of.get(key)
    return found if isinstance(found, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == value else None


def _text(value: object) -> str:
    """Text of the hardware's: without signs that command a terminal, and not endless."""
    return _CONTROL.sub("", value).strip()[:80] if isinstance(value, str) else ""
