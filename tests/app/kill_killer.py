"""Kills the daemon at random moments and starts it again."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress

from kill_stage import Person, Stage

from forewarn.app.demo_sinks import Arrived

WAIT_S = 3.0
"""How long a life waits at most for the moment it was meant to end at."""


class Killer:
    """`lives` names how each life is to end: at a random moment (any), while it starts (start), within 50 ms after a person
    has approved (approve), or between a notice's arrival and the answer to it (webhook, mail)."""

    def __init__(self, stage: Stage, person: Person, kills: int, chance: random.Random) -> None:
        self._stage, self._person, self._chance = stage, person, chance
        special = ["approve"] * (kills // 4) + ["webhook", "mail"] * (kills // 10) + ["start"] * (kills // 8)
        self._lives = special + ["any"] * (kills - len(special))
        chance.shuffle(self._lives)
        self.ended: Counter[str] = Counter()
        self.cut: list[Arrived] = []
        """Arrivals whose answer the sender did not live to get."""

    @property
    def left(self) -> int:
        return len(self._lives)

    async def run(self) -> None:
        """All kills; then one more life that is let live."""
        while self._lives:
            meant = self._lives.pop()
            await self._stage.start()
            how = await self._life(meant)
            await self._stage.killed()
            self.ended[how] += 1
            if how != meant:  # it counts as a random moment; what was meant gets another chance
                with suppress(ValueError):
                    self._lives[self._lives.index("any")] = meant
        await self._stage.start()
        await self._stage.answers()

    async def _life(self, meant: str) -> str:
        """Wait for the moment; how the life ended."""
        if meant == "start":
            await asyncio.sleep(self._chance.uniform(0.0, 1.2))
            return meant
        await self._stage.answers()
        await self._person.hurried.wait()
        if meant == "any":
            await asyncio.sleep(self._chance.uniform(0.0, WAIT_S))
            return meant
        seen = await (self._approval() if meant == "approve" else self._arrival(meant))
        return meant if seen else "any"

    async def _approval(self) -> bool:
        self._person.approved.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_S):
                await self._person.approved.wait()
                await asyncio.sleep(self._chance.uniform(0.0, 0.05))
                return True
        return False

    async def _arrival(self, by: str) -> bool:
        came = asyncio.Event()

        def cut(arrived: Arrived) -> None:
            if arrived.by == by:
                self._stage.kill_now()
                self._stage.sinks.armed = None
                self.cut.append(arrived)
                came.set()

        self._stage.sinks.armed = cut
        try:
            async with asyncio.timeout(WAIT_S):
                await came.wait()
        except TimeoutError:
            return False
        finally:
            self._stage.sinks.armed = None
        return True
