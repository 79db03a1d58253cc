"""What runs, for people who look: thousands of probes at a glance, and some of them in full.

Both belong to the loop, because the watches do, and both are made in slices, so that nobody who looks holds up the probes.
A watch keeps its stand until something about it changes, and its view until its next run; a glance is kept for a second, for all who
look meanwhile, and longer when nothing has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from forewarn.model.glance import Glance, Stand
from forewarn.ports import Clock, ProbeView
from forewarn.runtime.watch import Watch

FRESH_S = 1.0
AT_ONCE_S = 0.002
"""So long one slice works; then what is due comes first."""
LOOKED_AT = 4
"""Stands between two looks at the clock."""


class Board:
    """Over the poller's watches, by name. All on the loop's thread."""

    def __init__(self, watches: Mapping[str, Watch], clock: Clock) -> None:
        self._watches, self._clock = watches, clock
        self._glance = Glance()
        self._stands: dict[str, Stand] = {}  # the newest, by name
        self._changed: list[tuple[Stand, Stand]] = []  # before and after, where they are not those of the glance yet
        self._made_s: float | None = None
        self._making = asyncio.Lock()

    async def glance(self) -> Glance:
        """All probes, as they were FRESH_S ago at most; whoever asks while one is being made gets that one."""
        async with self._making:
            if self._made_s is None or not 0 <= self._clock.monotonic() - self._made_s < FRESH_S:
                self._glance = await self._looked()
                self._made_s = self._clock.monotonic()
            return self._glance

    async def views(self, names: Sequence[str]) -> list[ProbeView]:
        """All that is known of these probes now; unknown names are left out."""
        found: list[ProbeView] = []
        began_s = self._clock.monotonic()
        for name in names:
            if watch := self._watches.get(name):
                found.append(ProbeView(probe=watch.probe, targets=watch.view(self._clock.now())))
            if self._clock.monotonic() - began_s > AT_ONCE_S:
                await asyncio.sleep(0)
                began_s = self._clock.monotonic()
        return found

    def outcomes(self) -> dict[str, int]:
        """Targets by the outcome of their last run; those that had none yet are unknown."""
        found = {"up": 0, "down": 0, "unknown": 0}
        for watch in self._watches.values():
            for run in watch.last():
                found[str(run.outcome)] += 1
            found["unknown"] += len(watch.probe.targets) - len(watch.last())
        return found

    def waits(self) -> bool:
        """Whether some target has not been looked at yet."""
        return any(len(watch.last()) < len(watch.probe.targets) for watch in self._watches.values())

    async def _looked(self) -> Glance:
        """The newest glance: the one that there is while nothing has changed. Only probes that stand otherwise are looked at."""
        if self._watches.keys() != self._stands.keys():  # at the start, and after a reload
            found = {name: stand async for name, stand in self._stood(sorted(self._watches))}
            self._stands, self._changed = found, []
            return Glance(tuple(found.values()))
        async for name, stand in self._stood([name for name, watch in self._watches.items() if watch.standing is None]):
            self._changed.append((self._stands[name], stand))
            self._stands[name] = stand
        if not self._changed:
            return self._glance
        changed, self._changed = self._changed, []
        return self._glance.then(tuple(self._stands.values()), changed)

    async def _stood(self, names: Sequence[str]) -> AsyncIterator[tuple[str, Stand]]:
        """These probes at a glance, in slices; those that a reload takes away meanwhile are left out."""
        began_s = self._clock.monotonic()
        for at, name in enumerate(names):
            if watch := self._watches.get(name):
                yield name, watch.stand()
            if at % LOOKED_AT == LOOKED_AT - 1 and self._clock.monotonic() - began_s > AT_ONCE_S:
                await asyncio.sleep(0)
                began_s = self._clock.monotonic()
