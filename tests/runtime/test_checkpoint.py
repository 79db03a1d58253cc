"""What rules have learnt outlives a stop, a crash and a reload; what can't be taken up is learnt from the samples again."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path

import pytest
import structlog

from forewarn.core.detect.absence import AbsenceOptions
from forewarn.core.detect.baseline import BaselineOptions
from forewarn.core.detect.change import ChangeOptions
from forewarn.core.detect.distinct import CardinalityOptions, ComposeOptions
from forewarn.core.detect.flatline import FlatlineOptions
from forewarn.core.detect.forecast import ForecastOptions
from forewarn.core.detect.slo import SloOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.errors import StoreError
from forewarn.model.finding import Finding, FindingState, RuleState
from forewarn.model.inputs import Moved
from forewarn.model.level import Colour
from forewarn.model.probe import Probe, Rule, Source, Target
from forewarn.model.series import Bound, Outcome, ProbeRun
from forewarn.runtime import checkpoint
from forewarn.runtime.checkpoint import Checkpoints
from forewarn.runtime.warming import warm
from forewarn.runtime.watch import Watch
from forewarn.store.samples import SqliteSamples

START = datetime(2026, 9, 28, tzinfo=UTC)
EVERY = 60.0
COLUMNS = (
    ("load", ()),
    ("free_ratio", ()),
    ("jobs_total", ()),
    ("users_total", (("user", "a"),)),
    ("users_total", (("user", "b"),)),
)
SLO = SloOptions(objective=0.99, window_s=7 * 86400.0, bound=Bound(below=2.0))


def rule(kind: str, metric: str, options: object, name: str | None = None) -> Rule:
    return Rule(name=name or f"{kind} {metric}", kind=kind, metric=metric, options=options, source=Source("probes/x.yaml", 1))


RULES = (
    rule("threshold", "load", ThresholdOptions(op=">", limit=2.0, for_s=180.0, clear=1.8)),
    rule("baseline", "load", BaselineOptions()),
    rule("slo", "load", SLO),
    rule("forecast", "free_ratio", ForecastOptions(below=0.05, within_s=6 * 3600.0, window_s=3600.0)),
    rule("flatline", "jobs_total", FlatlineOptions(within_s=900.0)),
    rule("change", "jobs_total", ChangeOptions(times=3.0, within_s=1200.0, reference_s=7200.0, up=True, down=True, least=5.0)),
    rule("absence", "never_total", AbsenceOptions(for_s=600.0, first_s=7200.0)),
    rule("cardinality", "users_total", CardinalityOptions(of=("user",), within_s=1800.0, above=1)),
    rule("compose", "up", ComposeOptions(of=("threshold load", "change jobs_total"), at_least=2, within_s=600.0), "both"),
    Rule(name="down", kind="down", metric="up", options=None, colour=Colour.RED, source=Source("probes/x.yaml", 1)),
)
PROBE = Probe(
    name="x", kind="host", every_s=EVERY, timeout_s=10.0, targets=(Target(name="t", address=""),), rules=RULES, options=None,
    source=Source("probes/x.yaml", 1),
)  # fmt: skip


class Still:
    def now(self) -> datetime:
        return START

    def monotonic(self) -> float:
        return 0.0


@contextmanager
def opened(folder: Path) -> Iterator[tuple[SqliteSamples, ThreadPoolExecutor]]:
    with ThreadPoolExecutor(1) as thread:
        samples = SqliteSamples(folder / "samples.db")
        yield samples, thread
        samples.close()


def runs(seed: int, n: int) -> list[ProbeRun]:
    """A day and more of a busy machine: bursts, a disk that fills and is cleaned, jobs that stall, users that come together."""
    chance, made, free, jobs, users = random.Random(seed), [], 0.6, 0, [0, 0]
    burst = stall = 0
    for at in range(n):
        burst = burst - 1 if burst else chance.randrange(20) * (chance.random() < 0.01)
        stall = stall - 1 if stall else chance.randrange(60) * (chance.random() < 0.01)
        free = 0.6 if free < 0.01 else free - chance.random() * 0.0012
        jobs += 0 if stall else chance.randrange(4) * (6 if burst else 1)
        for who in (0, 1):
            users[who] += chance.random() < 0.01
        load = 1 + 0.3 * sin(at / 100) + chance.gauss(0, 0.1) + (1.5 if burst else 0)
        outcome = Outcome.DOWN if chance.random() < 0.004 else Outcome.UP
        values = (load, round(free, 4), float(jobs), float(users[0]), float(users[1]))
        made.append(ProbeRun("x", "t", START.timestamp() + EVERY * at, outcome, COLUMNS, values if outcome is Outcome.UP else ()))
    return [run if run.values else replace(run, columns=()) for run in made]


class Life:
    """A watch with its store and the owner's findings, through as many processes as it likes."""

    def __init__(self, folder: Path, probe: Probe = PROBE) -> None:
        self.folder, self.probe = folder, probe
        self.findings: dict[tuple[str, str], Finding] = {}
        self.told: list[tuple[float, str, str, str]] = []
        self.watch: Watch | None = None

    def live(self, some: Sequence[ProbeRun], keeps: Callable[[int], bool], stops: bool) -> None:
        """One process: it begins, takes the runs, keeps what was learnt now and then, and stops or is killed."""
        with opened(self.folder) as (samples, thread):
            self.watch = watch = Watch(self.probe)
            watches = {self.probe.name: watch}
            keeper = Checkpoints(samples.states, thread, watches, Still())
            known = keeper.recollect(self.probe)
            warm(watch, samples, some[0].at_s - 1, known)
            known.tell()
            watch.resume(list(self.findings.values()))
            rows = []
            for count, run in enumerate(some):
                now = datetime.fromtimestamp(run.at_s, UTC) + timedelta(seconds=0.1)
                self._tell(watch.take(run, now) + watch.tick(now + timedelta(seconds=5)), now)
                rows.append(watch.row(run))
                if keeps(count):
                    samples.append_runs(rows)
                    rows.clear()
                    asyncio.run(keeper.keep(7))
            samples.append_runs(rows)
            if stops:
                asyncio.run(keeper.keep())

    def _tell(self, moves: list[Moved], now: datetime) -> None:
        for moved in moves:
            key = (moved.rule, str(moved.series))
            before = self.findings.get(key)
            open_ = before is not None and before.state is FindingState.OPEN
            if moved.claim is None:
                assert before and open_
                self.findings[key] = replace(before, state=FindingState.CLEARED, seq=moved.seq)
                self.told.append((now.timestamp(), *key, "ends"))
                continue
            if not open_:
                self.told.append((now.timestamp(), *key, "fires"))
            self.findings[key] = Finding(
                id="F-1", state=FindingState.OPEN, series=str(moved.series), target="t", labels=moved.series.labels, metric=moved.series.metric,
                rule=moved.rule, kind="", probe="x", service=None, colour=Colour.YELLOW, effect=None, opened_at=now, why=moved.claim.why,
                evidence=moved.claim.evidence, forecast=moved.claim.forecast, confirmed=moved.claim.confirmed, config="c", source="s", seq=moved.seq,
            )  # fmt: skip


