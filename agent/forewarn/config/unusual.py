"""What people write for a baseline: what the values may depend on, and how unusual is unusual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from forewarn.config.problems import Problems, Wrong, suggestion
from forewarn.config.units import number_text, shown
from forewarn.config.written import Name, Share, Written, described
from forewarn.core.detect.baseline import ALARM, BaselineOptions
from forewarn.model.due import Calendar
from forewarn.model.errors import Problem
from forewarn.model.probe import Probe, Rule


class BaselineWritten(Written):
    """Whether a series behaves as it always has: evidence, opens nothing alone."""

    metric: str = described('metric, or metric{label="glob"}', "total_s")
    season: Literal["none", "day", "week"] | None = described(
        "what of the clock the values may depend on; day if left out, week with a calendar", "day", default=None
    )
    calendar: Name | None = described(
        "a calendar of ladder.yaml: its holidays and other days off are judged apart, by its time zone", "office", default=None
    )
    above: Share = described(
        "the score that alarms; 0.5 is the one shipped limit, each step halves what is left", 0.5, default=ALARM
    )


def baseline(written: BaselineWritten, metric: str) -> BaselineOptions:
    """Options as far as one file tells them; `with_days` adds what the calendar says. Raises Wrong."""
    if not 0.3 <= written.above <= 0.95:
        raise Wrong(f"above {number_text(written.above)} is out of range", "write 0.3 to 0.95; 0.5 is the shipped limit")
    if written.calendar is not None and written.season not in (None, "week"):
        raise Wrong(f"season {written.season} knows no days off", "write season: week, or leave calendar out")
    season = written.season or ("day" if written.calendar is None else "week")
    return BaselineOptions(season=season, above=written.above, calendar=written.calendar)


def with_days(probes: Mapping[str, Probe], calendars: Mapping[str, Calendar], problems: Problems) -> dict[str, Probe]:
    """The probes, with the days off that the calendars of their baselines declare."""
    return {name: _with_days(probe, calendars, problems) for name, probe in probes.items()}


def _with_days(probe: Probe, calendars: Mapping[str, Calendar], problems: Problems) -> Probe:
    if not any(isinstance(rule.options, BaselineOptions) and rule.options.calendar for rule in probe.rules):
        return probe
    return replace(probe, rules=tuple(_on_days(rule, calendars, problems) for rule in probe.rules))


def _on_days(rule: Rule, calendars: Mapping[str, Calendar], problems: Problems) -> Rule:
    options = rule.options
    if not isinstance(options, BaselineOptions) or options.calendar is None:
        return rule
    if options.calendar in calendars:
        return replace(rule, options=replace(options, days=calendars[options.calendar]))
    right = suggestion(options.calendar, calendars) if calendars else "declare it under calendars: of config/ladder.yaml"
    what = f"{shown(options.calendar)} is not a calendar"
    problems.put(Problem(rule.source.file, rule.source.line, f"{rule.name}.calendar", what, right))
    return rule
