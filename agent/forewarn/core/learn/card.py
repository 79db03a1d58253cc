"""The scorecard: how right forecasts were, by kind and by rule, and what of it opens a gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from forewarn.core.learn.gate import gate, in_vain, interval
from forewarn.model.forecast import Verdict
from forewarn.model.scorecard import COUNTS_FROM_P, Judged, Prior, Score, right_wrong
from forewarn.model.text import Say, say

Figures = dict[str, Any]
RISK_STEPS = (0.0, 0.1, 0.25, COUNTS_FROM_P, 0.75, 1.000001)
"""Where the probabilities of risks are parted to be compared with what came."""


def card(scores: Sequence[Score], gates: Mapping[str, float], priors: Mapping[str, Prior]) -> Figures:
    """Shares lie between 0 and 1, times are in seconds; what nothing was judged of is None."""
    kinds = sorted({score.kind for score in scores if score.counts} | set(priors))
    return {
        **_summary(scores, priors),
        "kinds": [_kind(kind, [one for one in scores if one.kind == kind], gates, priors) for kind in kinds],
        "rules": [_rule(score, priors) for score in sorted(scores, key=lambda one: (one.probe, one.rule))],
        "calibration": _calibration([one for score in scores for one in score.calls if one.p is not None]),
    }


def so_far(scores: Sequence[Score]) -> tuple[Say, ...]:
    """`Right so far: 11 of 12` and `median 9 h ahead`; nothing while nothing was judged."""
    right, wrong = right_wrong(scores)
    if not right + wrong:
        return ()
    lead = _lead(scores)
    return (say("score.right", right=right, of=right + wrong), *((say("score.lead", span=lead),) if lead is not None else ()))


def _summary(scores: Sequence[Score], priors: Mapping[str, Prior]) -> Figures:
    right, wrong = right_wrong(scores)
    return {"right": right, "of": right + wrong, "median_lead_s": _lead(scores), "pages": _pages(scores)}


def _kind(kind: str, scores: Sequence[Score], gates: Mapping[str, float], priors: Mapping[str, Prior]) -> Figures:
    opened = [gate(kind, need, scores, priors) for need in gates.values()]
    shown = [
        {"name": name, "need": one.need, "low": round(one.low, 3), "open": one.open}
        for name, one in zip(gates, opened, strict=True)
    ]
    return {"kind": kind, **_figures(scores, priors.get(kind, Prior())), "gates": shown}


def _rule(score: Score, priors: Mapping[str, Prior]) -> Figures:
    figures = _figures([score], priors.get(score.kind, Prior()))
    return {"probe": score.probe, "rule": score.rule, "kind": score.kind, **figures, "silenced": in_vain(score)}


def _figures(scores: Sequence[Score], prior: Prior) -> Figures:
    right, wrong = right_wrong(scores)
    low, high = interval(right, wrong, prior)
    counts = {str(one): sum(score.counts[str(one)] for score in scores) for one in Verdict}
    missed = counts[str(Verdict.MISSED)]
    dated = [one for score in scores for one in score.calls if one.inside is not None]
    wide = [one.width_s / one.lead_s for one in dated if one.width_s is not None and one.lead_s and one.lead_s > 0]
    return {
        "verdicts": counts,
        "precision": right / (right + wrong) if right + wrong else None,
        "interval": [round(low, 3), round(high, 3)],
        "recall": right / (right + missed) if right + missed else None,
        "median_lead_s": _lead(scores),
        "coverage": sum(bool(one.inside) for one in dated) / len(dated) if dated else None,
        "sharpness": round(median(wide), 3) if wide else None,
        "pages": _pages(scores),
    }


def _lead(scores: Sequence[Score]) -> float | None:
    leads = [one.lead_s for score in scores for one in score.calls if one.verdict is Verdict.CAME_TRUE and one.lead_s is not None]
    return median(leads) if leads else None


def _pages(scores: Sequence[Score]) -> Figures:
    useful, needless = sum(one.useful for one in scores), sum(one.needless for one in scores)
    return {"useful": useful, "needless": needless, "precision": useful / (useful + needless) if useful + needless else None}


def _calibration(risks: Sequence[Judged]) -> list[Figures]:
    """Of risks: what was said, and how often it came."""
    found = []
    for low, high in pairwise(RISK_STEPS):
        some = [one for one in risks if one.p is not None and low <= one.p < high]
        if some:
            came = sum(one.verdict is Verdict.CAME_TRUE for one in some)
            said = sum(one.p or 0.0 for one in some) / len(some)
            found.append(
                {"from": low, "to": min(1.0, high), "n": len(some), "said": round(said, 3), "came": round(came / len(some), 3)}
            )
    return found