def never(count: int) -> bool:
    return False


@pytest.mark.parametrize("seed", [1, 2])
def test_stops_in_the_middle_change_nothing_of_what_is_found(tmp_path, seed):
    some = runs(seed, 1_000)
    whole = Life(tmp_path / "whole")
    (tmp_path / "whole").mkdir()
    whole.live(some, never, stops=False)
    assert len({rule for _, rule, _, _ in whole.told}) >= 5  # or there is nothing to compare

    (tmp_path / "parts").mkdir()
    parts, chance, at = Life(tmp_path / "parts"), random.Random(seed), 0
    while at < len(some):
        until = at + chance.randrange(50, 500)
        parts.live(some[at:until], never, stops=True)
        at = until
    assert parts.told == whole.told


@pytest.mark.parametrize("seed", [4, 5])
def test_after_a_kill_the_rest_is_read_from_the_samples(tmp_path, seed):
    """Everything that judges sample by sample finds the same. A forecast judges what it missed in one go, which may move its first word
    by some runs: it must find as much."""
    some = runs(seed, 1_000)
    whole, parts = Life(tmp_path / "whole"), Life(tmp_path / "parts")
    for one in (whole, parts):
        one.folder.mkdir()
    whole.live(some, never, stops=False)
    chance, at = random.Random(seed), 0
    while at < len(some):
        until = at + chance.randrange(100, 600)
        parts.live(some[at:until], lambda count: count % 40 == 30, stops=False)
        at = until

    def firm(life: Life) -> list[tuple[float, str, str, str]]:
        return [one for one in life.told if not one[1].startswith("forecast")]

    def forecasts(life: Life) -> int:
        return sum(one[1].startswith("forecast") and one[3] == "fires" for one in life.told)

    assert firm(parts) == firm(whole)
    assert abs(forecasts(parts) - forecasts(whole)) <= 1


def states(folder: Path) -> list[tuple[str, str, float, bytes]]:
    with sqlite3.connect(folder / "samples.db") as db:
        return db.execute("SELECT rule, series, seen, data FROM state ORDER BY rule, series").fetchall()


def baseline(life: Life):  # type: ignore[no-untyped-def]
    assert life.watch
    return next(judge for line in life.watch.lines() for judge in line.judges if judge.rule.kind == "baseline")


def test_learning_goes_on_where_it_stood(tmp_path):
    probe = replace(PROBE, rules=(rule("baseline", "load", BaselineOptions()),), every_s=600.0)
    life, some = (
        Life(tmp_path, probe),
        [replace(run, at_s=START.timestamp() + 600 * at) for at, run in enumerate(runs(1, 150)) if run.values],
    )
    life.live(some[:60], never, stops=True)
    ready = baseline(life).look(None, START, "load").ready_at
    with sqlite3.connect(tmp_path / "samples.db") as db:  # as after a retention that is shorter than what was learnt
        for table in ("hot", "warm", "chunk", "body"):
            db.execute(f"DELETE FROM {table}")
    life.live(some[60:61], never, stops=True)
    claim = baseline(life).look(None, START, "load")
    assert claim.state is RuleState.LEARNING and claim.why.facts["n"] == 61
    assert abs(claim.ready_at - ready) < timedelta(minutes=21)
    life.live(some[61:120], never, stops=True)
    assert baseline(life).claim.state is RuleState.OK


