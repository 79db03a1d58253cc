"""Who is told about an incident, who would be and when, and who would not and why: everything as it stands now.

What has happened is read off the messages; what would come is judged by the same functions that decide when it comes
(escalation, audience, policy, holds), on the assumption that nobody does anything from now on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forewarn.core.flow.calling import pageable
from forewarn.core.respond import dues as clocks
from forewarn.core.respond import escalate
from forewarn.core.tell import audience, holds
from forewarn.core.tell.may import may
from forewarn.model.due import Due
from forewarn.model.finding import Finding
from forewarn.model.hold import Hold
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.map import Customer
from forewarn.model.message import FINAL, Message, MessageKind, MessageState, Subkind
from forewarn.model.policy import Verdict
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One message, sent or to come. `at`: when it left or will; None: that depends on somebody. `message` is its id."""

    to: str
    kind: MessageKind
    subkind: str
    language: str
    channels: tuple[str, ...]
    state: str  # a MessageState, or `would` for what is not written yet
    at: datetime | None
    why: Say
    how: Say | None = None  # what still stands before it: a yes, a hold, a wait
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Somebody who is not told, and why."""

    who: str
    why: Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Outreach:
    people: tuple[Expected, ...]
    people_left: tuple[Left, ...]
    customers: tuple[Expected, ...]
    customers_left: tuple[Left, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What stands about one incident."""

    incident: Incident
    messages: Sequence[Message]
    dues: Sequence[Due]  # open ones
    holds: Sequence[Hold]
    settings: Settings
    findings: Sequence[Finding] = ()  # the incident's open ones


def outreach(known: Known, now: datetime) -> Outreach:
    """Everybody who could be meant, each on one side."""
    people = [_as_it_is(message) for message in known.messages if message.kind is not MessageKind.NOTICE]
    calls, left = _calls(known, now)
    customers, not_told = _customers(known, now)
    return Outreach(
        people=(*people, *calls),
        people_left=tuple(left),
        customers=tuple(customers),
        customers_left=tuple(not_told),
    )


# --- responders -------------------------------------------------------------------------------------------------------


def _calls(known: Known, now: datetime) -> tuple[list[Expected], list[Left]]:
    """The steps of the escalation that have not been called: when each would be, or why none will."""
    incident, settings = known.incident, known.settings
    waiting = [(step, who) for step in incident.escalation if (who := escalate.person(step.to, settings, now))]
    rest = [(step, who) for step, who in waiting if who not in incident.called]
    why = _no_call(known, now)
    if why is not None:
        return [], [Left(who=who, why=why) for who in dict.fromkeys(who for _, who in rest)]
    found: list[Expected] = []
    at = _next_call(known, now)
    for step, who in rest:
        person = settings.people[who]
        cause = "escalated" if incident.called or found else ("ahead" if incident.state is IncidentState.AHEAD else "symptom")
        found.append(
            Expected(
                to=who,
                kind=MessageKind.PAGE,
                subkind=cause,
                language=person.language,
                channels=tuple(channel.kind for channel in person.channels),
                state="would",
                at=at,
                why=say(f"page.cause.{cause}", level=str(incident.would_be or incident.level)),
                how=say("expected.untaken"),
            )
        )
        at += timedelta(seconds=step.ack_s)
    return found, []


def _no_call(known: Known, now: datetime) -> Say | None:
    """Why nobody else is called from here on; None: they are."""
    incident, settings = known.incident, known.settings
    if not incident.unresolved:
        return say("expected.over", state=f"state.{incident.state}")
    if incident.owner is not None:
        return say("expected.owned", who=incident.owner)
    if incident.state is IncidentState.MITIGATED:
        return say("expected.over", state=f"state.{incident.state}")
    if incident.state is IncidentState.AHEAD:
        urgent = bool(incident.called) or clocks.ahead_is_urgent(incident, settings, now)
        return None if urgent else say("expected.in_time")
    if not pageable(incident, known.findings):
        return say("expected.no_cause", effect=str(incident.impact.effect))
    return say("expected.level", level=str(incident.level)) if settings.ladder[incident.level].page == "never" else None


