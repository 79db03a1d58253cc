"""A second witness: before an incident rises to P0 or P1, a probe that sees the service from elsewhere is asked.

Only a service that names witnesses (`witness:` in services.yaml) has them, since only its people know what really sees the
same. Those probes look at once, whatever their interval. One that sees trouble too lets the level rise; one that sees none,
with a look younger than two minutes, keeps it at P2 and is named, and is asked again each minute; where none answers, the
level rises after 60 s all the same. Lost or exposed data and a person's word wait for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import clocks
from forewarn.core.work import Work
from forewarn.model.actions import Look
from forewarn.model.finding import FindingState
from forewarn.model.impact import Factor, Impact
from forewarn.model.incident import Incident, Testimony
from forewarn.model.inputs import Looked
from forewarn.model.level import Level
from forewarn.model.text import Say, say

ALONE = Level.P2
"""The worst that a level gets while a witness contradicts or has not been heard."""
WAIT = timedelta(seconds=60)
FRESH = timedelta(minutes=2)
WAITS_FOR_NOBODY = frozenset({"data-lost", "data-exposed", "declared"})
"""Reasons of a level (Impact.overrides) that no look of a probe can contradict."""


def weighed(work: Work, incident: Incident, impact: Impact) -> tuple[Incident, Impact]:
    """The judgement after the witnesses' word, and the incident with the question that is open. `incident` has the level and
    services from before this judgement."""
    names = _witnesses(work, incident)
    if not names or not impact.level.worse_than(ALONE) or WAITS_FOR_NOBODY & set(impact.overrides):
        return replace(incident, heard=(), asked_at=None), impact
    incident = replace(incident, asked_at=incident.asked_at or work.now)
    verdict, why = _word(work, incident, names, impact.level)
    if verdict == "waits" and not incident.level.worse_than(ALONE):
        return incident, _with(replace(impact, level=ALONE), str(ALONE), why)
    return incident, _with(impact, verdict, why)


def ask(work: Work, id: str) -> None:
    """Send the witnesses to look, once a minute, while the incident's level hangs on them."""
    incident = work.incident(id)
    if incident is None or incident.asked_at is None or not incident.unresolved or incident.level.worse_than(ALONE):
        return
    if any(due.what == "witness" for due in work.dues(id)):
        return
    work.act(Look(id=work.new_id("A"), at=work.now, incident=id, probes=_witnesses(work, incident)))
    clocks.add(work, "witness", id, id, None, work.now, work.now + WAIT)


def heard(work: Work, given: Looked) -> None:
    """They answered: the story says what each of them sees, where that is new."""
    incident = work.incident(given.incident)
    if incident is None or incident.asked_at is None:
        return
    before = {one.probe: one for one in incident.heard}
    for one in given.heard:
        if one.probe not in before or before[one.probe].outcome != one.outcome:
            work.note(incident.id, say(f"respond.witness.{one.outcome}", probe=one.probe))
    after = {**before, **{one.probe: one for one in given.heard}}
    work.put(replace(incident, heard=tuple(after.values())))


def _witnesses(work: Work, incident: Incident) -> tuple[str, ...]:
    named = (name for service in work.services(incident.services) for name in service.witness)
    return tuple(dict.fromkeys(name for name in named if name in work.settings.probes))


def _word(work: Work, incident: Incident, names: tuple[str, ...], level: Level) -> tuple[str, Say]:
    """`waits`, or what lets the level pass; and the sentence for it."""
    heard = {one.probe: one for one in incident.heard if one.probe in names and work.now - one.at < FRESH}
    if too := _sees_it_too(work, incident, names, heard):
        return "agrees", say("impact.because.witness.agrees", probe=too)
    if against := next((one.probe for one in heard.values() if one.outcome == "up"), None):
        return "waits", say("impact.because.witness.contradicts", probe=against, waits=str(level))
    assert incident.asked_at is not None
    if work.now - incident.asked_at >= WAIT:
        return "silent", say("impact.because.witness.silent", probe=names[0])
    return "waits", say("impact.because.witness.asked", probe=names[0], waits=str(level))


def _sees_it_too(work: Work, incident: Incident, names: tuple[str, ...], heard: Mapping[str, Testimony]) -> str | None:
    """A witness that sees trouble: by its own finding, or when it was asked."""
    found = {f.probe for f in work.findings() if f.state is FindingState.OPEN and f.kind == "down" and f.confirmed}
    return next((name for name in names if name in found or (name in heard and heard[name].outcome == "down")), None)


def _with(impact: Impact, value: str, why: Say) -> Impact:
    return replace(impact, factors=(*impact.factors, Factor(name="second witness", value=value, source="cap", why=why)))
