"""A log that rests is looked at less often, and often again from its first line on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from forewarn.model.probe import Probe, Source, Target
from forewarn.model.series import ProbeRun
from forewarn.probers import PROBERS, log_follow
from forewarn.probers.log import LogOptions


async def test_a_resting_log_is_looked_at_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_follow, "POLL_S", 0.01)
    monkeypatch.setattr(log_follow, "REST_S", 0.2)
    monkeypatch.setattr(log_follow, "REST_AFTER_S", 0.1)
    steps, runs = list[float](), list[ProbeRun]()
    step = log_follow.Following.step

    def counted(self: log_follow.Following) -> bool:
        steps.append(0.0)
        return step(self)

    monkeypatch.setattr(log_follow.Following, "step", counted)
    file = tmp_path / "x.log"
    file.write_text("", "utf-8")
    options = LogOptions(files=(str(file),), patterns={"errors": "ERROR"})
    probe = Probe(
        name="x", kind="log", every_s=60.0, timeout_s=5.0, targets=(Target("local", "local"),), options=options, rules=(),
        source=Source("p", 1),
    )  # fmt: skip
    follower = PROBERS["log"].make()
    task = asyncio.create_task(follower.follow(probe, None, runs.append))
    await asyncio.sleep(0.4)
    before = len(steps)
    await asyncio.sleep(1.0)
    assert len(steps) - before <= 7  # a hundred at POLL_S
    before = len(steps)
    with file.open("a") as out:
        out.write("ERROR one\n")
    for _ in range(100):
        await asyncio.sleep(0.01)
        if len(steps) - before >= 4 and any(run.lines for run in runs):
            break
    assert [run.lines for run in runs if run.lines] == [("ERROR one",)]
    assert len(steps) - before >= 4
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    follower.close()
