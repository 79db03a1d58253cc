"""What decide() works on: the state of open work, and one decision in the making.

`State` is frozen. `Work` lies over it for the length of one decision: it reads through to the state, remembers what was
put, and ends as a `Decision`. Nothing is true until the decision has been committed and `State.after` has taken it.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from forewarn.model.actions import Action
from forewarn.model.change import Change
from forewarn.model.due import Due
from forewarn.model.finding import Finding, FindingState
from forewarn.model.hold import Hold
from forewarn.model.impact import Measure
from forewarn.model.incident import ENDED, Incident, TimelineEntry
from forewarn.model.map import Service
from forewarn.model.message import FINAL, Message
from forewarn.model.playbook import Guard, Run
from forewarn.model.scorecard import Score
from forewarn.model.settings import Settings
from forewarn.model.text import Say

Entity = Finding | Incident | Due | Hold | Message | Run | Measure | Guard | Change | Score
Key = tuple[str, str, str]
PARTS = ("findings", "incidents", "dues", "holds", "messages", "runs", "measures", "guards", "changes", "scores")
MOST_CHANGES = 300
"""The newest so many are at hand; the ledger keeps them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows from one input. `answer` is the id that a command made or changed."""

    entities: tuple[Entity, ...] = ()
    entries: tuple[TimelineEntry, ...] = ()
    actions: tuple[Action, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    done: str | None = None  # the action whose result this decision took
    settings: Settings | None = None
    answer: str | None = None

    @property
    def empty(self) -> bool:
        return not (self.entities or self.entries or self.actions or self.done or self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All open work. Ended things leave it; the ledger keeps them."""

    settings: Settings
    findings: Mapping[str, Finding] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    dues: Mapping[str, Due] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    messages: Mapping[str, Message] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    guards: Mapping[str, Guard] = field(default_factory=dict)  # by playbook
    changes: Mapping[str, Change] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)  # by score_key
    counters: Mapping[str, int] = field(default_factory=dict)
    latest: Mapping[Key, str] = field(default_factory=dict)  # newest finding of each (probe, rule, series)
    first_start: datetime | None = None  # of the daemon on this ledger; None where nobody keeps it
    agenda: tuple[tuple[datetime, str], ...] = ()  # open dues by their next moment, soonest first

    @property
    def next_at(self) -> datetime | None:
        """When time itself becomes an input next."""
        return self.agenda[0][0] if self.agenda else None

    def after(self, decision: Decision) -> State:
        """This state once `decision` is true."""
        if decision.empty:
            return self
        parts = {name: dict(getattr(self, name)) for name in PARTS}
        latest, agenda = dict(self.latest), list(self.agenda)
        for thing in decision.entities:
            _place(parts, latest, agenda, thing)
        _forget(parts)
        return replace(
            self,
            **parts,
            latest=latest,
            agenda=tuple(agenda),
            counters={**self.counters, **decision.counters},
            settings=decision.settings or self.settings,
            first_start=self.first_start,
        )


def state_of(settings: Settings, things: list[Entity], counters: Mapping[str, int], first_start: datetime | None = None) -> State:
    """The state that stored things make."""
    return State(settings=settings, first_start=first_start).after(Decision(entities=tuple(things), counters=counters))


def key_of(thing: Entity) -> str:
    """By what a thing is kept: its id, or what stands for one."""
    match thing:
        case Measure():
            return measure_key(thing.service, thing.what)
        case Guard():
            return f"guard/{thing.playbook}"
        case Score():
            return score_key(thing.probe, thing.rule)
    return thing.id


def measure_key(service: str, what: str) -> str:
    return f"{service}/{what}"


def score_key(probe: str, rule: str) -> str:
    return f"score/{probe}/{rule}"


