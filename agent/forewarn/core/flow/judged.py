"""Was it right to call somebody? Whoever was called says so, once for the incident; the last word counts.

A false alarm was no use, without being asked. An incident that called somebody and has ended (averted, withdrawn) can be
judged for a week; the share of useful ones is the precision of pages in `forewarn report`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import clocks, scored
from forewarn.core.work import Work
from forewarn.model.incident import ENDED, Incident, IncidentState
from forewarn.model.text import say

ASKED_FOR = timedelta(days=7)
DUE = "judge"


def judge(work: Work, incident: Incident, useful: bool, by: str, text: str | None) -> None:
    """Take a person's word for all pages about this incident."""
    scored.paged(work, incident, useful)
    work.put(replace(incident, useful=useful, useful_by=by, version=incident.version + 1))
    work.note(incident.id, say("respond.useful" if useful else "respond.not_useful", text=text or ""), by=by)
    clocks.end_all(work, incident.id, "met", only={DUE})


def ended(work: Work, id: str, by: str) -> None:
    """It is over: a false alarm judges itself; what ended for good stays at hand until somebody has said a word."""
    incident = work.incident(id)
    if incident is None or not incident.called or incident.useful is not None:
        return
    if incident.state is IncidentState.FALSE_ALARM:
        scored.paged(work, incident, False)
        work.put(replace(incident, useful=False, useful_by=by))
    elif incident.state in ENDED and incident.state is not IncidentState.MERGED:
        clocks.add(work, DUE, id, id, None, work.now, work.now + ASKED_FOR)
