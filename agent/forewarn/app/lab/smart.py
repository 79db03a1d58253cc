"""What saved answers of smartctl say: each file's disk and its verdict, as the daemon's prober reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forewarn.app.lab.series_csv import BadFile
from forewarn.model.text import say
from forewarn.probers.smart_answer import Disk, disk_of, model_of, serial_of
from forewarn.probers.smart_collect import devices_of
from forewarn.probers.smart_verdict import Verdict, Word, verdict_of

MOST_BYTES = 16 << 20
REMEDY = "save one with: smartctl --json -a /dev/sda > sda.json (version 7.0 or newer)"


@dataclass(frozen=True, slots=True)
class Judged:
    """A file's disk. `serial` and `model` are None where the answer does not tell them."""

    file: str
    serial: str | None
    model: str | None
    verdict: Verdict


def judge(path: Path) -> Judged:
    """The verdict on the disk whose answer is in `path`: as smartctl printed it, or as forewarn-smart.service wrote it.

    Raises BadFile where it is no JSON of smartctl's.
    """
    answer, code, device = _answer(path)
    if "devices" in answer and "device" not in answer and devices_of(answer) is not None:
        return Judged(str(path), None, None, Verdict(Word.UNKNOWN, (say("smart.lab.list"),)))
    one = disk_of(device, code, answer)
    serial = serial_of(answer) or (None if isinstance(one, Disk) else one.serial)
    return Judged(str(path), serial or None, model_of(answer) or None, verdict_of(one))


def _answer(path: Path) -> tuple[dict[str, Any], int, str]:
    """smartctl's answer, its exit status, and how people call the device."""
    found = _parsed(path)
    wrapped = isinstance(found, dict) and isinstance(found.get("answer"), dict)
    answer = found["answer"] if wrapped else found
    if not isinstance(answer, dict) or not ({"smartctl", "device", "json_format_version"} & set(answer)):
        raise BadFile(f"{path}: JSON, but not smartctl's; {REMEDY}")
    said, device = answer.get("smartctl"), answer.get("device")
    code = found.get("exit") if wrapped else said.get("exit_status") if isinstance(said, dict) else 0
    name = device.get("info_name") or device.get("name") if isinstance(device, dict) else None
    return answer, code if isinstance(code, int) else 0, str(name or path.name)


def _parsed(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from None
    if len(raw) > MOST_BYTES:
        raise BadFile(f"{path}: larger than {MOST_BYTES >> 20} MB; an answer of smartctl is far smaller")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise BadFile(f"{path}: not JSON, so no answer of smartctl --json; {REMEDY}") from None
