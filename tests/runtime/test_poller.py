from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from forewarn.core.detect.baseline import BaselineOptions
from forewarn.core.detect.risk import RiskOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.errors import StoreError
from forewarn.model.finding import Finding, FindingState
from forewarn.model.inputs import Moved
from forewarn.model.level import Colour
from forewarn.model.probe import Probe, Rule, Source, Target
from forewarn.model.series import Column, Outcome, ProbeRun, SeriesId
from forewarn.model.settings import Daemon, Settings
from forewarn.ports import Kind
from forewarn.runtime import poller as module
from forewarn.runtime.poller import Poller
from forewarn.runtime.runners import Runners
from forewarn.store.samples import SqliteSamples

SOURCE = Source("probes/x.yaml", 1)
COLUMNS = (("load", ()),)
HIGH = Rule(name="high", kind="threshold", metric="load", options=ThresholdOptions(op=">", limit=5), source=SOURCE)
DOWN = Rule(name="down", kind="down", metric="up", options=None, colour=Colour.RED, source=SOURCE)
BLIND = Rule(name="cannot-see", kind="cannot-see", metric="up", options=None, source=SOURCE)


class Clock:
    """The machine's clock, which a test may set."""

    def __init__(self) -> None:
        self.off_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.off_s)

    def monotonic(self) -> float:
        return time.monotonic()


class World:
    """What the probers of a test see, and what they were asked."""

    def __init__(self) -> None:
        self.value = 1.0
        self.columns: tuple[Column, ...] = COLUMNS
        self.values: tuple[float, ...] | None = None
        self.runs: list[tuple[str, str]] = []
        self.now_running = self.most_running = 0
        self.hang = self.broken = False
        self.cursors: list[Mapping[str, object] | None] = []
        self.closed = 0

    def result(self, probe: Probe, target: Target, at_s: float, **more: object) -> ProbeRun:
        self.runs.append((probe.name, target.name))
        return ProbeRun(probe.name, target.name, at_s, Outcome.UP, self.columns, self.values or (self.value,), **more)  # type: ignore[arg-type]


class Plain:
    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        world = self.world
        world.now_running += 1
        world.most_running = max(world.most_running, world.now_running)
        try:
            if world.hang and probe.name == "bad":
                await asyncio.sleep(3600)
            if world.broken and probe.name == "bad":
                raise KeyError("secret")
            await asyncio.sleep(0)
            return world.result(probe, target, at_s)
        finally:
            world.now_running -= 1


class Batches:
    """An engine; it forgets jobs of targets named `lost`, and refuses all when the world is broken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sizes: list[int] = []

    def submit(self, jobs, deliver) -> None:
        if self.world.broken:
            raise OSError("no more file descriptors")
        self.sizes.append(len(jobs))
        loop = asyncio.get_running_loop()
        for probe, target, at_s in jobs:
            if target.name != "lost":
                loop.call_soon(deliver, self.world.result(probe, target, at_s))

    async def close(self) -> None:
        self.world.closed += 1


class Tail:
    """A follower that counts; it crashes after three runs when the world is broken."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def follow(self, probe: Probe, cursor, deliver) -> None:
        self.world.cursors.append(cursor)
        count = int((cursor or {}).get("n", 0))
        for turn in range(1_000_000):
            count += 1
            deliver(self.world.result(probe, probe.targets[0], time.time(), cursor={"n": count}))
            if self.world.broken and turn == 2:
                raise RuntimeError("bug")
            await asyncio.sleep(0.02)


class Pushed:
    def __init__(self, world: World) -> None:
        self.world = world

    def accept(self, probe: Probe, target: Target, body: bytes, at_s: float) -> ProbeRun:
        self.world.value = float(body)
        return self.world.result(probe, target, at_s)


def probe(name: str, kind: str = "plain", targets: tuple[str, ...] = ("t",), every: float = 0.05, **more) -> Probe:
    made = Probe(
        name=name, kind=kind, every_s=every, timeout_s=0.1, targets=tuple(Target(t, t) for t in targets), options=None,
        rules=(HIGH, DOWN, BLIND), source=SOURCE,
    )  # fmt: skip
    return replace(made, **more)


