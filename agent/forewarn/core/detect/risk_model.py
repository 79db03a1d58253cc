"""How likely a disk fails within 30 days, from what it says about itself.

SATA and SAS. Fitted by scripts/fit_smart_risk.py to Backblaze's Drive Stats (backblaze.com/cloud-storage/resources/
hard-drive-test-data, April 2013 - September 2016, 43,615 drives of which 2,623 failed, looked at once a week): a
logistic score of how large four counts are, how many of five are above 0, and whether any grew in the last week; then the
share of disks with such a score that failed. The five are the ones that Backblaze found to matter (5, 187, 188, 197, 198).
On drives that it was not fitted to, 13 % failed of those it gave 14 %, 22 % of those it gave 24 %, 39 % of those it gave
38 %. It finds 27 / 40 / 50 / 62 % of failures 72 hours ahead at 0.5 / 1 / 2 / 5 % of good drives ever alarmed; the rest
shows no sign: Pinheiro, Weber, Barroso (FAST 2007) saw none on over 56 % of failed disks, and 39 times the risk within
60 days after a first scan error.

NVMe and a disk's own verdict. No public data give shares for these, so JUDGED holds our judgement, in the order of the
bits' words in the NVMe base specification, section "SMART / Health Information".
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import exp, log1p

HORIZON_S = 30 * 86400.0
GREW_WITHIN_S = 7 * 86400.0

COUNTS = (
    "reallocated_total",
    "reported_uncorrectable_total",
    "command_timeouts_total",
    "pending_sectors",
    "uncorrectable_sectors",
)
LOGS = {"reallocated_total": 0.131, "reported_uncorrectable_total": 0.25, "command_timeouts_total": 0.158, "pending_sectors": 0.381}
BASE, EACH, GREW = -6.386, 0.862, 1.236
KNOTS = ((-6.4, -6.67), (-5.0, -4.38), (-4.0, -3.31), (-3.0, -2.11), (-2.0, -1.72), (-1.0, -1.25), (0.0, -0.38))
"""Score -> log odds that the disk fails; straight in between, and level beyond."""
MOST = 1e5

NORMAL = 1 / (1 + exp(6.67))
"""Of a disk without any sign."""

BITS = {1: ("spare", 0.3), 4: ("reliability", 0.5), 8: ("read_only", 0.9), 16: ("backup", 0.2), 32: ("memory", 0.2)}
"""NVMe critical warning. Bit 2 is its temperature: no sign of wear."""
FAILED = 0.5
"""The disk itself says that it is failing."""
JUDGED = {"failed": FAILED, "media_grew": 0.2, "media": 0.02, "spare": 0.3, "worn_out": 0.05} | dict(BITS.values())


def measured(counts: Mapping[str, float], grew: bool) -> float:
    """Probability within HORIZON_S from the five counts; `grew`: one of them did within GREW_WITHIN_S."""
    score = BASE + sum(weight * log1p(min(max(counts.get(name, 0.0), 0.0), MOST)) for name, weight in LOGS.items())
    score += EACH * sum(counts.get(name, 0.0) > 0 for name in COUNTS) + GREW * grew
    return 1 / (1 + exp(-_between(score)))


def within(p: float, horizon_s: float) -> float:
    """The same hazard over another span: `p` is that within HORIZON_S."""
    return float(1 - (1 - p) ** (horizon_s / HORIZON_S))


def _between(score: float) -> float:
    if score <= KNOTS[0][0]:
        return KNOTS[0][1]
    for (low, at_low), (high, at_high) in pairwise(KNOTS):
        if score <= high:
            return at_low + (at_high - at_low) * (score - low) / (high - low)
    return KNOTS[-1][1]
