"""What must be true of a state folder and of the sinks, however often the daemon was killed. Reads the stores directly."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from forewarn.app.demo_sinks import Arrived
from forewarn.core.learn.why import explain
from forewarn.model.due import Due
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.store.kinds import BY_PREFIX, number
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples

ALL = 100_000
ONCE = ("forewarning", "started", "resolved", "withdrawn")


class Books:
    """Each method answers what is wrong, in words; nothing is right."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self.ledger = SqliteLedger(state / "ledger.db", read_only=True)
        self.messages: list[Message] = self._all("message")  # type: ignore[assignment]
        self.incidents: list[Incident] = self._all("incident")  # type: ignore[assignment]
        self.findings: list[Finding] = self._all("finding")  # type: ignore[assignment]

    def _all(self, kind: str) -> list[object]:
        return list(self.ledger.find(kind, newest=False, limit=ALL))

    def close(self) -> None:
        self.ledger.close()

    def files(self) -> list[str]:
        """Damage that SQLite itself sees."""
        wrong = []
        for name in ("ledger.db", "samples.db"):
            with closing(sqlite3.connect(self._state / name)) as db:
                wrong += [f"{name}: {text}" for (text,) in db.execute("PRAGMA integrity_check") if text != "ok"]
        return wrong

    def chains(self) -> list[str]:
        """Broken `why` graphs."""

        def dues(incident: str) -> list[Due]:
            return [one for one in self.ledger.find("due", incident=incident, limit=ALL) if isinstance(one, Due)]

        things = [one for kind in ("message", "incident", "finding", "run", "due") for one in self._all(kind)]
        found = [explain(one.id, self.ledger.get, dues) for one in things]  # type: ignore[attr-defined]
        return [f"{one.id} lacks {', '.join(one.missing)}" for one in found if not one.complete]

    def numbers(self) -> list[str]:
        """Ids that are missing or beyond the counter."""
        counters = self.ledger.load().counters
        wrong = []
        for prefix, kind in BY_PREFIX.items():
            have = [number(one.id, prefix) for one in self._all(kind.name)]  # type: ignore[attr-defined]
            if have != list(range(1, counters.get(prefix, 0) + 1)):
                wrong.append(f"{prefix}: {have}, counter {counters.get(prefix, 0)}")
        actions = [f"A-{n}" for n in range(1, counters.get("A", 0) + 1)]
        if len(self.ledger.actions(actions)) != len(actions):
            wrong.append("an action is missing from the outbox")
        return wrong

    def findings_twice(self) -> list[str]:
        """Two findings of one (probe, rule, series) that were open at one time."""
        lines: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
        for one in self.findings:
            lines[one.key].append(one)
        return [
            f"{a.id} and {b.id} of {a.key}"
            for of in lines.values()
            for a, b in pairwise(of)
            if a.cleared_at is None or a.cleared_at > b.opened_at
        ]

    def notices_twice(self) -> list[str]:
        """More than one notice of a subkind to a customer about an incident."""
        seen = Counter((m.incident, m.to, m.subkind) for m in self.messages if m.subkind in ONCE)
        return [f"{n} x {what}" for what, n in seen.items() if n > 1]

    def entries_twice(self) -> list[str]:
        """Messages that left more than once by the ledger's own account, or that the timeline tells otherwise than the attempts."""
        wrong = []
        for incident in self.incidents:
            told = Counter(entry.refs[0] for entry in self.ledger.timeline(incident.id) if entry.say.key == "respond.sent")
            sent = {m.id: sum(one.result == "sent" for one in m.attempts) for m in self.messages if m.incident == incident.id}
            wrong += [
                f"{incident.id}: {id} sent {sent.get(id, 0)} times, {told[id]} in the timeline"
                for id in {*told, *sent}
                if told[id] != sent.get(id, 0) or told[id] > 1
            ]
        return wrong

    def deliveries(self, raw: Sequence[Arrived]) -> list[str]:
        """Where the sinks and the ledger tell different stories (design.md section 9)."""
        wrong = [f"{m.id} failed: {m.ended}" for m in self.messages if m.state is MessageState.FAILED]
        arrivals = Counter((one.by, one.key) for one in raw)
        known: set[tuple[str, str]] = set()
        for one in self.messages:
            kind = one.channel_kind
            if one.state is MessageState.UNKNOWN and (one.kind is not MessageKind.NOTICE or kind != "mail"):
                wrong.append(f"{one.id}, a {one.kind} by {kind}, is unknown")
            if one.kind is not MessageKind.NOTICE or kind not in ("mail", "webhook"):
                continue
            came = {(by, key): n for (by, key), n in arrivals.items() if by == kind and _names(key, one.key)}
            known |= came.keys()
            wrong += _judged(one, kind, came)
        return wrong + [f"arrived without a message: {what}" for what in arrivals.keys() - known]

    def cut_short(self, cut: Sequence[Arrived], raw: Sequence[Arrived]) -> list[str]:
        """Kills between arrival and answer: a webhook comes again, a mail stays unknown and comes never again."""
        wrong = []
        for one in cut:
            message = next(m for m in self.messages if _names(one.key, m.key))
            n = sum(_names(other.key, message.key) for other in raw)
            right = n >= 2 if one.by == "webhook" else n == 1 and message.state is MessageState.UNKNOWN
            if not right:
                wrong.append(f"{message.id} by {one.by}: {message.state}, arrived {n} times")
        return wrong

    def commands_lost(self, answered: Sequence[tuple[str, str]]) -> list[str]:
        """Commands that were answered and left no trace."""
        wrong = []
        for verb, id in answered:
            thing = self.ledger.get(id)
            match verb, thing:
                case "approve", Message():
                    kept = thing.approval is not None and thing.approval.by is not None
                case "acknowledge", Incident():
                    kept = thing.owner is not None and thing.acknowledged_at is not None
                case "resolve", Incident():
                    kept = thing.resolution is not None
                case _:
                    kept = False
            if not kept:
                wrong.append(f"{verb} {id}")
        return wrong

    def samples(self) -> list[str]:
        """Series whose times do not strictly increase: a sample that were stored twice would stand twice."""
        store = SqliteSamples(self._state / "samples.db", read_only=True)
        try:
            wrong = [
                f"{series} at {b}" for series in store.series() for a, b in pairwise(store.read(series, 0, 1e11).times_s) if a >= b
            ]
        finally:
            store.close()
        return wrong

    def errors_counted(self) -> float:
        """How many of the shop's error lines were counted: the counters' last values."""
        store = SqliteSamples(self._state / "samples.db", read_only=True)
        try:
            found = [series for series in store.series("shop-log") if series.metric == "errors_total"]
            return sum(store.read(series, 0, 1e11).values[-1] for series in found)
        finally:
            store.close()


def _names(arrived: str, key: str) -> bool:
    """Whether an arrival's key (of a mail: its Message-ID, made of the key's hash) is that of a message."""
    return arrived == key or arrived.startswith(f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@")


def _judged(message: Message, kind: str, came: dict[tuple[str, str], int]) -> list[str]:
    n = sum(came.values())
    if len(came) > 1:
        return [f"{message.id} arrived under several keys: {came}"]
    if message.state is MessageState.SENT and n < 1:
        return [f"{message.id} is sent and never arrived"]
    if kind == "mail" and n > 1:
        return [f"{message.id} to {message.to} arrived {n} times by mail"]
    if message.state in (MessageState.DROPPED, MessageState.WAITING, MessageState.HELD) and n:
        return [f"{message.id} is {message.state} and arrived {n} times"]
    return []
