"""After a restart a rule that needs weeks knows them again, though there are too many samples to be read one by one."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from forewarn.core.detect.baseline import BaselineOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.finding import RuleState
from forewarn.model.probe import Probe, Rule, Source, Target
from forewarn.model.series import SeriesId
from forewarn.runtime.poller import Poller
from forewarn.store.samples import SqliteSamples

SOURCE = Source("probes/x.yaml", 1)
LOAD = SeriesId("p", "t", "load")


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 11, 28, 12, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


async def test_a_baseline_knows_its_weeks_again(tmp_path: Path) -> None:
    now_s, rng = Still().now().timestamp(), random.Random(1)
    samples = SqliteSamples(tmp_path / "samples.sqlite")
    samples.append([(LOAD, now_s - 10.0 * at, 10 + rng.gauss(0, 1)) for at in range(17_280, 0, -1)])  # two days, every 10 s
    rules = (
        Rule(name="unusual", kind="baseline", metric="load", options=BaselineOptions(), source=SOURCE),
        Rule(name="high", kind="threshold", metric="load", options=ThresholdOptions(op=">", limit=50, for_s=300), source=SOURCE),
    )
    probe = Probe(
        name="p", kind="none", every_s=10.0, timeout_s=1.0, targets=(Target("t", "t"),), options=None, rules=rules, source=SOURCE
    )
    with ThreadPoolExecutor(1) as thread:
        poller = Poller({}, samples, Still(), lambda moves: None, thread)
        watch = await poller._warmed(probe)
    (target,) = watch.view(Still().now())
    series = next(one for one in target.series if one.series == LOAD)
    assert {rule.rule: rule.state for rule in series.rules} == {"unusual": RuleState.OK, "high": RuleState.OK}
    samples.close()