def _place(parts: dict[str, dict[str, Entity]], latest: dict[Key, str], agenda: list[tuple[datetime, str]], thing: Entity) -> None:
    match thing:
        case Finding():
            parts["findings"][thing.id] = thing
            latest[thing.key] = thing.id
        case Incident():
            parts["incidents"][thing.id] = thing
        case Due():
            before = parts["dues"].get(thing.id)
            if isinstance(before, Due) and before.next_at and before.open:
                agenda.remove((before.next_at, before.id))
            parts["dues"][thing.id] = thing
            if thing.open and thing.next_at:
                insort(agenda, (thing.next_at, thing.id))
            if not thing.open:
                del parts["dues"][thing.id]
        case Hold():
            parts["holds"][thing.id] = thing
            if thing.ended_at:
                del parts["holds"][thing.id]
        case Message():
            parts["messages"][thing.id] = thing
            if thing.incident is None and thing.state in FINAL:
                del parts["messages"][thing.id]
        case Run():
            parts["runs"][thing.id] = thing
        case Measure():
            parts["measures"][measure_key(thing.service, thing.what)] = thing
        case Guard():
            parts["guards"][thing.playbook] = thing
        case Change():
            parts["changes"][thing.id] = thing
            while len(parts["changes"]) > MOST_CHANGES:
                del parts["changes"][next(iter(parts["changes"]))]
        case Score():
            parts["scores"][score_key(thing.probe, thing.rule)] = thing


def _forget(parts: dict[str, dict[str, Entity]]) -> None:
    """Drop what belongs to incidents that have ended and has nothing left to do."""
    gone = {id for id, thing in parts["incidents"].items() if isinstance(thing, Incident) and thing.state in ENDED}
    if not gone:
        return
    busy = {m.incident for m in parts["messages"].values() if isinstance(m, Message) and m.state not in FINAL}
    busy |= {d.incident for d in parts["dues"].values() if isinstance(d, Due)}
    busy |= {r.incident for r in parts["runs"].values() if isinstance(r, Run) and r.ended_at is None}
    for id in gone - busy:
        del parts["incidents"][id]
        for name in ("messages", "runs"):
            parts[name] = {key: thing for key, thing in parts[name].items() if getattr(thing, "incident", None) != id}
        parts["findings"] = {
            key: f
            for key, f in parts["findings"].items()
            if not (isinstance(f, Finding) and f.incident == id and f.state is FindingState.CLEARED)
        }


T = TypeVar("T", bound=Finding | Incident | Due | Hold | Message | Run | Change)
PREFIX = {Finding: "F", Incident: "INC", Due: "D", Hold: "H", Message: "M", Run: "R"}


