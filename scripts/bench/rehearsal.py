"""scripts/bench rehearsal [DAYS]: what a rehearsal costs: one-minute samples of 100 series of five hosts, CPU of one process.

Two shares of forecasts: 10 and 30 of the 100 series, beside 5 baselines and 30 thresholds. The series are made: loads with a daily
wave, disks that fill and are cleaned, memory that wanders, latencies. Reading them from a file is not part of it.
"""

from __future__ import annotations

import sys
import time
from array import array
from math import pi, sin
from random import Random

import report
from forewarn.app.rehearsal.watching import watched
from forewarn.core.detect.baseline import BaselineOptions
from forewarn.core.detect.forecast import ForecastOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.probe import Probe, Rule, Source, Target
from forewarn.model.series import SeriesId
from forewarn.store.samples_memory import MemorySamples
from tools import ROOT

HOSTS, METRICS, DAYS, EVERY_S = 5, 20, 30, 60.0
BEGUN_S = 1_763_800_000.0
HERE = Source("scripts/bench/rehearsal.py", 1)
SHARES = {"10 forecasts": 2, "30 forecasts": 6}
"""Forecast series a host."""


def main(args: list[str]) -> int:
    """Print CPU seconds of each share, and keep them."""
    days = int(args[0]) if args else DAYS
    samples, kept = _made(days), dict[str, float]()
    for name, forecasts in SHARES.items():
        begun = time.process_time()
        came = watched(_probe(forecasts), samples, BEGUN_S, BEGUN_S + days * 86400)
        spent = time.process_time() - begun
        print(
            f"{name}: {spent:.0f} s for {came.samples:,} samples, {1e6 * spent / came.samples:.1f} us each; {len(came.moves)} transitions"
        )
        kept[f"rehearsal_{name.split()[0]}_forecasts_s"] = spent * DAYS / days
    report.keep(kept, ROOT / "var" / "bench.json")
    return 0


def _probe(forecasts: int) -> Probe:
    def rule(kind: str, at: int, options: object) -> Rule:
        return Rule(name=f"{kind}-{at}", kind=kind, metric=f"m{at}", options=options, source=HERE)

    rules = [rule("forecast", at, ForecastOptions(above=0.95)) for at in range(forecasts)]
    rules += [rule("threshold", at, ThresholdOptions(op=">", limit=0.9, for_s=300)) for at in range(6)]
    rules.append(rule("baseline", METRICS - 1, BaselineOptions()))
    targets = tuple(Target(f"host-{at}", f"host-{at}") for at in range(HOSTS))
    return Probe(
        name="made", kind="host", every_s=EVERY_S, timeout_s=10, targets=targets, options=None, rules=tuple(rules), source=HERE
    )  # fmt: skip


def _made(days: int) -> MemorySamples:
    samples = MemorySamples()
    for host in range(HOSTS):
        for metric in range(METRICS):
            series = SeriesId("made", f"host-{host}", f"m{metric}")
            values = _values(Random(100 * host + metric), metric % 4, int(days * 86400 / EVERY_S))
            samples.fill(series, [(BEGUN_S + at * EVERY_S, value) for at, value in enumerate(values)])
    return samples


def _values(r: Random, kind: int, n: int) -> array[float]:
    values, level, day = array("d"), r.uniform(0.3, 0.6), 86400 / EVERY_S
    for at in range(n):
        if kind == 0:  # fills, and is cleaned each week
            level = 0.4 if at and at % (7 * day) == 0 else level + abs(r.gauss(0, 2e-5))
        elif kind == 1:
            level = 0.5 + 0.2 * sin(2 * pi * at / day) + r.gauss(0, 0.02)
        elif kind == 2:
            level = min(0.85, max(0.2, level + r.gauss(0, 5e-4)))
        else:
            level = 0.4 + r.gauss(0, 0.01)
        values.append(level)
    return values


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
