"""The first weeks: pages of rules that came with Forewarn are only recorded, and reported once a day.

Nobody knows yet how a shipped rule behaves on this host; a pager that cries wolf in its first week is switched off. What
people rely on being down, and a disk that is full within hours, pages from the first minute; so do the user's own rules
and whatever a person declared or has taken.

A shadow page is a message that never left. It keeps the text that would have gone out, until the report has told of it.
Should the incident get a cause that may page, what was recorded leaves at once.

Later on the same becomes of a rule, also one of the user's own, whose calls were needless again and again (scored.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from forewarn.core.flow import reports, scored, sending, texts
from forewarn.core.impact.effect import is_room
from forewarn.core.learn.card import so_far
from forewarn.core.tell import report
from forewarn.core.work import Work
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident
from forewarn.model.message import Message, MessageState
from forewarn.model.text import Say, say

WITHIN = timedelta(hours=12)
"""`full within hours`: a shipped forecast that is sooner than this pages."""
REPORT = "report"
"""The due, and its subject: there is one for all."""


def until(work: Work) -> datetime | None:
    """When shipped rules begin to page; None when they do."""
    first = work.state.first_start
    ends = first + timedelta(seconds=work.settings.policy.shadow_s) if first else None
    return ends if ends and ends > work.now else None


def covers(work: Work, incident: Incident) -> bool:
    """Whether a page about this incident is only recorded now."""
    if incident.touched or incident.declared_by:
        return False
    if scored.vain(work, incident):
        return True
    if until(work) is None:
        return False
    findings = work.open_findings(incident)
    return bool(findings) and all(_silent(work, finding) for finding in findings)


def _silent(work: Work, finding: Finding) -> bool:
    probe = work.settings.probes.get(finding.probe)
    rule = probe.rule(finding.rule) if probe else None
    return rule is not None and rule.shipped and finding.kind != "down" and not _full_soon(work, finding)


def _full_soon(work: Work, finding: Finding) -> bool:
    """A file system that is full, or will be within hours."""
    if not is_room(finding.metric):
        return False
    forecast = finding.forecast
    return forecast is None or forecast.crossed or (forecast.earliest is not None and forecast.earliest <= work.now + WITHIN)


def record(work: Work, message: Message) -> None:
    """Keep what would have left, and see that it is told of."""
    work.put(replace(message, shadow=True, ended=_why(work, message)))
    reports.at_opening(work, REPORT)


def _why(work: Work, message: Message) -> Say:
    incident = work.incident(message.incident)
    if incident and (scores := scored.vain(work, incident)):
        worst = max(scores, key=lambda score: score.needless)
        return say("shadow.vain", rule=worst.rule, probe=worst.probe, needless=worst.needless, of=worst.needless + worst.useful)
    return say("shadow.recorded", until=_epoch(until(work)))


def _epoch(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


def over(work: Work, id: str) -> None:
    """What was only recorded about this incident leaves, if it may page now."""
    incident = work.incident(id)
    if incident is None or incident.touched or incident.owner or covers(work, incident):
        return
    for message in work.messages(id):
        if message.shadow:
            message = replace(message, shadow=False, ended=None, at=work.now)
            sending.dispatch(work, texts.composed_again(work, message), undo=False)


def daily(work: Work) -> None:
    """Tell everybody who would have been paged, once, in their own words."""
    waiting: dict[str, list[Message]] = {}
    for message in work.messages():
        if message.shadow and message.state is MessageState.PLANNED:
            waiting.setdefault(message.to, []).append(message)
    for who, messages in waiting.items():
        _tell(work, who, messages)
        for message in messages:
            work.put(replace(message, state=MessageState.DROPPED))


def _tell(work: Work, who: str, messages: list[Message]) -> None:
    person = work.settings.people.get(who)
    if person is None:
        return
    reports.send(work, person, report.daily(person, messages, until(work), work.settings, work.now, so_far(work.scores())), "daily")