def settings(*probes: Probe) -> Settings:
    return Settings(
        id="c", folder=".", loaded_at=datetime.now(UTC), files=1, daemon=Daemon(zone=UTC), probes={p.name: p for p in probes}
    )


class Stage:
    """A poller over the real store, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.world, self.clock, self.moves = World(), Clock(), []
        self.samples = SqliteSamples(folder / "samples.db")
        self.thread = ThreadPoolExecutor(1)
        world = self.world
        shapes = {"plain": ("async", Plain), "batch": ("engine", Batches), "tail": ("follower", Tail), "push": ("push", Pushed)}
        self.kinds = {
            name: Kind(options=object, shape=shape, make=(lambda made=made: made(world))) for name, (shape, made) in shapes.items()
        }
        self.poller = self.made()

    def made(self) -> Poller:
        return Poller(self.kinds, self.samples, self.clock, self.moves.extend, self.thread)

    @asynccontextmanager
    async def running(self, *probes: Probe, findings: tuple[Finding, ...] = ()) -> AsyncIterator[Poller]:
        await self.poller.start(settings(*probes), findings)
        try:
            yield self.poller
        finally:
            await self.poller.stop()

    def told(self) -> list[str]:
        return [f"{m.probe} {m.rule} {'gone' if m.unwatched else 'fires' if m.claim else 'ends'}" for m in self.moves]

    def ran(self, name: str) -> int:
        return sum(probe == name for probe, _ in self.world.runs)


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    with structlog.testing.capture_logs() as made.logs:
        yield made
    made.thread.shutdown()
    made.samples.close()


async def until(true: Callable[[], object], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.005)


def open_finding(name: str = "p", rule: str = "high", series: str = "p|t|load", seq: int = 5) -> Finding:
    moved = claim_of(name, rule)
    return Finding(
        id="F-1", state=FindingState.OPEN, series=series, target="t", labels=(), metric="load", rule=rule, kind="threshold", probe=name,
        service=None, colour=Colour.YELLOW, effect=None, opened_at=datetime.now(UTC), why=moved.why, evidence=moved.evidence, forecast=None,
        confirmed=True, config="c", source="s", seq=seq,
    )  # fmt: skip


def claim_of(name: str, rule: str):
    from forewarn.model.finding import Claim, Evidence, RuleState
    from forewarn.model.text import say

    return Claim(state=RuleState.FIRING, why=say("why.threshold.last"), evidence=Evidence(value=9.0, limit=5.0))


async def test_probes_run_every_interval_and_their_samples_are_stored(stage):
    async with stage.running(probe("p"), probe("q", "batch", ("a", "b"))) as poller:
        await until(lambda: stage.ran("p") >= 5 and stage.ran("q") >= 10)
        assert {view.probe.name: [t.outcome for t in view.targets] for view in poller.views()} == {"p": ["up"], "q": ["up", "up"]}
        assert poller.lateness_ms()[0] >= 0
    stored = stage.samples.read(SeriesId("p", "t", "load"), 0, time.time() + 10)
    assert len(stored.times_s) == stage.ran("p") and set(stored.values) == {1.0}
    assert {str(id) for id in stage.samples.series("q")} == {"q|a|load", "q|a|up", "q|b|load", "q|b|up"}
    assert stage.world.closed == 1 and stage.moves == []


async def test_the_first_look_comes_at_once(stage):
    began = time.monotonic()
    async with stage.running(probe("p", every=3600.0)):
        await until(lambda: stage.ran("p"))
        assert time.monotonic() - began < 10.0


async def test_only_transitions_reach_the_owner(stage):
    async with stage.running(probe("p")):
        await until(lambda: stage.ran("p") >= 2)
        assert stage.moves == []
        stage.world.value = 9.0
        await until(lambda: len(stage.moves) == 2)
        stage.world.value = 1.0
        await until(lambda: len(stage.moves) == 3)
        runs = stage.ran("p")
        await until(lambda: stage.ran("p") >= runs + 3)
    assert stage.told() == ["p high fires", "p high fires", "p high ends"]
    assert [m.claim.confirmed for m in stage.moves[:2]] == [False, True]


@pytest.mark.parametrize(("fault", "reason"), [("broken", "bug"), ("hang", "timeout")])
async def test_one_bad_probe_does_not_stop_the_others(stage, monkeypatch, fault, reason):
    monkeypatch.setattr("forewarn.runtime.runners.GRACE_S", 0.0)
    setattr(stage.world, fault, True)
    async with stage.running(probe("bad"), probe("good")) as poller:
        await until(lambda: stage.ran("good") >= 8 and poller.views()[0].targets[0].reason == reason)
        target = poller.views()[0].targets[0]
        assert target.outcome == "unknown" and target.series == ()
        assert "secret" not in (target.detail or "")
        if fault == "hang":
            assert poller.missed() > 0  # a run that is under way is not begun a second time
            assert stage.world.most_running <= 2
    assert [log["log_level"] for log in stage.logs if log["event"] == "prober_failed"][:1] == (
        ["error"] if fault == "broken" else []
    )


async def test_an_engine_that_refuses_is_unknown_and_tried_again(stage):
    stage.world.broken = True
    async with stage.running(probe("q", "batch", ("a", "b"))) as poller:
        await until(lambda: all(t.reason == "bug" for t in poller.views()[0].targets))
        stage.world.broken = False
        await until(lambda: all(t.outcome == "up" for t in poller.views()[0].targets))


async def test_what_is_due_together_goes_to_an_engine_in_one_batch(stage):
    names = tuple(f"t{i}" for i in range(40))
    async with stage.running(probe("q", "batch", names, every=0.5)) as poller:
        await until(lambda: stage.ran("q") >= 80)
        sizes = poller._runners._probers["batch"].sizes
        assert sum(sizes) >= 80 and sum(sizes) / len(sizes) > 2


async def test_a_run_that_an_engine_loses_is_given_up(stage, monkeypatch):
    monkeypatch.setattr(module, "LOST_S", 0.1)
    asked: list[str] = []
    real = Batches.submit
    monkeypatch.setattr(
        Batches, "submit", lambda self, jobs, deliver: (asked.extend(t.name for _, t, _ in jobs), real(self, jobs, deliver))
    )
    async with stage.running(probe("q", "batch", ("lost", "found"))) as poller:
        await until(lambda: asked.count("lost") >= 3)
        assert asked.count("found") > asked.count("lost") and poller.missed() >= 2


async def test_a_follower_that_crashes_goes_on_where_it_was(stage, monkeypatch):
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        await asyncio.sleep(0)

    real = Runners.__init__
    monkeypatch.setattr(Runners, "__init__", lambda self, *given: real(self, *given, sleep=nap))
    stage.poller = stage.made()
    stage.world.broken = True
    async with stage.running(probe("log", "tail")):
        await until(lambda: len(stage.world.cursors) >= 4)
    assert stage.world.cursors[:3] == [None, {"n": 3}, {"n": 6}]
    assert naps[:3] == [1.0, 2.0, 5.0]
    assert stage.samples.cursor("log") == {"n": stage.ran("log")}


async def test_a_follower_begins_at_its_stored_cursor(stage):
    async with stage.running(probe("log", "tail")):
        await until(lambda: stage.ran("log") >= 3)
    stored = stage.samples.cursor("log")
    stage.poller = stage.made()
    async with stage.running(probe("log", "tail")):
        await until(lambda: len(stage.world.cursors) == 2)
    assert stage.world.cursors[1] == stored


async def test_where_a_follower_begins_is_stored_at_once(stage, monkeypatch):
    """A life that dies before its first flush must not make the next one begin at the file's end again."""
    monkeypatch.setattr("forewarn.runtime.poller.FLUSH_S", 3600.0)
    async with stage.running(probe("log", "tail")):
        await until(lambda: stage.samples.cursor("log") is not None)


