"""How likely a disk fails within a span of days, from what it says about itself. Three parts, by what is known of such disks.

Spinning disks (SATA, SAS): boosted trees (risk_trees.py), made by scripts/fit_smart_risk.py from Backblaze's Drive Stats. They
look at how large the warning counters are, how they grew over a day, a week and 30 days, for how long they have been quiet, the
disk's age and how often its model fails. On drives that they had not seen they find 45 / 57 / 69 % of failures 72 hours ahead
when 1 / 2 / 5 % of good drives are ever alarmed (docs/disks.md). About a third of failing
disks show no sign at all; Pinheiro, Weber, Barroso (FAST 2007) saw none on over 56 %.

`published`, to choose instead: failure rates by attribute as Scrutiny publishes them (github.com/AnalogJ/scrutiny, MIT,
ata_attribute_metadata.go, drawn from Backblaze's data), as steps of count and failures a year. Where a larger count has a lower
rate, the higher one holds on; the worst attribute decides; growth, age and model are not looked at.

Solid-state disks and a disk's own verdict: no public data give shares for these, so SOLID and JUDGED hold our judgement, within
30 days. Bad blocks alone are common on flash (30 % to 80 % of drives, Schroeder, Lagisetty, Merchant, FAST 2016).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from math import exp, log, log1p

from forewarn.core.detect import risk_trees as table
from forewarn.core.detect.risk_track import COUNTS, DAY_S, Track, features

HORIZON_S = 30 * DAY_S
GREW_WITHIN_S = 7 * DAY_S
YEAR_S = 365.25 * DAY_S

PUBLISHED: Mapping[str, tuple[tuple[float, float], ...]] = {
    "reallocated_total": ((1, 0.027), (4, 0.075), (16, 0.236), (70, 0.362), (260, 0.568), (1100, 1.503), (4500, 2.066)),
    "reported_uncorrectable_total": ((1, 0.339), (3, 0.501), (11, 0.535), (20, 0.843), (35, 1.443), (65, 1.619)),
    "command_timeouts_total": ((100, 0.100),),
    "pending_sectors": ((1, 0.342), (2, 0.682), (16, 0.956), (40, 1.652), (100, 2.514), (250, 3.320)),
    "uncorrectable_sectors": ((1, 0.814), (2, 1.117), (4, 1.356)),
}
"""Metric -> steps: from this count on, so many failures a year."""
PUBLISHED_CLEAN = 0.025

BITS = {1: ("spare", 0.3), 4: ("reliability", 0.5), 8: ("read_only", 0.9), 16: ("backup", 0.2), 32: ("memory", 0.2)}
"""NVMe critical warning, in the order of the words of the NVMe base specification. Bit 2 is its temperature: no sign of wear."""
FAILED = 0.5
"""The disk itself says that it is failing."""
JUDGED = {"failed": FAILED, "spare": 0.3, "worn_out": 0.05} | dict(BITS.values())
SOLID: Mapping[str, tuple[float, float]] = {
    "media_errors_total": (0.02, 0.2),
    "reported_uncorrectable_total": (0.02, 0.15),
    "uncorrectable_sectors": (0.02, 0.15),
    "pending_sectors": (0.01, 0.1),
    "end_to_end_errors_total": (0.02, 0.15),
    "reallocated_total": (0.005, 0.04),
    "program_fails_total": (0.005, 0.06),
    "erase_fails_total": (0.005, 0.04),
}
"""Counter of a disk without moving parts -> within 30 days, where it stands above 0 and where it grew in the last week."""
SOLID_NORMAL = 0.001
"""Of one without any sign: about one in a hundred a year (Backblaze's yearly drive statistics on SSDs)."""

_MAKERS = (("ST", r"(SEAGATE )?ST\d"), ("WDC", r"WD"), ("HGST", r"HGST|HITACHI|H[UDM][ASCH]\d"))


def fitted(tracks: Mapping[str, Track], at_s: float, model: float, horizon_s: float) -> float:
    """Probability by the trees that a spinning disk fails within `horizon_s`. `model` is its prior()."""
    return probability(score(features(tracks, at_s, model)), horizon_s)


def score(x: list[float]) -> float:
    """What the trees say of features (risk_track.NAMES): rising with the risk, without a unit."""
    total = 0.0
    for node in _trees():
        while isinstance(node, tuple):
            node = node[2] if x[node[0]] <= node[1] else node[3]
        total += node
    return total


def probability(of: float, horizon_s: float) -> float:
    """Of a failure within `horizon_s`, at a score. Between the days of KNOTS the cumulated hazard goes by a power of time; beyond them the hazard stays as it is."""
    known = [(days * DAY_S, -log1p(-_at(points, of))) for days, points in sorted(table.KNOTS.items())]
    known = [(span_s, max(hazard, *(before for _, before in known[: at + 1]))) for at, (span_s, hazard) in enumerate(known)]
    (first_s, first), (last_s, last) = known[0], known[-1]
    if horizon_s <= first_s:
        return 1 - exp(-first * horizon_s / first_s)
    if horizon_s >= last_s:
        return 1 - exp(-last * horizon_s / last_s)
    (low_s, low), (high_s, high) = next(pair for pair in pairwise(known) if horizon_s <= pair[1][0])
    share = (log(horizon_s) - log(low_s)) / (log(high_s) - log(low_s))
    return 1 - exp(-exp(log(low) + (log(high) - log(low)) * share))


def published(counts: Mapping[str, float], horizon_s: float) -> float:
    """The same by the published failure rates; the worst attribute decides."""
    return 1 - exp(-max([PUBLISHED_CLEAN, *(yearly(name, value) for name, value in counts.items())]) * horizon_s / YEAR_S)


def yearly(name: str, count: float) -> float:
    """Published failures a year of disks with such a count; that of clean ones where it says nothing."""
    steps = PUBLISHED.get(name, ())
    at = bisect_right(steps, count, key=lambda step: step[0])
    return steps[at - 1][1] if at else PUBLISHED_CLEAN


@cache
def normal(horizon_s: float, by: str = "fitted", solid: bool = False) -> float:
    """Of a disk of usual age and model without any sign."""
    if solid:
        return within(SOLID_NORMAL, horizon_s)
    if by == "published":
        return published({}, horizon_s)
    clean = {name: Track(0.0, 0.0, 0.0, 0.0) for name in COUNTS}
    return fitted(clean, 0.0, table.PRIORS[""], horizon_s)


def within(p: float, horizon_s: float) -> float:
    """The same hazard over another span: `p` is that within HORIZON_S."""
    return float(1 - (1 - p) ** (horizon_s / HORIZON_S))


def prior(model: str) -> float:
    """Log of how many disks of this model fail a year: of its family, else its maker, else all."""
    priors = table.PRIORS
    return priors.get(family(model), priors.get(f"maker:{maker(model)}", priors[""]))


def family(model: str) -> str:
    """A model without what follows its first hyphen, which tells size of cache and customer: "ST3000DM001-1CH166"."""
    return model.upper().split("-")[0].strip().removeprefix("SEAGATE ")


def maker(model: str) -> str:
    """ST, WDC or HGST; else the first word."""
    upper = model.upper()
    return next((name for name, pattern in _MAKERS if re.match(pattern, upper)), upper.split(" ")[0])


def _at(points: tuple[tuple[float, float], ...], of: float) -> float:
    """Probability at a score: straight between the points in log odds, and with the slope of the ends beyond them, gently."""
    at = min(max(bisect_right(points, of, key=lambda point: point[0]), 1), len(points) - 1)
    (low, at_low), (high, at_high) = points[at - 1], points[at]
    slope = (at_high - at_low) / (high - low)
    if of < low or of > high:
        end, at_end = (low, at_low) if of < low else (high, at_high)
        return 1 / (1 + exp(-(at_end + min(slope, 0.5) * (of - end))))
    return 1 / (1 + exp(-(at_low + slope * (of - low))))


Node = float | tuple[int, float, "Node", "Node"]


@cache
def _trees() -> tuple[Node, ...]:
    tokens = iter("".join(table.TREES).split())
    found: list[Node] = []
    for token in tokens:
        found.append(_node(token, tokens))
    return tuple(found)


def _node(token: str, rest: object) -> Node:
    if token.startswith("="):
        return float(token[1:])
    feature, limit = token.split(":")
    low = _node(next(rest), rest)  # type: ignore[call-overload]
    return (int(feature), float(limit), low, _node(next(rest), rest))  # type: ignore[call-overload]
