"""How often rules would have fired: the running rules over the samples that are kept, in a process of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forewarn.app import hindsight
from forewarn.app.hindsight import WAITS, Hindsights, counted
from forewarn.config.load import load
from forewarn.model.hindsight import Hindsight, Progress
from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId
from forewarn.probers import PROBERS
from forewarn.store.samples import SqliteSamples

NOW = datetime(2026, 9, 28, 12, tzinfo=UTC)
A, B = (SeriesId("web", target, "total_s") for target in ("a", "b"))
WEB = """probe: web
kind: http
every: 60s
targets: {a: "http://127.0.0.1:1/", b: "http://127.0.0.1:2/"}
rules:
  - {name: slow, threshold: {metric: total_s, above: LIMIT, for: 5m}}
"""
SLOW = [(20, 3.0), (50, 0.5), (110, 1.0)]
"""When `a` was slow, in hours before now, and for how many hours."""


@dataclass
class Clock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()


def probe(folder: Path, limit: str = "500ms") -> Probe:
    (folder / "probes").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "probes" / "web.yaml").write_text(WEB.replace("LIMIT", limit))
    return load(folder, PROBERS, NOW).probes["web"]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Six days of two targets; `a` was slow three times, `b` never, and of `b` the older half is missing."""
    path, now_s = tmp_path / "samples.db", NOW.timestamp()
    store = SqliteSamples(path)
    for series, minutes in ((A, 6 * 1440), (B, 3 * 1440)):
        times = [now_s - 60 * n for n in range(minutes, 0, -1)]
        slow = [series is A and any(hours * 3600 >= now_s - at > (hours - long) * 3600 for hours, long in SLOW) for at in times]
        store.append([(series, at, 0.9 if late else 0.1) for at, late in zip(times, slow, strict=True)])
    store.close()
    return path


def test_it_is_counted_by_rule_and_series_and_says_what_is_missing(kept: Path, tmp_path: Path) -> None:
    store = SqliteSamples(kept, read_only=True)
    found = counted(probe(tmp_path / "own"), store, NOW.timestamp())
    assert found.fired == {("slow", str(A)): 3}
    assert (found.since, found.until, found.samples) == (NOW - timedelta(days=7), NOW, 9 * 1440)
    assert found.share == pytest.approx((6 + 3) / (7 * 2), abs=0.001)
    assert counted(probe(tmp_path / "calm", "1s"), store, NOW.timestamp()).fired == {}
    store.close()


def test_of_too_many_samples_the_newest_part_is_counted(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hindsight, "MOST_SAMPLES", 2 * 2880)  # two series, two days
    store = SqliteSamples(kept, read_only=True)
    found = counted(probe(tmp_path / "own"), store, NOW.timestamp())
    store.close()
    assert (found.since, found.fired) == (NOW - timedelta(days=2), {("slow", str(A)): 1})


def test_nothing_kept_is_no_count(tmp_path: Path) -> None:
    store = SqliteSamples(tmp_path / "samples.db")
    found = counted(probe(tmp_path / "own"), store, NOW.timestamp())
    store.close()
    assert (found.samples, found.share, found.fired) == (0, 0.0, {})


async def done(asked: Hindsights, about: Probe) -> Hindsight:
    async with asyncio.timeout(60):
        while (found := asked.of(about)).progress is Progress.COUNTING:
            await asyncio.sleep(0.05)
    return found


async def test_a_process_of_its_own_counts_once_for_a_rule_and_day(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, about = Clock(), probe(tmp_path / "own")
    asked, begun = Hindsights(kept, clock), list[Probe]()
    real = asked._counted
    monkeypatch.setattr(asked, "_counted", lambda it: begun.append(it) or real(it))
    assert asked.of(about) == WAITS
    found = await done(asked, about)
    assert (found.progress, found.fired) == (Progress.COUNTED, {("slow", str(A)): 3})
    assert asked.of(about) is found
    assert begun == [about]
    changed = replace(about, every_s=30.0)
    assert asked.of(changed) == WAITS, "another rule is another question"
    await done(asked, changed)
    clock.moment += timedelta(days=1)
    assert asked.of(changed).until == NOW, "yesterday's is shown until there is a newer one"
    while asked.of(changed).until == NOW:
        await asyncio.sleep(0.05)
    assert begun == [about, changed, changed]
    await asked.stop()


async def test_what_fails_is_said_and_tried_again_after_a_while(tmp_path: Path) -> None:
    clock, about = Clock(), probe(tmp_path / "own")
    asked = Hindsights(tmp_path / "no-such.db", clock)
    asked.of(about)
    found = await done(asked, about)
    assert found.progress is Progress.FAILED
    assert "no-such.db" in found.why or "unable to open" in found.why
    assert asked.of(about) is found
    await asked.stop()


async def test_a_count_under_way_ends_with_the_daemon(kept: Path, tmp_path: Path) -> None:
    asked = Hindsights(kept, Clock())
    asked.of(probe(tmp_path / "own"))
    await asyncio.sleep(0)
    await asked.stop()
    assert asked.of(probe(tmp_path / "again")) == WAITS
    await asked.stop()
