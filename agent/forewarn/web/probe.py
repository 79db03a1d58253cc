"""One probe: how it stands, what each rule says, and the course of its series with limits and forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forewarn.core.reader import Body, Reader, shown_unit, stamp
from forewarn.core.show import target_why
from forewarn.model.finding import Finding
from forewarn.model.forecast import Forecast
from forewarn.model.hindsight import UNCOUNTED, Hindsight
from forewarn.model.probe import Probe, Rule
from forewarn.model.series import SeriesId, Window
from forewarn.ports import ProbeView, SeriesView, TargetView
from forewarn.web.chart import Chart, chart, limits
from forewarn.web.columns import Past
from forewarn.web.now import figure, series_name
from forewarn.web.reads import MOST, Live, Reads
from forewarn.web.rows import called
from forewarn.web.said import Trouble, Unanswerable

HOURS: Mapping[str, int] = {"1": 1, "6": 6, "24": 24, "168": 168, "720": 720, "2160": 2160}
"""How far back a picture reaches, as the address says it."""
MOST_CHARTS = 6
"""Pictures that a page shows unasked."""
GAP = 5.0
"""A line breaks where so many intervals are missing."""
FIRED_DAYS = 7
PHASES = ("resolve_s", "connect_s", "tls_s", "first_byte_s")
"""The parts of an exchange, one after another; what is left of total_s is the rest of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One part of the newest exchange, as a share of it in per cent."""

    name: str
    seconds: float
    begin: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """A series with its picture; `chart` is None where nothing is stored of that time."""

    view: SeriesView
    name: str
    unit: str
    chart: Chart | None
    ahead: Forecast | None = None


def viewed(live: Live, name: str) -> ProbeView:
    """The probe of that name; raises Unanswerable where there is none."""
    view = next((view for view in live.views if view.probe.name == name), None)
    if view is None:
        raise Unanswerable(Trouble(404, "web.not_found", {"id": name}))
    return view


def hours_of(given: str | None) -> int:
    """The span that an address asks for; raises Unanswerable for one that there is not."""
    if given is None:
        return HOURS["24"]
    if given not in HOURS:
        raise Unanswerable(Trouble(400, "web.hours", {"hours": given, "known": ", ".join(HOURS)}))
    return HOURS[given]


def shortest(pasts: Sequence[Past], now: datetime) -> int:
    """The span to show unasked: the shortest that holds what is stored of the last day, so that a first hour fills its picture."""
    begins = (past.times_s if isinstance(past, Window) else [slot.at_s for slot in past] for past in pasts)
    oldest_s = min((times_s[0] for times_s in begins if len(times_s)), default=0.0)
    shorter = (hours for hours in HOURS.values() if hours < HOURS["24"] and now.timestamp() - oldest_s <= hours * 3600)
    return next(shorter, HOURS["24"])


def pictured(view: ProbeView, asked: str | None) -> list[SeriesView]:
    """The series that the page shows in pictures: the one that was asked for, else those that rules of their own judge,
    the firing first; raises Unanswerable where there is no such series."""
    every = [one for target in view.targets for one in target.series]
    if asked is not None:
        found = [one for one in every if str(one.series) == asked]
        if not found:
            raise Unanswerable(Trouble(404, "web.not_found", {"id": asked}))
        return found
    judged = [one for one in every if any(not _builtin(view, rule.rule) for rule in one.rules)]
    latency = [one for one in every if one.series.metric == "total_s"]
    judged.sort(key=lambda one: not any(rule.state == "firing" for rule in one.rules))
    return (judged or latency or [one for one in every if one.series.metric != "up"][:1])[:MOST_CHARTS]


def probe_page(
    reads: Reads, view: ProbeView, shown: Sequence[SeriesView], pasts: Sequence[Past], hours: int, reader: Reader
) -> Body:
    """All that the page shows. `pasts` is what is stored of the `shown` series. Blocks on the store."""
    settings, name = reads.settings(), view.probe.name
    open_ones = reads.ledger.findings_of(name, MOST)
    return {
        "view": view,
        "service": called(settings, view.probe.service, reader) if view.probe.service else None,
        "target_why": lambda target: target_why(target, reader),
        "figure": lambda one: figure(one, reader),
        "pictures": [
            picture(view, one, past, _forecast(open_ones, one.series), hours, reader)
            for one, past in zip(shown, pasts, strict=True)
        ],
        "phases": {target.target: phases(target) for target in view.targets},
        "fired": reads.ledger.fired(name, reader.now - timedelta(days=FIRED_DAYS)),
        "fired_days": FIRED_DAYS,
        "incidents": sorted({f.incident for f in open_ones if f.incident}),
        "hours": hours,
        "spans": HOURS,
        "uncounted": {rule.name for rule in view.probe.rules if rule.kind in UNCOUNTED},
        "rules": {rule.name: rule for rule in view.probe.rules},
    }


def picture(view: ProbeView, one: SeriesView, past: Past, ahead: Forecast | None, hours: int, reader: Reader) -> Pictured:
    """A series with its picture of the last `hours`."""
    judged = limits(_rule_order(view, one))
    begin = reader.now - timedelta(hours=hours)
    return Pictured(
        view=one,
        name=series_name(one.series, reader),
        unit=shown_unit(one.series.metric),
        chart=chart(past, begin, reader.now, judged, ahead, GAP * view.probe.every_s),
        ahead=ahead,
    )


def series_body(reads: Reads, view: ProbeView, one: SeriesView, past: Past, hours: int, reader: Reader) -> Body:
    """GET /api/v1/series/ID. Blocks on the store."""
    ahead = _forecast(reads.ledger.findings_of(view.probe.name, MOST), one.series)
    drawn = picture(view, one, past, ahead, hours, reader).chart
    return {"series": str(one.series), "hours": hours, **(drawn.numbers if drawn else {"times_s": []})}


def fired_body(reads: Reads, probe: Probe, would: Hindsight, reader: Reader) -> Body:
    """What GET /api/v1/probes/NAME says beside the probe itself: how often each rule fired, and would have. Blocks on the store."""
    fired = reads.ledger.fired(probe.name, reader.now - timedelta(days=FIRED_DAYS))
    return {
        "fired": {"days": FIRED_DAYS, "rules": _counts(fired)},
        "would_have_fired": {
            "progress": would.progress,
            "since": stamp(would.since),
            "until": stamp(would.until),
            "samples": would.samples,
            "share": round(would.share, 4),
            "rules": _counts(would.fired),
            "uncounted": [rule.name for rule in probe.rules if rule.kind in UNCOUNTED],
            "why": would.why or None,
        },
    }


def _counts(fired: Mapping[tuple[str, str], int]) -> list[Body]:
    return [{"rule": rule, "series": series, "count": count} for (rule, series), count in sorted(fired.items())]


def _rule_order(view: ProbeView, one: SeriesView) -> list[Rule]:
    """The series' rules, those that forecast first: theirs is the limit that a forecast leads to."""
    found = [rule for shown in one.rules if (rule := view.probe.rule(shown.rule))]
    return sorted(found, key=lambda rule: rule.kind != "forecast")


def _forecast(findings: Sequence[Finding], series: SeriesId) -> Forecast | None:
    return next((f.forecast for f in findings if f.series == str(series) and f.forecast), None)


def _builtin(view: ProbeView, rule: str) -> bool:
    found = view.probe.rule(rule)
    return found is None or found.builtin


def phases(target: TargetView) -> tuple[Phase, ...]:
    """The parts of the newest exchange; nothing for probes that have none."""
    values = {one.series.metric: one.value for one in target.series if not one.series.labels}
    total = values.get("total_s")
    if not total or total <= 0:
        return ()
    parts = [(name, values[name]) for name in PHASES if values.get(name, 0.0) > 0]
    rest = total - sum(seconds for _, seconds in parts)
    parts += [("rest", rest)] if rest > 0 else []
    whole, found, at = sum(seconds for _, seconds in parts), [], 0.0
    for name, seconds in parts:
        width = 100 * seconds / whole
        found.append(Phase(name=name, seconds=seconds, begin=round(at, 2), width=round(width, 2)))
        at += width
    return tuple(found)
