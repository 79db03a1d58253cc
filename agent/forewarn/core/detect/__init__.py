"""Detectors: what a rule says about a series. One module a kind, one line in DETECTORS.

A detector is pure: `step(options, state, window, now) -> (state, claim)`. `state` is None at first and a frozen value
afterwards; it has `firing`. Whoever calls keeps it, and can rebuild it by handing in history as fresh samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from forewarn.core.detect import (
    absence,
    baseline,
    cannot_see,
    change,
    countdown,
    distinct,
    down,
    flatline,
    forecast,
    new_term,
    pattern,
    rate,
    risk,
    risk_signs,
    slo,
    threshold,
)
from forewarn.model.series import Counts, Tally


@dataclass(frozen=True, slots=True)
class Detector:
    """`history_s(options)`: how many seconds of the past are good to have at a start, `needed_s`: how many it can't do
    without. `keep_s`: so far it looks back at every step; the rest lives in its state. `ticks`: it also wants to be
    called when only time has passed. `beside`: metrics of the same thing that it looks at too. `costly`: a judgement takes
    long enough (about half a millisecond) that many at once would be felt; it may come a few samples late. `awaits`: it also
    judges a series that has never come. `tally` and `recall`: what lies before `history_s` may be handed in as counts.
    `gathers`: it looks at several series at once: "labels", all that differ only in the labels `of`; "rules", what else fires.
    `remembers`: that a series once came matters, so it is never let go. `coarse`: means of five minutes serve as history, where
    there are too many samples of it to be read at a start.
    `after` and `claim` are `step` in two halves: most runs change nothing, and then nobody reads the claim. `calm(options,
    state, window)`: bounds; a fresh sample strictly between them leaves the state as it is, but for what is known of the
    newest sample, which any later one replaces. None: this state wants to see each sample.
    `together_s`: so many seconds' samples may be judged at one step where nobody waits for the answer, as in a rehearsal;
    `urgent(options, state, value)`: but not when such a value comes.
    `kept`: its state holds more than its window, and is kept over a restart (keeping.py). `form` is raised by one when what
    stands in the state means something else than before: then it is learnt anew."""

    step: Callable[..., tuple[Any, Any]]
    resume: Callable[..., Any]
    history_s: Callable[[Any], float]
    needed_s: Callable[[Any], float]
    keep_s: Callable[[Any], float]
    ticks: bool = False
    costly: bool = False
    beside: tuple[str, ...] = ()
    awaits: bool = False
    tally: Callable[[Any], Tally] | None = None
    recall: Callable[[Any, Counts], Any] | None = None
    after: Callable[..., Any] | None = None
    claim: Callable[..., Any] | None = None
    gathers: str = ""
    remembers: bool = False
    coarse: bool = False
    calm: Callable[..., tuple[float, float] | None] | None = None
    together_s: Callable[[Any], float] | None = None
    urgent: Callable[[Any, Any, float], bool] = lambda options, state, value: False
    kept: bool = True
    form: int = 1

    @property
    def learns(self) -> bool:
        """Whether its claim can say `learning`. A claim that is only made when somebody reads it can't: whoever counts what
        is learnt looks at thousands of series, and at claims that are there."""
        return self.claim is None


def _all_kept(module: Any, ticks: bool = False) -> Detector:
    """A detector that sees all of its past at every step."""
    kept = module.history_s
    calm = getattr(module, "calm", None)
    return Detector(
        module.step, module.resume, kept, kept, kept, ticks, after=module.after, claim=module.claim, calm=calm, kept=False
    )


def _in_state(module: Any, **more: Any) -> Detector:
    """A detector whose state holds all that it needs of the past."""
    past = module.history_s
    return Detector(module.step, module.resume, past, past, lambda options: 0.0, **more)


SLO = Detector(slo.step, slo.resume, slo.history_s, slo.history_s, lambda options: 0.0, tally=slo.tally, recall=slo.recall)

FORECAST = Detector(
    forecast.step,
    forecast.resume,
    forecast.history_s,
    lambda options: options.window_s,
    lambda options: 0.0,
    costly=True,
    together_s=forecast.together_s,
    urgent=forecast.urgent,
)

DETECTORS: Mapping[str, Detector] = {
    "threshold": _all_kept(threshold),
    "forecast": FORECAST,
    "pattern": _all_kept(pattern, ticks=True),
    "risk": Detector(
        risk.step, risk.resume, risk.history_s, lambda options: risk.DAY, lambda options: 0.0, beside=risk_signs.BESIDE
    ),
    "slo": SLO,
    "slo-budget": SLO,
    "absence": Detector(
        absence.step, absence.resume, absence.history_s, absence.history_s, lambda options: 0.0, ticks=True, awaits=True
    ),
    "baseline": Detector(
        baseline.step,
        baseline.resume,
        baseline.history_s,
        lambda options: 0.0,
        lambda options: 0.0,
        coarse=True,
        together_s=baseline.together_s,
    ),
    "flatline": _in_state(flatline),
    "change": _in_state(change),
    "rate": _in_state(rate),
    "new-term": _in_state(new_term, ticks=True, remembers=True),
    "cardinality": _in_state(distinct, ticks=True, gathers="labels"),
    "compose": _in_state(distinct, ticks=True, gathers="rules"),
    "countdown": replace(_all_kept(countdown), beside=countdown.BESIDE),
    "down": _all_kept(down),
    "cannot-see": _all_kept(cannot_see, ticks=True),
}
