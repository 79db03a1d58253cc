"""Other files, or another figure of a service, came into force."""

from __future__ import annotations

from forewarn.core.flow import incidents
from forewarn.core.work import Work, measure_key
from forewarn.model.impact import Measure
from forewarn.model.settings import Settings


def reloaded(work: Work, settings: Settings) -> None:
    """Another set of files: what is open goes on under it, judged anew."""
    work.use(settings)
    for incident in work.incidents():
        if incident.unresolved:
            incidents.reassess(work, incident.id)


def measured(work: Work, measure: Measure) -> None:
    """A service's figure moved: its incidents are judged anew."""
    if work.measures().get(measure_key(measure.service, measure.what)) == measure:
        return
    work.put(measure)
    for incident in work.incidents():
        if incident.unresolved and measure.service in incident.services:
            incidents.reassess(work, incident.id)
