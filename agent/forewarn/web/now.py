"""What is wrong now, what can't be seen, what is being learnt, and all that is watched."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forewarn.core import overview
from forewarn.core.reader import Body, Reader, number, shown_unit
from forewarn.core.show import host_away, target_why
from forewarn.model.finding import RuleState
from forewarn.model.glance import Glance, Sight, Stand
from forewarn.model.incident import Incident
from forewarn.model.series import SeriesId
from forewarn.model.text import say
from forewarn.ports import ProbeView, SeriesView, TargetView
from forewarn.web.reads import Live, Reads
from forewarn.web.rows import Row, called, rows

MOST_INCIDENTS = 50
MOST_TASKS = 20
MOST_FIGURES = 4
MOST_NAMES = 3
MOST_WATCHED = 100
"""Probes on one page; the filter and the link below it lead to the rest."""
MOST_LEARNING = 20
SAME_LOOK = timedelta(milliseconds=10)
"""A figure and the look that it came with bear the same time, as exactly as the store keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the page Now is asked for: `incident` is the last one of the page before, `names` are the probes of this one."""

    words: str
    incident: str | None
    names: tuple[str, ...]
    found: int
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One probe at a glance. `state` is down, firing, unknown, learning or ok: the worst that is true."""

    name: str
    service: str | None
    state: str
    outcomes: dict[str, int]
    figures: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A target that could not be looked at, and what exactly stood in the way."""

    probe: str
    name: str
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """What could not be looked at for one reason."""

    reason: str
    unseen: tuple[Unseen, ...]

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.unseen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """A series that needs more history; `ready_at` is when its first answer is expected, if that is known."""

    probe: str
    name: str
    ready_at: datetime | None


def now_page(reads: Reads, live: Live, reader: Reader, asked: Asked) -> Body:
    """Everything that the page Now shows; `live.views` are the probes that it lists. Blocks on the store."""
    seen = reads.seen(live)
    status = overview.status(seen, reader)
    incidents = [] if asked.words else reads.ledger.live(MOST_INCIDENTS + 1, asked.incident)
    learned, shown = live.glance.learning, incidents[:MOST_INCIDENTS]
    return {
        "status": status,
        "groups": groups(reads, shown, reader),
        "incidents": len(shown),
        "incidents_all": sum(seen.live_levels.values()),
        "incidents_next": shown[-1].id if len(incidents) > MOST_INCIDENTS else None,
        "incidents_after": asked.incident,
        "tasks": [] if asked.words else reads.ledger.tasks(MOST_TASKS),
        "tasks_all": seen.tasks,
        "troubles": status["troubles"],
        "blind": [] if asked.words else blind(live.glance, reader),
        "learning": [
            Learning(probe=one.series.probe, name=series_name(one.series, reader), ready_at=one.ready_at)
            for one in learned[:MOST_LEARNING]
        ],
        "learning_more": max(0, len(learned) - MOST_LEARNING),
        "views": live.views,
        "watched": lambda view: watched(view, reader),
        "found": asked.found,
        "all": len(live.glance.stands),
        "next": asked.next,
        "words": asked.words,
    }


def wanted(glance: Glance, words: str, after: str | None, incident: str | None) -> Asked:
    """Which probes to list, by name, from the one after `after` on: those in whose name, service, kind, tags or targets each of
    the words stands."""
    sought = words.lower().split()
    names: Sequence[str] = glance.names
    if sought:
        names = [name for name, text in zip(names, glance.texts, strict=True) if all(word in text for word in sought)]
    begin = 0 if after is None else bisect_right(names, after)
    page = tuple(names[begin : begin + MOST_WATCHED])
    more = begin + MOST_WATCHED < len(names)
    return Asked(words=words, incident=incident, names=page, found=len(names), next=page[-1] if more else None)


def groups(reads: Reads, incidents: Sequence[Incident], reader: Reader) -> list[tuple[str, list[Row]]]:
    """Incidents by the service that they began with, in the order of their gravest."""
    found: dict[str, list[Row]] = {}
    for row in rows(reads, incidents, reader):
        first = row.incident.services[0] if row.incident.services else ""
        name = called(reads.settings(), first, reader) if first else reader.tell(say("console.now.no_service"))
        found.setdefault(name, []).append(row)
    return list(found.items())


def blind(glance: Glance, reader: Reader) -> list[Blind]:
    """All that we could not look at, by reason, the commonest first."""
    reasons: dict[str, dict[str, Unseen]] = {}
    for stand, seen in glance.unseen:
        name = _name(stand, seen)
        one = Unseen(probe=stand.probe.name, name=name, detail=seen.detail if seen.reason else None)
        reasons.setdefault(_short_reason(seen, reader), {}).setdefault(name, one)
    found = [Blind(reason=why, unseen=tuple(names.values())) for why, names in reasons.items()]
    return sorted(found, key=lambda one: -len(one.unseen))


def cannot_see(glance: Glance, reader: Reader) -> str | None:
    """The same in one line, with the first few names of each reason."""
    parts = [
        reader.tell(say("console.cannot_see.part", reason=one.reason, names=_some(one.names, reader)))
        for one in blind(glance, reader)
    ]
    line = reader.tell(say("console.cannot_see.line", parts=reader.listed(parts, "console.semicolon")))
    return line if parts else None


def _short_reason(target: Sight, reader: Reader) -> str:
    """The reason's words without the detail, so that equal ones fall together."""
    if target.reason:
        return reader.word(f"prober.reason.{target.reason}", target.reason.replace("_", " "))
    return target_why(target, reader) or reader.tell(say("console.unknown"))


def _name(stand: Stand, target: Sight) -> str:
    if away := host_away(stand.probe, target):
        return away
    return stand.probe.name if len(stand.targets) == 1 else f"{stand.probe.name} {target.target}"


def _some(names: Sequence[str], reader: Reader) -> str:
    shown = reader.listed(names[:MOST_NAMES])
    rest = len(names) - MOST_NAMES
    return reader.tell(say("console.and_more", shown=shown, count=rest)) if rest > 0 else shown


def watched(view: ProbeView, reader: Reader) -> Watched:
    """One line on a probe: how it stands and its most telling figures, those that a rule judges first.

    Figures from before a target went down or out of sight are left out: nobody may take them for today's.
    """
    all_series = [one for target in view.targets for one in target.series if one.series.metric != "up" and _current(one, target)]
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


def _current(one: SeriesView, target: TargetView) -> bool:
    """Whether a figure is of the newest look, or of a target that is up (whose figures may come at a slower pace)."""
    return target.outcome == "up" or not (one.at and target.at) or target.at - one.at < SAME_LOOK


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
    """A series in a few words: `memory 43 %`, `file system /srv 61 %`, `availability: up`."""
    if view.series.metric == "up" and view.value in (0.0, 1.0):
        outcome = reader.word("console.outcome.up" if view.value else "console.outcome.down", "")
        return reader.tell(say("console.reason", reason=series_name(view.series, reader), detail=outcome))
    return reader.tell(
        say("console.figure", name=series_name(view.series, reader), value=number(view.value), unit=shown_unit(view.series.metric))
    )


def series_name(series: SeriesId, reader: Reader) -> str:
    name = reader.word(f"metric.{series.metric}", series.metric)
    return " ".join([name, *(value for _, value in series.labels)])
