"""What rules have learnt, beside the samples that they learnt it from: one file, one backup, one thread that writes.

A row is written anew every few minutes and at a stop. A power cut may take the newest of it, as of samples; what is left is whole rows
of an earlier moment, and the samples since then are looked at again at the next start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from forewarn.model.kept import Kept, Key
from forewarn.store.codec import clean
from forewarn.store.sqlite import Database, queries

SQL = queries("states")


class SqliteStates:
    """States of rules in the file of the samples. Any thread may call any method; they block and raise StoreError."""

    def __init__(self, file: Database) -> None:
        self._file = file

    def put(self, states: Sequence[Kept]) -> None:
        """Keep these in the place of what was kept for their rules and series, all of them or none."""
        rows = [(clean(one.probe), one.rule, clean(one.series), one.text, one.seen_s, one.data) for one in states]
        with self._file.transaction() as db:
            db.executemany(SQL["put"], rows)

    def of(self, probe: str) -> list[Kept]:
        """All that is kept of a probe's rules."""
        with self._file.reading() as db:
            return [Kept(*row) for row in db.execute(SQL["of"], {"probe": clean(probe)})]

    def drop(self, keys: Iterable[Key]) -> None:
        """Forget these; what is not there is no mistake."""
        with self._file.transaction() as db:
            db.executemany(SQL["drop"], [(clean(probe), rule, clean(series)) for probe, rule, series in keys])

    def only(self, probes: Collection[str]) -> None:
        """Forget what is kept of all other probes."""
        named = {clean(probe) for probe in probes}
        with self._file.transaction() as db:
            strangers = [probe for (probe,) in db.execute(SQL["probes"]) if probe not in named]
            db.executemany(SQL["drop_probe"], [{"probe": probe} for probe in strangers])
