"""Disks of one batch: the same model and firmware often wear, and fail, together.

A disk ails when its verdict is failing, or when one of its warning counters has grown since we began to look. What stood
before says nothing about the batch; a restart begins anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from forewarn.model.series import Labels
from forewarn.probers.smart_answer import Disk
from forewarn.probers.smart_verdict import COUNTED, Word, verdict_of

METRIC = "batch_ailing"


class Batches:
    """Remembers each disk's counters as they were first seen."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str, float]] = {}

    def ailing(self, disks: Iterable[Disk]) -> list[tuple[Labels, float]]:
        """How many disks of each batch ail, for batches of two and more."""
        sizes, ailing = Counter[Labels](), Counter[Labels]()
        for disk in disks:
            batch = (("firmware", disk.firmware or "?"), ("model", disk.model))
            sizes[batch] += 1
            ailing[batch] += self._ails(disk)
        return [(batch, float(ailing[batch])) for batch in sorted(sizes) if sizes[batch] > 1]

    def _ails(self, disk: Disk) -> bool:
        first = self._first.setdefault(disk.serial, {name: disk.values[name] for name in COUNTED if name in disk.values})
        grew = any(disk.values.get(name, 0.0) > value for name, value in first.items())
        return grew or verdict_of(disk).word is Word.FAILING