async def test_a_push_is_taken_when_it_comes(stage):
    async with stage.running(probe("beat", "push")) as poller:
        assert poller.pushed("beat", "t", b"9") and poller.pushed("beat", "t", b"9")
        assert not poller.pushed("beat", "nobody", b"1") and not poller.pushed("nobody", "t", b"1")
        assert poller.pushed("beat", "t", b"no number")
        assert poller.views()[0].targets[0].reason == "bug"
    assert stage.told() == ["beat high fires"] or stage.told() == ["beat high fires"] * 2


async def test_run_once_looks_without_judging(stage):
    stage.world.value = 9.0
    async with stage.running(
        probe("p", every=3600.0), probe("q", "batch", ("a", "b"), every=3600.0), probe("log", "tail", every=3600.0)
    ) as poller:
        await until(lambda: len(stage.moves) >= 3)
        told = len([m for m in stage.moves if m.probe != "log"])
        for name, targets in (("p", ["t"]), ("q", ["a", "b"])):
            runs = await poller.run_once(name)
            assert [run.target for run in runs] == targets and all(run.values == (9.0,) for run in runs)
        assert [run.target for run in await poller.run_once("log")] == ["t"]
        assert await poller.run_once("nobody") == []
        assert len([m for m in stage.moves if m.probe != "log"]) == told


