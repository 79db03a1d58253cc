"""How many samples there were, and how many of them bad: counts in fixed rings instead of the samples themselves.

Minutes for the last six hours, hours for as long as a budget runs. A ring is a value: what is added makes a new one, and
closed slots are copied only when a slot closes. Places are whole slots since the epoch; a slot without samples holds
zeros, so a gap (we could not look, the machine slept) counts neither way.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ring:
    """`n` and `bad` of the open slot `at`, and of the `size` - 1 closed ones before it.

    Kept are running totals: `ns` and `bads` before each closed slot, the newest last, and `n_before` and `bad_before` before
    the open one. So what a span holds is one subtraction.
    """

    size: int
    at: int | None = None
    n: int = 0
    bad: int = 0
    n_before: int = 0
    bad_before: int = 0
    ns: array[int] = field(default_factory=lambda: array("I"))
    bads: array[int] = field(default_factory=lambda: array("I"))

    def added(self, at: int, n: int, bad: int) -> Ring:
        """With samples in slot `at`. A slot before the open one: the clock was set back, and what lay ahead is forgotten."""
        if self.at is None:
            return Ring(self.size, at, n, bad)
        if at == self.at:
            return Ring(self.size, at, self.n + n, self.bad + bad, self.n_before, self.bad_before, self.ns, self.bads)
        if at > self.at:
            return self._onwards(at - self.at, at, n, bad)
        return self._back(self.at - at, at).added(at, n, bad)

    def _onwards(self, steps: int, at: int, n: int, bad: int) -> Ring:
        keep = self.size - 1
        n_before, bad_before = self.n_before + self.n, self.bad_before + self.bad
        gap = min(steps - 1, keep)
        ns = self.ns + array("I", [self.n_before] + [n_before] * gap)
        bads = self.bads + array("I", [self.bad_before] + [bad_before] * gap)
        return Ring(self.size, at, n, bad, n_before, bad_before, ns[-keep:], bads[-keep:])

    def _back(self, steps: int, at: int) -> Ring:
        """Up to and including slot `at`."""
        place = len(self.ns) - steps
        if place < 0:
            return Ring(self.size, at)
        n_before, bad_before = self.ns[place], self.bads[place]
        last = place + 1 == len(self.ns)
        n = (self.n_before if last else self.ns[place + 1]) - n_before
        bad = (self.bad_before if last else self.bads[place + 1]) - bad_before
        return Ring(self.size, at, n, bad, n_before, bad_before, self.ns[:place], self.bads[:place])

    def closed(self, slots: int) -> tuple[int, int]:
        """Samples and bad ones in the closed slots of a span of so many, of which the open one is the last."""
        count = min(slots - 1, len(self.ns))
        if count <= 0:
            return 0, 0
        return self.n_before - self.ns[-count], self.bad_before - self.bads[-count]
