"""When do gates open? Two years of a site of 50 hosts, many times over, judged by the daemon's own scorecard.

    python scripts/two_years.py [--sites 200] [--hosts 50] [--seed 1]

Made up, and said so: forecasts come by chance (so many a host and year), each is right with a fixed probability, and a
person's deed averts a part of the right ones. Only scorecard and gate are real. docs/scorecard.md shows what it prints.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from forewarn.core.learn.gate import gate
from forewarn.model.forecast import Verdict
from forewarn.model.policy import PolicyTable
from forewarn.model.scorecard import Judged, Score

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 730
AVERTED = 0.6
"""Of what would have come, so much is prevented by somebody who was told."""
RATES = (0.5, 1.0, 3.0)
"""Forecasts a host and year."""
PRECISIONS = (0.75, 0.85, 0.92, 0.97)


def site(chance: random.Random, hosts: int, rate: float, precision: float) -> Iterator[Judged]:
    """The verdicts of one site, in the order of time."""
    at = 0.0
    while (at := at + chance.expovariate(hosts * rate / 365)) < DAYS:
        right = chance.random() < precision
        verdict = (Verdict.AVERTED if chance.random() < AVERTED else Verdict.CAME_TRUE) if right else Verdict.WITHDRAWN
        yield Judged(at=BEGIN + timedelta(days=at), incident="INC-1", verdict=verdict)


def opened(verdicts: Iterator[Judged], needs: dict[str, float]) -> dict[str, float]:
    """The day on which each gate opened first."""
    score, days = Score(probe="host", rule="disk-fills", kind="forecast"), dict[str, float]()
    for one in verdicts:
        score = score.judged(one)
        for name, need in needs.items():
            if name not in days and gate("forecast", need, [score], POLICY.priors).open:
                days[name] = (one.at - BEGIN).total_seconds() / 86400
    return days


POLICY = PolicyTable()


def table(sites: int, hosts: int, seed: int) -> Iterator[str]:
    """One line for each rate and precision: the share of sites whose gate opened within two years, and the median day."""
    yield "| forecasts a host and year | truly right | maintenance (0.7): open at, of sites | customers (0.9): open at, of sites |"
    yield "|---|---|---|---|"
    chance = random.Random(seed)
    for rate in RATES:
        for precision in PRECISIONS:
            found = [opened(site(chance, hosts, rate, precision), dict(POLICY.gates)) for _ in range(sites)]
            cells = [_cell([days[name] for days in found if name in days], sites) for name in ("maintenance", "customers")]
            yield f"| {rate:g} | {precision:.0%} | {cells[0]} | {cells[1]} |"


def _cell(days: list[float], sites: int) -> str:
    if not days:
        return "never"
    return f"day {sorted(days)[len(days) // 2]:.0f}, {len(days) / sites:.0%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=200)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for line in table(args.sites, args.hosts, args.seed):
        print(line)


if __name__ == "__main__":
    main()
