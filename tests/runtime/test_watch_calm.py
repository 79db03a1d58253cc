"""A run that changes nothing is only kept: whatever comes, the same is told and shown as if each had been judged."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from forewarn.core.detect.slo import SloOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.probe import Probe, Rule, Source, Target
from forewarn.model.series import Bound, Outcome, ProbeRun
from forewarn.runtime.watch import Watch

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SOURCE = Source("probes/x.yaml", 1)
COLUMNS = tuple((name, ()) for name in ("connect_s", "total_s", "status", "free_ratio"))
EVERY_S = 10.0
GOAL = Rule(name="goal", kind="slo", metric="total_s", options=SloOptions(objective=0.9, bound=Bound(below=2.0)), source=SOURCE)
ODD = Rule(name="odd", kind="threshold", metric="status", options=ThresholdOptions(op="!=", limit=200.0, for_s=20.0), source=SOURCE)


def rules() -> tuple[Rule, ...]:
    def threshold(name: str, metric: str, **options: object) -> Rule:
        return Rule(name=name, kind="threshold", metric=metric, options=ThresholdOptions(**options), source=SOURCE)  # type: ignore[arg-type]

    return (
        threshold("slow", "total_s", op=">", limit=3.0, clear=2.0, stat="p95", window_s=300.0),
        threshold("mean", "total_s", op=">=", limit=2.5, stat="mean", window_s=60.0),
        threshold("connect", "connect_s", op=">", limit=2.0, clear=1.0, for_s=30.0),
        threshold("little", "free_ratio", op="<", limit=0.1, clear=0.2),
        Rule(name="down", kind="down", metric="up", options=None, source=SOURCE),
        Rule(name="cannot-see", kind="cannot-see", metric="up", options=None, source=SOURCE),
    )


def watch(*more: Rule) -> Watch:
    return Watch(
        Probe(
            name="p", kind="http", every_s=EVERY_S, timeout_s=3.0, targets=(Target("a", "a"), Target("b", "b")), options=None,
            rules=(*rules(), *more), source=SOURCE,
        )
    )  # fmt: skip


def runs(chance: random.Random, count: int) -> list[ProbeRun | None]:
    """Mostly good, sometimes bad for a while; None: no run, only the time passes."""
    found: list[ProbeRun | None] = []
    mood, left, at_s = "good", 0, START.timestamp()
    while len(found) < count:
        if left <= 0:
            mood = chance.choices(["good", "slow", "down", "unknown", "silent", "empty", "back", "nan"], [60, 8, 8, 6, 5, 3, 1, 2])[
                0
            ]
            left = chance.randint(1, 12)
            at_s -= chance.choice([5.0, 100.0]) if mood == "back" else 0.0
        left -= 1
        at_s += EVERY_S
        for target in ("a", "b"):
            slow = mood == "slow" and target == "a"
            values = (
                chance.uniform(0.1, 4.0 if slow else 1.9),
                chance.uniform(0.2, 6.0 if slow else 2.4),
                200.0,
                0.05 if slow else 0.5,
            )
            if mood == "nan":
                values = (float("nan"), *values[1:])
            base = {"probe": "p", "target": target, "at_s": at_s + 0.001, "took_s": 0.2}
            if mood == "silent":
                found.append(None)
            elif mood == "down" and target == "a":
                found.append(ProbeRun(**base, outcome=Outcome.DOWN, reason="timeout", detail="no answer"))  # type: ignore[arg-type]
            elif mood == "unknown":
                found.append(ProbeRun(**base, outcome=Outcome.UNKNOWN, reason="permission"))  # type: ignore[arg-type]
            elif mood == "empty":
                found.append(ProbeRun(**base, outcome=Outcome.UP))  # type: ignore[arg-type]
            else:
                found.append(ProbeRun(**base, outcome=Outcome.UP, columns=COLUMNS, values=values))  # type: ignore[arg-type]
    return found


def shown(watch: Watch, now: datetime) -> list[str]:
    """One line for each series and rule, so that a difference can be read."""
    return [
        f"{target.target} {target.outcome} {series.series.metric} {series.value} {series.at} {rule}"
        for target in watch.view(now)
        for series in target.series
        for rule in (series.rules or ("-",))
    ]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("more", [(), (GOAL,), (ODD,)])
def test_the_same_is_told_and_shown_either_way(seed: int, more: tuple[Rule, ...]) -> None:
    chance = random.Random(seed)
    short, long = watch(*more), watch(*more)
    now, kept = START, 0
    for at, run in enumerate(runs(chance, 800)):
        now = datetime.fromtimestamp(run.at_s + run.took_s, UTC) if run else now + timedelta(seconds=EVERY_S / 2)
        told_short, told_long = [], []
        if run:
            if short.keeps(run):
                kept += 1
            else:
                told_short = short.take(run, now)
            told_long = long.take(run, now)
            assert short.samples(run) == long.samples(run)
        if at % 3 == 0 or run is None:
            told_short += short.tick(now)
            told_long += long.tick(now)
        assert told_short == told_long, at
        if at % 97 == 0:
            assert shown(short, now) == shown(long, now), at
    assert shown(short, now) == shown(long, now)
    assert kept > 150 or more, "most went the short way"


def test_a_reload_carries_on_from_what_was_only_kept() -> None:
    before, now = watch(), START
    for at in range(20):
        run = ProbeRun("p", "a", START.timestamp() + at * EVERY_S, Outcome.UP, COLUMNS, (0.1, 0.2, 200.0, 0.5))
        now = datetime.fromtimestamp(run.at_s, UTC)
        before.keeps(run) or before.take(run, now)
    after = watch()
    assert after.adopt(before, now) == []
    judged = [[one for one in made.view(now)[0].series if one.rules] for made in (before, after)]
    assert judged[0] == judged[1] and len(judged[0]) == 4
