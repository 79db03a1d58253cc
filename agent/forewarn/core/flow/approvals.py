"""Asking for a change, and what becomes of the questions when one is answered or nobody answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import clocks, sending, telling, texts
from forewarn.core.respond import escalate
from forewarn.core.tell import asks
from forewarn.core.work import Work
from forewarn.model.incident import Incident
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.playbook import Playbook, Run, RunState, Step, command_text
from forewarn.model.policy import Permission
from forewarn.model.text import Say, say

APPROVAL, OUTCOME = "approval", "outcome"
OVER = frozenset({MessageState.ANSWERED, MessageState.DROPPED})


def people(work: Work, incident: Incident | None, how_many: int) -> list[str]:
    """Whom to ask: the owner, else who is on call first; for a second yes the next of the escalation."""
    if incident is None:
        return []
    steps = (escalate.person(step.to, work.settings, work.now) for step in incident.escalation)
    known = (who for who in (incident.owner, *steps) if who in work.settings.people)
    return [who for who in dict.fromkeys(known) if who][:how_many]


def ask(work: Work, run: Run, at: int, playbook: Playbook, permission: Permission) -> None:
    """Put the question to those who may say yes; the run waits. Also without anybody to ask: a yes may come by command."""
    step, result = run.plan[at], run.steps[at]
    expires = work.now + timedelta(seconds=permission.expires_s or work.settings.policy.approval_s)
    wish = asks.Wish(
        run=run, playbook=playbook, step=step, spec=result.spec, undo=result.undo, expires=expires,
        how_many=permission.how_many, why=permission.why,
    )  # fmt: skip
    sent = [id for who in people(work, work.incident(run.incident), permission.how_many) if (id := _question(work, wish, who))]
    first = work.message(sent[0]).to if sent and work.message(sent[0]) else None  # type: ignore[union-attr]
    clocks.add(work, "approval", run.id, run.incident, first, work.now, expires)
    work.put(replace(run, state=RunState.WAITING, asks=sent[0] if sent else None, needs=permission.how_many, expires=expires))
    who = ", ".join(message.to for id in sent if (message := work.message(id)))
    key = "repair.asked" if sent else "repair.asked_nobody"
    work.note(run.incident, say(key, step=step.name, who=who, command=command_text(result.spec)), run.id)


def _question(work: Work, wish: asks.Wish, who: str) -> str | None:
    incident = work.incident(wish.run.incident)
    if incident is None:
        return None
    composed = asks.approval(work.settings.people[who], texts.scene(work, incident, who), wish, work.settings, work.now)
    return telling.question(work, incident.id, who, composed, wish.run.id, APPROVAL)


def close(work: Work, run: Run, answer: str | None, why: Say) -> Run:
    """The question is settled: its messages are answered, or overtaken; its clock ends."""
    clocks.end_all(work, run.id, "met", only={"approval"})
    for message in questions(work, run):
        if answer is None:
            sending.drop(work, message, why)
        else:
            if message.held:
                sending.drop(work, message, why)
                message = work.message(message.id) or message
            work.put(replace(message, state=MessageState.ANSWERED, answer=answer, ended=None, version=message.version + 1))
    run = replace(run, state=RunState.RUNNING, asks=None, needs=0, expires=None)
    work.put(run)
    return run


def questions(work: Work, run: Run) -> list[Message]:
    """The run's questions for a yes that stand open."""
    return [
        message
        for message in work.messages(run.incident)
        if message.run == run.id and message.kind is MessageKind.ASK and message.subkind == APPROVAL and message.state not in OVER
    ]


def step_of(run: Run) -> tuple[int, Step] | None:
    """The changing step that waits for a yes."""
    at = run.at
    if run.state is not RunState.WAITING or not run.needs or at is None:
        return None
    return at, run.plan[at]


def report(work: Work, run: Run, said: list[Say]) -> None:
    """Tell a person that a change did not do what it should; nothing waits for the answer."""
    incident = work.incident(run.incident)
    for who in people(work, incident, 1):
        if incident is None:
            return
        composed = asks.outcome(
            work.settings.people[who], texts.scene(work, incident, who), run, work.settings.playbooks.get(run.playbook), said,
            work.settings, work.now,
        )  # fmt: skip
        telling.question(work, incident.id, who, composed, run.id, OUTCOME)
