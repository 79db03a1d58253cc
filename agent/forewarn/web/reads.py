"""What can be read: the bodies of GET /api/v1/..., made from the ledger and a snapshot of what runs.

Everything here blocks on the store and runs in a thread; `Live.of` is taken on the loop before, because what the daemon
knows about itself belongs to the loop. Offline (no daemon) the same code reads a Live that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from forewarn.model.glance import Glance
from forewarn.model.hold import Hold
from forewarn.model.impact import Measure
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.playbook import Guard, Playbook, Run, RunState
from forewarn.model.scorecard import Score
from forewarn.model.settings import Settings
from forewarn.model.text import Say
from forewarn.ports import Entity, Ledger, ProbeView, Stats
from forewarn.web.said import Trouble, Unanswerable

MOST = 1000
DUE_STATES = ("open", "met", "late", "dropped", "done")
BREAKER = "hold.breaker"
HOLD_STATES = ("open", "ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What the daemon knew about itself at one moment. Without a daemon most of it is None, and `why` says so."""

    glance: Glance = field(default_factory=Glance)
    views: Sequence[ProbeView] = ()
    """Probes in full: those that an answer is about. Offline, all of them."""
    troubles: Sequence[Say] = ()
    started_at: datetime | None = None
    lateness_ms: tuple[float, float] | None = None
    missed: int | None = None
    rss_mb: float | None = None
    why: Say | None = None

    @staticmethod
    async def of(stats: Stats) -> Live:
        from psutil import Process

        return Live(
            glance=await stats.glance(),
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
        standing = self.ledger.standing()
        return overview.Seen(
            version=__version__,
            settings=self.settings(),
            started_at=live.started_at,
            unresolved=standing.unresolved,
            next_breach=next((incident.id for incident in self.ledger.ahead(1)), None),
            findings=standing.findings,
            tasks=standing.tasks,
            cannot_see=bool(live.glance.unseen) or bool(live.why) or standing.blind > 0,
            messages=self.ledger.counts("message", SHOWN_MESSAGES),
            glance=live.glance,
            troubles=live.troubles,
            lateness_ms=live.lateness_ms,
            missed=live.missed,
            rss_mb=live.rss_mb,
            why=live.why,
        )

    def items(self, name: str, query: Query, live: Live, reader: Reader) -> Body:
        """GET /api/v1/NAME; raises Unanswerable for a state, kind or cursor that can't be."""
        if name in DECLARED:
            return self._declared(name, live, query, reader)
        resource = LISTS[name]
        _check(resource, query)
        found = self.ledger.find(
            resource.kind,
            states=query.states,
            incident=query.incident,
            of=query.kind if resource.kind in ("finding", "message") else None,
            hidden=tuple(INTERNAL) if resource.kind == "due" else (),
            limit=query.limit + 1,
            after=query.after,
        )
        return page(self.shown(found[: query.limit], reader), more=len(found) > query.limit)

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
            found = next((show.probe(view, reader) for view in live.views if view.probe.name == id), None)
        elif name == "playbooks":
            declared = self.settings().playbooks.get(id)
            found = self._playbook(declared, reader) if declared else None
        else:
            own = name in LISTS and id.startswith(f"{LISTS[name].prefix}-")
            thing = self.ledger.get(id) if own else None
            found = None if thing is None else self.shown([thing], reader)[0]
        if found is None:
            raise Unanswerable(Trouble(404, "web.not_found", {"id": id}))
        return found

    def dues(self, *, incident: str | None = None, subject: str | None = None) -> list[Due]:
        """Dues that people are shown, oldest first."""
        found = self.ledger.find("due", incident=incident, hidden=tuple(INTERNAL), newest=False, limit=MOST)
        return [d for d in found if isinstance(d, Due) and subject in (None, d.subject)]

    def forecasts(self, incidents: Sequence[Incident]) -> dict[str, Forecast]:
        """The forecast that each of these rests on: that of its own thing if there is one, else the soonest."""
        findings = self.ledger.get_all([id for incident in incidents for id in incident.findings])
        found = {}
        for incident in incidents:
            with_one = [f for id in incident.findings if isinstance(f := findings.get(id), Finding) and f.forecast]
            own = [f for f in with_one if f.series == incident.thing] or with_one
            dated = sorted(
                own, key=lambda f: (f.forecast is None or f.forecast.earliest is None, str(f.forecast and f.forecast.earliest))
            )
            if dated and dated[0].forecast:
                found[incident.id] = dated[0].forecast
        return found

    def shown(self, things: Sequence[Entity], reader: Reader) -> list[Body]:
        """Things of one kind as the API shows them, with one question to the ledger for what belongs to all of them."""
        match things[:1]:
            case [Incident()]:
                return self._incidents([it for it in things if isinstance(it, Incident)], reader)
            case [Finding()]:
                return self._findings([it for it in things if isinstance(it, Finding)], reader)
            case [Message()]:
                leased = self.ledger.leased()
                return [show.message(_on_its_way(it, leased), reader) for it in things if isinstance(it, Message)]
            case [Hold()]:
                held = [m for m in self.ledger.find("message", states=["held"], limit=MOST) if isinstance(m, Message)]
                return [show.hold(it, held, reader) for it in things if isinstance(it, Hold)]
        return [_plain(it, reader) for it in things]

    def _incidents(self, incidents: Sequence[Incident], reader: Reader) -> list[Body]:
        dues: dict[str, list[Due]] = {}
        for due in self.ledger.dues_of([it.id for it in incidents], tuple(INTERNAL)):
            if due.subject == due.incident:
                dues.setdefault(due.subject, []).append(due)
        forecasts = self.forecasts(incidents)
        changes = self.ledger.get_all([id for it in incidents for id in it.changes])
        return [
            show.incident(
                it,
                dues.get(it.id, []),
                forecasts.get(it.id),
                reader,
                [one for id in it.changes if isinstance(one := changes.get(id), Change)],
            )
            for it in incidents
        ]

    def _findings(self, findings: Sequence[Finding], reader: Reader) -> list[Body]:
        """One without incident can be a task: its dues are its own."""
        dues: dict[str, list[Due]] = {}
        for due in self.ledger.open_dues_of([it.id for it in findings if it.incident is None]):
            if due.what not in INTERNAL:
                dues.setdefault(due.subject, []).append(due)
        return [show.finding(it, dues.get(it.id, []), reader) for it in findings]

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
            names = [each for each in sorted(declared) if query.after is None or each > query.after][: query.limit + 1]
            items = [self._playbook(declared[each], reader) for each in names]
        else:
            views = {view.probe.name: view for view in live.views}
            items = [show.probe(views[each], reader) for each in chosen(query, live.glance) if each in views]
        return page(items[: query.limit], more=len(items) > query.limit)


@dataclass(frozen=True, slots=True)
class Resource:
    kind: str
    prefix: str
    states: tuple[str, ...]
    kinds: tuple[str, ...] = ()


SHOWN_MESSAGES = ("queued", "held", "waiting_approval", "failed", "unknown")
"""States of messages that the status counts."""
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


def chosen(query: Query, glance: Glance) -> list[str]:
    """Names of the probes that a list of them asks for, and of one more."""
    found = []
    for stand in glance.stands:
        if (query.after is not None and stand.probe.name <= query.after) or query.kind not in (None, stand.probe.kind):
            continue
        if not query.states or any(seen.outcome in query.states for seen in stand.targets):
            found.append(stand.probe.name)
            if len(found) > query.limit:
                break
    return found


def _on_its_way(message: Message, leased: Mapping[str, str]) -> Message:
    """A queued message that the outbox is handing over at this moment is being sent."""
    if message.state is MessageState.QUEUED and message.id in leased:
        return replace(message, state=MessageState.SENDING)
    return message


def _plain(thing: Entity, reader: Reader) -> Body:
    """What needs nothing beside itself."""
    match thing:
        case Run():
            return show.run(thing, reader)
        case Due():
            return show.due(thing, reader)
        case Change():
            return show.change(thing)
        case Score():
            return {"probe": thing.probe, "rule": thing.rule, "counts": dict(thing.counts)}
        case Guard():
            return {"playbook": thing.playbook, "bad": thing.bad}
        case Measure():
            return {"service": thing.service, "what": thing.what, "value": thing.value, "why": reader.tell(thing.why)}
    raise TypeError(type(thing).__name__)
