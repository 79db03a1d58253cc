"""A reload reads from the store only what the watch before does not know: counted in looks at the store."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.probe import Probe, Rule, Source, Target
from forewarn.model.series import Outcome, ProbeRun, SeriesId, Window
from forewarn.runtime.warming import Before, warm
from forewarn.runtime.watch import Watch
from forewarn.store.samples_memory import MemorySamples

START_S = datetime(2026, 11, 28, 8, 0, tzinfo=UTC).timestamp()
SOURCE = Source("probes/x.yaml", 1)
COLUMNS = (("total_s", ()), ("connect_s", ()))
SLOW = Rule(
    name="slow", kind="threshold", metric="total_s", source=SOURCE,
    options=ThresholdOptions(op=">", limit=3.0, stat="p95", window_s=300.0),
)  # fmt: skip
CONNECT = Rule(
    name="connect", kind="threshold", metric="connect_s", source=SOURCE, options=ThresholdOptions(op=">", limit=2.0, for_s=30.0)
)
PROBE = Probe(
    name="p", kind="http", every_s=10.0, timeout_s=3.0, targets=tuple(Target(f"t{at}", "x") for at in range(20)), options=None,
    rules=(SLOW, CONNECT), source=SOURCE,
)  # fmt: skip


class Counting(MemorySamples):
    """Counts who is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: Counter[str] = Counter()

    def read(self, series: SeriesId, since_s: float, until_s: float) -> Window:
        self.reads[series.metric] += 1
        return super().read(series, since_s, until_s)


def lived(samples: Counting, runs: int, seed: int = 1) -> tuple[Watch, float]:
    """A watch that has seen so many runs of each target, all of them stored."""
    chance, watch, at_s = random.Random(seed), Watch(PROBE), START_S
    for _ in range(runs):
        at_s += 10.0
        for target in PROBE.targets:
            run = ProbeRun("p", target.name, at_s, Outcome.UP, COLUMNS, (chance.uniform(0, 4), chance.uniform(0, 3)))
            if not watch.keeps(run):
                watch.take(run, datetime.fromtimestamp(at_s, UTC))
            samples.append(watch.samples(run))
    return watch, at_s


def limit(rule: Rule, value: float) -> Rule:
    return replace(rule, options=replace(rule.options, limit=value))


def standing(watch: Watch, rule: str) -> list[object]:
    return [judge.state for line in watch.lines() for judge in line.judges if judge.rule.name == rule]


@pytest.mark.parametrize("runs", [61, 80, 100])
def test_what_the_watch_before_holds_is_not_read(runs: int) -> None:
    samples = Counting()
    old, now_s = lived(samples, runs)
    probe = replace(PROBE, rules=(limit(SLOW, 3.5), CONNECT))
    read, quick = Watch(probe), Watch(probe)
    warm(read, samples, now_s)
    assert samples.reads["total_s"] == samples.reads["connect_s"] == 20
    samples.reads.clear()
    warm(quick, samples, now_s, before=Before.of(old))
    assert not samples.reads
    for one in (read, quick):
        one.adopt(old, datetime.fromtimestamp(now_s, UTC))
    assert standing(quick, "slow") == standing(read, "slow")
    assert standing(quick, "connect") == standing(old, "connect")
    assert [line.times[-1] for line in quick.lines() if line.times] == [line.times[-1] for line in read.lines() if line.times]


def test_a_rule_that_looks_further_back_than_before_is_read() -> None:
    samples = Counting()
    old, now_s = lived(samples, 100)
    longer = replace(SLOW, options=replace(SLOW.options, window_s=1800.0))
    warm(Watch(replace(PROBE, rules=(longer, CONNECT))), samples, now_s, before=Before.of(old))
    assert samples.reads == {"total_s": 20}


def test_a_rule_on_a_series_that_none_looked_at_is_read() -> None:
    samples = Counting()
    old, now_s = lived(samples, 100)
    fresh = Watch(replace(PROBE, rules=(SLOW, CONNECT, replace(SLOW, name="up", metric="up"))))
    series = SeriesId("p", "t0", "up")
    samples.append([(series, now_s - 10 * at, 1.0) for at in range(60)])
    samples.reads.clear()
    warm(fresh, samples, now_s, before=Before.of(old))
    assert samples.reads["up"] >= 1 and not samples.reads["total_s"]


def test_a_copy_is_not_moved_by_what_comes_meanwhile() -> None:
    samples = Counting()
    old, now_s = lived(samples, 80)
    before = Before.of(old)
    counts = {series: len(window.times_s) for series, window in before.held.items()}
    for at in range(100):
        old.take(ProbeRun("p", "t0", now_s + 10 * at + 10, Outcome.UP, COLUMNS, (1.0, 1.0)), datetime.fromtimestamp(now_s, UTC))
    assert {series: len(window.times_s) for series, window in before.held.items()} == counts
    assert all(len(window.times_s) == len(window.values) for window in before.held.values())
