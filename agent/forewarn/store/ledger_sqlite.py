"""The ledger in one SQLite file: current entities, the timeline and the outbox.

Everything that one decision changes is one transaction, on the disk when `commit` returns (WAL, synchronous=FULL): a page
that was decided is never lost, and an action never runs for a change that was not kept. SQLite 3.40; https://sqlite.org/wal.html

The outbox is a table of rows that are free, claimed or done. Claiming is one UPDATE: whoever changed the row has it. An
action that is safe to repeat (`again`) may be claimed once more when its lease is over; one that is not is handed out
once, and only `release` (it was not begun) makes it free again: after a crash it stays among `in_flight`, and the core
decides (design: delivery truth).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from forewarn.model.actions import Action
from forewarn.model.change import Change
from forewarn.model.due import Due
from forewarn.model.finding import Finding
from forewarn.model.hold import Hold
from forewarn.model.impact import Measure
from forewarn.model.incident import ENDED, Incident, IncidentState, TimelineEntry
from forewarn.model.message import FINAL, Message, MessageState
from forewarn.model.playbook import Guard, Run
from forewarn.model.scorecard import Score
from forewarn.ports import Entity, Stored
from forewarn.store.codec import decode, encode, known
from forewarn.store.kinds import ACTIONS, BY_TYPE, Columns, action_row, kind_named, kind_of, number, row
from forewarn.store.ledger_lists import Lists
from forewarn.store.sqlite import Database, queries

SQL = queries("ledger")
UNENDED = json.dumps([state for state in IncidentState if state not in ENDED])
PIECE = 1000
"""Rows that one transaction forgets."""
MOVING = json.dumps([state for state in MessageState if state not in FINAL])

T = TypeVar("T")


class SqliteLedger(Lists):
    """ports.Ledger on SQLite. Any thread may call any method; they block.

    `commit`, `claim`, `release` and `done` write: they wait for each other and for the disk (a few ms), so the daemon
    calls them on its one store thread. All others read a snapshot over connections of their own, from any thread, and
    never wait for a writer. `now` is kept as the first start when the file has none yet. With `read_only` the file must
    exist and stays as it is: for looking while the daemon is down. `texts`: see Lists. Raises StoreError.
    """

    def __init__(
        self,
        path: Path,
        now: datetime | None = None,
        *,
        read_only: bool = False,
        texts: Callable[[Entity], str] | None = None,
    ) -> None:
        super().__init__(Database(path, "ledger", durable=True, read_only=read_only), texts)
        if now is not None and not read_only:
            with self._file.transaction() as db:
                db.execute(SQL["first_start"], {"at": now.astimezone(UTC).isoformat()})

    def load(self) -> Stored:
        """Everything that is at work, in the order of ids.

        Beside what ports.Stored names, an incident that has ended comes along while a due of it is open or a message of it
        is on its way (a withdrawal that waits for approval) or a run of it is at work. "The last day" ends with the newest finding, not with now.
        """
        with self._file.reading() as db:
            incidents = _read(db, Incident, "load_incidents", unended=UNENDED, moving=MOVING)
            ids = json.dumps([incident.id for incident in incidents])
            first = db.execute(SQL["load_first_start"]).fetchone()
            return Stored(
                incidents=incidents,
                findings=_read(db, Finding, "load_findings", incidents=ids),
                dues=_read(db, Due, "load_dues"),
                holds=_read(db, Hold, "load_holds"),
                messages=_read(db, Message, "load_messages", incidents=ids, moving=MOVING),
                runs=_read(db, Run, "load_runs", incidents=ids),
                measures=_read(db, Measure, "load_measures"),
                guards=_read(db, Guard, "load_guards"),
                changes=_read(db, Change, "load_changes"),
                scores=_read(db, Score, "load_scores"),
                counters=dict(db.execute(SQL["load_counters"])),
                in_flight=tuple(id for (id,) in db.execute(SQL["in_flight"])),
                first_start=datetime.fromisoformat(first[0]) if first else None,
            )

    def first_start(self) -> datetime | None:
        """When a daemon first started on this file."""
        with self._file.reading() as db:
            first = db.execute(SQL["load_first_start"]).fetchone()
        return datetime.fromisoformat(first[0]) if first else None

    def commit(
        self,
        entities: Sequence[Entity],
        entries: Sequence[TimelineEntry],
        actions: Sequence[Action],
        counters: Mapping[str, int],
        *,
        done: tuple[str, datetime] | None = None,
    ) -> None:
        """All of it in one transaction, on the disk when this returns; raises StoreError and then nothing of it is kept.

        `done` (id, now) also marks the action whose result this takes, so that no crash can fall between the two.
        Of two versions of one entity the later stays.
        """
        puts = [(BY_TYPE[type(thing)], thing, _entity_row(thing)) for thing in entities]
        lines = [{"incident": entry.incident, "at": entry.at.timestamp(), "body": encode(entry)} for entry in entries]
        orders = [{**action_row(action), "body": encode(action)} for action in actions]
        with self._file.transaction() as db:
            for kind, thing, columns in puts:
                db.execute(SQL[f"put_{kind.name}"], columns)
                self._put_words(db, kind, thing)
            db.executemany(SQL["add_entry"], lines)
            db.executemany(SQL["add_action"], orders)
            db.executemany(SQL["count_up"], [{"name": name, "value": value} for name, value in counters.items()])
            if done is not None:
                db.execute(SQL["done"], {"id": done[0], "now": done[1].timestamp()})

    def claim(self, me: str, now: datetime, until: datetime, most: int) -> list[Action]:
        """Take up to `most` actions whose time has come, the most urgent first and of these the oldest, that are not done and are free.

        Free: never claimed, released, or safe to repeat (`again`) and no longer leased at `now`. `until` ends my lease.
        """
        given = {"me": me, "now": now.timestamp(), "until": until.timestamp(), "most": most}
        with self._file.transaction() as db:
            rows = sorted(db.execute(SQL["claim"], given).fetchall())  # RETURNING promises no order
        return [_action(kind, body) for _, _, _, kind, body in rows]

    def release(self, ids: Sequence[str]) -> None:
        """Give back actions that were claimed and not begun: anybody may claim them again at once."""
        with self._file.transaction() as db:
            db.execute(SQL["release"], {"ids": json.dumps(list(ids))})

    def done(self, id: str, now: datetime) -> None:
        """An action's result has been stored; it is never handed out again. Twice does no harm."""
        with self._file.transaction() as db:
            db.execute(SQL["done"], {"id": id, "now": now.timestamp()})

    def forget_done(self, before: datetime) -> int:
        """Delete actions that were done before then; what they came to stays with their messages and runs. In pieces, so that
        nobody waits long for the writer; answers how many."""
        gone = 0
        while True:
            with self._file.transaction() as db:
                found = db.execute(SQL["forget_done"], {"before": before.timestamp(), "most": PIECE}).rowcount
            gone += found
            if found < PIECE:
                return gone

    def next_action_at(self) -> datetime | None:
        """The earliest moment at which `claim` could find something; it may lie in the past. None: nothing waits."""
        with self._file.reading() as db:
            at = db.execute(SQL["next_action"]).fetchone()[0]
        return None if at is None else datetime.fromtimestamp(at, UTC)

    def actions(self, ids: Sequence[str]) -> list[Action]:
        """The actions with these ids, e.g. those that were in flight when an earlier process ended."""
        with self._file.reading() as db:
            return [_action(kind, body) for kind, body in db.execute(SQL["actions"], {"ids": json.dumps(list(ids))})]

    def get(self, id: str) -> Entity | None:
        """The current version of a thing by its id (of a measure: service/what); None if there is none."""
        kind = kind_of(id)
        if kind is None:
            return None
        with self._file.reading() as db:
            found = db.execute(queries("each", kind.name)["get"], {"id": id}).fetchone()
        return known(kind.type, found[0]) if found else None

    def find(
        self,
        kind: str,
        *,
        states: Sequence[str] = (),
        incident: str | None = None,
        of: str | None = None,
        hidden: Sequence[str] = (),
        newest: bool = True,
        limit: int = 100,
        after: str | None = None,
    ) -> list[Entity]:
        """Entities of a kind by number, newest first; `after` is the id of the last one that the caller has seen.

        `of` narrows findings and messages to their own kind, `hidden` leaves out dues that are about one of these.
        States are those of the model; a due is `open` or what it ended as (met, late, dropped, done), a hold is `open` or
        `ended`, a measure `known` or `unknown`, a guard `good` or `bad`. Measures and guards are numbered as they were first seen.
        """
        what = kind_named(kind)
        sql = queries("each", kind)
        parts = ["find"]
        if states:
            parts.append("in_state" if len(states) == 1 else "in_states")
        if incident is not None:
            parts.append("of_incident")
        if of is not None:
            parts.append("of_kind")
        if hidden:
            parts.append("shown")
        if after is not None:
            parts.append("older" if newest else "younger")
        parts.append("newest_first" if newest else "oldest_first")
        given: dict[str, object] = {
            "states": json.dumps(list(states)),
            "state": states[0] if states else None,
            "incident": incident,
        }
        given |= {"kind": of, "hidden": json.dumps(list(hidden)), "limit": limit}
        with self._file.reading() as db:
            if after is not None:
                given["after"] = number(after, what.prefix) if what.prefix else _place(db, kind, after)
            return [known(what.type, body) for (body,) in db.execute("\n".join(sql[part] for part in parts), given)]

    def leased(self) -> dict[str, str]:
        """Message id -> id of the action that is being sent now (or was when an earlier process ended)."""
        with self._file.reading() as db:
            return dict(db.execute(SQL["leased"]).fetchall())

    def timeline(self, incident: str) -> list[TimelineEntry]:
        """The story of an incident, in the order in which it was written."""
        with self._file.reading() as db:
            return [known(TimelineEntry, body) for (body,) in db.execute(SQL["timeline"], {"incident": incident})]

    def close(self) -> None:
        self._file.close()


def _read(db: sqlite3.Connection, kind: type[T], name: str, **given: str) -> tuple[T, ...]:
    return tuple(decode(kind, body) for (body,) in db.execute(SQL[name], given))


def _entity_row(thing: Entity) -> Columns:
    return {**row(BY_TYPE[type(thing)], thing), "body": encode(thing)}


def _action(kind: str, body: str) -> Action:
    return decode(ACTIONS[kind], body)


def _place(db: sqlite3.Connection, kind: str, id: str) -> int:
    """The number of a thing whose id has none."""
    found = db.execute(queries("each", kind)["number"], {"id": id}).fetchone()
    return int(found[0]) if found else 0
