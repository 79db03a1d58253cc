"""What keeps a changing step from running, and whether it may run without a person.

Two questions, in this order. *Does anything forbid it?* The trouble that has gone by itself, a breaker or a freeze (holds over actions), another run that
changes the same service or host, the playbook's own limits, the limit of all playbooks: the first one that stands is the
answer, and no person's yes overrules it. *Who decides?* The stricter of the policy (`step.changes`) and the playbook's
mode; `live` acts alone only where the risk is low, a repeat or a way back is declared, and it is not about a forecast:
whether forecasts may act alone is for their score to say, and there is none yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forewarn.model.finding import Finding, FindingState
from forewarn.model.hold import Hold
from forewarn.model.level import Mode
from forewarn.model.playbook import Change, Guard, Playbook, Run, Step
from forewarn.model.policy import Permission, Verdict
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VERDICTS = (Verdict.RECORD, Verdict.ASK, Verdict.DO)  # strictest first
OF_MODE = {Mode.SHADOW: Verdict.RECORD, Mode.SUGGEST: Verdict.ASK, Mode.LIVE: Verdict.DO}
TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One changing step that would begin now, and all that may stand against it."""

    run: Run
    step: Step
    playbook: Playbook
    finding: Finding | None
    guard: Guard
    guards: Sequence[Guard]
    others: Sequence[Run]  # runs at work, this one left out
    holds: Sequence[Hold]
    settings: Settings


def blocked(case: Case, now: datetime) -> Say | None:
    """The first thing that forbids it, or None."""
    return next((why for by in CHECKS if (why := by(case, now))), None)


def by_cleared(case: Case, now: datetime) -> Say | None:
    """What has become well again needs no repair."""
    found = case.finding
    return say("blocked.cleared") if found and found.state is FindingState.CLEARED and found.ended == "cleared" else None


def by_hold(case: Case, now: datetime) -> Say | None:
    """A breaker that is open, a freeze that was declared."""
    known = {
        "playbook": case.playbook.name,
        "service": case.finding.service if case.finding else None,
        "incident": case.run.incident,
    }
    for hold in case.holds:
        in_force = hold.ended_at is None and hold.from_at <= now and (hold.until is None or now < hold.until)
        if hold.audience == "actions" and in_force and all(known.get(name) == value for name, value in hold.matcher.items()):
            return hold.reason
    return None


def by_other_run(case: Case, now: datetime) -> Say | None:
    """Never two changes at the same time on one service or one host."""
    for other in case.others:
        hosts = {result.where for result in other.steps if result.changing}
        if other.engaged and (other.place == case.run.place or case.step.where in hosts):
            return say("blocked.busy", run=other.id, playbook=other.playbook)
    return None


def by_at_once(case: Case, now: datetime) -> Say | None:
    at_work = sum(other.engaged and other.playbook == case.playbook.name for other in case.others)
    most = case.playbook.limits.at_once
    return say("blocked.at_once", count=at_work, most=most) if at_work >= most else None


def by_cooldown(case: Case, now: datetime) -> Say | None:
    """The last change here must have had its time; steps of the same run belong together."""
    last = max((c.at for c in case.guard.changes if c.place == case.run.place and c.run != case.run.id), default=None)
    until = last + timedelta(seconds=case.playbook.limits.cooldown_s) if last else None
    return say("blocked.cooldown", until=until.timestamp()) if until and until > now else None


def by_hour(case: Case, now: datetime) -> Say | None:
    return _often(runs_since(case.guard, now - HOUR, case.run), case.playbook.limits.per_hour, HOUR)


def by_day(case: Case, now: datetime) -> Say | None:
    return _often(runs_since(case.guard, now - DAY, case.run), case.playbook.limits.per_day, DAY)


def by_all(case: Case, now: datetime) -> Say | None:
    """A storm must not restart everything: one limit for all playbooks."""
    count = sum(runs_since(guard, now - HOUR, case.run) for guard in case.guards)
    most = case.settings.policy.changes_per_hour
    return say("blocked.all", count=count, most=most) if count >= most else None


def runs_since(guard: Guard, since: datetime, but: Run | None = None) -> int:
    """How many runs (other than `but`) began a change after `since`."""
    return len({change.run for change in guard.changes if change.at > since} - ({but.id} if but else set()))


def _often(count: int, most: int, span: timedelta) -> Say | None:
    return say("blocked.often", count=count, most=most, span_s=span.total_seconds()) if count >= most else None


CHECKS: tuple[Callable[[Case, datetime], Say | None], ...] = (
    by_cleared,
    by_hold,
    by_other_run,
    by_at_once,
    by_cooldown,
    by_hour,
    by_day,
    by_all,
)


def permit(given: Permission, playbook: Playbook, step: Step, finding: Finding | None) -> Permission:
    """The policy's answer for changing steps, made as strict as this playbook, step and finding want it."""
    verdict, why = given.verdict, given.why
    own = OF_MODE[playbook.mode]
    if VERDICTS.index(own) < VERDICTS.index(verdict):
        verdict, why = own, say(f"may.playbook.{playbook.mode}", playbook=playbook.name)
    if verdict is Verdict.DO and (doubt := _doubt(playbook, step, finding)):
        verdict, why = Verdict.ASK, say(doubt)
    two = step.irreversible and playbook.risk == "high"
    return replace(given, verdict=verdict, why=why, how_many=TWO if two else 1)


def _doubt(playbook: Playbook, step: Step, finding: Finding | None) -> str | None:
    """Why a person is asked although everything is live."""
    if playbook.risk != "low":
        return "may.doubt.risk"
    if step.irreversible or not (step.idempotent or step.undo):
        return "may.doubt.irreversible"
    if finding is not None and finding.forecast is not None:
        return "may.doubt.forecast"
    return None


def counted(guard: Guard, run: Run, now: datetime) -> Guard:
    """With one more change; what is older than a day is forgotten."""
    kept = tuple(change for change in guard.changes if change.at > now - DAY)
    return replace(guard, changes=(*kept, Change(at=now, run=run.id, place=run.place)))
