"""The console's first page: what is ahead, what is wrong now, what waits, what can't be seen, what is being learnt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from forewarn.core import overview
from forewarn.core.reader import Body, Reader, shown_unit
from forewarn.core.show import target_why
from forewarn.model.finding import RuleState
from forewarn.model.forecast import Forecast
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Message
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.model.text import say
from forewarn.ports import ProbeView, SeriesView, TargetView
from forewarn.web.reads import MOST, Live, Reads

MOST_FIGURES = 4
MOST_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An incident in a list. `customers` counts those it touches or may touch; `next_update` is the customers' next due."""

    incident: Incident
    forecast: Forecast | None
    services: str
    customers: int
    vips: int
    next_update: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One probe at a glance. `state` is down, firing, unknown, learning or ok: the worst that is true."""

    name: str
    service: str | None
    state: str
    outcomes: dict[str, int]
    figures: tuple[str, ...]
    more: int


def first_page(reads: Reads, live: Live, reader: Reader) -> Body:
    """Everything that the first page shows. Blocks on the store."""
    seen, settings = reads.seen(live), reads.settings()
    ahead = overview.soonest(i for i in seen.incidents if i.state is IncidentState.AHEAD)
    now = sorted((i for i in seen.incidents if i.live), key=lambda i: (i.level.rank, i.opened_at))
    ready = overview.learning(live.probes)
    dates = sorted(at for at in ready if at)
    return {
        "status": overview.status(seen, reader),
        "ahead": [row(reads, settings, incident, reader) for incident in ahead],
        "now": [row(reads, settings, incident, reader) for incident in now],
        "tasks": [f for f in reads.open_findings() if f.incident is None and f.kind != "cannot-see"],
        "troubles": [reader.tell(trouble) for trouble in live.troubles],
        "waiting": waiting(reads),
        "cannot_see": cannot_see(live.probes, reader),
        "learning": len(ready),
        "first_date": dates[0] if dates else None,
        "last_date": dates[-1] if dates and len(dates) == len(ready) else None,
        "watched": [watched(view, reader) for view in sorted(live.probes, key=lambda view: view.probe.name)],
    }


def row(reads: Reads, settings: Settings, incident: Incident, reader: Reader) -> Row:
    names = {*incident.impact.affected, *incident.impact.exposed}
    customers = [settings.customers[name] for name in names if name in settings.customers]
    updates = [d.due_at for d in reads.dues(incident=incident.id) if d.open and d.what == "update.customer"]
    return Row(
        incident=incident,
        forecast=reads.forecast(incident) if incident.state is IncidentState.AHEAD else None,
        services=", ".join(called(settings, name, reader) for name in incident.services),
        customers=len(names),
        vips=sum(1 for customer in customers if customer.vip),
        next_update=min(updates, default=None),
    )


def called(settings: Settings, service: str, reader: Reader) -> str:
    found = settings.services.get(service)
    return found.called(reader.language) if found else service


def waiting(reads: Reads, incident: str | None = None) -> list[Message]:
    """Messages that need somebody's yes, the oldest first."""
    found = reads.ledger.find("message", states=["waiting_approval"], incident=incident, newest=False, limit=MOST)
    return [m for m in found if isinstance(m, Message)]


def cannot_see(probes: Iterable[ProbeView], reader: Reader) -> str | None:
    """All that we could not look at, in one line: by reason, the commonest first, with the first few names."""
    reasons: dict[str, list[str]] = {}
    for view in probes:
        for target in view.targets:
            if target.outcome == "unknown" and target.at:
                reason = _short_reason(target, reader)
                reasons.setdefault(reason, []).append(_name(view, target))
    parts = [
        reader.tell(say("console.cannot_see.part", reason=reason, names=_some(names, reader)))
        for reason, names in sorted(reasons.items(), key=lambda pair: -len(pair[1]))
    ]
    line = reader.tell(say("console.cannot_see.line", parts=reader.listed(parts, "console.semicolon")))
    return line if parts else None


def _short_reason(target: TargetView, reader: Reader) -> str:
    """The reason's words without the detail, so that equal ones fall together."""
    if target.reason:
        return reader.word(f"prober.reason.{target.reason}", target.reason.replace("_", " "))
    return target_why(target, reader) or reader.tell(say("console.unknown"))


def _name(view: ProbeView, target: TargetView) -> str:
    return view.probe.name if len(view.targets) == 1 else f"{view.probe.name} {target.target}"


def _some(names: Sequence[str], reader: Reader) -> str:
    shown = reader.listed(names[:MOST_NAMES])
    rest = len(names) - MOST_NAMES
    return reader.tell(say("console.and_more", shown=shown, count=rest)) if rest > 0 else shown


def watched(view: ProbeView, reader: Reader) -> Watched:
    """One line on a probe: how it stands and its most telling figures, those that a rule judges first."""
    all_series = [one for target in view.targets for one in target.series if one.series.metric != "up"]
    ordered = sorted(all_series, key=lambda one: not one.rules)
    outcomes = [target.outcome for target in view.targets]
    return Watched(
        name=view.probe.name,
        service=view.probe.service,
        state=_state(view),
        outcomes={name: outcomes.count(name) for name in ("up", "down", "unknown")},
        figures=tuple(figure(one, reader) for one in ordered[:MOST_FIGURES]),
        more=max(0, len(all_series) - MOST_FIGURES),
    )


def _state(view: ProbeView) -> str:
    states = {rule.state for target in view.targets for one in target.series for rule in one.rules}
    outcomes = {target.outcome for target in view.targets}
    if "down" in outcomes:
        return "down"
    if RuleState.FIRING in states:
        return "firing"
    if "unknown" in outcomes:
        return "unknown"
    return "learning" if RuleState.LEARNING in states else "ok"


def figure(view: SeriesView, reader: Reader) -> str:
    """A series in a few words: `memory 43 %`, `file system /srv 61 %`."""
    return reader.tell(
        say("console.figure", name=series_name(view.series, reader), value=view.value, unit=shown_unit(view.series.metric))
    )


def series_name(series: SeriesId, reader: Reader) -> str:
    name = reader.word(f"metric.{series.metric}", series.metric)
    return " ".join([name, *(value for _, value in series.labels)])
