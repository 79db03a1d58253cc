"""The 0-100 score that orders incidents inside a level, as an interval.

`spec/systems.md` section 3: weights times six inputs of 0..1, times a factor for the hour, times the probability of what is
only forecast. An unknown input counts 0 at the low end and 1 at the high end; one that is known at least counts from there.
"""

from __future__ import annotations

from collections.abc import Mapping

from forewarn.core.impact.affected import Touched
from forewarn.core.impact.matrix import Judged, Known
from forewarn.model.impact import ImpactRules
from forewarn.model.level import Effect, Reach
from forewarn.model.map import Criticality
from forewarn.model.settings import Settings

Bounds = tuple[float, float]
UNKNOWN: Bounds = (0.0, 1.0)

CRITICALITY = {Criticality.CORE: 1.0, Criticality.IMPORTANT: 0.6, Criticality.SUPPORTING: 0.3, Criticality.TEST: 0.1}
AVAILABILITY = {Effect.STOPPED: 1.0, Effect.FAILS: 1.0, Effect.SLOW: 0.3, Effect.AT_RISK: 0.3, Effect.QUESTION: 0.1}
DEGRADED = 0.6
"""Availability of what fails without a target being down: errors, missing orders."""
SCOPE = {Reach.ALL: 1.0, Reach.MANY: 0.6, Reach.FEW: 0.2, Reach.NONE: 0.0}
VIP, STANDARD = 1.0, 0.4
FELT = "felt"
FORETOLD = frozenset({"ahead", "inferred"})


def interval(inputs: Mapping[str, Bounds], weights: Mapping[str, float], factor: float = 1.0, p: Bounds = (1.0, 1.0)) -> Bounds:
    """Score from low to high, with one decimal. An input that is missing is unknown."""
    ends = []
    for end in (0, 1):
        z = sum(weight * inputs.get(name, UNKNOWN)[end] for name, weight in weights.items()) / sum(weights.values())
        ends.append(round(min(100.0, 100.0 * factor * z) * p[end], 1))
    return ends[0], ends[1]


def inputs_of(touched: Touched, judged: Judged, settings: Settings) -> dict[str, Bounds]:
    """The six inputs of the strand that was judged worst."""
    known, strand = touched.known, judged.strand
    return {
        "orders": _orders(known, settings.impact),
        "users": _users(touched, strand.name, settings.impact),
        "criticality": _at(CRITICALITY[known.criticality]) if known.criticality else UNKNOWN,
        "availability": _at(_availability(known, strand.name, strand.effect)),
        "scope": UNKNOWN if strand.name == FELT and strand.by == "none" and known.users is None else _at(SCOPE[strand.reach]),
        "customers": _customers(touched, strand.name, settings),
    }


def time_factor(touched: Touched, rules: ImpactRules) -> float:
    """Campaign before peak hour before an ordinary hour, at the moment that is judged."""
    if touched.known.campaign:
        return rules.campaign_factor
    peak = touched.service is not None and any(weekly.covers(touched.moment) for weekly in touched.service.peak)
    return rules.peak_factor if peak else 1.0


def probability(touched: Touched) -> Bounds:
    """Of what is only forecast; 1 for what is there."""
    if not touched.known.ahead:
        return (1.0, 1.0)
    return UNKNOWN if touched.p is None else (touched.p, touched.p)


def _at(value: float) -> Bounds:
    return value, value


def _orders(known: Known, rules: ImpactRules) -> Bounds:
    if known.drop is None:
        return UNKNOWN
    return _at(min(1.0, max(0.0, known.drop) / rules.drop.get(Effect.STOPPED, 0.30)))


def _users(touched: Touched, strand: str, rules: ImpactRules) -> Bounds:
    """Of what is felt: the share that was counted or follows from a fall; a lower bound otherwise."""
    known = touched.known
    if strand in FORETOLD:
        return UNKNOWN if known.users_exposed is None else _at(min(1.0, known.users_exposed / rules.reach_all))
    if strand != FELT:
        return _at(0.0)
    if touched.users_measured is not None:
        return _at(min(1.0, touched.users_measured / rules.reach_all))
    if known.users is None:
        return UNKNOWN
    share = min(1.0, known.users / rules.reach_all)
    internal = touched.service is not None and touched.service.internal
    return _at(share) if known.wholly or internal else (share, 1.0)


def _availability(known: Known, strand: str, effect: Effect) -> float:
    if strand == FELT and effect is Effect.FAILS and not known.down:
        return DEGRADED
    return AVAILABILITY[effect]


def _customers(touched: Touched, strand: str, settings: Settings) -> Bounds:
    if strand == FELT:
        names, unsure = touched.affected, not touched.known.wholly and bool(settings.customers)
    else:
        names, unsure = (touched.exposed if strand in FORETOLD else ()), False
    value = 0.0 if not names else VIP if any(settings.customers[name].vip for name in names) else STANDARD
    return (value, VIP) if unsure and value < VIP and not names else _at(value)
