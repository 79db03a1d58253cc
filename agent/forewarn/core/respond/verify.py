"""Did a change help? Judged by the probe that fired, with the limit of the rule that fired, in one look after another.

A look at a target that was down is its outcome. A look at a value is compared with the rule's limit, and with the value at
which the change began: on the right side is repaired; else nearer to the limit's right side is better, further off is
worse. A forecast has no value on the wrong side yet: it is repaired when the time that is left grew threefold (the
forecast detector ends its claim at that, too), or beyond the rule's horizon. What one look can't tell (a burst of log
lines, a burn rate) is unseen. The rule's own verdict comes first: a finding that has cleared meanwhile is repaired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from forewarn.model.finding import Finding
from forewarn.model.playbook import Repair
from forewarn.model.probe import Rule
from forewarn.model.series import Labels, Outcome, ProbeRun, metric_text

RELIEF = 3.0
SAME = 0.01
"""A value that moved by less than this share of its limit has not moved."""
JUDGED = ("down", "threshold", "forecast")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What to look at, and against what to hold it. `above`: beyond the limit is above it. Values in the metric's unit;
    `left_s` is the time to the limit that a forecast saw, `horizon_s` how far it looks."""

    probe: str
    target: str
    kind: str
    series: str = ""  # metric{labels}
    above: bool = True
    limit: float | None = None
    before: float | None = None
    left_s: float | None = None
    horizon_s: float | None = None


def look_at(finding: Finding, rule: Rule | None) -> Look:
    """The look that answers whether this finding still holds."""
    forecast, proof = finding.forecast, finding.evidence
    left_s = None
    if forecast and forecast.likely and proof.last_at:
        left_s = max(0.0, (forecast.likely - proof.last_at).total_seconds())
    return Look(
        probe=finding.probe,
        target=finding.target,
        kind=finding.kind,
        series=metric_text(finding.metric, finding.labels),
        above=_above(finding, rule),
        limit=_limit(finding, rule),
        before=proof.value,
        left_s=left_s,
        horizon_s=forecast.horizon_s if forecast else None,
    )


def _above(finding: Finding, rule: Rule | None) -> bool:
    """Whether the wrong side is the upper one: as the rule says, else as the values stand."""
    options = rule.options if rule else None
    op = getattr(options, "op", None)
    if op in (">", ">=", "<", "<="):
        return bool(op in (">", ">="))
    if getattr(options, "below", None) is not None:
        return False
    proof = finding.evidence
    if proof.value is None or proof.limit is None or finding.kind == "forecast":
        return True
    return proof.value >= proof.limit


def _limit(finding: Finding, rule: Rule | None) -> float | None:
    """Where it is right again: the rule's own `clear`, else its limit."""
    clear = getattr(rule.options, "clear", None) if rule and finding.kind == "threshold" else None
    return float(clear) if clear is not None else finding.evidence.limit


def spec_of(look: Look | None, within_s: float) -> Mapping[str, object]:
    """The look as the spec of a `verify` step."""
    return {"look": asdict(look) if look else None, "within_s": within_s}


def from_spec(given: Mapping[str, object]) -> Look | None:
    """Inverse of spec_of."""
    found = given.get("look")
    return Look(**found) if isinstance(found, Mapping) else None


def value_in(run: ProbeRun, series: str) -> float | None:
    """The run's value of `metric{labels}`; None if it has none."""
    named: tuple[tuple[tuple[str, Labels], float], ...] = tuple(zip(run.columns, run.values, strict=True))
    return next((value for (metric, labels), value in named if metric_text(metric, labels) == series and value == value), None)


def judge(look: Look, run: ProbeRun | None) -> Repair:
    """What one look says."""
    if run is None or run.outcome is Outcome.UNKNOWN or look.kind not in JUDGED:
        return Repair.UNSEEN
    if look.kind == "down":
        return Repair.REPAIRED if run.outcome is Outcome.UP else Repair.UNCHANGED
    if run.outcome is Outcome.DOWN:
        return Repair.WORSE  # what could be measured before can't be now
    value = value_in(run, look.series)
    if value is None or look.limit is None:
        return Repair.UNSEEN
    return _by_value(look, value, look.limit)


def _by_value(look: Look, value: float, limit: float) -> Repair:
    beyond = value - limit if look.above else limit - value  # how far on the wrong side; negative is right
    if look.kind == "threshold" and beyond < 0:
        return Repair.REPAIRED
    if look.before is None:
        return Repair.UNSEEN
    before = look.before - limit if look.above else limit - look.before
    gained, least = before - beyond, SAME * max(abs(limit), 1e-9)
    if look.kind == "forecast" and gained > least and _relieved(look, before, beyond):
        return Repair.REPAIRED
    if abs(gained) <= least:
        return Repair.UNCHANGED
    return Repair.BETTER if gained > 0 else Repair.WORSE


def _relieved(look: Look, before: float, beyond: float) -> bool:
    """Whether the way to the limit is so much longer that the forecast would end."""
    if beyond >= 0 or look.left_s is None:
        return False
    grown = beyond / before if before < 0 else RELIEF
    return grown >= RELIEF or (look.horizon_s is not None and look.left_s * grown > look.horizon_s)
