"""A disk's verdict from one look at it: ok, watch, failing or unknown, each with its reasons.

failing: the disk says so itself, or an attribute that its maker chose to foretell failures stands at the maker's threshold.
watch:   it works, and shows what healthy disks don't: lost sectors, errors that reached the host, failed self-tests, wear.
ok:      it was asked, and none of these. unknown: nobody could ask it, so that it may be anything.

One look knows no past. Counts that stand still since long are watched here all the same; the `risk` rule, which remembers
(core/detect/risk.py), takes them for old wounds. Cable errors (199), time-outs (188), refused NVMe commands and
reallocation events (196) are common on disks that live for years, and speak for nothing when looked at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from forewarn.model.text import Say, say
from forewarn.probers.smart_answer import Disk, Unseen

WORN = 0.95
"""Of the rated writes: where the shipped rule `worn` fires."""
COUNTED = (
    "reallocated_total",
    "reported_uncorrectable_total",
    "pending_sectors",
    "uncorrectable_sectors",
    "end_to_end_errors_total",
    "media_errors_total",
)
FACTS = {"attribute_failed": "failed_before", "logged_errors": "logged", "self_test_failed": "self_test"}
BITS = {1: "spare", 4: "reliability", 8: "read_only", 16: "backup", 32: "memory"}


class Word(StrEnum):
    OK = "ok"
    WATCH = "watch"
    FAILING = "failing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons` are sentences of the catalogue; none for ok."""

    word: Word
    reasons: tuple[Say, ...] = ()


def verdict_of(one: Disk | Unseen) -> Verdict:
    """What this one look at a disk says of it."""
    if isinstance(one, Unseen):
        return Verdict(Word.UNKNOWN, (say("smart.unseen", detail=one.detail),))
    failing, watch = tuple(_failing(one)), tuple(_watch(one.values))
    if failing:
        return Verdict(Word.FAILING, failing + watch)
    if watch:
        return Verdict(Word.WATCH, watch)
    return Verdict(Word.OK) if "disk_ok" in one.values else Verdict(Word.UNKNOWN, (say("smart.no_verdict"),))


def _failing(disk: Disk) -> Iterator[Say]:
    if disk.values.get("disk_ok") == 0.0:
        yield say("smart.says_failing")
    warning = int(disk.values.get("critical_warning", 0.0))
    yield from (say("smart.says", what=f"why.risk.sign.{name}") for bit, name in BITS.items() if warning & bit)
    if disk.values.get("spare_margin_ratio", 0.0) < 0 and not warning & 1:
        yield say("smart.says", what="why.risk.sign.spare")
    yield from (say("smart.at_limit", name=name) for name in disk.at_limit)
    if disk.values.get("attribute_failing") == 1.0 and not disk.at_limit:
        yield say("smart.attribute_failing")


def _watch(values: Mapping[str, float]) -> Iterator[Say]:
    yield from (say("smart.count", what=f"metric.{name}", n=values[name]) for name in COUNTED if values.get(name, 0.0) > 0)
    yield from (say(f"smart.{key}") for name, key in FACTS.items() if values.get(name) == 1.0)
    if values.get("wear_ratio", 0.0) >= WORN:
        yield say("smart.worn", share=values["wear_ratio"])
