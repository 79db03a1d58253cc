"""A fresh watch takes up what its rules had learnt before a restart.

What was kept is taken only whole, in the form that this version writes, and for a rule whose text is the same. For all else the
rule begins anew: it learns from the samples, as it did before anything was kept, and the log says why.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields, is_dataclass

import structlog

from forewarn.core.detect import keeping
from forewarn.model.kept import Kept
from forewarn.model.probe import Rule
from forewarn.model.series import SeriesId
from forewarn.runtime.judge import Judge
from forewarn.runtime.line import Line

log = structlog.get_logger("forewarn.recollect")
CHANGED, DAMAGED = "the rule was changed", "it can't be read"


def text_of(rule: Rule) -> int:
    """A checksum of what a rule says; the same in every process."""
    return zlib.crc32(_spelled(rule.says).encode("utf-8", "surrogatepass"))


def _spelled(one: object) -> str:
    if isinstance(one, frozenset):  # in no order of its own
        return f"{{{','.join(sorted(map(_spelled, one)))}}}"
    if isinstance(one, tuple):
        return f"({','.join(map(_spelled, one))})"
    if is_dataclass(one) and not isinstance(one, type):
        return f"{type(one).__name__}({','.join(_spelled(getattr(one, part.name)) for part in fields(one))})"
    return repr(one)


class Recollection:
    """What is kept of one probe; it goes `into` every line that begins."""

    def __init__(self, rows: Iterable[Kept] = ()) -> None:
        self._rows: dict[tuple[str, str], Kept] = {(row.series, row.rule): row for row in rows}
        self._texts: dict[str, int] = {}
        self._refused: Counter[tuple[str, str]] = Counter()  # rule, why
        self._why: dict[str, str] = {}
        self.taken = 0

    def __bool__(self) -> bool:
        return bool(self._rows)

    @property
    def series(self) -> list[SeriesId]:
        """Those of which something is kept still."""
        return [SeriesId.parse(text) for text in dict.fromkeys(series for series, _ in self._rows)]

    def into(self, line: Line) -> None:
        """Give the line's judges their states; `kept_s` of a judge tells that it has one, and as of which sample."""
        if self._rows:
            series = str(line.id)
            for judge in line.judges:
                if row := self._rows.pop((series, judge.rule.name), None):
                    self._give(judge, row)

    def tell(self) -> None:
        """Say in the log which rules begin anew, and why."""
        for (rule, why), count in self._refused.items():
            say = log.info if why == CHANGED else log.warning
            say("rule_learns_anew", rule=rule, why=why, series=count, error=self._why.get(rule))

    def _give(self, judge: Judge, row: Kept) -> None:
        rule = judge.rule
        if rule.name not in self._texts:
            self._texts[rule.name] = text_of(rule)
        if row.text != self._texts[rule.name]:
            self._refused[rule.name, CHANGED] += 1
            return
        try:
            judge.state = keeping.form_of(judge.detector.step, judge.detector.form).unpacked(row.data)
        except keeping.Unreadable as error:
            self._refused[rule.name, DAMAGED] += 1
            self._why[rule.name] = str(error)
            return
        judge.kept_s = row.seen_s
        self.taken += 1
