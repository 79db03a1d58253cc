"""smart: what disks say about their own health, by smartctl. What people write; the reader is in smart_read.py."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from forewarn.probers.options import Options, Texts

FOLDER = "/run/forewarn-smart"
"""Where forewarn-smart.service writes what it read as root."""

METRICS = {
    "disk_ok": "1, or 0 once the disk itself says that it is failing (overall health FAILED)",
    "attribute_failing": "1 while an attribute stands at or beyond the maker's threshold (exit bit 4, and attribute_failed)",
    "attribute_failed": "1 where an attribute has ever been at its threshold (exit bit 5)",
    "logged_errors": "1 where the disk's error log holds errors (exit bit 6)",
    "self_test_failed": "1 where the self-test log holds a failure (exit bit 7)",
    "reallocated_total": "sectors that were replaced by spare ones (5; SCSI: grown defects)",
    "reported_uncorrectable_total": "errors that could not be corrected and were reported to the host (187; SCSI: uncorrected)",
    "command_timeouts_total": "commands that were given up (188)",
    "pending_sectors": "sectors that can't be read now and wait to be replaced (197)",
    "uncorrectable_sectors": "sectors that could not be read in the disk's own scan (198)",
    "crc_errors_total": "errors between disk and host: the cable (199)",
    "media_errors_total": "NVMe: data that could not be read back correctly",
    "critical_warning": "NVMe: bits of the critical warning, 1 spare, 2 temperature, 4 reliability, 8 read-only, 16 backup, 32 memory",
    "spare_ratio": "NVMe: spare blocks that are left",
    "spare_margin_ratio": "NVMe: how far that is above the disk's own threshold",
    "wear_ratio": "share of the rated writes that are used up; may pass 1",
    "power_on_s": "how long the disk has been switched on in its life",
    "disk_temperature_celsius": "its temperature",
}


class SmartOptions(Options):
    """Options of a probe of kind smart; all are optional. Targets are devices; without any, all that smartctl finds."""

    source: Literal["auto", "smartctl", "file"] = Field(
        default="auto",
        description="smartctl: run it here, which needs root; file: read what forewarn-smart.service wrote; auto: file where there is one",
    )
    folder: str = Field(default=FOLDER, description="where the files are")
    program: str = Field(default="smartctl", description="the program to run, 7.0 or newer")
    sudo: bool = Field(default=False, description="run it through `sudo -n`, which must be allowed: docs/ssh.md has the line")
    skip: Texts = Field(default=(), description="disks to leave out, globs of device, serial number or model")