class Work:
    """One decision in the making over a frozen state."""

    def __init__(self, state: State, now: datetime) -> None:
        self.state = state
        self.now = now
        self._put: dict[str, Entity] = {}
        self._entries: list[TimelineEntry] = []
        self._actions: list[Action] = []
        self._counters: dict[str, int] = {}
        self._settings: Settings | None = None
        self.done: str | None = None
        self.answer: str | None = None

    @property
    def settings(self) -> Settings:
        return self._settings or self.state.settings

    def use(self, settings: Settings) -> None:
        self._settings = settings

    def new_id(self, prefix: str) -> str:
        """The next id of its kind: INC-4 after INC-3. Prefixes: F INC M R D H, and A for actions."""
        last = self._counters.get(prefix, self.state.counters.get(prefix, 0))
        self._counters[prefix] = last + 1
        return f"{prefix}-{last + 1}"

    def put(self, thing: Entity) -> None:
        id = key_of(thing)
        self._put.pop(id, None)  # the latest put is also the last in order
        self._put[id] = thing

    def note(self, incident: str, what: Say, *refs: str, by: str = "forewarn") -> None:
        """Add a line to an incident's timeline."""
        self._entries.append(TimelineEntry(incident=incident, at=self.now, say=what, by=by, refs=refs))

    def act(self, action: Action) -> None:
        self._actions.append(action)

    # reading: what was put in this decision comes before the state

    def finding(self, id: str) -> Finding | None:
        found = self._put.get(id) or self.state.findings.get(id)
        return found if isinstance(found, Finding) else None

    def incident(self, id: str | None) -> Incident | None:
        found = (self._put.get(id) or self.state.incidents.get(id)) if id else None
        return found if isinstance(found, Incident) else None

    def message(self, id: str) -> Message | None:
        found = self._put.get(id) or self.state.messages.get(id)
        return found if isinstance(found, Message) else None

    def run(self, id: str) -> Run | None:
        found = self._put.get(id) or self.state.runs.get(id)
        return found if isinstance(found, Run) else None

    def due(self, id: str) -> Due | None:
        found = self._put.get(id) or self.state.dues.get(id)
        return found if isinstance(found, Due) else None

    def latest(self, key: Key) -> Finding | None:
        put = next((f for f in reversed(self._put.values()) if isinstance(f, Finding) and f.key == key), None)
        id = self.state.latest.get(key)
        return put or (self.finding(id) if id else None)

    def incidents(self) -> list[Incident]:
        return self._all(self.state.incidents, Incident)

    def findings(self) -> list[Finding]:
        return self._all(self.state.findings, Finding)

    def messages(self, incident: str | None = None) -> list[Message]:
        return [m for m in self._all(self.state.messages, Message) if incident is None or m.incident == incident]

    def runs(self, incident: str | None = None) -> list[Run]:
        return [r for r in self._all(self.state.runs, Run) if incident is None or r.incident == incident]

    def dues(self, subject: str | None = None) -> list[Due]:
        """Open dues, of one subject if given."""
        return [d for d in self._all(self.state.dues, Due) if d.open and (subject is None or d.subject == subject)]

    def open_findings(self, incident: Incident) -> list[Finding]:
        """Evidence of an incident that still holds."""
        found = (self.finding(id) for id in incident.findings)
        return [finding for finding in found if finding and finding.state is FindingState.OPEN]

    def services(self, names: Iterable[str]) -> tuple[Service, ...]:
        """Those of the named services that are declared."""
        return tuple(self.settings.services[name] for name in names if name in self.settings.services)

    def holds(self) -> list[Hold]:
        return [h for h in self._all(self.state.holds, Hold) if h.ended_at is None]

    def measures(self) -> dict[str, Measure]:
        fresh = {key: thing for key, thing in self._put.items() if isinstance(thing, Measure)}
        return {**self.state.measures, **fresh}

    def guard(self, playbook: str) -> Guard:
        """What a playbook has changed lately; an empty one before its first change."""
        found = self._put.get(f"guard/{playbook}") or self.state.guards.get(playbook)
        return found if isinstance(found, Guard) else Guard(playbook=playbook)

    def score(self, probe: str, rule: str, kind: str) -> Score:
        """How often a rule was right; an empty one before its first verdict."""
        key = score_key(probe, rule)
        found = self._put.get(key) or self.state.scores.get(key)
        return found if isinstance(found, Score) else Score(probe=probe, rule=rule, kind=kind)

    def scores(self) -> list[Score]:
        fresh = {key: thing for key, thing in self._put.items() if isinstance(thing, Score)}
        return list({**self.state.scores, **fresh}.values())

    def guards(self) -> list[Guard]:
        names = dict.fromkeys([*self.state.guards, *(t.playbook for t in self._put.values() if isinstance(t, Guard))])
        return [self.guard(name) for name in names]

    def changes(self) -> list[Change]:
        return self._all(self.state.changes, Change)

    def _all(self, kept: Mapping[str, T], kind: type[T]) -> list[T]:
        fresh = {id: thing for id, thing in self._put.items() if isinstance(thing, kind)}
        return [fresh.pop(id, thing) for id, thing in kept.items()] + list(fresh.values())

    def _versioned(self, entry: TimelineEntry) -> TimelineEntry:
        """With the versions that came of this decision: a line may be written before the last put."""
        about = (self._put.get(id) for id in (entry.incident, *entry.refs))
        return replace(entry, versions={it.id: it.version for it in about if isinstance(it, Incident | Message)})

    def decision(self) -> Decision:
        return Decision(
            entities=tuple(self._put.values()),
            entries=tuple(self._versioned(entry) for entry in self._entries),
            actions=tuple(self._actions),
            counters=self._counters,
            done=self.done,
            settings=self._settings,
            answer=self.answer,
        )