async def test_run_once_waits_no_longer_than_the_time_out(stage, monkeypatch):
    monkeypatch.setattr("forewarn.runtime.runners.GRACE_S", 0.01)
    async with stage.running(probe("q", "batch", ("lost", "found"), every=3600.0)) as poller:
        lost, found = await poller.run_once("q")
    assert (lost.outcome, lost.reason, found.outcome) == (Outcome.UNKNOWN, "timeout", Outcome.UP)


async def test_after_a_restart_an_open_claim_goes_on_or_ends(stage):
    stage.world.value = 9.0
    async with stage.running(probe("p"), findings=(open_finding(),)):
        await until(lambda: stage.ran("p") >= 4)
        assert stage.moves == []
        stage.world.value = 1.0
        await until(lambda: stage.moves)
    assert stage.told() == ["p high ends"] and stage.moves[0].seq > 5


async def test_at_the_start_claims_of_what_is_no_more_end(stage):
    findings = (
        open_finding("gone", series="gone|t|load"),
        open_finding(rule="was-there"),
        replace(open_finding("gone", series="gone|t|up"), state=FindingState.CLEARED),
    )
    async with stage.running(probe("p"), findings=findings):
        assert sorted(stage.told()) == ["gone high gone", "p was-there gone"]
        assert all(m.seq > 5 for m in stage.moves)


async def test_history_is_replayed_before_the_first_run(stage):
    now = time.time()
    slow = replace(HIGH, options=ThresholdOptions(op=">", limit=5, for_s=600))
    stage.samples.append([(SeriesId("p", "t", "load"), now - 700 + i, 9.0) for i in range(700)])
    stage.world.value = 9.0
    async with stage.running(probe("p", rules=(slow, DOWN), every=2.0)):
        await until(lambda: stage.moves)
    assert stage.told() == ["p high fires"] and stage.moves[0].claim.confirmed and stage.ran("p") == 1


async def test_a_counter_that_rested_while_we_were_off_does_not_burst(stage):
    from forewarn.core.detect.pattern import PatternOptions

    burst = replace(HIGH, name="errors", kind="pattern", options=PatternOptions(more_than=10, within_s=60))
    stage.samples.append([(SeriesId("p", "t", "load"), time.time() - 7200, 5000.0)])
    stage.world.value = 5003.0
    async with stage.running(probe("p", rules=(burst, DOWN))):
        await until(lambda: stage.ran("p") >= 3)
    assert stage.moves == []


