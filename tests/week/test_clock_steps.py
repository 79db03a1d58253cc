"""The clock is set by an hour, forward and back: findings, dues and holds behave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from host_week import HOUR, Build
from life import PORT, ROOT, Life

from forewarn.app.scenario import Line, Quoted, Story
from forewarn.app.stage import Stage
from forewarn.config.load import load
from forewarn.model.finding import FindingState
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.settings import Settings
from forewarn.probers import PROBERS

STEPS = [timedelta(hours=1), timedelta(hours=-1)]
START = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("step", STEPS, ids=["forward", "back"])
def test_a_finding_goes_on_over_a_step(step: timedelta) -> None:
    """A processor is busy from one to four; at half past two the clock is set, and an hour later it is right again."""
    life = Life(1, {2.5 * HOUR: step, 3.5 * HOUR: timedelta()}, days=5 / 24, step_s=30)
    life.host.backup_s = [9e9] * 7
    life.host.builds = [Build(1 * HOUR, 3 * HOUR, 0.5)]
    life.live()
    busy = [finding for finding in life.findings if finding.rule == "cpu-busy"]
    assert [finding.state for finding in busy] == [FindingState.CLEARED], life.said()
    assert len(life.findings) == 1 and not life.pages, life.said()


def _shop(folder: Path, now: datetime) -> Settings:
    return load(folder, PROBERS, now, PORT)


def _stage() -> Stage:
    return Stage(Story(name="shop", start=START, config="tests/scenarios/shop", lines=()), _shop, ROOT)


def _say(stage: Stage, kind: str, *words: str) -> None:
    quoted = tuple(Quoted(word[1:-1]) if word.startswith('"') else word for word in words)
    stage.take(Line(1, stage.now, kind, quoted, None, False))


def _down(stage: Stage, *targets: str) -> None:
    for _ in range(2):
        for target in targets:
            _say(stage, "probe", f"shop@{target}", "down", '"refused"')
        stage.advance(stage.now + timedelta(seconds=10))


def _pages(stage: Stage) -> list[str]:
    return [m.to for m in stage.kept.values() if isinstance(m, Message) and m.kind is MessageKind.PAGE]


@pytest.mark.parametrize("step", STEPS, ids=["forward", "back"])
def test_dues_ring_once_whatever_the_clock_does(step: timedelta) -> None:
    stage = _stage()
    _down(stage, "web-1")
    assert _pages(stage) == ["on-call-1"]
    stage.set_clock(stage.now + step)
    stage.set_clock(stage.now - step)
    stage.advance(stage.now + timedelta(hours=2))
    assert len(_pages(stage)) == len(set(_pages(stage))) == 3, _pages(stage)
    assert not [due for due in stage.state.dues.values() if due.next_at and due.next_at < stage.now]


@pytest.mark.parametrize("step", STEPS, ids=["forward", "back"])
def test_what_a_hold_keeps_leaves_once(step: timedelta) -> None:
    """A notice waits its minute for an undo; after a step back it waits by the new clock, and is not forgotten."""
    stage = _stage()
    _down(stage, "web-1", "web-2")
    stage.advance(stage.now + timedelta(minutes=3))
    notice = next(m for m in stage.state.messages.values() if m.state is MessageState.WAITING)
    _say(stage, "command", "approve", notice.id, "by", "on-call-1")
    assert stage.state.messages[notice.id].state is MessageState.HELD
    stage.set_clock(stage.now + step)
    stage.advance(stage.now + timedelta(hours=1, minutes=2))
    assert stage.state.messages[notice.id].state is MessageState.QUEUED
