"""decide(): the one entrance of core. Joins the stages and holds no rule itself.

    decision = decide(state, given, now)                       # no I/O, no clock
    ledger.commit(decision.entities, ...)                      # kept first, in one transaction
    state = state.after(decision)                              # only now is it true
    outbox.wake()                                              # and only now does anything happen

The same state, input and time always give the same decision, so a story can be replayed, and after a crash the daemon
goes on from what was committed.
"""

from __future__ import annotations

from datetime import datetime

from forewarn.core.flow import agenda, circumstances, commands, findings, runs, sending
from forewarn.core.work import Decision, State, Work
from forewarn.model.inputs import Command, Delivered, Input, Looked, Measured, Moved, Reloaded, StepEnded, TimePassed


def decide(state: State, given: Input, now: datetime) -> Decision:
    """What follows from `given`; raises Refused for a command that can't be carried out."""
    work = Work(state, now)
    match given:
        case Moved():
            findings.moved(work, given)
        case Measured():
            circumstances.measured(work, given.measure)
        case Command():
            commands.command(work, given)
        case Delivered():
            work.done = given.action
            sending.delivered(work, given)
        case StepEnded():
            work.done = given.action
            runs.step_ended(work, given)
        case Looked():
            work.done = given.action
            circumstances.looked(work, given)
        case TimePassed():
            agenda.time_passed(work)
        case Reloaded():
            circumstances.reloaded(work, given.settings)
    return work.decision()
