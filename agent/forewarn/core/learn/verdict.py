"""What became of a forecast. The first one that was told is judged: it is the one that people acted on.

came_true   the breach lay between earliest and latest, or at most a quarter of the time that was told beyond either
averted     it cleared after a recorded action
withdrawn   it cleared by itself before it was over
false       a person said so, the time was over, or the breach came at quite another time
missed      the breach came without a forecast, or less than an hour after it
"""

from __future__ import annotations

from datetime import datetime, timedelta

from forewarn.model.finding import Finding
from forewarn.model.forecast import Verdict
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.scorecard import Foretold, Judged

SLACK = 0.25
AHEAD = timedelta(hours=1)
FORESEEABLE = frozenset({"forecast", "risk"})


def verdict(incident: Incident, state: IncidentState, first: Finding | None, now: datetime) -> Verdict | None:
    """Of an incident that ends now in `state`; `first` is the finding that it began with. None where nothing was to be foreseen."""
    told = incident.foretold
    if state is IncidentState.MERGED:
        return None
    if incident.thing is None:
        foreseeable = first is not None and first.kind in FORESEEABLE and first.forecast is not None
        return Verdict.MISSED if foreseeable and state is not IncidentState.FALSE_ALARM else None
    if state is IncidentState.FALSE_ALARM:
        return Verdict.FALSE
    if incident.breached_at is not None:
        return _breached(incident, incident.breached_at)
    if state is IncidentState.AVERTED:
        return Verdict.AVERTED
    return Verdict.FALSE if told and now > _last(told) else Verdict.WITHDRAWN


def judged(incident: Incident, found: Verdict) -> Judged:
    """With the figures that a scorecard wants."""
    told, breach = incident.foretold, incident.breached_at
    forecast = told.forecast if told else None
    dated = forecast is not None and forecast.earliest is not None and forecast.latest is not None
    inside = width = None
    if dated and forecast and forecast.earliest and forecast.latest:
        width = (forecast.latest - forecast.earliest).total_seconds()
        inside = forecast.earliest <= breach <= forecast.latest if breach else None
    return Judged(
        at=incident.ended_at or incident.opened_at,
        incident=incident.id,
        verdict=found,
        lead_s=(breach - told.at).total_seconds() if breach and told else None,
        width_s=width,
        inside=inside,
        p=forecast.p if forecast and told and told.kind == "risk" else None,
    )


def _breached(incident: Incident, breach: datetime) -> Verdict:
    told = incident.foretold
    if told is None:  # it was told of by an earlier version, which kept no dates
        return Verdict.CAME_TRUE
    if breach - told.at < AHEAD:
        return Verdict.MISSED
    earliest = told.forecast.earliest
    soonest = told.at + (earliest - told.at) * (1 - SLACK) if earliest else told.at
    return Verdict.CAME_TRUE if soonest <= breach <= _last(told) else Verdict.FALSE


def _last(told: Foretold) -> datetime:
    """When it is over: a quarter of the time beyond the latest date, or beyond the horizon where there is none."""
    ends = told.forecast.latest or told.at + timedelta(seconds=told.forecast.horizon_s)
    return ends + (ends - told.at) * SLACK
