"""A machine that can't be reached is a run that could not look, whatever the kind, and no bug."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from pydantic import BaseModel

from forewarn.model.probe import Probe, Source, Target
from forewarn.model.series import Outcome, ProbeRun
from forewarn.ports import Kind
from forewarn.probers.once import run_once
from forewarn.reach.machine import CannotReach, Here, Machine, only_here
from forewarn.runtime.runners import Runners

AWAY = Target("web-1", "local", "web-1")
PROBE = Probe(
    name="p", kind="far", every_s=10, timeout_s=2, targets=(AWAY, Target("local", "local")), options=None, rules=(),
    source=Source("probes/p.yaml", 1),
)  # fmt: skip


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class Far:
    """A prober that reads a file of its target's machine."""

    def __init__(self, machines=only_here) -> None:
        self.machines = machines

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        await self.machines(target.where).read(["/proc/uptime"], probe.timeout_s)
        return ProbeRun(probe.name, target.name, at_s, Outcome.UP, (), ())


def down(where: str) -> Machine:
    if where == "local":
        return Here()
    raise CannotReach("refused", f"{where} refuses connections on port 22")


def test_runners_say_that_they_could_not_look_and_why() -> None:
    async def runs() -> list[ProbeRun] | None:
        kinds = {"far": Kind(BaseModel, "async", Far, remote=True).on(down)}
        return await Runners(kinds, Clock(), lambda run: None, lambda name: None).once(PROBE)

    away, here = asyncio.run(runs()) or []
    assert (away.outcome, away.reason, away.detail) == (Outcome.UNKNOWN, "refused", "web-1 refuses connections on port 22")
    assert here.outcome is Outcome.UP


def test_a_single_run_says_the_same() -> None:
    away, here = asyncio.run(run_once("async", Far(down), PROBE, 1.0))
    assert (away.outcome, away.reason, away.detail) == (Outcome.UNKNOWN, "refused", "web-1 refuses connections on port 22")
    assert here.outcome is Outcome.UP
