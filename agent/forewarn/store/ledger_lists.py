"""The ledger's lists and counts for people who look: each is one indexed query, however much is stored.

A part of SqliteLedger by itself so that what decides and acts (ledger_sqlite.py) stays short. Reads a snapshot each, from
any thread; raises StoreError.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from forewarn.model.due import Due
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident
from forewarn.model.message import Message
from forewarn.ports import Entity, Standing
from forewarn.store.codec import clean, decode, known
from forewarn.store.kinds import KINDS, Kind, kind_named, kind_of, number
from forewarn.store.sqlite import Database, queries
from forewarn.store.words import asked, spelled

SQL = queries("ledger")
SOUGHT = ("incident", "message")
"""Kinds that are found by their words."""
T = TypeVar("T")


class Lists:
    """`texts` gives the words that an incident or message is found by; without it nothing is indexed."""

    def __init__(self, file: Database, texts: Callable[[Entity], str] | None) -> None:
        self._file, self._texts = file, texts

    # --- counts and lists ---

    def standing(self) -> Standing:
        """How much is open."""
        with self._file.reading() as db:
            unresolved = {(state, level): count for state, level, count in db.execute(SQL["unresolved"])}
            findings, tasks, blind = db.execute(SQL["finding_counts"]).fetchone()
        return Standing(unresolved=unresolved, findings=findings, tasks=tasks, blind=blind)

    def live(self, limit: int, after: str | None = None) -> list[Incident]:
        """Trouble that is there now, the gravest first, then the oldest; `after` is the id of the last one seen."""
        return self._listed(Incident, "live" if after is None else "live_after", limit=limit, after=after)

    def ahead(self, limit: int, after: str | None = None) -> list[Incident]:
        """Forewarnings, the soonest first, those without a date last."""
        return self._listed(Incident, "ahead" if after is None else "ahead_after", limit=limit, after=after)

    def tasks(self, limit: int) -> list[Finding]:
        """Open findings that are nobody's incident, newest first; what can't be seen is not among them."""
        return self._listed(Finding, "tasks", limit=limit)

    def findings_of(self, probe: str, limit: int) -> list[Finding]:
        """A probe's open findings, newest first."""
        return self._listed(Finding, "findings_of_probe", probe=probe, limit=limit)

    def fired(self, probe: str, since: datetime) -> dict[tuple[str, str], int]:
        """How many findings each rule of a probe has opened on each series since then, by (rule, series)."""
        with self._file.reading() as db:
            found = db.execute(SQL["fired"], {"probe": probe, "since": since.timestamp()}).fetchall()
        return {(rule, series): count for rule, series, count in found}

    def next_updates(self, incidents: Sequence[str]) -> dict[str, datetime]:
        """When the customers of each of these incidents are to hear next; those without such a clock are left out."""
        with self._file.reading() as db:
            found = db.execute(SQL["next_updates"], {"incidents": json.dumps(list(incidents))}).fetchall()
        return {incident: datetime.fromtimestamp(at, UTC) for incident, at in found}

    def dues_of(self, ids: Sequence[str], hidden: Sequence[str] = ()) -> list[Due]:
        """The dues of incidents, ended ones too, oldest first, without those that are about something hidden."""
        return self._listed(Due, "dues_of_incidents", ids=json.dumps(list(ids)), hidden=json.dumps(list(hidden)))

    def open_dues_of(self, subjects: Sequence[str]) -> list[Due]:
        """Open dues that belong to these things themselves, oldest first."""
        return self._listed(Due, "open_dues_of", ids=json.dumps(list(subjects)))

    def get_all(self, ids: Sequence[str]) -> dict[str, Entity]:
        """The current versions of things by id; what is not there is left out."""
        by_kind: dict[str, list[str]] = {}
        for id in ids:
            if kind := kind_of(id):
                by_kind.setdefault(kind.name, []).append(id)
        found: dict[str, Entity] = {}
        with self._file.reading() as db:
            for name, wanted in by_kind.items():
                rows = db.execute(queries("each", name)["get_all"], {"ids": json.dumps(wanted)})
                found |= {id: known(KINDS[name].type, body) for id, body in rows}
        return found

    def counts(self, kind: str, states: Sequence[str] = ()) -> dict[str, int]:
        """State -> how many, of these states or of all; states as in `find`, those that nothing is in are left out."""
        sql = queries("each", kind_named(kind).name)["counts_of" if states else "counts"]
        with self._file.reading() as db:
            return dict(db.execute(sql, {"states": json.dumps(list(states))}).fetchall())

    def _listed(self, type: type[T], name: str, **given: Any) -> list[T]:
        with self._file.reading() as db:
            return [known(type, body) for (body,) in db.execute(SQL[name], given)]

    # --- finding by words ---

    def search(self, kind: str, text: str, limit: int, after: str | None = None) -> list[Entity]:
        """Incidents or messages in which every word of `text` occurs, newest first; words may be the beginnings of longer ones."""
        query, what = asked(text), kind_named(kind)
        if query is None or kind not in SOUGHT:
            return []
        before = number(after, what.prefix or "") if after else 2**62
        with self._file.reading() as db:
            rows = db.execute(queries("each", kind)["sought"], {"words": query, "before": before, "limit": limit})
            return [known(what.type, body) for (body,) in rows]

    def index(self, most: int) -> int:
        """Index what an earlier version stored without; answers how many of `most`: fewer than that, and it is done."""
        done = 0
        if self._texts is None:
            return done
        for kind in (KINDS[name] for name in SOUGHT):
            if done < most:
                done += self._index(kind, most - done)
        return done

    def _index(self, kind: Kind, most: int) -> int:
        with self._file.reading() as db:
            at = db.execute(SQL["fact"], {"name": f"sought_{kind.name}"}).fetchone()
            given = {"after": int(at[0]) if at else 0, "limit": most}
            rows = db.execute(queries("each", kind.name)["unsought"], given).fetchall()
        with self._file.transaction() as db:
            for _, body in rows:
                self._put_words(db, kind, decode(kind.type, body))
            if rows:
                db.execute(SQL["put_fact"], {"name": f"sought_{kind.name}", "value": str(rows[-1][0])})
        return len(rows)

    def _put_words(self, db: sqlite3.Connection, kind: Kind, thing: Entity) -> None:
        """Within the transaction that stores the thing, so that what is stored is found."""
        if self._texts is None or not isinstance(thing, Incident | Message):
            return
        n, words = number(thing.id, kind.prefix or ""), clean(spelled(self._texts(thing)))
        known = db.execute(queries("each", kind.name)["words_of"], {"n": n}).fetchone()
        if known is None or known[0] != words:  # most changes of an incident leave its words alone
            db.execute(SQL[f"put_words_{kind.name}"], {"n": n, "words": words})
