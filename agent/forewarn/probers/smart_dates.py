"""What a disk's own history dates: when it will be worn out at the pace of its life, and how long ago its logs were written in.

Everything is there at the first look: nobody has to have watched the disk. Ages are in time that the disk was powered on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from forewarn.probers.smart_json import number, part, rows

HOUR_S, DAY_S = 3600.0, 86400.0
LEAST_WORN, LEAST_ON_S = 0.05, 30 * DAY_S
"""Below these a pace says nothing yet."""
ROUNDED = 0.01
"""Wear is told in whole percent; so much it may really be more or less."""
MOST_S = 3650 * DAY_S
CLOCK_HOURS = 65_536
"""ATA logs count hours in 16 bits and begin anew."""


def dates(answer: Mapping[str, Any], found: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """`found` are the figures that are known already. What is likely comes after its bounds: a rule on it has them then."""
    on_s = found.get("power_on_s")
    if not on_s:
        return
    worn = found.get("wear_ratio", 0.0)
    if worn >= LEAST_WORN and on_s >= LEAST_ON_S:
        yield "worn_out_earliest_s", _left_s(on_s, worn + ROUNDED)
        yield "worn_out_latest_s", _left_s(on_s, worn - ROUNDED)
        yield "worn_out_s", _left_s(on_s, worn)
    for metric, hours in (("logged_error_age_s", _errors(answer)), ("self_test_age_s", _tests(answer, ok=True))):
        yield from _newest(metric, on_s, hours)
    yield from _newest("failed_self_test_age_s", on_s, _tests(answer, ok=False))


def _left_s(on_s: float, worn: float) -> float:
    return min(MOST_S, max(0.0, on_s * (1.0 - worn) / worn))


def _newest(metric: str, on_s: float, hours: Iterator[float]) -> Iterator[tuple[str, float]]:
    ages = [((on_s / HOUR_S - one) % CLOCK_HOURS if one < CLOCK_HOURS else max(0.0, on_s / HOUR_S - one)) for one in hours]
    if ages:
        yield metric, min(ages) * HOUR_S


def _errors(answer: Mapping[str, Any]) -> Iterator[float]:
    """When each error of the ATA log was written. Disks that keep no hours there write zero."""
    for log in ("summary", "extended"):
        for one in rows(answer, "ata_smart_error_log", log, "table"):
            if at := number(one.get("lifetime_hours")):
                yield at


def _tests(answer: Mapping[str, Any], ok: bool) -> Iterator[float]:
    """When each self-test ended that found nothing (`ok`), or that found something. One that was stopped says neither."""
    for log in ("standard", "extended"):
        for one in rows(answer, "ata_smart_self_test_log", log, "table"):
            passed = part(one, "status").get("passed")
            if passed is ok and (at := number(one.get("lifetime_hours"))):
                yield at
    good, bad = ({0}, range(5, 8))
    for one in rows(answer, "nvme_self_test_log", "table"):
        result = number(part(one, "self_test_result").get("value"))
        if result is not None and int(result) in (good if ok else bad) and (at := number(one.get("power_on_hours"))):
            yield at
    for n in range(20):
        test = part(answer, f"scsi_self_test_{n}")
        result, at = number(part(test, "result").get("value")), number(part(test, "power_on_time").get("hours"))
        if result is not None and at and int(result) in (good if ok else range(3, 8)):
            yield at
