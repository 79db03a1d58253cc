"""One rendering for all who look at the same page: fifty viewers who hear of a change ask for it in the same second.

A page is the same for everybody with the same address, language, name and right to press buttons, but for the token that its
forms carry. That is put in afterwards, so a page is read and rendered once, by whoever asks first, while the others wait for
it. It is kept for a second, and not at all once something has changed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from forewarn.ports import Clock
from forewarn.web.feed import Changes

KEPT_S = 1.0
MOST_KEPT = 64
Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    count: int  # of the feed, when it was asked for
    at_s: float
    text: asyncio.Task[bytes]


class Shared:
    """Belongs to the loop's thread. `mark` stands where a form's token is to be put in; nobody can guess it."""

    def __init__(self, feed: Changes, clock: Clock) -> None:
        self.mark = f"token-{secrets.token_hex(16)}"
        self._feed, self._clock = feed, clock
        self._kept: dict[Key, _Kept] = {}

    async def text(self, key: Key, make: Callable[[], Awaitable[str]], token: str | None) -> bytes:
        """The page of this key, in UTF-8, with `token` in its forms; `make` renders it if nobody has just now."""
        now_s, count = self._clock.monotonic(), self._feed.count
        kept = self._kept.get(key)
        if kept is None or kept.count != count or not 0 <= now_s - kept.at_s < KEPT_S:
            kept = _Kept(count, now_s, asyncio.ensure_future(_text(make)))
            self._kept.pop(key, None)
            self._kept[key] = kept
            while len(self._kept) > MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
        text = await asyncio.shield(kept.text)  # one viewer who leaves must not take the page from the others
        return text.replace(self.mark.encode(), token.encode()) if token else text


async def _text(make: Callable[[], Awaitable[str]]) -> bytes:
    return (await make()).encode()
