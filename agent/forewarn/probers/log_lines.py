"""Counting lines: pure, so that files, the journal, scenarios and history all count alike.

Counters only ever grow, also across restarts: the follower keeps them in its cursor. A set of labels that is seen for the
first time is born with 0 one millisecond before its first count, so that a rule sees the growth and not only a new series.
Source of the shape: google/mtail's counters. Which events are worth a look is log_find.py's answer; here the patterns
themselves decide.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any

from forewarn.model.probe import Probe
from forewarn.model.series import Column, Labels, Outcome, ProbeRun
from forewarn.probers.expect import as_text
from forewarn.probers.jsonpath import MISSING, find
from forewarn.probers.log_find import Finder, finder
from forewarn.probers.log_tally import Counts, Tally
from forewarn.probers.log_templates import TemplateCounts
from forewarn.probers.matching import CountingOptions, Match, metric_of
from forewarn.probers.patterns import compile_pattern, searcher
from forewarn.reach.mask import mask

EXAMPLES = 5
EXAMPLE_LENGTH = 500
LABEL_LENGTH = 128
MOST_KNOWN = 4096
"""Series of a pattern that are remembered by the bytes that made them."""
BIRTH_S = 0.001

Fields = Callable[[int], object]
"""The fields of the event that begins at that place in the block; None where it has none."""
Stamp = Callable[[bytes], float | None]
"""When an event was, in epoch seconds, if that is long ago; None for one of now."""


ColumnOf = Callable[[bytes], Column | None]
"""The series that an event counts in by a pattern's text alone; None where it does not match."""


@dataclass(frozen=True)
class Patterns:
    """The compiled patterns of a probe. `more` has those that also ask for an event's fields."""

    finder: Finder
    each: tuple[ColumnOf, ...]
    more: Mapping[int, Match]


@lru_cache(maxsize=256)
def _compiled(key: tuple[tuple[str, str], ...]) -> Patterns:
    written = [(metric_of(name), Match.model_validate_json(text)) for name, text in key]
    each = tuple(_column_of(metric, one) for metric, one in written)
    more = {place: one for place, (_, one) in enumerate(written) if one.fields}
    return Patterns(finder([one.match or "" for _, one in written]), each, more)


def compiled(options: CountingOptions) -> Patterns:
    """The patterns of a probe, ready to match; equal ones are compiled once."""
    return _compiled(tuple((name, one.model_dump_json()) for name, one in options.patterns.items()))


def _column_of(metric: str, one: Match) -> ColumnOf:
    plain: Column = (metric, ())
    search = searcher(one.match or "")
    unless = searcher(one.unless) if one.unless else None
    groups = sorted(compile_pattern(one.match or "").groupindex.items())
    names, numbers = [name for name, _ in groups], [number for _, number in groups]
    known: dict[bytes | tuple[bytes, ...], Column] = {}

    def made(values: tuple[bytes, ...], key: bytes | tuple[bytes, ...]) -> Column:
        labels = zip(names, (value.decode("utf-8", "replace")[:LABEL_LENGTH] for value in values), strict=True)
        found: Column = (metric, tuple(labels))
        if len(known) < MOST_KNOWN:
            known[key] = found
        return found

    def column(text: bytes) -> Column | None:
        spans = search(text)
        if spans is None or (unless is not None and unless(text) is not None):
            return None
        if not numbers:
            return plain
        values = tuple([text[spans[number][0] : spans[number][1]] for number in numbers])
        return known.get(values) or made(values, values)

    only = numbers[0] if len(numbers) == 1 else 0

    def labelled(text: bytes) -> Column | None:
        """The same for the most common sort: one group, and nothing that must not be there."""
        spans = search(text)
        if spans is None:
            return None
        begin, end = spans[only]
        value = text[begin:end]
        return known.get(value) or made((value,), value)

    return labelled if only and unless is None else column


