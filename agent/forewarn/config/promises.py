"""Rules about what should go on: `slo` (a promise that is kept) and `absence` (something that comes again and again)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo

from forewarn.config import times
from forewarn.config.problems import Problems, Wrong, suggestion
from forewarn.config.units import duration_text, number_text, shown, value_of
from forewarn.config.written import Positive, Share, Value, Written, described
from forewarn.core.detect.absence import AbsenceOptions
from forewarn.core.detect.slo import SLOW, SloOptions
from forewarn.model.due import Calendar, Weekly
from forewarn.model.errors import Problem
from forewarn.model.probe import Probe, Rule
from forewarn.model.series import Bound

DAY_S = 86400.0
SHORTEST_S, LONGEST_S = 7 * DAY_S, 90 * DAY_S
LOOSEST, TIGHTEST = 0.5, 0.99999
BUDGET = "slo-budget"
"""The kind of the second rule of a promise: used up too fast, but not so fast that it must page."""


class SloWritten(Written):
    """A promise: this share of the samples is good within the window. Fires when its error budget is used up too fast."""

    objective: Share = described("share that must be good", "99.5%")
    window: Positive = described("for how long the promise runs", "30d", default=30 * DAY_S)
    metric: str = described("what is promised; `up` if left out", "total_s", default="up")
    below: Value = described("good is below this, in the metric's unit", "300ms", default=None)
    above: Value = described("good is above this, in the metric's unit", "10", default=None)
    least: int = described("bad samples that it takes at least, for probes that run seldom", 3, default=3, ge=1, le=1000)


class AbsenceWritten(Written):
    """Something has stopped coming, or has never come: samples of a series, or lines that a pattern counts."""

    metric: str = described('metric, or metric{label="glob"}; a _total metric comes when it grows', "backups_total")
    for_: Positive = described("fires when it has not come for this long", "26h", alias="for")
    first: Positive | None = described("how long the first one may take; the same if left out", "1h", default=None)
    only: str | None = described("hours in which it is waited for: a calendar, or hours of the week", "office", default=None)


def slo(written: SloWritten, metric: str) -> SloOptions:
    """Options of the rule that pages; raises Wrong."""
    if not LOOSEST <= written.objective <= TIGHTEST:
        raise Wrong(f"objective {number_text(100 * written.objective)}% is out of range", "write 50% to 99.999%, e.g. 99.5%")
    if not SHORTEST_S <= written.window <= LONGEST_S:
        raise Wrong(f"window {duration_text(written.window)} is out of range", "write 7d to 90d, e.g. 30d")
    return SloOptions(objective=written.objective, window_s=written.window, bound=_bound(written, metric), least=written.least)


def _bound(written: SloWritten, metric: str) -> Bound:
    above, below = written.above, written.below
    if metric == "up":
        if above is not None or below is not None:
            raise Wrong("up is good or not by itself", "leave above and below out, or name another metric")
        return Bound(above=0.0)
    if metric.endswith("_total"):
        raise Wrong(f"{metric} only ever grows", "name a metric whose single values are good or bad, e.g. total_s")
    if (above is None) == (below is None):
        raise Wrong("give exactly one of above and below", "write below: 300ms, the side that is good")
    return Bound(above=value_of(metric, above)) if above is not None else Bound(below=value_of(metric, below))


def budget(rule: Rule) -> Rule:
    """The rule beside a promise's own: the slow pairs, a task instead of a page."""
    options = rule.options
    if not isinstance(options, SloOptions):
        raise TypeError(f"{rule.name} is no promise")
    return replace(rule, name=f"{rule.name}-budget", kind=BUDGET, options=replace(options, pairs=SLOW))


def absence(written: AbsenceWritten, metric: str) -> AbsenceOptions:
    """Options as far as one file tells them; `with_hours` adds what `only` stands for. Raises Wrong."""
    if metric == "up":
        raise Wrong(
            "up is missing only while nobody could look", "every probe has the rule cannot-see for that; name what should come"
        )
    first = written.for_ if written.first is None else written.first
    return AbsenceOptions(for_s=written.for_, first_s=first, counter=metric.endswith("_total"), only=written.only)


def with_hours(
    probes: Mapping[str, Probe], calendars: Mapping[str, Calendar], zone: tzinfo, problems: Problems
) -> dict[str, Probe]:
    """The probes, with the hours that their rules' `only` names. `zone` is that of hours that name none."""
    return {name: _with_hours(probe, calendars, zone, problems) for name, probe in probes.items()}


def _with_hours(probe: Probe, calendars: Mapping[str, Calendar], zone: tzinfo, problems: Problems) -> Probe:
    if not any(isinstance(rule.options, AbsenceOptions) and rule.options.only for rule in probe.rules):
        return probe
    return replace(probe, rules=tuple(_in_hours(rule, calendars, zone, problems) for rule in probe.rules))


def _in_hours(rule: Rule, calendars: Mapping[str, Calendar], zone: tzinfo, problems: Problems) -> Rule:
    options = rule.options
    if not isinstance(options, AbsenceOptions) or options.only is None:
        return rule
    hours: Calendar | Weekly | None = calendars.get(options.only)
    if hours is None:
        try:
            hours = times.weekly(options.only, zone)
        except Wrong:
            near = suggestion(options.only, calendars) if calendars else None
            what, right = (
                f"{shown(options.only)} is neither a calendar nor hours of the week",
                near or "write a calendar of ladder.yaml, or Mon-Fri 09:00-18:00",
            )
            problems.put(Problem(rule.source.file, rule.source.line, f"{rule.name}.only", what, right))
            return rule
    return replace(rule, options=replace(options, hours=hours))
