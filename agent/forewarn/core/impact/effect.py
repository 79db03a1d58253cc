"""What a finding means for its service: how badly, before anyone asks how many.

What a kind of rule means, what a metric's limit means now, and what it means once a forecast's limit is reached. A rule's
own `effect:` overrides them all.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from forewarn.model.finding import Finding
from forewarn.model.level import Effect
from forewarn.model.probe import Probe

FORECASTS = frozenset({"forecast", "risk", "countdown"})
EVIDENCE = frozenset({"baseline", "change", "flatline", "new-term", "cardinality"})
"""Kinds of rule that open nothing alone, unless they say by `effect:` that it is felt: they help to find the cause."""
INSIDE = frozenset(
    {"host", "temperature", "smart", "log", "journal", "command", "process", "certificate", "growth", "self", "elasticsearch"}
)
"""Kinds of probe that look at what a service rests on, not at the service as its users meet it."""
LOST, EXPOSED = "data-lost", "data-exposed"
"""Tags of probes whose findings mean that data are lost, or seen by others."""
LATENCIES = frozenset({"resolve_s", "connect_s", "tls_s", "first_byte_s", "total_s"})

_RESOURCE = re.compile(r"(cpu|memory|mem|load|load\d+|swap)(_|$)")
_CERTIFICATE = re.compile(r"(^|_)(cert|certificate|domain)(_|$)")
_ROOM = re.compile(r"(^|_)(fs|inodes?|volume|disk|tablespace|quota|storage)_(\w+_)?(used|free|left|full)(_|$)")


def effect_of(finding: Finding, probe: Probe | None, customers: Collection[str] = ()) -> Effect:
    """How badly what this finding claims touches its service; for a forecast, how badly its breach would.

    `probe` is None when it was removed meanwhile; `customers` are the names that make a label a customer's label.
    """
    if finding.effect is not None:
        return finding.effect
    if probe and {LOST, EXPOSED} & set(probe.tags):
        return Effect.STOPPED
    if finding.kind in FORECASTS:
        return _of_breach(finding, probe)
    match finding.kind:
        case "down":
            return Effect.FAILS
        case "slo" | "slo-budget":
            return Effect.SLOW if is_latency(finding.metric, probe) else Effect.FAILS
        case "pattern":
            return Effect.FAILS if named_customer(finding, customers) else Effect.AT_RISK
        case "threshold":
            return Effect.SLOW if is_latency(finding.metric, probe) else Effect.AT_RISK
    return Effect.AT_RISK


def _of_breach(finding: Finding, probe: Probe | None) -> Effect:
    if is_latency(finding.metric, probe):
        return Effect.SLOW
    dies = finding.kind == "risk" and probe is not None and probe.kind == "smart"
    if dies or _CERTIFICATE.search(finding.metric) or is_room(finding.metric):
        return Effect.FAILS
    return Effect.AT_RISK


def is_latency(metric: str, probe: Probe | None) -> bool:
    """Whether a metric tells how long users wait: seconds that were measured from outside, except a certificate's."""
    if probe is None:
        return metric in LATENCIES
    return probe.kind not in INSIDE and metric.endswith("_s") and not _CERTIFICATE.search(metric)


def is_room(metric: str) -> bool:
    """Whether a metric tells how much room there is on a file system or volume."""
    return bool(_ROOM.search(metric))


def is_resource(finding: Finding, probe: Probe | None) -> bool:
    """Whether it is about CPU, memory, load or swap of a host, which nobody else feels.

    A rule that says by `effect:` that it is felt is believed.
    """
    inside = probe is None or probe.kind in INSIDE
    return finding.effect is None and inside and bool(_RESOURCE.match(finding.metric))


def named_customer(finding: Finding, customers: Collection[str]) -> str | None:
    """The customer whom a finding names: by a label's value, or as its target."""
    return next(
        (value for _, value in finding.labels if value in customers), finding.target if finding.target in customers else None
    )


class Role(StrEnum):
    """What a finding is for the judgement and for its incident."""

    FELT = "felt"  # users feel it now
    COMING = "coming"  # a forecast or risk
    CROSSED = "crossed"  # a forecast whose limit is reached
    RISK = "risk"  # nobody feels it yet
    RESOURCE = "resource"  # a task for office hours
    BUDGET = "budget"  # a promise is used up too fast, but slowly: likewise
    BLIND = "blind"  # we cannot see
    QUESTION = "question"
    EVIDENCE = "evidence"  # helps to find the cause


@dataclass(frozen=True, slots=True)
class Meaning:
    role: Role
    effect: Effect


def meaning(finding: Finding, probe: Probe | None, customers: Collection[str] = ()) -> Meaning:
    """A finding's role and effect."""
    effect = effect_of(finding, probe, customers)
    return Meaning(_role(finding, probe, effect), effect)


def _role(finding: Finding, probe: Probe | None, effect: Effect) -> Role:
    if finding.kind == "cannot-see":
        return Role.BLIND
    if finding.kind in EVIDENCE and finding.effect is None:
        return Role.EVIDENCE
    if finding.kind == "slo-budget":
        return Role.BUDGET
    if finding.kind in FORECASTS:
        return Role.CROSSED if finding.forecast and finding.forecast.crossed else Role.COMING
    if finding.kind in ("threshold", "rate") and is_resource(finding, probe):
        return Role.RESOURCE
    return {Effect.AT_RISK: Role.RISK, Effect.QUESTION: Role.QUESTION}.get(effect, Role.FELT)
