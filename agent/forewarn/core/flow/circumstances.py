"""Other files, another figure of a service, or a witness's word: what is open is judged anew."""

from __future__ import annotations

from forewarn.core.flow import incidents, witness
from forewarn.core.work import Work, measure_key
from forewarn.model.impact import Measure
from forewarn.model.inputs import Looked
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


def looked(work: Work, given: Looked) -> None:
    """Witnesses said what they see: the level that hung on them follows."""
    witness.heard(work, given)
    incidents.reassess(work, given.incident)
