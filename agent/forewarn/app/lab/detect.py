"""A rule of the daemon on a file, row by row: what it would have said at each moment, knowing only what came before."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from forewarn.app.lab.series_csv import Row
from forewarn.config.problems import Problems
from forewarn.config.reading import documents_of
from forewarn.config.rules import Given, one_rule
from forewarn.core.detect import DETECTORS
from forewarn.core.detect.baseline import BaselineOptions, BaselineState, usual
from forewarn.model.errors import ConfigError
from forewarn.model.finding import Claim, RuleState
from forewarn.model.forecast import Forecast
from forewarn.model.level import Mode
from forewarn.model.probe import Rule, Source
from forewarn.model.series import Window, unit_of
from forewarn.model.text import Say

METRIC = "value"
LOOKED_AT = 20
"""Rows at the beginning from which the interval is read; the prober knows it from the probe's `every`."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rule says after a row. `finding` counts from 1; None while nothing is found. `band` is the usual range."""

    row: Row
    score: float
    state: RuleState
    finding: int | None
    band: tuple[float, float] | None
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: from its first row to its last, and the sentence it began with."""

    number: int
    first: Row
    last: Row
    why: Say
    score: float


def shipped_rule() -> Rule:
    """The shipped baseline."""
    return Rule(name="unusual", kind="baseline", metric=METRIC, options=BaselineOptions(), source=Source("the shipped rule", 1))


def rule_of(path: Path) -> Rule:
    """The rule that a file holds, as in a probe's list. Raises ConfigError, ForewarnError if the file can't be read."""
    problems = Problems()
    docs = documents_of(path, problems)
    given = Given(frozenset(), Mode.LIVE)
    value = docs[0].value if docs else None
    rule = one_rule(docs[0], (), value, given, problems) if docs else None
    if rule is None or problems:
        raise ConfigError(problems.all(), 1)
    return rule


def judge(rows: Sequence[Row], rule: Rule, progress: Callable[[int], None]) -> tuple[list[Judged], list[Found]]:
    """The rule on each row, and what it found."""
    detector, every_s = DETECTORS[rule.kind], interval_s(rows)
    keep = max(detector.keep_s(rule.options), 32 * every_s)
    times, values = array("d"), array("d")
    state: Any = None
    judged: list[Judged] = []
    found: list[Found] = []
    for at, row in enumerate(rows):
        progress(at)
        if at % LOOKED_AT == 0 and (at // LOOKED_AT).bit_count() == 1:  # with what is known after 20, 40, 80 ... rows
            every_s = interval_s(rows[: at + 1], at)
        times.append(row.at_s)
        values.append(row.value)
        if len(times) > 4096 and times[0] < row.at_s - 2 * keep:
            cut = next((n for n, time in enumerate(times) if time >= row.at_s - keep), 0)
            del times[:cut], values[:cut]
        now = datetime.fromtimestamp(row.at_s, UTC)
        window = Window(times, values, 1, every_s)
        before = bool(state and state.firing)
        state, claim = detector.step(rule.options, state, window, now)
        if state.firing:
            if not before:
                found.append(Found(len(found) + 1, row, row, _with_unit(claim, rule), 0.0))
            found[-1] = replace(found[-1], last=row, score=max(found[-1].score, _score(state, claim)))
        judged.append(
            Judged(row, _score(state, claim), claim.state, len(found) if state.firing else None, _band(state), claim.forecast)
        )
    return judged, found


def interval_s(rows: Sequence[Row], most: int = LOOKED_AT) -> float:
    """How far apart the first rows lie, `most` of them: the median."""
    first = [row.at_s for row in rows[: most + 1]]
    gaps = sorted(after - before for before, after in pairwise(first) if after > before)
    return gaps[len(gaps) // 2] if gaps else 60.0


def _score(state: Any, claim: Claim) -> float:
    """0..1; a rule that knows only yes and no says 1 and 0."""
    if isinstance(state, BaselineState):
        return state.score
    if claim.forecast and claim.forecast.p is not None:
        return claim.forecast.p
    return 1.0 if claim.state is RuleState.FIRING else 0.0


def _band(state: Any) -> tuple[float, float] | None:
    return usual(state) if isinstance(state, BaselineState) and state.anchors else None


def _with_unit(claim: Claim, rule: Rule) -> Say:
    return Say(claim.why.key, {**claim.why.facts, "unit": unit_of(rule.metric or "")})