@dataclass
class Matches:
    """What a block held: how many events, how often each column, and the first examples, masked and cut.

    `past` has those that were long ago, by the time (epoch seconds) at which they are to be counted.
    """

    lines: int = 0
    counts: Counter[Column] = field(default_factory=Counter)
    past: dict[float, Counter[Column]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    @property
    def matched(self) -> bool:
        return bool(self.counts or self.past)


def match_lines(patterns: Patterns, lines: Sequence[str], fields: Fields | None = None) -> Matches:
    """Count what matches; each item is an event, and may have newlines inside."""
    block = [line.encode("utf-8", "replace") + b"\n" for line in lines]
    starts = list(accumulate((len(line) for line in block), initial=0))[:-1]
    return match_block(patterns, b"".join(block), starts, fields=fields)


def match_block(
    patterns: Patterns,
    block: bytes,
    starts: Sequence[int] | None = None,
    *,
    examples: int = EXAMPLES,
    fields: Fields | None = None,
    stamp: Stamp | None = None,
) -> Matches:
    """Count what matches. Each pattern counts an event at most once. For `block` and `starts` see log_find.py.

    At most so many `examples` are kept. Without `fields`, those of an event are its JSON object.
    """
    found = Matches(block.count(b"\n") if starts is None else len(starts))
    columns: list[Column] = []
    for begin, end, places in patterns.finder.hits(block, starts):
        text, before = block[begin:end], len(columns)
        for place in places:
            column = patterns.each[place](text)
            if column is not None:
                columns.append(column)
        if patterns.more and len(columns) > before:
            columns[before:] = _by_fields(patterns, places, text, fields(begin) if fields else _json(text))
        if len(columns) == before:
            continue
        if len(found.examples) < examples:
            found.examples.append(mask(text[: 4 * EXAMPLE_LENGTH].decode("utf-8", "ignore"))[:EXAMPLE_LENGTH])
        if stamp and (at_s := stamp(text)) is not None:
            found.past.setdefault(at_s, Counter()).update(columns[before:])
            del columns[before:]
    found.counts.update(columns)
    return found


def _by_fields(patterns: Patterns, places: Iterable[int], text: bytes, known: object) -> list[Column]:
    """What one event with fields counts in."""
    columns = []
    for place in places:
        column, more = patterns.each[place](text), patterns.more.get(place)
        if column is None or (more and not all(claim.holds(find(known, path)) for path, claim in more.conditions)):
            continue
        columns.append((column[0], _with_fields(column[1], more, known)) if more else column)
    return columns


def _with_fields(labels: Labels, one: Match, known: object) -> Labels:
    found = ((name, find(known, path)) for name, path in one.label_paths)
    more = [(name, "" if value is MISSING or value is None else as_text(value)[:LABEL_LENGTH]) for name, value in found]
    return tuple(sorted((*labels, *more)))


def _json(text: bytes) -> object:
    """The object of a line; None for one that is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def runs_of(
    probe: Probe, before: Counts, after: Counts, at_s: float, lines: Sequence[str] = (), **more: Any
) -> tuple[ProbeRun, ...]:
    """The run that tells `after`, and before it the one in which its new series are born with 0."""
    target = probe.targets[0].name if probe.targets else "local"
    born = after.columns[len(before.columns) :]
    run = ProbeRun(
        probe=probe.name,
        target=target,
        at_s=at_s,
        outcome=Outcome.UP,
        columns=after.columns,
        values=after.values,
        lines=tuple(lines),
        **more,
    )
    if not born:
        return (run,)
    zero = before.values + (0.0,) * len(born)
    return (ProbeRun(probe.name, target, at_s - BIRTH_S, Outcome.UP, after.columns, zero), run)


class LineCounter:
    """Counts lines for those who have lines and no file: scenarios and rehearsals on history."""

    def __init__(self, options: CountingOptions, stored: Mapping[str, float] | None = None) -> None:
        self._patterns, self._tally = compiled(options), Tally(options, stored)
        self._templates = TemplateCounts(options.max_labels) if getattr(options, "templates", False) else None

    def runs(self, probe: Probe, lines: Sequence[str], at_s: float) -> tuple[ProbeRun, ...]:
        """What a follower would have told after `lines`: one run, or two where labels are new."""
        before, found = self._tally.counts(), match_lines(self._patterns, lines)
        self._tally.add(found.lines, found.counts)
        if self._templates:
            self._tally.add(0, self._templates.of([each for line in lines for each in line.split("\n")], 0, at_s)[0])
        return runs_of(probe, before, self._tally.counts(), at_s, found.examples)

    def run(self, probe: Probe, lines: Sequence[str], at_s: float) -> ProbeRun:
        """The last of `runs`, for those who know that a counter which is seen for the first time began at 0."""
        return self.runs(probe, lines, at_s)[-1]
