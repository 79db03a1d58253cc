"""A person said something: one function a verb, one table of verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from forewarn.core.flow import (
    approvals,
    breaker,
    by_hand,
    calling,
    changefeed,
    clocks,
    incidents,
    judged,
    ownership,
    runs,
    sending,
    telling,
    texts,
)
from forewarn.core.respond.lifecycle import Event, move
from forewarn.core.work import Work
from forewarn.model.errors import Refused
from forewarn.model.incident import Incident
from forewarn.model.inputs import Command
from forewarn.model.level import Level
from forewarn.model.message import Message, MessageKind, MessageState, Subkind
from forewarn.model.playbook import Run
from forewarn.model.text import Say, say


def command(work: Work, given: Command) -> None:
    """Carry out a wish, or raise Refused with the reason."""
    verb = VERBS.get(given.verb)
    if verb is None:
        raise Refused(say("refused.unknown_verb", verb=given.verb))
    verb(work, given)
    work.answer = work.answer or given.id
    if about := _about(work, given):
        ownership.heard(work, about, given.by)


def _about(work: Work, given: Command) -> str | None:
    """The incident that a command was about, by its own id or by that of a message or run."""
    id = given.id or ""
    message, run = work.message(id), work.run(id)
    return message.incident if message else run.incident if run else id if work.incident(id) else None


def _incident(work: Work, given: Command) -> Incident:
    found = work.incident(given.id)
    if found is None:
        raise Refused(_gone(work, given.id))
    _same_version(given, found.version)
    return found


def _gone(work: Work, id: str | None) -> Say:
    """Why there is no such incident to work on: it is over for good, and only the ledger knows it, or it never was."""
    number = (id or "").upper().removeprefix("INC-")
    was = number.isdecimal() and str(int(number)) == number and 0 < int(number) <= work.state.counters.get("INC", 0)
    return say("refused.over" if was else "refused.not_found", id=id)


def _message(work: Work, given: Command, *states: MessageState) -> Message:
    found = work.message(given.id or "")
    if found is None:
        raise Refused(say("refused.not_found", id=given.id))
    _same_version(given, found.version)
    if found.state not in states:
        raise Refused(say("refused.wrong_state", id=found.id, state=f"message.state.{found.state}"))
    return found


def _same_version(given: Command, version: int) -> None:
    if given.version is not None and given.version != version:
        raise Refused(say("refused.version", id=given.id))


# --- incidents --------------------------------------------------------------------------------------------------------


def _declare(work: Work, given: Command) -> None:
    """`declare [SERVICE] [LEVEL] "title"`."""
    level = next((Level(word) for word in given.words if word in set(map(str, Level))), None)
    service = next((word for word in given.words if word in work.settings.services), None)
    unknown = [word for word in given.words if word not in work.settings.services and word not in set(map(str, Level))]
    if unknown:
        raise Refused(say("refused.no_service", name=unknown[0], known=", ".join(work.settings.services)))
    if not given.text:
        raise Refused(say("refused.needs_reason"))
    work.answer = incidents.declare(work, given.text, service, level, given.by)


def _acknowledge(work: Work, given: Command) -> None:
    ownership.taken(work, _incident(work, given), given.by, given.text)


def _unacknowledge(work: Work, given: Command) -> None:
    """Give it back: nobody has it, and others are called."""
    ownership.given_back(work, _incident(work, given), given.by, given.text)


def _resolve(work: Work, given: Command) -> None:
    incident = _incident(work, given)
    after = move(incident.id, incident.state, Event.RESOLVED)
    work.put(replace(incident, touched=True))
    incidents.end(work, incident.id, after, given.by, given.text)


def _false_alarm(work: Work, given: Command) -> None:
    incident = _incident(work, given)
    incidents.end(work, incident.id, move(incident.id, incident.state, Event.FALSE_ALARM), given.by, given.text)


def _close(work: Work, given: Command) -> None:
    incident = _incident(work, given)
    after = move(incident.id, incident.state, Event.CLOSED)
    clocks.end_all(work, incident.id, "met")
    work.put(replace(incident, state=after, version=incident.version + 1))
    work.note(incident.id, say("respond.closed", text=given.text or ""), by=given.by)


def _useful(work: Work, given: Command) -> None:
    _judge(work, given, True)


def _not_useful(work: Work, given: Command) -> None:
    _judge(work, given, False)


def _judge(work: Work, given: Command, useful: bool) -> None:
    """`useful INC-3`, or by the page that asked for it."""
    page = work.message(given.id or "")
    incident = _incident(work, replace(given, id=page.incident, version=None) if page else given)
    if not incident.called:
        raise Refused(say("refused.not_called", id=incident.id))
    judged.judge(work, incident, useful, given.by, given.text)
    work.answer = incident.id


def _pin(work: Work, given: Command) -> None:
    incident = _incident(work, given)
    level = next((Level(word) for word in given.words if word in set(map(str, Level))), None)
    if level is None or not given.text:
        raise Refused(say("refused.needs_reason"))
    work.put(replace(incident, level=level, pinned=f"{given.by}: {given.text}", touched=True, version=incident.version + 1))
    work.note(incident.id, say("respond.pinned", level=str(level), text=given.text), by=given.by)
    calling.consequences(work, incident.id, incident)


def _unpin(work: Work, given: Command) -> None:
    """The level is again what the figures say, or, without any, what was declared."""
    incident = _incident(work, given)
    work.put(replace(incident, pinned=None, touched=True, version=incident.version + 1))
    work.note(incident.id, say("respond.unpinned"), by=given.by)
    incidents.reassess(work, incident.id, asked=True)


def _merge(work: Work, given: Command) -> None:
    """`merge INC-4 INC-3`: the first goes into the second."""
    incident = _incident(work, given)
    into = work.incident(given.words[0]) if given.words else None
    if into is None:
        raise Refused(_gone(work, given.words[0] if given.words else "?"))
    if into.id == incident.id:
        raise Refused(say("refused.itself", id=into.id))
    if not into.unresolved:
        raise Refused(say("refused.wrong_state", id=into.id, state=f"state.{into.state}"))
    after = move(incident.id, incident.state, Event.MERGED)
    for id in incident.findings:
        if finding := work.finding(id):
            work.put(replace(finding, incident=into.id))
    into = replace(into, findings=(*into.findings, *incident.findings), told=tuple(dict.fromkeys((*into.told, *incident.told))))
    work.put(replace(into, linked=(*into.linked, incident.id), version=into.version + 1))
    work.put(replace(incident, findings=(), linked=(*incident.linked, into.id)))
    work.note(into.id, say("respond.joined", finding=incident.id), incident.id, by=given.by)
    incidents.end(work, incident.id, after, given.by, into.id)
    incidents.reassess(work, into.id)
    work.answer = into.id


def _join(work: Work, given: Command) -> None:
    """Somebody joins: they see it in the room and are called no more."""
    incident = _incident(work, given)
    if given.by not in incident.called:
        work.put(replace(incident, called=(*incident.called, given.by), version=incident.version + 1))
    work.note(incident.id, say("respond.joined_by", who=given.by), by=given.by)


def _note(work: Work, given: Command) -> None:
    """Words for the timeline; `note plan` makes them the owner's plan, which customers may be told."""
    incident = _incident(work, given)
    if not given.text:
        raise Refused(say("refused.needs_reason"))
    if "plan" in given.words:
        work.put(replace(incident, plan=given.text, version=incident.version + 1))
        clocks.end_all(work, incident.id, "met", only={"plan"})
    elif "done" in given.words:
        work.put(replace(incident, resolution=given.text, version=incident.version + 1))
    work.note(incident.id, say("respond.note", text=given.text), by=given.by)


