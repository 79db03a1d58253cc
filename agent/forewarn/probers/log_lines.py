"""Counting lines: pure, so that files, scenarios and history all count alike.

Counters only ever grow, also across restarts: the follower keeps them in its cursor. A set of labels that is seen for the
first time is born with 0 one millisecond before its first count, so that a rule sees the growth and not only a new series.
Source of the shape: google/mtail's counters; RE2::Set finds which patterns match a line in one pass over it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from forewarn.model.probe import Probe
from forewarn.model.series import Column, Labels, Outcome, ProbeRun, metric_text, parse_metric
from forewarn.probers.log import LogOptions, metric_of
from forewarn.probers.patterns import compile_pattern
from forewarn.reach.mask import mask

LINES: Column = ("lines_total", ())
OTHER = "other"
EXAMPLES = 5
EXAMPLE_LENGTH = 500
LABEL_LENGTH = 128
BIRTH_S = 0.001


@dataclass(frozen=True)
class Patterns:
    """The compiled patterns of a probe: `which` tells in one pass which of `each` match a line."""

    which: Any
    each: tuple[tuple[str, Any, Any, tuple[str, ...]], ...]  # metric, match, unless, names of its groups in order


@lru_cache(maxsize=256)
def _compiled(written: tuple[tuple[str, str, str | None], ...]) -> Patterns:
    import re2

    options = re2.Options()
    options.log_errors = False
    which, each = re2.Set.SearchSet(options), []
    for name, match, unless in written:
        which.Add(match)
        pattern = compile_pattern(match)
        each.append((metric_of(name), pattern, compile_pattern(unless) if unless else None, tuple(sorted(pattern.groupindex))))
    which.Compile()
    return Patterns(which, tuple(each))


def compiled(options: LogOptions) -> Patterns:
    """The patterns of a probe, ready to match; equal options share one set."""
    return _compiled(tuple((name, one.match, one.unless) for name, one in options.patterns.items()))


@dataclass
class Matches:
    """What a batch of lines held: how many, how often each column, and the first examples, masked and cut."""

    lines: int = 0
    counts: Counter[Column] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def matched(self) -> bool:
        return bool(self.counts)


def match_lines(patterns: Patterns, lines: Iterable[str]) -> Matches:
    """Count what matches. Each pattern counts a line at most once."""
    found = Matches()
    which, each = patterns.which, patterns.each
    for line in lines:
        found.lines += 1
        hits = which.Match(line)
        if not hits:
            continue
        counted = False
        for index in sorted(hits):
            metric, match, unless, names = each[index]
            if unless is not None and unless.search(line) is not None:
                continue
            found.counts[(metric, _labels(match, names, line))] += 1
            counted = True
        if counted and len(found.examples) < EXAMPLES:
            found.examples.append(mask(line[: 4 * EXAMPLE_LENGTH])[:EXAMPLE_LENGTH])
    return found


def _labels(match: Any, names: tuple[str, ...], line: str) -> Labels:
    if not names:
        return ()
    groups = match.search(line)
    return tuple((name, (groups.group(name) or "")[:LABEL_LENGTH]) for name in names)


@dataclass(frozen=True, slots=True)
class Counts:
    """All counters of a log probe. The columns keep their order; new ones come at the end."""

    columns: tuple[Column, ...]
    values: tuple[float, ...]

    def stored(self) -> dict[str, float]:
        """For a cursor."""
        return {metric_text(*column): value for column, value in zip(self.columns, self.values, strict=True)}


def first_counts(options: LogOptions, stored: Mapping[str, float] | None = None) -> Counts:
    """Where counting begins: at what an earlier run has stored, and 0 for every pattern without labels."""
    start: dict[Column, float] = {LINES: 0.0}
    known = {metric_of(name): _names(one.match) for name, one in options.patterns.items()}
    start |= {(metric, ()): 0.0 for metric, names in known.items() if not names}
    for text, value in (stored or {}).items():
        metric, labels = parse_metric(text)
        if (metric, labels) in start or known.get(metric) == tuple(name for name, _ in labels):
            start[(metric, labels)] = float(value)
    return Counts(tuple(start), tuple(start.values()))


def _names(pattern: str) -> tuple[str, ...]:
    return tuple(sorted(compile_pattern(pattern).groupindex))


def add(counts: Counts, found: Matches, max_labels: int) -> Counts:
    """The counters after a batch. Beyond `max_labels` sets of labels, a pattern's new ones are counted as "other"."""
    if not found.lines:
        return counts
    total = dict(zip(counts.columns, counts.values, strict=True))
    total[LINES] += found.lines
    sets = Counter(metric for metric, labels in total if labels and not _is_other(labels))
    for column, count in found.counts.items():
        metric, labels = column
        if column not in total and labels:
            if sets[metric] >= max_labels:
                column = (metric, tuple((name, OTHER) for name, _ in labels))
            else:
                sets[metric] += 1
        total[column] = total.get(column, 0.0) + count
    columns = counts.columns if len(total) == len(counts.columns) else tuple(total)
    return Counts(columns, tuple(total.values()))


def _is_other(labels: Labels) -> bool:
    return all(value == OTHER for _, value in labels)


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

    def __init__(self, options: LogOptions) -> None:
        self._patterns, self._max_labels = compiled(options), options.max_labels
        self._counts = first_counts(options)

    def runs(self, probe: Probe, lines: Sequence[str], at_s: float) -> tuple[ProbeRun, ...]:
        """What a follower would have told after `lines`: one run, or two where labels are new."""
        before, found = self._counts, match_lines(self._patterns, lines)
        self._counts = add(before, found, self._max_labels)
        return runs_of(probe, before, self._counts, at_s, found.examples)

    def run(self, probe: Probe, lines: Sequence[str], at_s: float) -> ProbeRun:
        """The last of `runs`, for those who know that a counter which is seen for the first time began at 0."""
        return self.runs(probe, lines, at_s)[-1]
