"""How much a provider takes a minute: a storm must not use up what the next P0 needs.

A chat provider silences whoever writes too often (DingTalk: 20 a minute, then nothing for ten). So each account of one has a
budget over a sliding minute, of which the last few are kept for pages of P0. What has no room waits, the most urgent first.
A provider that says itself when it will take more (429 with Retry-After) is left alone until then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from forewarn.model.settings import Budget

WINDOW = timedelta(minutes=1)
P0_PAGE = 0
"""The urgency of a page for a P0 (model/actions.py)."""


class Budgets:
    """Of all accounts. Kept in memory: after a restart the provider's own limit is met at worst once."""

    def __init__(self, limits: Callable[[], Mapping[str, Budget]]) -> None:
        """`limits` by provider, the scheme of its addresses; one that is not named has no limit."""
        self._limits = limits
        self._spent: dict[str, deque[datetime]] = {}
        self._closed: dict[str, datetime] = {}

    def allows(self, account: str, urgency: int, now: datetime) -> bool:
        """Whether something so urgent may go to `account`, "provider name", now."""
        if now < self._closed.get(account, now):
            return False
        budget = self._limits().get(account.partition(" ")[0])
        if budget is None:
            return True
        spent = self._recent(account, now)
        return len(spent) < (budget.per_minute if urgency == P0_PAGE else budget.per_minute - budget.keep)

    def spend(self, account: str, now: datetime) -> None:
        """One thing goes there now."""
        if account.partition(" ")[0] in self._limits():
            self._recent(account, now).append(now)

    def close(self, account: str, until: datetime) -> None:
        """The provider wants nothing before `until`."""
        self._closed[account] = max(until, self._closed.get(account, until))

    def opens_in_s(self, account: str, now: datetime) -> float:
        """After how many seconds it is worth asking again."""
        if now < (closed := self._closed.get(account, now)):
            return (closed - now).total_seconds()
        spent = self._recent(account, now)
        return max(0.0, (spent[0] + WINDOW - now).total_seconds()) if spent else 0.0

    def _recent(self, account: str, now: datetime) -> deque[datetime]:
        spent = self._spent.setdefault(account, deque())
        while spent and not now - WINDOW < spent[0] <= now:
            spent.popleft()
        return spent
