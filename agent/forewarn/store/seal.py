"""How samples move on: hot rows to warm ones, warm ones to chunks, small chunks to full ones; each step a transaction.

    append -> hot (no index: 1 us) -> warm (sorted by bundle and time) -> chunk of SEAL_RUNS or more -> chunk of FULL

A chunk of a hundred runs costs a fifth more than a full one, but rows cost ten times as much: so a bundle is sealed early
and its small chunks are sealed again when they make a full one. Steps are small (one bundle), happen on the thread that
appends, behind an append, and hold the interpreter for no longer than any thread does: no single call of them takes 2 ms.

Chunks are numbered upward, and those of an older version's samples (`old`) downward, for they are older than all others.
"""

from __future__ import annotations

import math
import sqlite3
from array import array
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from forewarn.store import blocks
from forewarn.store.blocks import Block, Chunk
from forewarn.store.shapes import SQL, HotRow, known_shapes
from forewarn.store.sqlite import Database
from forewarn.store.times import micros

SEAL_RUNS = 120
FULL = 2_880
HOT_LEAST, HOT_EACH = 500, 16
STEPS, TOGETHER = 16, 4
OLD_ROWS = 20_000


class Sealer:
    """Moves samples on. Its counts are touched inside the writer's transactions only."""

    def __init__(self, file: Database) -> None:
        self._file = file
        with file.reading() as db:
            self.hot: int = db.execute(SQL["hot_rows"]).fetchone()[0]
            self._fresh: set[int] = {bundle for bundle, _ in db.execute(SQL["hot_by_bundle"])}
            self._warm = Counter(dict(db.execute(SQL["warm_by_bundle"])))
            self._open = Counter(dict(db.execute(SQL["open_by_bundle"], {"full": FULL})))
            self.old = bool(db.execute(SQL["any_old"]).fetchone())
            """Whether an older version's samples wait."""
        self._due = {bundle for bundle, rows in self._warm.items() if rows > SEAL_RUNS}

    def took(self, rows: Sequence[HotRow]) -> None:
        """These were appended and committed."""
        self.hot += len(rows)
        self._fresh.update(row[0] for row in rows)

    def tidy(self, most_hot: int) -> None:
        """Up to STEPS steps of what is due, TOGETHER in a transaction: a commit costs as much as a third of a step."""
        if self.hot >= min(most_hot, max(HOT_LEAST, HOT_EACH * len(self._fresh))) and self.hot:
            with self._file.transaction() as db:
                self._warm_up(db)
        for _ in range(STEPS // TOGETHER):
            if not self._due:
                break
            with self._file.transaction() as db:
                for bundle in list(islice(self._due, TOGETHER)):  # a prune in another thread may have been quicker
                    self._seal(db, bundle)
        if self.old:
            with self._file.transaction() as db:
                self.old = _convert(db)
            if not self.old:
                self._file.shrink()

    def _warm_up(self, db: sqlite3.Connection) -> None:
        moved = Counter(dict(db.execute(SQL["hot_by_bundle"])))
        db.execute(SQL["warm_up"])
        db.execute(SQL["empty_hot"])
        self._warm.update(moved)
        self._due |= {bundle for bundle in moved if self._warm[bundle] > SEAL_RUNS}
        self.hot = 0
        self._fresh.clear()

    def _seal(self, db: sqlite3.Connection, bundle: int) -> None:
        """The oldest warm runs of a bundle. Its newest stays: that is where the newest samples are looked for."""
        given = {"bundle": bundle, "full": FULL, "most": 4 * FULL}
        rows = db.execute(SQL["warm_to_seal"], given).fetchall()
        taken = [row for row in rows if row[1] < rows[-1][1]] or rows
        if not taken:
            self._warm.pop(bundle, None)
            self._due.discard(bundle)
            return
        made = [blocks.of_rows(taken, known_shapes(db.execute(SQL["shapes"], given)))]
        if self._open[bundle] + len(made[0].times_us) >= FULL:
            made = _opened(db, given) + made
            self._open[bundle] = 0
        block, number = blocks.joined(made), db.execute(SQL["last_chunk"]).fetchone()[0]
        for begin in range(0, len(block.times_us), FULL):
            number += 1
            runs = put(db, bundle, number, block.cut(begin, begin + FULL))
            self._open[bundle] += runs if runs < FULL else 0
        self._warm[bundle] -= db.execute(SQL["cool"], {"bundle": bundle, "last": taken[-1][1]}).rowcount
        if self._warm[bundle] <= SEAL_RUNS:
            self._due.discard(bundle)

    def pruned(self, db: sqlite3.Connection) -> None:
        """Rows went without us: count anew."""
        self.hot = db.execute(SQL["hot_rows"]).fetchone()[0]
        self._warm = Counter(dict(db.execute(SQL["warm_by_bundle"])))
        self._open = Counter(dict(db.execute(SQL["open_by_bundle"], {"full": FULL})))
        self._due = {bundle for bundle, rows in self._warm.items() if rows > SEAL_RUNS}
        self.old = bool(db.execute(SQL["any_old"]).fetchone())


def put(db: sqlite3.Connection, bundle: int, number: int, block: Block) -> int:
    """Keep a block as a chunk; answers its runs."""
    when = block.times_us
    db.execute(SQL["add_body"], {"id": number, "data": blocks.encode(block)})
    db.execute(SQL["add_chunk"], {"bundle": bundle, "id": number, "t0": when[0], "t1": when[-1], "runs": len(when)})
    return len(when)


def drop(db: sqlite3.Connection, bundle: int, chunk: int) -> None:
    db.execute(SQL["drop_chunk"], {"bundle": bundle, "id": chunk})
    db.execute(SQL["drop_body"], {"id": chunk})


def _opened(db: sqlite3.Connection, given: dict[str, int]) -> list[Block]:
    """A bundle's small chunks, which are to become one."""
    found = []
    for chunk, since, data in db.execute(SQL["open_chunks"], given).fetchall():
        block = Chunk(data).block().since(since)
        if block.times_us:
            found.append(block)
        drop(db, given["bundle"], chunk)
    return found


def _convert(db: sqlite3.Connection) -> bool:
    """Seal the oldest OLD_ROWS or so of one bundle that an older version kept; False when nothing is left of it."""
    found = db.execute(SQL["old_bundle"]).fetchone()
    if found is None:
        db.execute(SQL["orphans_old"])
        return False
    ids = [id for (id,) in db.execute(SQL["ids_of_bundle"], {"bundle": found[0]})]
    most = max(1, OLD_ROWS // len(ids))
    ends = [db.execute(SQL["old_until"], {"id": id, "most": most}).fetchone() for id in ids]
    until = min((end[0] for end in ends if end), default=math.inf)
    parts = []
    for id in ids:
        rows = db.execute(SQL["read_old"], {"id": id, "since": -math.inf, "until": until}).fetchall()
        runs = {micros(at): value for at, value in rows}
        if runs:
            parts.append(Block(array("q", runs), {id: array("d", runs.values())}))
        db.execute(SQL["forget_old"], {"id": id, "until": until})
    if parts:
        block, number = _abreast(parts), db.execute(SQL["first_chunk"]).fetchone()[0]
        for begin in range(0, len(block.times_us), FULL):
            number -= 1
            put(db, found[0], number, block.cut(begin, begin + FULL))
    return True


def _abreast(parts: list[Block]) -> Block:
    """Series side by side; most come from the same runs."""
    if all(part.times_us == parts[0].times_us for part in parts):
        return Block(parts[0].times_us, {id: values for part in parts for id, values in part.series.items()})
    return blocks.joined(parts)
