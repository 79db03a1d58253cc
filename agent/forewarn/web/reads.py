"""What can be read: the bodies of GET /api/v1/..., made from the ledger and a snapshot of what runs.

Everything here blocks on the store and runs in a thread; `Live.of` is taken on the loop before, because what the daemon
knows about itself belongs to the loop. Offline (no daemon) the same code reads a Live that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from forewarn import __version__
from forewarn.core import overview, show
from forewarn.core.flow.expected import Known, outreach
from forewarn.core.reader import Body, Reader, page
from forewarn.model.change import KINDS as CHANGES
from forewarn.model.change import Change
from forewarn.model.due import INTERNAL, Due
from forewarn.model.finding import Finding, FindingState
from forewarn.model.forecast import Forecast
from forewarn.model.hold import Hold
from forewarn.model.incident import LIVE, Incident, IncidentState
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.playbook import Guard, Playbook, Run, RunState
from forewarn.model.settings import Settings
from forewarn.model.text import Say
from forewarn.ports import Entity, Ledger, ProbeView, Stats
from forewarn.web.said import Trouble, Unanswerable

MOST = 1000
BATCH = 200
DUE_STATES = ("open", "met", "late", "dropped", "done")
BREAKER = "hold.breaker"
HOLD_STATES = ("open", "ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What the daemon knew about itself at one moment. Without a daemon most of it is None, and `why` says so."""

    probes: Sequence[ProbeView] = ()
    troubles: Sequence[Say] = ()
    started_at: datetime | None = None
    lateness_ms: tuple[float, float] | None = None
    missed: int | None = None
    rss_mb: float | None = None
    why: Say | None = None

    @staticmethod
    def of(stats: Stats) -> Live:
        from psutil import Process

        return Live(
            probes=stats.probes(),
            troubles=stats.troubles(),
            started_at=stats.started_at(),
            lateness_ms=stats.lateness_ms(),
            missed=stats.missed(),
            rss_mb=Process().memory_info().rss / 1e6,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Filters of a list. `after` is the id (of probes: the name) of the last item that the caller has."""

    states: tuple[str, ...] = ()
    kind: str | None = None
    incident: str | None = None
    limit: int = 100
    after: str | None = None

    @staticmethod
    def of(given: Mapping[str, str]) -> Query:
        """From `?state=a,b&kind=&incident=&limit=&after=`; raises Unanswerable for a limit that is no number."""
        limit = given.get("limit") or "100"
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= MOST):
            raise Unanswerable(Trouble(400, "web.limit", {"limit": limit, "most": MOST}))
        states = tuple(state for state in given.get("state", "").split(",") if state)
        return Query(
            states=states,
            kind=given.get("kind") or None,
            incident=given.get("incident") or None,
            limit=int(limit),
            after=given.get("after") or None,
        )


class Reads:
    """The bodies. `why` answers the graph behind an id, or None where there is no such id."""

    def __init__(self, ledger: Ledger, settings: Callable[[], Settings]) -> None:
        self.ledger = ledger
        self.settings = settings

    def status(self, live: Live, reader: Reader) -> Body:
        return overview.status(self.seen(live), reader)

    def seen(self, live: Live) -> overview.Seen:
        """Everything that the status is made of."""
        findings = self.open_findings()
        unseen = any(target.outcome == "unknown" and target.at for view in live.probes for target in view.targets)
        return overview.Seen(
            version=__version__,
            settings=self.settings(),
            started_at=live.started_at,
            incidents=self.incidents(),
            findings=len(findings),
            cannot_see=unseen or bool(live.why) or any(f.kind == "cannot-see" for f in findings),
            messages=self.ledger.counts("message"),
            probes=live.probes,
            troubles=live.troubles,
            lateness_ms=live.lateness_ms,
            missed=live.missed,
            rss_mb=live.rss_mb,
            why=live.why,
        )

    def incidents(self) -> list[Incident]:
        """Ahead or live, newest first."""
        states = [str(state) for state in (IncidentState.AHEAD, *LIVE)]
        return [i for i in self.ledger.find("incident", states=states, limit=MOST) if isinstance(i, Incident)]

    def open_findings(self) -> list[Finding]:
        return [f for f in self.ledger.find("finding", states=["open"], limit=MOST) if isinstance(f, Finding)]

    def items(self, name: str, query: Query, live: Live, reader: Reader) -> Body:
        """GET /api/v1/NAME; raises Unanswerable for a state, kind or cursor that can't be."""
        if name in DECLARED:
            return self._declared(name, live, query, reader)
        resource = LISTS[name]
        _check(resource, query)
        found: list[Entity] = []
        after = query.after
        while True:
            batch = self.ledger.find(resource.kind, states=query.states, incident=query.incident, limit=BATCH, after=after)
            for thing in batch:
                if not _kept(thing, query):
                    continue
                if len(found) == query.limit:
                    return page([self._item(one, reader) for one in found], more=True)
                found.append(thing)
            if len(batch) < BATCH:
                return page([self._item(one, reader) for one in found], more=False)
            after = getattr(batch[-1], "id", None)

    def timeline(self, incident: str, reader: Reader) -> Body:
        """An incident's story, oldest line first; raises Unanswerable where there is no such incident."""
        if not isinstance(self.ledger.get(incident), Incident):
            raise Unanswerable(Trouble(404, "web.not_found", {"id": incident}))
        return page([show.entry(line, reader) for line in self.ledger.timeline(incident)], more=False)

    def outreach(self, incident: str, reader: Reader) -> Body:
        """Who is told, would be told and is left out; raises Unanswerable where there is no such incident."""
        found = self.ledger.get(incident)
        if not isinstance(found, Incident):
            raise Unanswerable(Trouble(404, "web.not_found", {"id": incident}))
        messages = self.ledger.find("message", incident=incident, newest=False, limit=MOST)
        dues = self.ledger.find("due", incident=incident, states=["open"], limit=MOST)
        held = self.ledger.find("hold", states=["open"], limit=MOST)
        evidence = [self.ledger.get(id) for id in found.findings]
        known = Known(
            incident=found,
            findings=[f for f in evidence if isinstance(f, Finding) and f.state is FindingState.OPEN],
            messages=[m for m in messages if isinstance(m, Message)],
            dues=[d for d in dues if isinstance(d, Due)],
            holds=[h for h in held if isinstance(h, Hold)],
            settings=self.settings(),
        )
        return show.outreach(outreach(known, reader.now), reader)

    def one(self, name: str, id: str, live: Live, reader: Reader) -> Body:
        """GET /api/v1/NAME/ID; raises Unanswerable where there is no such thing."""
        if name == "probes":
            found = next((show.probe(view, reader) for view in live.probes if view.probe.name == id), None)
        elif name == "playbooks":
            declared = self.settings().playbooks.get(id)
            found = self._playbook(declared, reader) if declared else None
        else:
            own = name in LISTS and id.startswith(f"{LISTS[name].prefix}-")
            thing = self.ledger.get(id) if own else None
            found = None if thing is None else self._item(thing, reader)
        if found is None:
            raise Unanswerable(Trouble(404, "web.not_found", {"id": id}))
        return found

    def dues(self, *, incident: str | None = None, subject: str | None = None) -> list[Due]:
        """Dues that people are shown, oldest first."""
        found = self.ledger.find("due", incident=incident, newest=False, limit=MOST)
        return [d for d in found if isinstance(d, Due) and d.what not in INTERNAL and subject in (None, d.subject)]

    def next_updates(self, incident: str | None = None) -> dict[str, datetime]:
        """When each incident's customers are to hear next: one reading for a whole list, of open clocks only."""
        found: dict[str, datetime] = {}
        after: str | None = None
        while True:
            batch = self.ledger.find("due", states=["open"], incident=incident, limit=MOST, after=after)
            for due in batch:
                if isinstance(due, Due):
                    after = due.id
                    if due.what == "update.customer" and due.incident:
                        found[due.incident] = min(due.due_at, found.get(due.incident, due.due_at))
            if len(batch) < MOST:
                return found

    def forecast(self, incident: Incident) -> Forecast | None:
        """The forecast that a forewarning rests on: that of its own thing if there is one, else the soonest."""
        findings = [f for id in incident.findings if isinstance(f := self.ledger.get(id), Finding) and f.forecast]
        own = [f for f in findings if f.series == incident.thing] or findings
        dated = sorted(
            own, key=lambda f: (f.forecast is None or f.forecast.earliest is None, str(f.forecast and f.forecast.earliest))
        )
        return dated[0].forecast if dated else None

    def _on_its_way(self, message: Message) -> Message:
        """A queued message that the outbox is handing over at this moment is being sent."""
        if message.state is MessageState.QUEUED and message.id in self.ledger.leased():
            return replace(message, state=MessageState.SENDING)
        return message

    def _item(self, thing: Entity, reader: Reader) -> Body:
        match thing:
            case Finding():
                dues = [] if thing.incident else self._finding_dues(thing)
                return show.finding(thing, dues, reader)
            case Incident():
                dues = [d for d in self.dues(incident=thing.id) if d.subject == thing.id]
                changed = [one for id in thing.changes if isinstance(one := self.ledger.get(id), Change)]
                return show.incident(thing, dues, self.forecast(thing), reader, changed)
            case Change():
                return show.change(thing)
            case Message():
                return show.message(self._on_its_way(thing), reader)
            case Run():
                return show.run(thing, reader)
            case Due():
                return show.due(thing, reader)
            case Hold():
                held = self.ledger.find("message", states=["held"], limit=MOST)
                return show.hold(thing, [m for m in held if isinstance(m, Message)], reader)
            case Guard():
                return {"playbook": thing.playbook, "bad": thing.bad}
        return {"service": thing.service, "what": thing.what, "value": thing.value, "why": reader.tell(thing.why)}

    def _playbook(self, it: Playbook, reader: Reader) -> Body:
        """What is declared, and what stands of its limits."""
        guard = self.ledger.get(f"guard/{it.name}")
        return show.playbook(it, reader, guard if isinstance(guard, Guard) else None, self._breaker(it.name))

    def _breaker(self, playbook: str) -> Hold | None:
        held = self.ledger.find("hold", states=["open"], limit=MOST)
        return next(
            (h for h in held if isinstance(h, Hold) and h.reason.key == BREAKER and h.matcher == {"playbook": playbook}), None
        )

    def _declared(self, name: str, live: Live, query: Query, reader: Reader) -> Body:
        """Probes or playbooks: what people wrote, by name."""
        if name == "playbooks":
            declared = self.settings().playbooks
            items = [self._playbook(declared[each], reader) for each in sorted(declared)]
        else:
            views = [v for v in live.probes if query.kind in (None, v.probe.kind)]
            views = [v for v in views if not query.states or any(target.outcome in query.states for target in v.targets)]
            items = [show.probe(view, reader) for view in sorted(views, key=lambda view: view.probe.name)]
        items = [item for item in items if query.after is None or item["name"] > query.after]
        return page(items[: query.limit], more=len(items) > query.limit)

    def _finding_dues(self, finding: Finding) -> Sequence[Due]:
        """A finding without incident can be a task: its dues are open ones, few, and found among all that are open."""
        found = self.ledger.find("due", states=["open"], limit=MOST)
        return [d for d in found if isinstance(d, Due) and d.subject == finding.id and d.what not in INTERNAL]


@dataclass(frozen=True, slots=True)
class Resource:
    kind: str
    prefix: str
    states: tuple[str, ...]
    kinds: tuple[str, ...] = ()


LISTS: Mapping[str, Resource] = {
    "findings": Resource("finding", "F", tuple(FindingState)),
    "incidents": Resource("incident", "INC", tuple(IncidentState)),
    "messages": Resource("message", "M", tuple(MessageState), tuple(MessageKind)),
    "holds": Resource("hold", "H", HOLD_STATES),
    "dues": Resource("due", "D", DUE_STATES),
    "runs": Resource("run", "R", tuple(RunState)),
    "changes": Resource("change", "C", CHANGES),
}


DECLARED = ("probes", "playbooks")


def _check(resource: Resource, query: Query) -> None:
    for state in query.states:
        if state not in resource.states:
            raise Unanswerable(Trouble(400, "web.state", {"state": state, "states": ", ".join(resource.states)}))
    if query.kind and resource.kinds and query.kind not in resource.kinds:
        raise Unanswerable(Trouble(400, "web.kind", {"kind": query.kind, "kinds": ", ".join(resource.kinds)}))
    head, _, digits = (query.after or f"{resource.prefix}-1").rpartition("-")
    if head != resource.prefix or not (digits.isascii() and digits.isdigit()):
        raise Unanswerable(Trouble(400, "web.after", {"after": query.after, "example": f"{resource.prefix}-12"}))


def _kept(thing: Entity, query: Query) -> bool:
    if isinstance(thing, Due) and thing.what in INTERNAL:
        return False
    return query.kind is None or getattr(thing, "kind", query.kind) == query.kind