def _tell(work: Work, given: Command) -> None:
    """`tell INC-3 started CUSTOMER`: draft a notice by hand, whatever the level."""
    incident = _incident(work, given)
    subkind = next((Subkind(word) for word in given.words if word in set(Subkind)), Subkind.UPDATE)
    names = [word for word in given.words if word not in set(Subkind)]
    unknown = [name for name in names if name not in work.settings.customers]
    if unknown:
        raise Refused(say("refused.no_customer", name=unknown[0], known=", ".join(work.settings.customers)))
    customers = [work.settings.customers[name] for name in dict.fromkeys(names)]
    if not customers:
        raise Refused(say("refused.nobody"))
    for customer in customers:
        work.answer = telling.draft(work, incident.id, customer, subkind, say("told.by_hand", who=given.by))


def _run(work: Work, given: Command) -> None:
    incident = _incident(work, given)
    found = work.settings.playbooks.get(given.words[0]) if given.words else None
    if found is None:
        raise Refused(breaker.no_playbook(work, given.words[0] if given.words else "?"))
    findings = work.open_findings(incident)
    work.answer = runs.start(work, incident.id, found, findings[0] if findings else None, given.by)


# --- messages ---------------------------------------------------------------------------------------------------------


def _change(work: Work, given: Command) -> Run | None:
    """The run that a yes or no is about, by its own id or by that of the question."""
    id = given.id or ""
    message = work.message(id)
    if message and message.subkind == approvals.APPROVAL and message.run:
        _same_version(given, message.version)
        id = message.run
    run = work.run(id)
    if run is None and id.startswith("R-"):
        raise Refused(say("refused.not_found", id=id))
    return run


