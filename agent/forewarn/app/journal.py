"""What the live log says of each decision that was stored: short lines, one a change that a person would want to know."""

from __future__ import annotations

import structlog

from forewarn.core.tell.words import render
from forewarn.core.work import Decision, State
from forewarn.model.finding import Finding, FindingState
from forewarn.model.incident import Incident
from forewarn.model.message import Message, MessageState
from forewarn.model.playbook import Run, RunState
from forewarn.model.settings import Settings
from forewarn.model.text import Say

log = structlog.get_logger("forewarn")


def told(before: State, after: State, decision: Decision) -> None:
    """Log what the decision changed."""
    for thing in decision.entities:
        match thing:
            case Finding():
                _finding(before.findings.get(thing.id), thing, after)
            case Incident():
                _incident(before.incidents.get(thing.id), thing, after)
            case Message():
                _message(before.messages.get(thing.id), thing)
            case Run() if thing.state not in (RunState.RUNNING, RunState.WAITING):
                log.info("playbook_ended", run=thing.id, playbook=thing.playbook, result=str(thing.state))
            case _:
                pass


def _words(what: Say, settings: Settings, state: State) -> str:
    daemon = settings.daemon
    catalogue = settings.phrases.get(daemon.language) or settings.phrases["en"]
    return render(what, catalogue, daemon.zone, settings.loaded_at)


def _finding(before: Finding | None, after: Finding, state: State) -> None:
    if before is None:
        log.info("finding", finding=after.id, series=after.series, why=_words(after.why, state.settings, state))
    elif after.state is FindingState.CLEARED and before.state is FindingState.OPEN:
        log.info("finding_ended", finding=after.id, series=after.series)


def _incident(before: Incident | None, after: Incident, state: State) -> None:
    if before and (before.state, before.level, before.would_be) == (after.state, after.level, after.would_be):
        return
    event = f"incident_{after.state}"
    level = f"would be {after.would_be}" if after.would_be and str(after.state) == "ahead" else str(after.level)
    log.info(event, incident=after.id, title=_words(after.title, state.settings, state), level=level)


def _message(before: Message | None, after: Message) -> None:
    if before and before.state is after.state:
        return
    fields = {"message": after.id, "to": after.to, "about": f"{after.kind} {after.subkind or ''}".strip()}
    if after.state is MessageState.FAILED:
        log.warning("message_failed", **fields, reason=after.attempts[-1].reason if after.attempts else None)
    elif after.state not in (MessageState.PLANNED, MessageState.QUEUED, MessageState.SENT):  # sending is logged where it happens
        log.info(f"message_{after.state}", **fields)