def _next_call(known: Known, now: datetime) -> datetime:
    """When the next step is called: when its clock rings, else now."""
    return min((due.due_at for due in known.dues if due.what == "escalate"), default=now)


# --- customers --------------------------------------------------------------------------------------------------------


def _customers(known: Known, now: datetime) -> tuple[list[Expected], list[Left]]:
    """Notices that there are, those that the incident's state asks for next, and all other customers with the reason."""
    incident, settings = known.incident, known.settings
    have = [_as_it_is(message) for message in known.messages if message.kind is MessageKind.NOTICE]
    nexts = _next_subkind(incident)
    if nexts is None:
        told = {one.to for one in have}
        state = say("expected.over", state=f"state.{incident.state}")
        return have, [Left(who=name, why=state) for name in settings.customers if name not in told]
    meant = audience.who(incident, nexts, settings)
    written = {one.to for one in have if one.subkind == nexts}
    would = [_would(known, told.customer, nexts, told.why, now) for told in meant.told if told.customer.name not in written]
    left = [Left(who=one.customer, why=one.why) for one in meant.not_told if one.customer not in written]
    return [*have, *would], left


def _next_subkind(incident: Incident) -> Subkind | None:
    """The notice that the state asks for; nothing more once it has ended."""
    if incident.state is IncidentState.AHEAD:
        return Subkind.FOREWARNING
    if incident.state is IncidentState.MITIGATED:
        return Subkind.RESOLVED
    return Subkind.STARTED if incident.live else None


def _would(known: Known, customer: Customer, subkind: Subkind, why: Say, now: datetime) -> Expected:
    """A notice that is not written yet, and what would stand before it."""
    incident, settings = known.incident, known.settings
    wait_s = settings.ladder[incident.level].tell_s if subkind is Subkind.STARTED else 0.0
    since = incident.breached_at or incident.opened_at
    at = None if wait_s is None else max(now, since + timedelta(seconds=wait_s)) if wait_s else now
    draft = Message(
        id="", kind=MessageKind.NOTICE, subkind=subkind, to=customer.name, language=customer.language,
        channels=tuple(channel.kind for channel in customer.channels), at=now, state=MessageState.PLANNED, why=why, key="",
        subject="", text="", incident=incident.id,
    )  # fmt: skip
    how = say("expected.level_tells_none", level=str(incident.level)) if at is None else _before(known, draft, at)
    waits = how is not None and how.key != "expected.held"
    return replace(_as_it_is(draft), state="would", at=None if waits else at, how=how, message=None)


def _before(known: Known, draft: Message, at: datetime) -> Say | None:
    """What stands before a notice that is about to be written: the policy, then whatever holds it."""
    permission = may(draft.kind, draft.subkind, known.settings, known.incident.called)
    if permission.verdict is Verdict.ASK:
        return say("expected.needs_yes")
    if permission.verdict is Verdict.RECORD:
        return permission.why
    held = holds.check(draft, known.incident, known.holds, known.settings, at, undo=False)
    return _held(held.reason, held.until) if held else None


def _as_it_is(message: Message) -> Expected:
    """A message that there is."""
    how = None
    if message.state is MessageState.HELD and message.held:
        how = _held(message.held.by, message.held.until)
    elif message.state is MessageState.WAITING:
        expires = message.approval.expires if message.approval else None
        how = say("expected.yes_until", until=expires.timestamp()) if expires else say("expected.needs_yes")
    elif message.state in FINAL and message.ended:
        how = message.ended
    sent = message.attempts[-1].at if message.state is MessageState.SENT and message.attempts else None
    return Expected(
        to=message.to,
        kind=message.kind,
        subkind=str(message.subkind or message.kind),
        language=message.language,
        channels=(message.attempts[-1].channel,) if sent else message.channels,
        state=str(message.state),
        at=sent or (message.held.until if message.held else None),
        why=message.why,
        how=how,
        message=message.id or None,
    )


def _held(reason: Say, until: datetime | None) -> Say:
    """A hold's reason, whose words are looked up with its own facts, and when it ends."""
    return Say("expected.held", {**reason.facts, "reason": reason.key, "until": until.timestamp() if until else None})
