"""How often each rule was right: what became of its forecasts, and whether its calls were worth it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from forewarn.model.forecast import Forecast, Verdict

MOST_CALLS = 200
RIGHT = frozenset({Verdict.CAME_TRUE, Verdict.AVERTED})
WRONG = frozenset({Verdict.WITHDRAWN, Verdict.FALSE})
COUNTS_FROM_P = 0.5
"""A risk below this is for those who can do something about it: it is scored by calibration alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """The forecast that an incident began with: it is the one that is judged, since whoever was told acts on it."""

    probe: str
    rule: str
    kind: str
    at: datetime
    forecast: Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One forecast and what it came to. `lead_s` from telling to the breach, `width_s` of earliest..latest, `inside` whether
    the breach lay there (None: there was none, or no dates)."""

    at: datetime
    incident: str
    verdict: Verdict
    lead_s: float | None = None
    width_s: float | None = None
    inside: bool | None = None
    p: float | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts for precision."""
        return self.p is None or self.p >= COUNTS_FROM_P


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Of one rule. The newest MOST_CALLS forecasts one by one, of older ones how many came to what. `useful` and `needless` are
    incidents that somebody was called for."""

    probe: str
    rule: str
    kind: str
    calls: tuple[Judged, ...] = ()
    older: Mapping[str, int] = field(default_factory=dict)
    useful: int = 0
    needless: int = 0

    @property
    def counts(self) -> Counter[str]:
        """Verdict -> how many, of those that count for precision; missed ones always do."""
        return Counter(self.older) + Counter(str(one.verdict) for one in self.calls if one.counts or one.verdict is Verdict.MISSED)

    def judged(self, one: Judged) -> Score:
        """With one verdict more."""
        calls, older = (*self.calls, one), Counter(self.older)
        while len(calls) > MOST_CALLS:
            first, *rest = calls
            calls = tuple(rest)
            older[str(first.verdict)] += first.counts
        return replace(self, calls=calls, older=dict(older))

    def paged(self, before: bool | None, after: bool | None) -> Score:
        """A person's word about calling changed from one to the other (None: nothing said)."""
        return replace(
            self,
            useful=self.useful + (after is True) - (before is True),
            needless=self.needless + (after is False) - (before is False),
        )


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before anything was seen, in forecasts: so many right and so many wrong ones."""

    right: float = 2.0
    wrong: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the score allows to act alone: open when precision is `need` at least, with `low` as its lower bound."""

    kind: str
    need: float
    low: float
    right: int
    of: int

    @property
    def open(self) -> bool:
        return self.low >= self.need


def right_wrong(scores: Iterable[Score]) -> tuple[int, int]:
    """How many forecasts of these rules were right, and how many wrong."""
    counts = sum((score.counts for score in scores), Counter[str]())
    return sum(counts[str(one)] for one in RIGHT), sum(counts[str(one)] for one in WRONG)