def test_a_changed_rule_begins_anew_and_the_log_says_so(tmp_path):
    life, some = Life(tmp_path), runs(1, 400)
    life.live(some[:300], never, stops=True)
    kept = states(tmp_path)
    changed = tuple(replace(one, options=BaselineOptions(season="week")) if one.kind == "baseline" else one for one in RULES)
    life.probe = replace(PROBE, rules=changed)
    with structlog.testing.capture_logs() as logs:
        life.live(some[300:], never, stops=True)
    assert [(one["rule"], one["why"]) for one in logs if one["event"] == "rule_learns_anew"] == [
        ("baseline load", "the rule was changed")
    ]
    assert 70 < baseline(life).state.n <= 80  # five-minute means of all 400 minutes: it has read the samples again
    assert {one[:2] for one in states(tmp_path)} == {one[:2] for one in kept}


@pytest.mark.parametrize("harm", ["flip", "cut", "older", "empty"])
def test_damaged_and_older_states_are_learnt_from_the_samples_again(tmp_path, harm):
    life, some = Life(tmp_path), runs(2, 700)
    life.live(some[:600], never, stops=True)
    with sqlite3.connect(tmp_path / "samples.db") as db:
        for rowid, data in db.execute("SELECT rowid, data FROM state").fetchall():
            bad = {"flip": data[:20] + bytes([data[20] ^ 1]) + data[21:], "cut": data[:-3], "older": b"\0" + data[1:], "empty": b""}
            db.execute("UPDATE state SET data = ? WHERE rowid = ?", (bad[harm], rowid))
    rebuilt = Life(tmp_path)
    rebuilt.findings = dict(life.findings)
    with structlog.testing.capture_logs() as logs:
        rebuilt.live(some[600:], never, stops=True)
    said = [one for one in logs if one["event"] == "rule_learns_anew"]
    assert {one["rule"] for one in said} >= {"baseline load", "slo load"} and all(one["log_level"] == "warning" for one in said)
    assert baseline(rebuilt).state.n > 100  # of five-minute means of the ten hours before


def test_what_is_gone_is_forgotten(tmp_path):
    life = Life(tmp_path)
    life.live(runs(1, 100), never, stops=True)
    assert len(states(tmp_path)) == 8
    life.probe = replace(PROBE, rules=RULES[:2])
    life.live(runs(1, 140)[100:], never, stops=True)
    assert [(one[0], one[1]) for one in states(tmp_path)] == [("baseline load", "x|t|load")]
    with opened(tmp_path) as (samples, thread):
        asyncio.run(Checkpoints(samples.states, thread, {}, Still()).begin())
    assert states(tmp_path) == []


def test_a_round_is_bounded_and_what_waited_longest_comes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "AT_ONCE", 2)
    with opened(tmp_path) as (samples, thread):
        watch, seen = Watch(PROBE), []
        keeper = Checkpoints(samples.states, thread, {"x": watch}, Still())
        for run in runs(1, 6):
            watch.take(run, datetime.fromtimestamp(run.at_s, UTC))
            asyncio.run(keeper.keep(3))
            seen.append({one[:2] for one in states(tmp_path)})
        assert [len(one) for one in seen] == [3, 6, 8, 8, 8, 8]
        behind = max(one[2] for one in states(tmp_path)) - min(one[2] for one in states(tmp_path))
        assert behind <= 3 * EVERY


def test_a_store_that_fails_is_tried_again_and_a_full_disk_is_left_alone(tmp_path):
    class Failing:
        def __init__(self) -> None:
            self.asked = 0

        def put(self, rows: object) -> None:
            self.asked += 1
            raise StoreError("the disk is full")

        def drop(self, keys: object) -> None: ...
        def only(self, probes: object) -> None: ...
        def of(self, probe: str) -> list[object]:
            raise StoreError("the file is damaged")

    full = False
    with ThreadPoolExecutor(1) as thread, structlog.testing.capture_logs() as logs:
        watch, store = Watch(PROBE), Failing()
        keeper = Checkpoints(store, thread, {"x": watch}, Still(), lambda: full)  # type: ignore[arg-type]
        assert not keeper.recollect(PROBE)
        for run in runs(1, 3):
            watch.take(run, datetime.fromtimestamp(run.at_s, UTC))
            asyncio.run(keeper.keep())
        assert store.asked == 3
        full = True
        asyncio.run(keeper.keep())
        assert store.asked == 3
    assert [one["event"] for one in logs] == ["learnt_not_read", "learnt_not_stored"]


def test_without_rules_that_learn_nothing_is_looked_through():
    watch = Watch(replace(PROBE, rules=RULES[:1]))
    watch.take(runs(1, 1)[0], START)
    assert list(checkpoint.learnt(watch)) == []
