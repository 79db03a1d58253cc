"""The counters of a probe that counts matches, and the bound on how many there may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from forewarn.model.series import Column, Labels, metric_text, parse_metric
from forewarn.probers.matching import LINES_TOTAL, CountingOptions

LINES: Column = (LINES_TOTAL, ())
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Counts:
    """All counters at one moment. The columns keep their order; new ones come at the end."""

    columns: tuple[Column, ...]
    values: tuple[float, ...]


class Tally:
    """Counts on from what an earlier run has stored; every pattern without labels begins at 0 at once."""

    def __init__(self, options: CountingOptions, stored: Mapping[str, float] | None = None) -> None:
        known = options.labelled
        self._most = options.max_labels
        self._total: dict[Column, float] = {LINES: 0.0}
        self._total |= {(metric, ()): 0.0 for metric, names in known.items() if not names}
        for text, value in (stored or {}).items():
            metric, labels = parse_metric(text)
            if (metric, labels) in self._total or known.get(metric) == tuple(name for name, _ in labels):
                self._total[(metric, labels)] = float(value)
        self._sets = Counter(metric for metric, labels in self._total if labels and not _is_other(labels))
        self._columns = tuple(self._total)
        self._full = {metric for metric, labels in self._total if labels and _is_other(labels)}
        self._counts: Counts | None = None

    def add(self, lines: int, found: Mapping[Column, int]) -> None:
        """Beyond `max_labels` sets of labels, a pattern's new ones are counted as "other"."""
        if not lines and not found:
            return
        self._counts = None
        self._total[LINES] += lines
        for column, count in found.items():
            if column not in self._total and column[1]:
                column = self._admitted(column)
            self._total[column] = self._total.get(column, 0.0) + count

    def _admitted(self, column: Column) -> Column:
        metric, labels = column
        if self._sets[metric] < self._most:
            self._sets[metric] += 1
            return column
        self._full.add(metric)
        return metric, tuple((name, OTHER) for name, _ in labels)

    def counts(self) -> Counts:
        """As they are now; the columns are the same tuple until there is a new one."""
        if len(self._columns) != len(self._total):
            self._columns = tuple(self._total)
        self._counts = self._counts or Counts(self._columns, tuple(self._total.values()))
        return self._counts

    def stored(self) -> dict[str, float]:
        """For a cursor."""
        return {metric_text(*column): value for column, value in self._total.items()}

    def trouble(self) -> str | None:
        """Which patterns have more sets of labels than they may."""
        if not self._full:
            return None
        names = ", ".join(sorted(self._full))
        return f'{names}: more than {self._most} sets of labels, the others count as "{OTHER}" (max_labels)'


def _is_other(labels: Labels) -> bool:
    return all(value == OTHER for _, value in labels)
