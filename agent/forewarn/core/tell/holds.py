"""What keeps a message back, and until when: a chain of checks whose order is the policy.

Undo time comes first: it is a promise to the person who approved. Then whatever was declared (silence, maintenance), then
the reader's own quiet hours, then working hours. Each check answers None (pass) or Held. Holds that a check itself has
made (their reasons are in OWN) are judged anew by that check, with what is true now, not by `by_hold`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forewarn.model.hold import Hold
from forewarn.model.incident import Incident
from forewarn.model.level import Level
from forewarn.model.message import Message, MessageKind, Subkind
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say

UNDO, QUIET, HOURS = "hold.undo", "hold.quiet", "hold.hours"
OWN = frozenset({UNDO, QUIET, HOURS})
BREAKS_QUIET = Level.P1
BREAKING = frozenset({Subkind.STARTED, Subkind.UPDATE, Subkind.CORRECTED, Subkind.RESOLVED, Subkind.WITHDRAWN})
ABOUT_AHEAD = frozenset({Subkind.FOREWARNING, Subkind.CORRECTED, Subkind.WITHDRAWN, Subkind.UPDATE})


@dataclass(frozen=True, slots=True)
class Held:
    """`hold` is the id of the hold that keeps it, None where one has to be made."""

    reason: Say
    owner: str
    until: datetime | None
    breaks_from: Level | None = None
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    message: Message
    incident: Incident | None
    holds: Sequence[Hold]
    settings: Settings
    undo: bool

    def breaks(self, level: Level | None) -> bool:
        """Whether the incident is bad enough to break a hold that yields from `level` on."""
        return level is not None and self.incident is not None and not level.worse_than(self.incident.level)


def check(
    message: Message, incident: Incident | None, holds: Sequence[Hold], settings: Settings, now: datetime, undo: bool
) -> Held | None:
    """The first thing that keeps this message back now; None: send it. `undo`: a person has just approved it."""
    case = Case(message, incident, holds, settings, undo)
    return next((held for by in CHECKS if (held := by(case, now))), None)


def by_undo(case: Case, now: datetime) -> Held | None:
    """A notice waits a little after its approval, so that it can be taken back."""
    undo = timedelta(seconds=case.settings.policy.undo_s)
    if not case.undo or case.message.kind is not MessageKind.NOTICE or not undo:
        return None
    approval = case.message.approval
    until = (approval.at if approval and approval.at else now) + undo
    return Held(say(UNDO), (approval.by if approval else None) or "forewarn", until) if until > now else None


def by_hold(case: Case, now: datetime) -> Held | None:
    """A declared hold that covers it: the one that lasts longest."""
    found = [hold for hold in case.holds if hold.reason.key not in OWN and _in_force(hold, now) and _covers(hold, case)]
    found = [hold for hold in found if not case.breaks(hold.breaks_from)]
    if not found:
        return None
    hold = max(found, key=lambda hold: (hold.until is None, hold.until or now))
    return Held(hold.reason, hold.owner, hold.until, hold.breaks_from, hold.id)


def _in_force(hold: Hold, now: datetime) -> bool:
    return hold.ended_at is None and hold.from_at <= now and (hold.until is None or now < hold.until)


def _covers(hold: Hold, case: Case) -> bool:
    """Every name in the matcher must fit; an empty one covers what goes to its owner."""
    message, incident = case.message, case.incident
    if hold.audience != ("customers" if message.kind is MessageKind.NOTICE else "responders"):
        return False
    if not hold.matcher:
        return message.to == hold.owner
    thing = incident.thing.partition("|")[0] if incident and incident.thing else None
    known: dict[str, tuple[str | None, ...]] = {
        "message": (message.id,),
        "incident": (message.incident,),
        "service": incident.services if incident else (),
        "probe": (thing,),
        "customer": (message.to,) if message.kind is MessageKind.NOTICE else (),
        "person": (message.to,) if message.kind is not MessageKind.NOTICE else (),
    }
    return all(value in known.get(name, ()) for name, value in hold.matcher.items())


def by_quiet_hours(case: Case, now: datetime) -> Held | None:
    """A customer sleeps: only a P0 or P1, or something that would come before they wake, is worth the noise."""
    customer = case.settings.customers.get(case.message.to) if case.message.kind is MessageKind.NOTICE else None
    until = customer.quiet.until(now) if customer and customer.quiet else None
    if customer is None or until is None:
        return None
    if (case.message.subkind in BREAKING and case.breaks(BREAKS_QUIET)) or _comes_before(until, case, now):
        return None
    return Held(say(QUIET), customer.name, until, BREAKS_QUIET)


def _comes_before(until: datetime, case: Case, now: datetime) -> bool:
    """Whether this is about trouble that begins before the quiet hours end."""
    incident = case.incident
    about = case.message.subkind in ABOUT_AHEAD and incident is not None and incident.breached_at is None
    return bool(about and incident and incident.earliest and now <= incident.earliest < until)


def by_office_hours(case: Case, now: datetime) -> Held | None:
    """A page of a level that isn't worth a night waits for its calendar, unless waiting would miss an act-by."""
    incident = case.incident
    rules = case.settings.ladder.get(incident.level) if incident else None
    if incident is None or rules is None or case.message.kind is not MessageKind.PAGE or rules.page != "in_hours":
        return None
    opening = case.settings.calendar(rules.calendar).next_open(now)
    if opening <= now or (incident.act_by is not None and incident.act_by < opening):
        return None
    return Held(say(HOURS), case.message.to, opening, Level.P1)


CHECKS: tuple[Callable[[Case, datetime], Held | None], ...] = (by_undo, by_hold, by_quiet_hours, by_office_hours)
