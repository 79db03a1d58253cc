"""Plays documents to a follower on a clock of our own, with a watch behind it, as the daemon does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from forewarn.model.finding import Finding
from forewarn.model.probe import Probe
from forewarn.model.series import ProbeRun, SeriesId, Window
from forewarn.probers.elastic_follow import ElasticFollower
from forewarn.runtime.watch import Watch

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC).timestamp()
Put = Callable[[float], None]


class Story:
    """`runs`, `samples` and `cursor` are what a daemon would have stored; `told` the transitions in words."""

    def __init__(self, probe: Probe, now_s: float = START) -> None:
        self.probe, self.now_s = probe, now_s
        self.watch = Watch(probe)
        self.runs: list[ProbeRun] = []
        self.samples: dict[SeriesId, list[tuple[float, float]]] = {}
        self.cursor: Mapping[str, object] | None = None
        self.told: list[str] = []
        self.open: dict[tuple[str, str], Any] = {}

    async def play(self, *steps: Put | None) -> None:
        """A look at once, and one after each step; a step puts documents, given the time of the last look. One interval goes
        by with each."""
        todo, over = list(steps), asyncio.Event()

        async def sleep(_: float) -> None:
            if not todo:
                over.set()
                await asyncio.Event().wait()
            step, before_s = todo.pop(0), self.now_s
            self.now_s += self.probe.every_s
            if step:
                step(before_s)

        follower = ElasticFollower(lambda: self.now_s, lambda: self.now_s, sleep)
        task = asyncio.create_task(follower.follow(self.probe, self.cursor, self._take))
        ended = asyncio.create_task(over.wait())
        await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def restart(self, gone_s: float = 0.0) -> None:
        """Forewarn ends, and begins anew `gone_s` later with what was stored."""
        self.now_s += gone_s
        self.watch = Watch(self.probe)
        for series, samples in self.samples.items():
            if self.watch.remembers(series):
                self.watch.began(series, samples[0][0])
        for series, samples in self.samples.items():
            span_s = self.watch.history_s(series)
            past = [one for one in samples if one[0] >= self.now_s - span_s] or samples[-1:]
            if span_s > 0:
                self.watch.warm(series, Window.of(past))
        self.watch.settle()
        self.watch.resume(self.open.values())

    def tick(self, more_s: float = 0.0) -> None:
        self.now_s += more_s
        self._note(self.watch.tick(self._now))

    def firing(self) -> set[str]:
        """Open claims as `rule labels`."""
        return {f"{rule} {series.partition('{')[2].rstrip('}')}".strip() for rule, series in self.open}

    def counts(self, metric: str) -> dict[str, float]:
        """The last value of each set of labels."""
        run = next(run for run in reversed(self.runs) if run.reason is None)
        pairs = zip(run.columns, run.values, strict=True)
        return {",".join(value for _, value in labels): value for (name, labels), value in pairs if name == metric}

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)

    def _take(self, run: ProbeRun) -> None:
        self.runs.append(run)
        self._note(self.watch.take(run, self._now))
        self.cursor = run.cursor or self.cursor
        for series, at_s, value in self.watch.samples(run):
            self.samples.setdefault(series, []).append((at_s, value))

    def _note(self, moves: list[Any]) -> None:
        for moved in moves:
            key = (moved.rule, str(moved.series))
            labels = ",".join(value for _, value in moved.series.labels)
            if moved.claim is None:
                self.open.pop(key, None)
                self.told.append(f"{moved.rule} {labels} ended".replace("  ", " "))
                continue
            if key not in self.open:
                self.told.append(f"{moved.rule} {labels} began".replace("  ", " "))
            self.open[key] = finding(self.probe, moved)


def finding(probe: Probe, moved: Any) -> Finding:
    """What the ledger would hold of a claim."""
    from forewarn.model.finding import FindingState
    from forewarn.model.level import Colour

    return Finding(
        id="F-1",
        state=FindingState.OPEN,
        series=str(moved.series),
        target=moved.series.target,
        labels=moved.series.labels,
        metric=moved.series.metric,
        rule=moved.rule,
        kind=next(rule.kind for rule in probe.rules if rule.name == moved.rule),
        probe=probe.name,
        service=None,
        colour=Colour.YELLOW,
        effect=None,
        opened_at=datetime.fromtimestamp(START, UTC),
        why=moved.claim.why,
        evidence=moved.claim.evidence,
        forecast=None,
        confirmed=moved.claim.confirmed,
        config="c",
        source="probes/x.yaml:1",
        seq=moved.seq,
    )


def at(probe: Probe, url: str, index: str) -> Probe:
    """The probe, asking this server for this index, with all the patience that a busy machine needs."""
    options = probe.options.model_copy(update={"index": (index,)})  # type: ignore[attr-defined]
    return replace(probe, timeout_s=60.0, options=options, targets=tuple(replace(one, address=url) for one in probe.targets))