def _approve(work: Work, given: Command) -> None:
    """Yes, to a notice or (R-1, or the question about it) to a change; of a notice that may have left: send it again."""
    if run := _change(work, given):
        runs.approve(work, run, given.by)
        return
    message = _message(work, given, MessageState.WAITING, MessageState.UNKNOWN)
    telling.approve(work, message, given.by)


def _refuse(work: Work, given: Command) -> None:
    if run := _change(work, given):
        runs.refuse(work, run, given.by)
        return
    message = _message(work, given, MessageState.WAITING, MessageState.HELD, MessageState.UNKNOWN)
    sending.drop(work, message, say("dropped.refused", who=given.by, text=given.text or ""), given.by)


def _undo(work: Work, given: Command) -> None:
    message = _message(work, given, MessageState.HELD)
    sending.drop(work, message, say("dropped.undone", who=given.by), given.by)


def _copied(work: Work, given: Command) -> None:
    """A notice of the person channel was put where its customer reads; its id, or that of the question about it."""
    asked = work.message(given.id or "")
    id = asked.about if asked and asked.about else given.id
    by_hand.copied(work, _message(work, replace(given, id=id, version=None), MessageState.QUEUED), given.by)
    work.answer = id


def _edit(work: Work, given: Command) -> None:
    """New words for a draft: `text` is "subject\\n\\nbody". Linted like our own."""
    message = _message(work, given, MessageState.WAITING, MessageState.HELD)
    subject, _, body = (given.text or "").partition("\n\n")
    if not subject.strip() or not body.strip():
        raise Refused(say("refused.needs_reason"))
    found = texts.problems_of(work, message, subject.strip(), body.strip()) if message.kind is MessageKind.NOTICE else ()
    if found:
        raise Refused(say("refused.lint", problems="; ".join(found)))
    work.put(replace(message, subject=subject.strip(), text=body.strip(), edited_by=given.by, version=message.version + 1))
    if message.incident:
        work.note(message.incident, say("respond.edited", message=message.id), message.id, by=given.by)


def _answer(work: Work, given: Command) -> None:
    """The answer to an ask: `answer M-4 yes`."""
    message = _message(
        work, given, MessageState.SENT, MessageState.QUEUED, MessageState.FAILED, MessageState.UNKNOWN, MessageState.HELD
    )
    if message.kind is not MessageKind.ASK or not (given.words or given.text):
        raise Refused(say("refused.wrong_state", id=message.id, state=f"message.state.{message.state}"))
    runs.answered(work, message.id, given.words[0] if given.words else given.text or "", given.by)


def _close_breaker(work: Work, given: Command) -> None:
    """`close-breaker PLAYBOOK`: it may change things again."""
    work.answer = breaker.close(work, given.words[0] if given.words else given.id or "?", given.by)


VERBS: Mapping[str, Callable[[Work, Command], None]] = {
    "declare": _declare,
    "acknowledge": _acknowledge,
    "unacknowledge": _unacknowledge,
    "resolve": _resolve,
    "false-alarm": _false_alarm,
    "close": _close,
    "useful": _useful,
    "not-useful": _not_useful,
    "pin": _pin,
    "unpin": _unpin,
    "merge": _merge,
    "join": _join,
    "note": _note,
    "tell": _tell,
    "run": _run,
    "approve": _approve,
    "refuse": _refuse,
    "undo": _undo,
    "copied": _copied,
    "edit": _edit,
    "answer": _answer,
    "close-breaker": _close_breaker,
    "changed": changefeed.changed,
}
