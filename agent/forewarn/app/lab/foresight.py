"""How good forecasts of a crossing were, judged afterwards: warned in time, false warnings, coverage, interval score.

A *crossing* is the first row at or beyond the limit after LEAD_S under it. A *warning* is a run of rows on which the rule fires
while the value is under the limit. It was false when the limit was not reached while it lasted, nor within the horizon from its
beginning; one that the end of the file leaves open is not judged.

An interval that was stated on a row is compared with when the limit was reached next. Its score is its width, and ten times
(2 / 0.2, at a coverage of 80 %) the distance by which it missed: the least is best, and an endless interval is a bad one
(Gneiting and Raftery 2007, JASA 102:359).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forewarn.app.lab.series_csv import Row

LEAD_S = 6 * 3600.0
MONTH_S = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Stated:
    """What stood on a row: `state`, whether it warned, and the interval in epoch seconds (None: no date)."""

    row: Row
    state: str
    warns: bool
    dates: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Foresight:
    """`warned` of `crossings` were warned LEAD_S ahead. `covered` of `judged` stated intervals held; `score_s` is their mean
    score in seconds over those that a crossing followed, None without any. `warnings` and `false` count runs."""

    crossings: int
    warned: int
    warnings: int
    false: int
    months: float
    judged: int
    covered: int
    scored: int
    score_s: float | None

    @property
    def coverage(self) -> float | None:
        return self.covered / self.judged if self.judged else None


def judged(stated: Sequence[Stated], beyond: Sequence[bool], within_s: float, coverage: float, every_s: float) -> Foresight:
    """`beyond[i]`: row i stands at or beyond the limit. An interval may miss by one row (`every_s`): there is no sample between."""
    times = [one.row.at_s for one in stated]
    coming = reached(times, beyond)
    found = crossings(times, beyond)
    runs, false = _warnings(stated, beyond, within_s)
    held = told = scored = 0
    total = 0.0
    for at, one in enumerate(stated):
        truth = coming[at]
        if one.dates is None or beyond[at] or (truth is None and one.dates[2] >= times[-1]):
            continue
        told += 1
        if truth is not None:
            earliest, _, latest = one.dates
            held += earliest - every_s <= truth <= latest + every_s
            total += interval_score(earliest, latest, truth, coverage)
            scored += 1
    return Foresight(
        len(found), sum(_warned(stated, beyond, at) for at in found), runs, false, (times[-1] - times[0]) / MONTH_S,
        told, held, scored, total / scored if scored else None,
    )  # fmt: skip


def interval_score(earliest_s: float, latest_s: float, truth_s: float, coverage: float) -> float:
    """In seconds."""
    missed = max(earliest_s - truth_s, truth_s - latest_s, 0.0)
    return latest_s - earliest_s + 2 / (1 - coverage) * missed


def reached(times: Sequence[float], beyond: Sequence[bool]) -> list[float | None]:
    """For each row, when the limit is reached next after it; None where it no more is."""
    found: list[float | None] = [None] * len(times)
    after: float | None = None
    for at in range(len(times) - 1, -1, -1):
        found[at] = after
        if beyond[at]:
            after = times[at]
    return found


def crossings(times: Sequence[float], beyond: Sequence[bool]) -> list[int]:
    """The rows at which the limit is reached after LEAD_S under it, all of it in sight."""
    found, since = [], times[0]
    for at, (time, is_beyond) in enumerate(zip(times, beyond, strict=True)):
        if is_beyond:
            if time - since >= LEAD_S:
                found.append(at)
            since = time
    return found


def _warned(stated: Sequence[Stated], beyond: Sequence[bool], at: int) -> bool:
    """Whether a warning stood LEAD_S before the row."""
    moment = stated[at].row.at_s - LEAD_S
    before = next(n for n in range(at, -1, -1) if stated[n].row.at_s <= moment)
    return stated[before].warns and not beyond[before]


def _warnings(stated: Sequence[Stated], beyond: Sequence[bool], within_s: float) -> tuple[int, int]:
    """How many runs of warnings there were that can be judged, and how many of them were false."""
    times = [one.row.at_s for one in stated]
    coming = reached(times, beyond)
    runs = false = 0
    begun: int | None = None
    for at, one in enumerate(stated):
        warns = one.warns and not beyond[at]
        if warns and begun is None:
            begun = at
        if begun is None or (warns and at + 1 < len(stated)):
            continue
        truth, until = coming[begun], max(times[at], times[begun] + within_s)
        if truth is not None and truth <= until:
            runs += 1
        elif not warns and until <= times[-1]:
            runs, false = runs + 1, false + 1
        begun = None
    return runs, false