async def test_what_has_stored_samples_is_not_new_and_what_it_counted_is_counted_on(stage):
    from forewarn.core.detect.distinct import CardinalityOptions
    from forewarn.core.detect.new_term import NewTermOptions

    new = replace(HIGH, name="new", kind="new-term", metric="load", options=NewTermOptions(learn_s=60, clear_after_s=600))
    many = replace(
        HIGH, name="many", kind="cardinality", metric="load", options=CardinalityOptions(of=("who",), within_s=600, above=1)
    )
    now = time.time()
    stage.samples.append([(SeriesId("p", "t", "load", (("who", "a"),)), now - 7200, 1.0)])
    before = [(now - 500, 0.0), (now - 400, 1.0)]
    stage.samples.append([(SeriesId("p", "t", "load", (("who", "b"),)), at_s, value) for at_s, value in before])
    stage.world.value = 1.0
    async with stage.running(probe("p", rules=(new, many, DOWN))):
        await until(lambda: len(stage.moves) >= 2)
    assert stage.told()[:2] == ["p new fires", "p many fires"]  # the series without a label is the third, and new
    assert [str(moved.series) for moved in stage.moves[:2]] == ["p|t|load", "p|t|load"]
    assert stage.moves[1].claim.evidence.value == 2  # b of before, and the one of now


@pytest.mark.parametrize(("then", "old"), [(300.0, True), (308.0, False)])
async def test_what_else_a_rule_looks_at_has_its_history_too(stage, then, old):
    """A disk that was worn from its first day on, and whether that grew while we looked."""
    disk = (("serial", "S1"),)
    now_s = time.time()
    for at, value in ((now_s - 86400 * 3, 300.0), (now_s - 7200, then), (now_s - 3600, then)):
        rows = [("pending_sectors", value), ("reported_uncorrectable_total", 40.0), ("disk_ok", 1.0)]
        stage.samples.append([(SeriesId("p", "t", metric, disk), at, value) for metric, value in rows])
    rule = Rule(name="failing", kind="risk", metric="disk_ok", options=RiskOptions(), source=SOURCE)
    stage.world.columns = tuple((metric, disk) for metric in ("pending_sectors", "reported_uncorrectable_total", "disk_ok"))
    stage.world.values = (then, 40.0, 1.0)
    async with stage.running(probe("p", rules=(rule, DOWN, BLIND), every=2.0)):
        await until(lambda: stage.moves)
    claim = stage.moves[0].claim
    assert claim is not None and claim.old is old and claim.why.facts["rise"] == then - 300.0
    assert claim.evidence.value == 1.0


async def test_a_promise_knows_its_month_again_after_a_restart(stage):
    """An outage of 20 days ago comes as counts, one of two hours ago sample by sample."""
    from forewarn.core.detect.slo import SloOptions

    now, up = time.time(), SeriesId("p", "t", "up")
    promise = Rule(name="promise", kind="slo", metric="up", options=SloOptions(objective=0.995), source=HIGH.source)
    old = [(up, now - 20 * 86400 + 60 * i, 0.0) for i in range(60)]
    stage.samples.append([*old, *((up, now - 7200 + 60 * i, float(i >= 50)) for i in range(120))])
    async with stage.running(probe("p", rules=(promise, DOWN), every=60.0)) as poller:
        await until(lambda: stage.ran("p") >= 1)
        (view,) = poller.views()
        (said,) = [r.why for one in view.targets[0].series for r in one.rules if r.rule == "promise"]
    assert said.facts["left"] == pytest.approx(1 - 109 / 216, abs=0.01)  # the very first sample is no fresh one


