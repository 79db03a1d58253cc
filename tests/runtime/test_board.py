"""Thousands of probes at a glance: the same as looking at each in full, without holding the loop."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from datetime import timedelta

import pytest
from test_watch import HIGH, START, USED, Player, probe, rule

from forewarn.core import overview
from forewarn.core.detect import DETECTORS
from forewarn.core.detect.forecast import ForecastOptions
from forewarn.model.series import Outcome
from forewarn.ports import ProbeView
from forewarn.runtime.board import AT_ONCE_S, FRESH_S, Board
from forewarn.runtime.watch import Watch

SOON = rule("soon", ForecastOptions(above=0.95))


class Ticking:
    """A clock that goes on by `step_s` whenever somebody looks."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.at_s, self.step_s = 0.0, step_s

    def now(self):
        return START + timedelta(seconds=self.at_s)

    def monotonic(self) -> float:
        self.at_s += self.step_s
        return self.at_s


def players(count: int) -> dict[str, Player]:
    found = {}
    for n in range(count):
        name = f"p{n:03}"
        found[name] = Player(Watch(replace(probe(HIGH, SOON), name=name)))
    return found


def run(player: Player, outcome: Outcome = Outcome.UP, value: float = 0.5, **more) -> None:
    from forewarn.model.series import ProbeRun

    values = {USED: value} if outcome is Outcome.UP else {}
    made = ProbeRun(player.watch.probe.name, "t0", player.now.timestamp(), outcome, tuple(values), tuple(values.values()), **more)
    player.watch.take(made, player.now)
    player.now += player.every


async def test_a_glance_says_what_full_views_say():
    all_of_them = players(6)
    names = list(all_of_them)
    run(all_of_them[names[0]])
    run(all_of_them[names[1]], Outcome.DOWN, reason="refused")
    run(all_of_them[names[2]], Outcome.UNKNOWN, reason="permission", detail="no right")
    for _ in range(3):
        run(all_of_them[names[3]], value=0.97)
    board = Board({name: player.watch for name, player in reversed(all_of_them.items())}, Ticking(5.0))
    glance = await board.glance()
    views = [ProbeView(probe=it.watch.probe, targets=it.watch.view(it.now)) for it in all_of_them.values()]
    same = overview.glance(views)
    assert glance.stands == same.stands
    assert glance.outcomes == same.outcomes == board.outcomes() == {"up": 2, "down": 1, "unknown": 3}
    assert glance.learning == same.learning
    assert [one.series.probe for one in glance.learning] == [names[0]]
    assert [seen.reason for _, seen in glance.unseen] == ["permission"]
    assert board.waits()


async def test_the_soonest_end_of_a_certificate_stands_in_the_glance():
    from forewarn.model.series import ProbeRun

    (player,) = players(1).values()
    columns = tuple(("certificate_s", (("name", name),)) for name in ("over", "soon", "later", "far"))
    values = (-60.0, 8e5, 9e5, 1e11)
    player.watch.take(ProbeRun("p000", "t0", player.now.timestamp(), Outcome.UP, columns, values), player.now)
    glance = await Board({"p000": player.watch}, Ticking()).glance()
    ends = player.now + timedelta(seconds=8e5)
    assert [stand.ends_at for stand in glance.stands] == [ends.replace(second=0)], "to the nearest minute"
    views = [ProbeView(probe=player.watch.probe, targets=player.watch.view(player.now))]
    assert overview.glance(views).stands == glance.stands


async def test_a_change_is_seen_once_the_glance_is_old():
    all_of_them, clock = players(2), Ticking()
    board = Board({name: player.watch for name, player in all_of_them.items()}, clock)
    first = await board.glance()
    run(all_of_them["p000"])
    assert await board.glance() is first
    clock.at_s += FRESH_S
    later = await board.glance()
    assert later.outcomes["up"] == 1
    assert later.stands[1] is first.stands[1], "a probe that did not change is not looked at again"


async def test_others_get_their_turn_while_a_long_glance_is_made():
    board = Board({name: player.watch for name, player in players(300).items()}, Ticking(AT_ONCE_S))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await asyncio.sleep(0)
    before = turns
    await asyncio.gather(board.glance(), board.glance())
    assert turns - before > 2
    assert len(await board.views([*(f"p{n:03}" for n in range(20)), "nobody"])) == 20
    task.cancel()


@pytest.mark.parametrize("kind", [name for name, it in DETECTORS.items() if not it.learns])
def test_a_claim_that_is_made_only_when_read_never_says_learning(kind):
    """The glance counts claims that are there: a detector of this kind that learnt would be overlooked."""
    assert "LEARNING" not in inspect.getsource(inspect.getmodule(DETECTORS[kind].step))
