"""Templates as counters, for log probes that ask for them: a series for each kind of line, so that rules see what is new or gone.

The label of a template is its text when it first came, and stays even when more of it turns out to vary: a series that
changed its name would look like something new. What outlives a restart is the text of each template that has a label, and
which of its places vary by experience; what is lost beyond that is learnt again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from forewarn.core.detect.templates.events import Events
from forewarn.core.detect.templates.miner import OTHER, Miner
from forewarn.model.series import Column
from forewarn.probers.log import TEMPLATE, TEMPLATE_TOTAL
from forewarn.reach.mask import mask

REST = "other"
LABEL_LENGTH = 128
REMEMBERED = 1024
FILES = 32
"""Files whose state (a line that others belong to) is kept; of more, those that were read longest ago begin anew."""
SPARE = 10
"""So many times more templates are told apart than have labels: what is rare and comes first may turn out to be one of them."""
RATE, BURST = 20_000, 200_000
"""Lines a second, and at once, that are looked at; the rest of a flood counts as "other"."""

Stamp = Callable[[bytes], float | None]


class TemplateCounts:
    """Of one probe. `most`: labels; the rest is "other". Times are monotonic seconds."""

    def __init__(self, most: int, stored: Sequence[Mapping[str, Any]] = (), now_s: float = 0.0) -> None:
        self._most = most
        self._miner = Miner(SPARE * most, REMEMBERED)
        self._files: dict[int, Events] = {}
        self._labels: dict[int, str] = {}
        self._budget, self._at_s = float(BURST), now_s
        for one in stored:
            number = self._miner.restore(one)
            if number != OTHER:
                self._labels.setdefault(number, str(one["label"]))

    def of(
        self, lines: Sequence[str], file: int, now_s: float, stamp: Stamp | None = None
    ) -> tuple[Counter[Column], dict[float, Counter[Column]]]:
        """What these lines add now, and what was long ago, by the time that `stamp` tells.

        Lines that belong to the line before them (stack traces) are not counted.
        """
        self._budget = min(BURST, self._budget + RATE * max(0.0, now_s - self._at_s))
        self._at_s = now_s
        taken = lines[: int(self._budget)]
        self._budget -= len(taken)
        now, past = Counter[Column](), dict[float, Counter[Column]]()
        for line, event in zip(taken, self._events(file).of(taken), strict=True):
            if not event.folded:
                at_s = stamp(line.encode("utf-8", "replace")) if stamp else None
                counts = now if at_s is None else past.setdefault(at_s, Counter())
                counts[_column(self._label(event.template))] += 1
        if len(lines) > len(taken):
            now[_column(REST)] += len(lines) - len(taken)
        return now, past

    def stored(self) -> list[dict[str, Any]]:
        """For a cursor: what a later run takes as `stored`."""
        roots = dict[int, str]()
        for number, label in self._labels.items():
            roots.setdefault(self._miner.root(number), label)
        return [{"label": label, **self._miner.stored(root)} for root, label in roots.items()]

    def _events(self, file: int) -> Events:
        events = self._files.pop(file, None) or Events(self._miner, remembered=REMEMBERED)
        while len(self._files) >= FILES:
            del self._files[next(iter(self._files))]
        self._files[file] = events
        return events

    def _label(self, number: int) -> str:
        root = self._miner.root(number)
        label = self._labels.get(root)
        if label is None:
            if root == OTHER or len(self._labels) >= self._most:
                return REST
            label = self._labels[root] = mask(self._miner.text(root))[:LABEL_LENGTH] or "(empty)"
        return label


def _column(label: str) -> Column:
    return TEMPLATE_TOTAL, ((TEMPLATE, label),)