@pytest.mark.parametrize(("before_s", "fires"), [(3700, True), (1800, False)])
async def test_what_was_missing_before_a_restart_is_missing_still(stage, monkeypatch, before_s, fires):
    """It came an hour and more ago; the life before this one had looked for `before_s` seconds since then."""
    from forewarn.core.detect.absence import AbsenceOptions

    monkeypatch.setattr("forewarn.runtime.poller.TICK_S", 0.02)
    now, options = time.time(), AbsenceOptions(for_s=3600.0, first_s=3600.0)
    missing = Rule(name="missing", kind="absence", metric="orders", options=options, source=HIGH.source)
    ups = [(SeriesId("p", "t", "up"), now - before_s + 10 * i, 1.0) for i in range(before_s // 10)]
    stage.samples.append([(SeriesId("p", "t", "orders"), now - before_s - 10, 4.0), *ups])
    async with stage.running(probe("p", rules=(missing, DOWN), every=10.0)):
        await until(lambda: stage.ran("p") >= 1)
        await asyncio.sleep(0.1)
    assert stage.told() == ["p missing fires"] * fires


async def test_a_reload_touches_only_what_changed(stage):
    stage.world.value = 9.0
    same, other, leaves = probe("same"), probe("other"), probe("leaves")
    async with stage.running(same, other, leaves) as poller:
        await until(lambda: len(stage.moves) == 6)
        watch = poller._watches["same"]
        stage.moves.clear()
        await poller.apply(settings(same, replace(other, timeout_s=0.2), probe("new", "tail")))
        assert poller._watches["same"] is watch
        assert stage.told() == ["leaves high gone"]
        left = stage.ran("leaves")
        runs = stage.ran("other")
        await until(lambda: stage.ran("other") >= runs + 3 and stage.ran("new") >= 2)
        assert [t for t in stage.told() if not t.startswith("new")] == ["leaves high gone"]
        assert stage.ran("leaves") == left
        stage.world.value = 1.0
        await until(lambda: "other high ends" in stage.told() and "same high ends" in stage.told())
        await poller.apply(settings(same))
        running = [task.get_name() for task in asyncio.all_tasks()]
        assert not any(name.startswith("follow") for name in running)


async def test_a_clock_that_is_set_back_does_not_stop_the_probes(stage, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_SLEEP_S", 0.05)
    async with stage.running(probe("p")) as poller:
        await until(lambda: stage.ran("p") >= 3)
        stage.clock.off_s = -7200
        runs = stage.ran("p")
        await until(lambda: stage.ran("p") >= runs + 5, within_s=3)
        stage.clock.off_s = 7200
        runs, missed = stage.ran("p"), poller.missed()
        await until(lambda: stage.ran("p") >= runs + 5, within_s=3)
        assert stage.ran("p") < runs + 30 and poller.missed() > missed + 1000
    assert stage.told() == []
    assert any(log["event"] == "clock_set_back" for log in stage.logs)


async def test_silence_is_noticed_by_the_clock(stage, monkeypatch):
    monkeypatch.setattr(module, "TICK_S", 0.02)
    async with stage.running(probe("beat", "push", every=0.1)):
        await until(lambda: stage.moves)
    assert stage.told() == ["beat cannot-see fires"]


async def test_samples_wait_while_the_store_fails(stage, monkeypatch):
    monkeypatch.setattr(module, "FLUSH_S", 0.02)
    real = stage.samples.append_runs

    def full(*given):
        raise StoreError("disk full")

    monkeypatch.setattr(stage.samples, "append_runs", full)
    async with stage.running(probe("log", "tail")) as poller:
        await until(lambda: not poller.storing())
        await until(lambda: stage.ran("log") >= 5)
        monkeypatch.setattr(stage.samples, "append_runs", real)
        await until(poller.storing)
    stored = stage.samples.read(SeriesId("log", "t", "load"), 0, time.time() + 10)
    assert len(stored.times_s) == stage.ran("log")
    assert stage.samples.cursor("log") == {"n": stage.ran("log")}


async def test_a_bug_in_judging_stays_with_its_probe(stage, monkeypatch):
    from forewarn.runtime.watch import Watch

    real = Watch.take

    def take(self, run, now):
        if run.probe == "bad":
            raise ZeroDivisionError
        return real(self, run, now)

    monkeypatch.setattr(Watch, "take", take)
    async with stage.running(probe("bad"), probe("good")):
        await until(lambda: stage.ran("good") >= 5 and stage.ran("bad") >= 5)
    assert {log["probe"] for log in stage.logs if log["event"] == "judging_failed"} == {"bad"}


async def test_stopping_is_quick_and_leaves_nothing_running(stage):
    stage.world.hang = True
    async with stage.running(probe("bad", timeout_s=60.0), probe("log", "tail")):
        await until(lambda: stage.world.now_running == 1 and stage.ran("log") >= 2)
        began = time.monotonic()
    assert time.monotonic() - began < 10.0
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    moved: list[Moved] = stage.moves
    assert moved == []


async def test_a_reload_that_is_under_way_ends_with_the_stop_and_begins_nothing(stage):
    many = [probe(f"new-{number}") for number in range(50)]
    async with stage.running(probe("old")) as poller:
        change = asyncio.create_task(poller.apply(settings(*many)))
        await until(lambda: "new-0" in poller._watches)
        await poller.stop()
        await change
        assert len(poller._watches) < 50
        before = len(stage.world.runs)
        await asyncio.sleep(0.05)
        assert len(stage.world.runs) == before


async def test_a_probe_that_changed_is_looked_at_until_its_successor_knows_the_past(stage):
    free = threading.Event()
    async with stage.running(probe("p"), probe("leaves")) as poller:
        await until(lambda: stage.ran("p") >= 2)
        stage.thread.submit(free.wait, 30)  # the store is slow
        change = asyncio.create_task(poller.apply(settings(replace(probe("p"), timeout_s=0.2))))
        runs = stage.ran("p")
        await until(lambda: stage.ran("p") >= runs + 3)
        assert not change.done() and poller._watches["p"].probe.timeout_s != 0.2
        free.set()
        await change
        assert set(poller._watches) == {"p"} and poller._watches["p"].probe.timeout_s == 0.2
        seen = poller._watches["p"]._ups["t"].times
        assert len(set(seen)) == len(seen) >= 3, "what came meanwhile is known"
        runs = stage.ran("p")
        await until(lambda: stage.ran("p") >= runs + 2)


LEARNS = Rule(name="usual", kind="baseline", metric="load", options=BaselineOptions(), source=SOURCE)


async def test_what_a_rule_has_learnt_outlives_a_stop(stage):
    states = stage.samples.states
    stage.made = lambda: Poller(stage.kinds, stage.samples, stage.clock, stage.moves.extend, stage.thread, states=states)
    learns, seen = replace(probe("p", every=600.0), rules=(LEARNS,)), []
    for _ in range(3):  # one run each, at the start
        stage.poller = stage.made()
        async with stage.running(learns) as poller:
            await until(lambda poller=poller: poller.views()[0].targets[0].at is not None)
            (rule,) = next(one for one in poller.views()[0].targets[0].series if one.series.metric == "load").rules
            seen.append(rule.why.facts["n"])
        with sqlite3.connect(stage.samples._file.path) as db:  # the samples are gone, what was learnt of them is not
            db.execute("DELETE FROM hot")
        db.close()
        stage.clock.off_s += 600.0
    assert seen == [1, 2, 3]
    assert [(one.rule, one.series) for one in states.of("p")] == [("usual", "p|t|load")]


async def test_what_was_learnt_goes_with_its_probe(stage):
    states = stage.samples.states
    stage.poller = Poller(stage.kinds, stage.samples, stage.clock, stage.moves.extend, stage.thread, states=states)
    p, q = (replace(probe(name, every=600.0), rules=(LEARNS,)) for name in "pq")
    async with stage.running(p, q) as poller:
        await until(lambda: stage.ran("p") and stage.ran("q"))
        await poller._checkpoints.keep()
        assert [len(states.of(name)) for name in "pq"] == [1, 1]
        await poller.apply(settings(p))
        await poller._checkpoints.keep()
        assert [len(states.of(name)) for name in "pq"] == [1, 0]
