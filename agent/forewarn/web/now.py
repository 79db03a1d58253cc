"""What is wrong now, what can't be seen, what is being learnt, and all that is watched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from forewarn.core import overview
from forewarn.core.reader import Body, Reader, number, shown_unit
from forewarn.core.show import target_why
from forewarn.model.finding import Finding, RuleState
from forewarn.model.incident import Incident
from forewarn.model.series import SeriesId
from forewarn.model.text import say
from forewarn.ports import ProbeView, SeriesView, TargetView
from forewarn.web.reads import Live, Reads
from forewarn.web.rows import Row, called, row

MOST_FIGURES = 4
MOST_NAMES = 3
MOST_WATCHED = 100
"""Probes on one page; the filter and the link below it lead to the rest."""
MOST_LEARNING = 20


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


def now_page(reads: Reads, live: Live, reader: Reader, words: str, after: str | None) -> Body:
    """Everything that the page Now shows; `words` narrows what is watched, `after` is the last name of the page before."""
    seen = reads.seen(live)
    found = [view for view in sorted(live.probes, key=lambda view: view.probe.name) if _fits(view, words)]
    rest = [view for view in found if after is None or view.probe.name > after]
    learned = learning(live.probes, reader)
    return {
        "status": overview.status(seen, reader),
        "groups": groups(reads, live_incidents(seen.incidents), reader),
        "tasks": tasks(reads),
        "troubles": [reader.tell(trouble) for trouble in live.troubles],
        "blind": blind(live.probes, reader),
        "learning": learned[:MOST_LEARNING],
        "learning_more": max(0, len(learned) - MOST_LEARNING),
        "watched": [watched(view, reader) for view in rest[:MOST_WATCHED]],
        "found": len(found),
        "all": len(live.probes),
        "next": rest[MOST_WATCHED - 1].probe.name if len(rest) > MOST_WATCHED else None,
        "words": words,
    }


def live_incidents(incidents: Iterable[Incident]) -> list[Incident]:
    """Trouble that is there now, the gravest first, then the oldest."""
    return sorted((i for i in incidents if i.live), key=lambda i: (i.level.rank, i.opened_at))


def groups(reads: Reads, incidents: Sequence[Incident], reader: Reader) -> list[tuple[str, list[Row]]]:
    """Incidents by the service that they began with, in the order of their gravest."""
    found: dict[str, list[Row]] = {}
    updates = reads.next_updates()
    for incident in incidents:
        first = incident.services[0] if incident.services else ""
        name = called(reads.settings(), first, reader) if first else reader.tell(say("console.now.no_service"))
        found.setdefault(name, []).append(row(reads, reads.settings(), incident, reader, updates))
    return list(found.items())


def tasks(reads: Reads) -> list[Finding]:
    """Findings that are nobody's incident: work for office hours."""
    return [f for f in reads.open_findings() if f.incident is None and f.kind != "cannot-see"]


def learning(probes: Iterable[ProbeView], reader: Reader) -> list[Learning]:
    """The series that a rule still learns, the soonest first."""
    found = []
    for view in probes:
        for one in (series for target in view.targets for series in target.series):
            ready = [rule.ready_at for rule in one.rules if rule.state is RuleState.LEARNING]
            if ready:
                at = min((at for at in ready if at), default=None)
                found.append(Learning(probe=view.probe.name, name=series_name(one.series, reader), ready_at=at))
    return sorted(found, key=lambda one: (one.ready_at is None, str(one.ready_at), one.probe, one.name))


def blind(probes: Iterable[ProbeView], reader: Reader) -> list[Blind]:
    """All that we could not look at, by reason, the commonest first."""
    reasons: dict[str, list[Unseen]] = {}
    for view in probes:
        for target in view.targets:
            if target.outcome == "unknown" and target.at:
                one = Unseen(probe=view.probe.name, name=_name(view, target), detail=target.detail if target.reason else None)
                reasons.setdefault(_short_reason(target, reader), []).append(one)
    return [Blind(reason=why, unseen=tuple(found)) for why, found in sorted(reasons.items(), key=lambda pair: -len(pair[1]))]


def cannot_see(probes: Iterable[ProbeView], reader: Reader) -> str | None:
    """The same in one line, with the first few names of each reason."""
    parts = [
        reader.tell(say("console.cannot_see.part", reason=one.reason, names=_some(one.names, reader)))
        for one in blind(probes, reader)
    ]
    line = reader.tell(say("console.cannot_see.line", parts=reader.listed(parts, "console.semicolon")))
    return line if parts else None


def _fits(view: ProbeView, words: str) -> bool:
    """Whether each of the words stands in a probe's name, service, kind, tags or targets."""
    probe = view.probe
    text = " ".join((probe.name, probe.service or "", probe.kind, *probe.tags, *(target.name for target in probe.targets)))
    return all(word in text.lower() for word in words.lower().split())


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
