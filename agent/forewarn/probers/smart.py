"""smart: what disks say about their own health, by smartctl. What people write; the reader is in smart_read.py."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from forewarn.probers.options import Options, Texts

FOLDER = "/run/forewarn-smart"
"""Where forewarn-smart.service writes what it read as root."""

METRICS = {
    "disk_ok": "1, or 0 once the disk itself says that it is failing (overall health FAILED)",
    "attribute_failing": "1 while an attribute that foretells stands at the maker's threshold (exit bit 4)",
    "attribute_failed": "1 where an attribute has ever been at its threshold (exit bit 5)",
    "logged_errors": "1 where the disk's error log holds errors (exit bit 6)",
    "self_test_failed": "1 where the self-test log holds a failure that no later test made outdated (exit bit 7)",
    "error_log_total": "ATA: errors that the disk has logged in its life",
    "self_test_errors": "failed self-tests that no later one has made outdated",
    "reallocated_total": "sectors that were replaced by spare ones (5; SCSI: grown defects)",
    "reallocation_events_total": "attempts to replace a sector (196)",
    "reported_uncorrectable_total": "errors that could not be corrected and were reported to the host (187; SCSI: uncorrected)",
    "command_timeouts_total": "commands that were given up (188)",
    "pending_sectors": "sectors that can't be read now and wait to be replaced (197; SCSI: pending defects)",
    "uncorrectable_sectors": "sectors that could not be read in the disk's own scan (198)",
    "end_to_end_errors_total": "data that was changed between the disk's cache and its plates (184)",
    "spin_retries_total": "times it did not come up to speed at once (10)",
    "high_fly_writes_total": "writes with the head out of its place (189)",
    "crc_errors_total": "errors between disk and host: the cable (199)",
    "shocks_total": "knocks that its sensor felt (191)",
    "head_retracts_total": "times its heads were parked because power went away (192)",
    "read_errors_corrected_total": "SCSI: reads that needed correction",
    "read_errors_retried_total": "SCSI: of these, those that needed another try",
    "read_errors_uncorrected_total": "SCSI: reads that could not be corrected",
    "write_errors_corrected_total": "SCSI: writes that needed correction",
    "write_errors_retried_total": "SCSI: of these, those that needed another try",
    "write_errors_uncorrected_total": "SCSI: writes that could not be corrected",
    "program_fails_total": "SSD: writes of a flash block that failed",
    "erase_fails_total": "SSD: erasures of a flash block that failed",
    "media_errors_total": "NVMe: data that could not be read back correctly",
    "num_err_log_entries_total": "NVMe: entries of the error log, mostly commands that it refused",
    "critical_warning": "NVMe: bits of the critical warning, 1 spare, 2 temperature, 4 reliability, 8 read-only, 16 backup, 32 memory",
    "spare_ratio": "NVMe: spare blocks that are left",
    "spare_margin_ratio": "NVMe: how far that is above the disk's own threshold",
    "wear_ratio": "share of the rated writes that are used up; may pass 1",
    "worn_out_s": "time until all of them are used up, at the pace of the disk's life so far",
    "worn_out_earliest_s": "the same at the earliest: wear is told in whole percent",
    "worn_out_latest_s": "the same at the latest",
    "logged_error_age_s": "ATA: how long the disk has been on since the newest error in its log",
    "self_test_age_s": "how long it has been on since its newest self-test that found nothing",
    "failed_self_test_age_s": "how long it has been on since its newest self-test that found something",
    "bytes_written_total": "data written in its life",
    "bytes_read_total": "data read in its life",
    "power_on_s": "how long the disk has been switched on in its life",
    "power_cycles_total": "times it was switched on",
    "start_stops_total": "times it was spun up (4)",
    "load_cycles_total": "times its heads were parked (193)",
    "unsafe_shutdowns_total": "SSD: times it lost power without notice",
    "busy_s": "NVMe: how long it has been busy with commands",
    "read_commands_total": "NVMe: commands to read",
    "write_commands_total": "NVMe: commands to write",
    "link_speed_ratio": "speed of its link to the host, of the most that it can",
    "attribute_margin": "ATA: points that the worst attribute that foretells is above the maker's threshold",
    "exit_status": "smartctl's exit status, a sum of bits",
    "disk_temperature_celsius": "its temperature",
    "trip_temperature_celsius": "SCSI: the temperature at which it is too hot by its own account",
    "warning_temperature_s": "NVMe: how long it was above its warning temperature",
    "critical_temperature_s": "NVMe: how long it was above its critical temperature",
    "capacity_bytes": "its size",
    "rotation_rpm": "its speed; 0 for one without moving parts",
    "batch_ailing": "disks here of the same model and firmware that show signs of failing, where there are at least two of them",
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
