"""What a watch holds of thousands of series: no more than somebody looks at."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime

from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.finding import RuleState
from forewarn.model.probe import Probe, Rule, Source, Target
from forewarn.model.series import Outcome, ProbeRun, SeriesId
from forewarn.runtime.line import SET_BACK_S, Bare, Line, Watched
from forewarn.runtime.watch import Watch

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC).timestamp()
SOURCE = Source("probes/x.yaml", 1)
COLUMNS = (("total_s", ()), ("status", ()))
SLOW = Rule(name="slow", kind="threshold", metric="total_s", options=ThresholdOptions(op=">", limit=3.0), source=SOURCE)
DOWN = Rule(name="down", kind="down", metric="up", options=None, source=SOURCE)


def watch(*rules: Rule) -> Watch:
    targets = (Target("a", "a"),)
    return Watch(
        Probe(name="p", kind="http", every_s=10.0, timeout_s=3.0, targets=targets, options=None, rules=rules, source=SOURCE)
    )


def took(watch: Watch, at_s: float, total_s: float, status: float = 200.0) -> None:
    run = ProbeRun("p", "a", at_s, Outcome.UP, COLUMNS, (total_s, status))
    if not watch.keeps(run):
        watch.take(run, datetime.fromtimestamp(at_s, UTC))


def test_a_series_that_no_rule_looks_at_is_its_newest_sample() -> None:
    line = Line.of(SeriesId("p", "a", "status"), (SLOW, DOWN))
    assert isinstance(line, Bare) and isinstance(Line.of(SeriesId("p", "a", "total_s"), (SLOW,)), Watched)
    assert isinstance(Line.of(SeriesId("p", "a", "up"), ()), Watched), "the target's own is always watched"
    assert not line.times and not line.values
    assert line.add(10.0, 1.0) and line.add(20.0, 2.0)
    assert not line.add(20.0, 3.0) and not line.add(15.0, 3.0), "older than the newest"
    assert (line.times, line.values) == (array("d", [20.0]), array("d", [2.0]))
    assert line.add(20.0 - SET_BACK_S, 4.0) and line.values[-1] == 4.0, "a clock that was set back"
    line.hold(array("d", [1.0, 2.0]), array("d", [5.0, 6.0]))
    assert (line.times, line.values) == (array("d", [2.0]), array("d", [6.0]))
    assert line.window(5, None, 10.0).fresh == 1


def test_that_all_is_well_is_made_anew_for_who_asks_and_not_kept() -> None:
    made = watch(SLOW, DOWN)
    for at in range(5):
        took(made, START + 10.0 * at, 0.1 + at / 100, 200.0 + at)
    now = datetime.fromtimestamp(START + 41.0, UTC)
    for _ in range(2):
        (shown,) = made.view(now)
        series = {one.series.metric: one for one in shown.series}
        assert [(rule.rule, rule.state) for rule in series["total_s"].rules] == [("slow", RuleState.OK)]
        assert series["status"].value == 204.0 and not series["status"].rules
    assert [judge.claim for line in made._lines.values() for judge in line.judges] == [None, None]
    took(made, START + 50.0, 9.0)
    took(made, START + 60.0, 9.0)
    slow = made._lines[SeriesId("p", "a", "total_s")].judges[0]
    assert slow.claim is not None and slow.claim.state is RuleState.FIRING


def test_first_sights_are_kept_only_for_rules_that_remember() -> None:
    made = watch(SLOW, DOWN)
    took(made, START, 0.1)
    assert made._since == {}
