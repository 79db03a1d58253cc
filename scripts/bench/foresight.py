"""How well a crossing is foreseen: the shipped forecast beside a seasonal naive one and a straight line, on the same rows.

    .venv/bin/python scripts/bench/foresight.py [--data ../shared/data] [--one-in 1] [--every 900] [--verbose]

Problems are the open series (nab, cloudmon) with limits at quantiles of their own values, each crossed in truth at least once after
six hours under it, and made series of which the truth is known. Long series are cut at 4,000 rows. All rules see only the past;
the limits are drawn from the whole series, as a person draws them who knows it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import exp, pi, sin
from pathlib import Path
from random import Random
from typing import NamedTuple

from forewarn.app.lab import foresight
from forewarn.app.lab.detect import interval_s
from forewarn.app.lab.forecast import rule, stated, walk
from forewarn.app.lab.series_csv import Row, read
from forewarn.cli.progress import Progress
from rivals import RIVALS, Past

HOUR, DAY = 3600.0, 86400.0
WITHIN_S, COVERAGE = 3 * DAY, 0.8
MOST_ROWS = 4000
LIMITS = ((0.95, 1), (0.99, 1), (0.998, 1), (0.02, -1))
"""Quantiles of a series' values, and the side from which they are crossed."""
MOST_BEYOND = 0.1
ASKED_S = HOUR
"""How far apart the rows lie on which the rivals are asked."""


class Problem(NamedTuple):
    """A series and its limit; `sign` is -1 where the limit lies under the values."""

    group: str
    name: str
    rows: list[Row]
    limit: float
    sign: int

    def beyond(self) -> list[bool]:
        return [self.sign * row.value >= self.sign * self.limit for row in self.rows]


@dataclass
class Total:
    """Sums over problems. `scores` are those of each forecaster on the same rows, in hours."""

    problems: int = 0
    crossings: int = 0
    warned: int = 0
    warnings: int = 0
    false: int = 0
    months: float = 0.0
    judged: int = 0
    covered: int = 0
    scores: dict[str, list[float]] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    def line(self) -> dict[str, object]:
        mean = {name: round(sum(scores) / len(scores) / HOUR, 1) for name, scores in self.scores.items() if scores}
        held = {name: round(self.held.get(name, 0) / len(scores), 3) for name, scores in self.scores.items() if scores}
        return {
            "problems": self.problems, "crossings": self.crossings,
            "warned_6h": round(self.warned / self.crossings, 3) if self.crossings else None,
            "false_a_month": round(self.false / self.months, 2) if self.months else None,
            "coverage": round(self.covered / self.judged, 3) if self.judged else None,
            "score_h": mean, "coverage_on_these": held,
        }  # fmt: skip


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench/foresight.py", description="how well crossings are foreseen")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the open series (../shared/data)")
    parser.add_argument("--one-in", type=int, default=1, help="take only one problem in so many (1)")
    parser.add_argument("--every", type=float, default=900.0, help="seconds between rows at least (900)")
    parser.add_argument("--verbose", action="store_true", help="print each problem too")
    args = parser.parse_args(given)
    if not (args.data / "nab").is_dir():
        print(f"{args.data}/nab: not there; only the made series are measured", file=sys.stderr)
    problems = [*open_problems(args.data, args.every), *made_problems(args.every)][:: args.one_in]
    totals: dict[str, Total] = {}
    with Progress("foresight", len(problems)) as bar:
        for at, problem in enumerate(problems):
            bar(at)
            alone = measured(problem)
            _merge(totals.setdefault(problem.group, Total()), alone)
            if args.verbose:
                print(problem.group, problem.name, f"{problem.limit:.4g}", json.dumps(alone.line()), flush=True)
    print(json.dumps({name: total.line() for name, total in totals.items()}, indent=1))
    return 0


def open_problems(data: Path, every_s: float) -> Iterator[Problem]:
    """The limits that a series truly crosses."""
    for group in ("nab", "cloudmon"):
        for file in sorted(data.glob(f"{group}/data/*/*.csv")):
            rows = thinned(read(file), every_s)[:MOST_ROWS]
            ordered, seen = sorted(row.value for row in rows), set[tuple[float, int]]()
            for quantile, sign in LIMITS:
                limit = ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]
                problem = Problem(group, file.stem, rows, limit, sign)
                beyond = problem.beyond()
                crossed = foresight.crossings([row.at_s for row in rows], beyond)
                if crossed and sum(beyond) <= MOST_BEYOND * len(rows) and (limit, sign) not in seen:
                    seen.add((limit, sign))
                    yield problem


