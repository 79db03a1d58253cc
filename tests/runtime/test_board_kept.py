"""What is shown is made anew only when it differs: how much work a look is, and that what was kept is what is true."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from test_board import SOON, Ticking, players, run
from test_watch_calm import EVERY_S, GOAL, START, runs, watch

from forewarn.core import overview
from forewarn.core.detect.slo import SloOptions
from forewarn.model.glance import Glance, Stand
from forewarn.model.probe import Rule, Source
from forewarn.model.series import Outcome, ProbeRun
from forewarn.ports import ProbeView
from forewarn.runtime.board import FRESH_S, Board
from forewarn.runtime.judge import learnt
from forewarn.runtime.watch import Watch

PROMISE = Rule(name="promise", kind="slo", metric="up", options=SloOptions(objective=0.99), source=Source("probes/x.yaml", 2))
"""Of a promise every run counts: none is only kept."""


@contextmanager
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the probes that are looked at meanwhile."""
    found: list[str] = []
    real = Watch.stand

    def stand(self: Watch) -> Stand:
        found.append(self.probe.name)
        return real(self)

    with monkeypatch.context() as patched:
        patched.setattr(Watch, "stand", stand)
        yield found


def told(glance: Glance) -> list[object]:
    """What a glance shows, but for when a target was last looked at and for seconds of when a rule is ready."""
    return [
        (
            stand.probe.name,
            [(seen.target, seen.outcome, seen.reason, seen.detail, seen.at is None) for seen in stand.targets],
            sorted((str(one.series), one.ready_at and one.ready_at.timestamp() // 60) for one in stand.learning),
            stand.ends_at,
        )
        for stand in glance.stands
    ]


@pytest.mark.parametrize("seed", range(8))
async def test_what_is_kept_is_what_a_fresh_look_would_say(seed: int) -> None:
    """Random days, with rules that learn and rules that don't: nothing that is shown is ever older than the newest run."""
    chance, it, now = random.Random(seed), watch(GOAL, PROMISE, replace(SOON, metric="total_s")), START
    clock = Ticking(FRESH_S)
    board = Board({"p": it}, clock)
    for made in runs(chance, 400):
        now = datetime.fromtimestamp(made.at_s + made.took_s, UTC) if made else now + timedelta(seconds=EVERY_S / 2)
        if made is None or chance.random() < 0.2:
            it.tick(now)
        if made and not it.keeps(made):
            it.take(made, now)
        if chance.random() < 0.5:
            glance = await board.glance()
            view = it.view(now)
            assert repr(view) == repr(it._viewed(now))  # repr: not-a-number equals nothing
            assert told(glance) == told(overview.glance([ProbeView(probe=it.probe, targets=view)]))
            assert (glance.outcomes, glance.learning) == (Glance(glance.stands).outcomes, Glance(glance.stands).learning)
            assert [seen for _, seen in glance.unseen] == [seen for _, seen in Glance(glance.stands).unseen]


async def test_nothing_is_looked_at_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    all_of_them, clock = players(50), Ticking()
    for player in all_of_them.values():
        run(player)
    board = Board({name: player.watch for name, player in all_of_them.items()}, clock)
    first = await board.glance()
    assert first.outcomes["up"] == len(first.names) == 50
    assert len(first.learning) == 50
    with looks(monkeypatch) as found:
        for player in all_of_them.values():
            run(player, value=0.5)
        clock.at_s += FRESH_S
        assert await board.glance() is first, "what was summed up of it holds too"
        assert found == []
        run(all_of_them["p007"], Outcome.DOWN, reason="refused")
        clock.at_s += FRESH_S
        later = await board.glance()
    assert found == ["p007"]
    assert later.outcomes == {"up": 49, "down": 1, "unknown": 0}
    assert later.learning is first.learning and later.names is first.names, "what was not touched was not summed up again"


async def test_a_promise_that_is_learnt_does_not_make_the_glance_anew_with_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    it, now = watch(PROMISE), START
    board = Board({"p": it}, Ticking(FRESH_S))
    seen = set[int]()
    kept: list[Glance] = []
    for n in range(60):
        made = ProbeRun("p", "a", START.timestamp() + n * EVERY_S, Outcome.UP)
        now = datetime.fromtimestamp(made.at_s, UTC)
        assert not it.keeps(made)
        it.take(made, now)
        it.tick(now)
        kept.append(await board.glance())
        seen.add(id(kept[-1]))
    assert kept[-1].learning, "ten minutes are not enough to know it"
    assert len(seen) < 6, "once as it begins; not once a run"


def test_until_when_something_is_learnt_counts_to_the_minute() -> None:
    (player,) = players(1).values()
    run(player, value=0.5)
    claims = [judge.claim for line in player.watch._lines.values() for judge in line.judges if learnt(judge.claim) is not None]
    claim = claims[0]
    ready = START.replace(second=10)
    assert learnt(replace(claim, ready_at=ready)) == learnt(replace(claim, ready_at=ready + timedelta(seconds=30)))
    assert learnt(replace(claim, ready_at=ready)) != learnt(replace(claim, ready_at=ready + timedelta(minutes=1)))
    assert learnt(None) is None


async def test_a_look_that_is_broken_off_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A viewer leaves in the middle: what was looked at already is in the next glance all the same."""
    all_of_them, clock = players(3), Ticking()
    board = Board({name: player.watch for name, player in all_of_them.items()}, clock)
    await board.glance()
    for player in all_of_them.values():
        run(player)
    clock.at_s += FRESH_S
    real = Watch.stand

    def leaving(self: Watch) -> Stand:
        if self.probe.name == "p002":
            raise asyncio.CancelledError
        return real(self)

    with monkeypatch.context() as patched:
        patched.setattr(Watch, "stand", leaving)
        with pytest.raises(asyncio.CancelledError):
            await board.glance()
    assert (await board.glance()).outcomes == {"up": 3, "down": 0, "unknown": 0}


async def test_a_reload_that_takes_and_brings_probes_is_seen() -> None:
    all_of_them, clock = players(4), Ticking()
    watches = {name: player.watch for name, player in all_of_them.items()}
    board = Board(watches, clock)
    assert (await board.glance()).names == ("p000", "p001", "p002", "p003")
    watches["p000b"] = replace_watch(watches.pop("p001"), "p000b")
    clock.at_s += FRESH_S
    glance = await board.glance()
    assert glance.names == ("p000", "p000b", "p002", "p003")
    assert [text.split()[0] for text in glance.texts] == list(glance.names)


def replace_watch(before: Watch, name: str) -> Watch:
    return Watch(replace(before.probe, name=name))


def test_a_view_is_the_same_until_a_run_or_a_judgement() -> None:
    (player,) = players(1).values()
    run(player)
    first = player.watch.view(player.now)
    assert player.watch.view(player.now + timedelta(seconds=3)) is first
    run(player, value=0.6)
    later = player.watch.view(player.now)
    assert later is not first
    assert next(one.value for one in later[0].series if one.series.metric == "used_ratio") == 0.6
