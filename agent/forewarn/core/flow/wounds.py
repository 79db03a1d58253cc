"""Old wounds: what was wrong already when Forewarn first looked. True, but no news: one digest, and no alarm until it worsens.

The `risk` detector knows them by a disk's counters. A file system that was nearly full when Forewarn came here, and has lived
with it, is one too, as long as there is some room and it does not shrink; and so is what people leave as it is: a unit that
had failed, a file system that is read-only on purpose.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import reports
from forewarn.core.impact.effect import is_room
from forewarn.core.respond import escalate
from forewarn.core.tell import report
from forewarn.core.work import Work
from forewarn.model.finding import Claim, Finding

DUE = "wounds"
FIRST_LOOK = timedelta(hours=1)
"""After the first start: what stands beyond a limit so soon stood there before."""
NO_ROOM = 0.99
"""From here on writes fail, however long it has been so."""
LEFT_SO = frozenset({"unit_failed", "fs_readonly"})
"""Metrics of states that a machine can live with for years."""
GROWN = 0.005
"""A share of the room that is worth a new look."""


def stood_before(work: Work, finding: Finding) -> bool:
    """Whether this room was short, or this state was left so, before Forewarn came to this host."""
    first, value = work.state.first_start, finding.evidence.value
    soon = first is not None and work.now - first <= FIRST_LOOK
    if soon and finding.metric in LEFT_SO:
        return True
    return soon and _short_of_room(finding) and value is not None and value < NO_ROOM


def _short_of_room(finding: Finding) -> bool:
    """Room beyond its limit, by a threshold or by a forecast whose limit is behind it."""
    beyond = finding.kind == "threshold" or (finding.forecast is not None and finding.forecast.crossed)
    return beyond and is_room(finding.metric)


def still(finding: Finding, claim: Claim) -> bool:
    """Whether a claim about a known old wound is no more than that."""
    if claim.old or finding.metric in LEFT_SO:
        return True
    before, value = finding.evidence.value, claim.evidence.value
    return _short_of_room(finding) and before is not None and value is not None and value < min(NO_ROOM, before + GROWN)


def seen(work: Work) -> None:
    """An old wound was found: it is told when the office opens."""
    reports.at_opening(work, DUE)


def told(work: Work) -> None:
    """Tell each team's first responder of all that its people were not told yet, in one message."""
    waiting: dict[str, list[Finding]] = {}
    for finding in work.findings():
        if finding.old and not finding.told and finding.cleared_at is None and (who := _whose(work, finding)):
            waiting.setdefault(who, []).append(finding)
    for who, findings in waiting.items():
        reports.send(
            work, work.settings.people[who], report.wounds(work.settings.people[who], findings, work.settings, work.now), DUE
        )
        for finding in findings:
            work.put(replace(finding, told=True))


def _whose(work: Work, finding: Finding) -> str | None:
    services = work.services([finding.service] if finding.service else [])
    steps = escalate.steps_for(services, work.settings)
    return next((who for step in steps if (who := escalate.person(step.to, work.settings, work.now))), None)