def thinned(rows: Sequence[Row], every_s: float) -> list[Row]:
    """Rows at least so far apart, times that only grow."""
    kept: list[Row] = []
    for row in rows:
        if not kept or row.at_s - kept[-1].at_s >= 0.999 * every_s:
            kept.append(row)
    return kept


def made_problems(every_s: float) -> Iterator[Problem]:
    """Series as hosts make them: what truly fills, and what must raise nothing."""
    for seed in range(6):
        r = Random(seed)
        pace, hours = r.uniform(15, 90), r.uniform(4, 20)

        def fills(t: float, r: Random, pace: float = pace) -> float:
            return 0.5 + 0.45 * t / (pace * HOUR) + r.gauss(0, 0.003)

        def late(t: float, r: Random, pace: float = pace, hours: float = hours) -> float:
            return 0.5 + 0.45 * max(0.0, t - hours * HOUR) / (pace * HOUR) + r.gauss(0, 0.003)

        yield _made("disk fills", fills, seed, every_s, 0.95)
        yield _made("a leak begins", late, seed, every_s, 0.95)
        yield _made("cleaned each night", lambda t, r: 0.6 + 0.25 * (t % DAY) / DAY + r.gauss(0, 0.003), seed, every_s, 0.95)
        yield _made("a copy that stays", lambda t, r, h=hours: 0.5 + 0.2 * (t > h * HOUR) + r.gauss(0, 0.003), seed, every_s, 0.95)
        yield _made("a boot", lambda t, r: 0.3 + 0.4 * (1 - exp(-t / HOUR)) + r.gauss(0, 0.003), seed, every_s, 0.95)
        yield _made(
            "daily load under the limit", lambda t, r: 0.6 + 0.2 * sin(2 * pi * t / DAY) + r.gauss(0, 0.02), seed, every_s, 0.95
        )
        yield _made(
            "daily load over the limit", lambda t, r: 0.6 + 0.4 * sin(2 * pi * t / DAY) + r.gauss(0, 0.02), seed, every_s, 0.95
        )
        yield _made("certificate days", lambda t, r: 20.5 - t / DAY, seed, every_s, 7.0, -1)
        yield _made("disk wear", lambda t, r, p=pace: float(int(90 + 10 * t / (p * 8 * HOUR))), seed, every_s, 99.0)


def _made(name: str, of: object, seed: int, every_s: float, limit: float, sign: int = 1) -> Problem:
    r = Random(seed)
    start = 1_763_800_000.0
    rows = [Row(n, "", start + n * every_s, of(n * every_s, r)) for n in range(int(21 * DAY / every_s))]  # type: ignore[operator]
    until = next((n for n, row in enumerate(rows) if sign * row.value >= sign * limit), len(rows))
    if "over the limit" not in name and until < len(rows):
        rows = rows[: until + 1]
    return Problem(name, f"{name} {seed}", rows, limit, sign)


def measured(problem: Problem) -> Total:
    """The shipped forecast on one problem, and its rivals on rows where it stated an interval that a crossing followed."""
    forecast = rule(problem.limit, problem.sign < 0, WITHIN_S, COVERAGE)
    steps, _ = walk(problem.rows, forecast, lambda _: None)
    said, beyond = stated(steps), problem.beyond()
    found = foresight.judged(said, beyond, WITHIN_S, COVERAGE, interval_s(problem.rows))
    total = Total(1, found.crossings, found.warned, found.warnings, found.false, found.months, found.judged, found.covered)
    times = [row.at_s for row in problem.rows]
    coming = foresight.reached(times, beyond)
    values = [problem.sign * row.value for row in problem.rows]
    last = -ASKED_S
    for at, one in enumerate(said):
        truth = coming[at]
        if one.dates is None or beyond[at] or truth is None or times[at] - last < ASKED_S:
            continue
        last = times[at]
        past = Past(times, values, at, problem.sign * problem.limit, WITHIN_S, COVERAGE)
        dates = {"forewarn": one.dates, **{name: rival(past) for name, rival in RIVALS.items()}}
        for name, (earliest, _, latest) in dates.items():
            total.scores.setdefault(name, []).append(foresight.interval_score(earliest, latest, truth, COVERAGE))
            total.held[name] = total.held.get(name, 0) + (earliest <= truth <= latest)
    return total


def _merge(total: Total, more: Total) -> None:
    for name in ("problems", "crossings", "warned", "warnings", "false", "months", "judged", "covered"):
        setattr(total, name, getattr(total, name) + getattr(more, name))
    for name, scores in more.scores.items():
        total.scores.setdefault(name, []).extend(scores)
        total.held[name] = total.held.get(name, 0) + more.held.get(name, 0)


if __name__ == "__main__":
    sys.exit(main())
