"""What an answer of `smartctl --json -a` means: a disk with figures, or why nothing could be seen.

The exit status is a set of bits (smartctl(8), "EXIT STATUS"). Bits 0 to 2 are about the looking: bad call, disk not
opened or asleep, a command that failed. Bits 3 to 7 are facts about the disk. Exit 0 alone proves nothing: without
CAP_SYS_RAWIO smartctl ends with 0 and shows no health. So what counts is whether health or figures are really there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forewarn.probers.reasons import Reason
from forewarn.probers.smart_figures import at_limit, figures
from forewarn.probers.smart_json import part, text

ASLEEP = 3
"""The exit status that we ask for (`-n standby,3`) when the disk sleeps; smartctl never sets bits 0 and 1 together."""
BAD_CALL, NOT_OPENED, COMMAND_FAILED = 1, 2, 4

_SLEEPS = re.compile(r"in (?:STANDBY|SLEEP|IDLE)\w*(?: \w+)? mode", re.IGNORECASE)
_DENIED = re.compile(r"permission denied|operation not permitted|access denied|must be root|requires root", re.IGNORECASE)
_GONE = re.compile(r"no such (?:device|file)", re.IGNORECASE)
_NO_KIND = re.compile(r"unable to detect device type|unknown usb bridge|unsupported|please specify device type", re.IGNORECASE)
_HEALTH = re.compile(r"-[a-z]*[axAH]|--(?:all|xall|health|attributes)\b")
"""Arguments of smartctl that ask for health: -a, -x, -H, -A, also as one word (-jA)."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that was seen. `values` go by metric; `note` says what of it could not be read; `at_limit` names attributes that
    stand at the maker's threshold now."""

    device: str
    serial: str
    model: str
    values: Mapping[str, float] = field(default_factory=dict)
    note: str | None = None
    firmware: str = ""
    at_limit: tuple[str, ...] = ()

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
        return Unseen(device, Reason.ASLEEP, f"{device} is asleep and was left so", text(answer.get("serial_number")) or None)
    values = figures(answer, code)
    if code & BAD_CALL or code & NOT_OPENED or not values:
        return Unseen(device, *_why(device, code, said, answer))
    notes = [f"{device}: a part of its answer failed"] if code & COMMAND_FAILED else []
    notes += [] if "disk_ok" in values else [f"{device} shows figures, but not what it says of its own health"]
    firmware = text(answer.get("firmware_version") or answer.get("scsi_revision") or answer.get("revision"))
    return Disk(
        device,
        serial_of(answer) or device,
        model_of(answer) or "?",
        values,
        "; ".join(notes) or None,
        firmware,
        tuple(at_limit(answer)),
    )


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
    if part(answer, "smart_support").get("enabled") is False and part(answer, "smart_support").get("available"):
        return Reason.NO_SMART, f"{device}: SMART is switched off; smartctl -s on {device}"
    if (asked := _asked_for_none(answer)) is not None:
        return Reason.CONFIG, f"{device}: this is the answer of {asked}, which asks for no health; smartctl --json -a does"
    if not model_of(answer):
        return Reason.PERMISSION, f"{device}: smartctl showed nothing of it; it needs CAP_SYS_RAWIO (enable forewarn-smart.timer)"
    return Reason.NO_SMART, f"{device} ({model_of(answer)}) shows no health; virtual disks and RAID volumes have none"


def _asked_for_none(answer: Mapping[str, Any]) -> str | None:
    """The command, where smartctl was not asked for health at all."""
    words = part(answer, "smartctl").get("argv")
    if not isinstance(words, list) or len(words) < 2 or any(_HEALTH.match(str(word)) for word in words[1:]):
        return None
    return text(" ".join(str(word) for word in words))


def _said(answer: Mapping[str, Any]) -> str:
    """smartctl's own messages in one line."""
    messages = part(answer, "smartctl").get("messages")
    texts = [one.get("string") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    return text("; ".join(str(one) for one in texts if one))[:200]


def serial_of(answer: Mapping[str, Any]) -> str:
    """What tells this disk from any other, wherever it is plugged in; empty where nothing does."""
    wwn = part(answer, "wwn")
    known = all(isinstance(wwn.get(key), int) for key in ("naa", "oui", "id"))
    world_wide = f"{wwn['naa']:x}{wwn['oui']:06x}{wwn['id']:09x}" if known else ""
    return text(answer.get("serial_number")) or world_wide


def model_of(answer: Mapping[str, Any]) -> str:
    """The maker's name of the model; empty where it is not told. SCSI spells it in more ways than one, by version."""
    whole = answer.get("model_name") or answer.get("scsi_model_name")
    parts = (text(answer.get(key) or answer.get(f"scsi_{key}")) for key in ("vendor", "product"))
    return text(whole) or " ".join(one for one in parts if one)
