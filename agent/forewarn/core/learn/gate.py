"""What the score allows: precision with its interval, gates, and rules whose calls are in vain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from forewarn.core.learn.beta import quantile
from forewarn.model.scorecard import Gate, Prior, Score, right_wrong

SIDE = 0.05
"""So much lies beyond each end of an interval: it covers 90 %."""
VAIN_BELOW = 0.5
PAGES = Prior()


@lru_cache(maxsize=4096)
def interval(right: float, wrong: float, prior: Prior) -> tuple[float, float]:
    """Between which shares the true precision lies with 90 %."""
    a, b = prior.right + right, prior.wrong + wrong
    return quantile(SIDE, a, b), quantile(1 - SIDE, a, b)


def gate(kind: str, need: float, scores: Iterable[Score], priors: Mapping[str, Prior]) -> Gate:
    """Of all rules of a kind (forecast, risk) together: one rule alone is hardly ever judged often enough."""
    right, wrong = right_wrong(score for score in scores if score.kind == kind)
    low, _ = interval(right, wrong, priors.get(kind, Prior()))
    return Gate(kind=kind, need=need, low=low, right=right, of=right + wrong)


def in_vain(score: Score) -> bool:
    """Whether a rule's calls are hardly ever worth it: even the upper end of their precision is below a half."""
    return score.needless > 0 and interval(score.useful, score.needless, PAGES)[1] < VAIN_BELOW
