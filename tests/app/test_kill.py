"""The demo's daemon is SIGKILLed again and again in the middle of its story; what is left must be whole, and nothing doubled.

To repeat a failure's moments: FOREWARN_KILL_SEED=... (the system's own timing stays what it is).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

import pytest
from kill_books import Books
from kill_killer import Killer
from kill_stage import Person, Stage, staged
from kill_story import Tale

from forewarn.model.message import MessageState


@pytest.mark.timeout(400)
async def test_ten_kills_lose_nothing_and_double_nothing(tmp_path):
    await killed_story(tmp_path, kills=10)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_two_hundred_kills_lose_nothing_and_double_nothing(tmp_path):
    await killed_story(tmp_path, kills=200)


async def killed_story(folder, kills):
    seed = int(os.environ.get("FOREWARN_KILL_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"FOREWARN_KILL_SEED={seed}")
    async with staged(folder) as stage:
        person = Person(stage)
        killer, tale = Killer(stage, person, kills, random.Random(seed)), Tale(stage, person)
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(killer.run())
            group.create_task(told(tale, killer, killing))
        print("\n".join(tale.trace), dict(killer.ended), f"starts up to {max(stage.starts):.2f} s", sep="\n")
        assert await stage.stopped() == 0
        assert sum(killer.ended.values()) == kills
        no_trace_in_the_log(stage)
        what_was_answered_is_kept(stage, person)
        books_are_right(stage, tale, killer)


async def told(tale: Tale, killer: Killer, killing: asyncio.Task[None]) -> None:
    """The story; while most kills are still to come the servers go down once more."""
    await tale.forecast()
    await tale.outage(errors=True)
    await tale.recovery()
    while killer.left > 7:
        await tale.outage(errors=False)
        await tale.recovery()
    await tale.withdrawal()
    await killing
    await tale.rest()


def no_trace_in_the_log(stage: Stage) -> None:
    log = stage.log.read_text(encoding="utf-8")
    assert "Traceback" not in log, log[max(0, log.index("Traceback") - 2000) :][:6000]


def what_was_answered_is_kept(stage: Stage, person: Person) -> None:
    """A person who got an answer may rely on it, whatever happens a millisecond later."""
    assert not [one for one in person.refused if one[2] != 409]
    books = Books(stage.state)
    try:
        assert not books.commands_lost(person.answered)
    finally:
        books.close()


def books_are_right(stage: Stage, tale: Tale, killer: Killer) -> None:
    books = Books(stage.state)
    try:
        wrong = {
            "files": books.files(),
            "why": books.chains(),
            "numbers": books.numbers(),
            "findings twice": books.findings_twice(),
            "notices twice": books.notices_twice(),
            "timeline": books.entries_twice(),
            "deliveries": books.deliveries(stage.sinks.raw),
            "cut short": books.cut_short(killer.cut, stage.sinks.raw),
            "samples": books.samples(),
        }
        assert not {what: found for what, found in wrong.items() if found}
        assert books.errors_counted() == tale.errors_written
        assert not books.ledger.load().in_flight
        states = Counter(message.state for message in books.messages)
        assert states[MessageState.SENT] >= 8
        print({str(state): n for state, n in states.items()})
    finally:
        books.close()
