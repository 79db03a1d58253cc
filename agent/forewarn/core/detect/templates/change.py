"""What is different in a log from some moment on: templates that are new, burst, have vanished, or never came together before.

Each difference has a surprise in decades (3: one in a thousand), so that all kinds stand in one order:

- new: how seldom a line before was of a template that came only once (Good 1953: the chance that the next one is new), and a
  little for how often it came;
- bursting, vanished: the likelihood ratio of its count against its rate before, divided by how unevenly it came before
  (variance over mean of its counts in equal stretches), since logs come in bursts;
- together: of two templates that both came before, never in one stretch, and now do: how seldom chance would do that.

Trouble by level or words comes before the rest, unless it vanished: an error is looked at before a greeting.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import log, log10

LEAST = 3.0
"""Surprise of what is told of bursting and vanished templates."""
LEAST_LINES, LEAST_FACTOR = 5, 3.0
TOGETHER, TOGETHER_CHANCE = 3, 0.05
"""Stretches in which each of two must have come before, and the chance by which they could be together now, at most."""
PAIRED = 200
"""Templates of which pairs are looked at: the rarest ones."""
MOST = 6.0
"""Surprise of a rate beyond which it grows by decades only: logs come in bursts, and one in a million is as sure as they get."""


class Kind(StrEnum):
    """What a difference is."""

    NEW = "new"
    BURST = "burst"
    VANISHED = "vanished"
    TOGETHER = "together"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `expected`: lines that the time before would make us expect after; `first`: index of the first line."""

    kind: Kind
    templates: tuple[int, ...]
    before: int
    after: int
    expected: float
    surprise: float
    first: int


@dataclass
class Part:
    """The lines on one side of the moment: of which template, and in which stretch of time or lines each lies."""

    counts: Counter[int]
    stretches: dict[int, Counter[int]]
    first: dict[int, int]

    @staticmethod
    def of(lines: Iterable[tuple[int, int, int]]) -> Part:
        """`lines`: index, template and stretch of each."""
        part = Part(Counter(), defaultdict(Counter), {})
        for index, template, stretch in lines:
            part.counts[template] += 1
            part.stretches[template][stretch] += 1
            part.first.setdefault(template, index)
        return part


def changes(before: Part, after: Part, ratio: float, trouble: Mapping[int, int]) -> list[Change]:
    """The differences, trouble first, then the most surprising. `ratio`: how long the time after is, against that before; `trouble`: 0, 1 or 2
    for each template."""
    found = [*_new(before, after), *_rates(before, after, ratio), *_together(before, after)]
    return sorted(found, key=lambda one: (-_trouble(one, trouble), -one.surprise, one.first))


def _trouble(change: Change, trouble: Mapping[int, int]) -> int:
    """That trouble is gone is no trouble."""
    return 0 if change.kind is Kind.VANISHED else max(trouble.get(one, 0) for one in change.templates)


def _new(before: Part, after: Part) -> Iterable[Change]:
    once = sum(count == 1 for count in before.counts.values())
    surprise = -log10((once + 1) / (before.counts.total() + 2))
    for template, count in after.counts.items():
        if template not in before.counts:
            yield Change(Kind.NEW, (template,), 0, count, 0.0, surprise + log10(count), after.first[template])


def _rates(before: Part, after: Part, ratio: float) -> Iterable[Change]:
    stretches = len({one for counts in before.stretches.values() for one in counts})
    for template, count in before.counts.items():
        now, expected = after.counts.get(template, 0), (count + 0.5) * ratio
        likelihood = (now * log(now / expected) if now else 0.0) - (now - expected)
        surprise = likelihood / log(10) / _unevenness(before.stretches[template], stretches)
        if surprise < LEAST:
            continue
        surprise = surprise if surprise <= MOST else MOST + log10(surprise / MOST)
        if now >= LEAST_LINES and now >= LEAST_FACTOR * expected:
            yield Change(Kind.BURST, (template,), count, now, expected, surprise, after.first[template])
        elif not now and count >= LEAST_LINES:
            yield Change(Kind.VANISHED, (template,), count, 0, expected, surprise, before.first[template])


def _unevenness(counts: Mapping[int, int], stretches: int) -> float:
    """Variance over mean of the counts in all stretches; 1 for what comes by chance, and never less."""
    mean = sum(counts.values()) / stretches
    variance = sum(count * count for count in counts.values()) / stretches - mean * mean
    return max(1.0, variance / mean)


def _together(before: Part, after: Part) -> Iterable[Change]:
    old = sorted((len(before.stretches[one]), one) for one in after.counts if len(before.stretches.get(one, ())) >= TOGETHER)
    rare = [template for _, template in old[:PAIRED]]
    were = len({one for counts in before.stretches.values() for one in counts}) or 1
    are = len({one for counts in after.stretches.values() for one in counts}) or 1
    for one, two in combinations(sorted(rare), 2):
        now = after.stretches[one].keys() & after.stretches[two].keys()
        if not now or before.stretches[one].keys() & before.stretches[two].keys():
            continue
        chance = are * len(before.stretches[one]) / were * len(before.stretches[two]) / were
        if chance <= TOGETHER_CHANCE:
            surprise = -log10(chance) + log10(len(now))
            yield Change(Kind.TOGETHER, (one, two), 0, len(now), chance, surprise, max(after.first[one], after.first[two]))


def parts(lines: Sequence[tuple[int, int]], split: int) -> tuple[Part, Part]:
    """The lines before index `split` and those from it on; each as template and stretch."""
    numbered = [(index, template, stretch) for index, (template, stretch) in enumerate(lines)]
    return Part.of(numbered[:split]), Part.of(numbered[split:])
