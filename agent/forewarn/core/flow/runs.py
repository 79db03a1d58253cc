"""A playbook's run: what fits begins, each step is ordered in turn, answers and results move it on.

Changing steps go another way than those that look: core/flow/changes.py asks, counts, and orders them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import approvals, breaker, changes, clocks, sending, telling
from forewarn.core.respond import escalate, playbook
from forewarn.core.tell import audience
from forewarn.core.tell.may import may
from forewarn.core.work import Work
from forewarn.model.errors import Refused
from forewarn.model.finding import Finding
from forewarn.model.inputs import StepEnded
from forewarn.model.message import MessageState, Subkind
from forewarn.model.playbook import MENDING, Playbook, Repair, Run, RunState, Step, StepResult, StepState
from forewarn.model.policy import Verdict
from forewarn.model.text import Say, say

NO = frozenset({"no", "n", "否", "refuse"})
AT_WORK = (RunState.RUNNING, RunState.WAITING)


def fitting(work: Work, finding: Finding) -> list[Playbook]:
    return playbook.fitting(finding, work.settings)


def start_fitting(work: Work, incident: str, finding: Finding) -> None:
    """Begin each playbook that fits and has not run for this incident yet."""
    have = {run.playbook for run in work.runs(incident)}
    for found in fitting(work, finding):
        if found.name not in have:
            start(work, incident, found, finding, "machine")


def start(work: Work, incident: str, found: Playbook, finding: Finding | None, by: str) -> str:
    known = work.incident(incident)
    run = playbook.begun(work.new_id("R"), found, incident, finding, by, work.now)
    if known:
        work.put(replace(known, runs=(*known.runs, run.id), version=known.version + 1))
    work.note(incident, say("respond.run_started", playbook=found.name), run.id, by=by)
    _advance(work, run)
    return run.id


# --- going on ---------------------------------------------------------------------------------------------------------


def _advance(work: Work, run: Run) -> None:
    """Order the next step that applies; skip those that don't; end the run when none is left."""
    over = (known := work.incident(run.incident)) is not None and not known.unresolved
    while (at := run.at) is not None and at < len(run.plan):
        step = run.plan[at]
        why = say("repair.skipped.over") if over and step.kind not in MENDING else _needless(work, run, step)
        if why is None:
            work.put(run)
            _order(work, run, at, step)
            return
        run = playbook.with_step(run, at, replace(run.steps[at], state=StepState.SKIPPED, ended_at=work.now, why=why))
    _close(work, playbook.closed(run, work.now))


def _needless(work: Work, run: Run, step: Step) -> Say | None:
    """Why a step is passed over, or None."""
    if step.kind == playbook.VERIFY:
        return None if run.changed else say("repair.skipped.unchanged")
    if step.kind == "undo" or playbook.applies(step, run, changes.words(work, run)):
        return None
    return say("repair.skipped.when", when=step.when) if step.when else say("repair.skipped.broke_off")


def _close(work: Work, run: Run) -> None:
    """The run is over: say so, count it, and where a change did not help tell a person."""
    work.put(run)
    if run.repair:
        said = say("repair.run_ended", playbook=run.playbook, result=str(run.state), repair=f"repair.outcome.{run.repair}")
    else:
        said = say("respond.run_ended", playbook=run.playbook, result=str(run.state))
    work.note(run.incident, said, run.id)
    breaker.ended(work, run)
    tried = [step for step in run.steps if step.started_at and (step.changing or step.kind == "undo")]
    if tried and run.repair is not Repair.REPAIRED:
        lines = [say("repair.ended.step", step=step.name, result=str(step.state), summary=step.summary) for step in tried]
        if hold := breaker.hold_of(work, run.playbook):
            lines.append(hold.reason)
        approvals.report(work, run, lines)


def _order(work: Work, run: Run, at: int, step: Step) -> None:
    if step.changing:
        if (why := changes.offer(work, run, at, work.settings.playbooks.get(run.playbook))) is not None:
            finish(work, work.run(run.id) or run, at, why[0], why=why[1])
        return
    run = playbook.with_step(run, at, replace(run.steps[at], state=StepState.RUNNING, started_at=work.now))
    work.put(run)
    match step.kind:
        case "probe" | "run":
            _look(work, run, at, step)
        case "verify":
            changes.verify(work, run, at, step)
        case "undo":
            changes.undo(work, run, at, step)
        case "ask":
            _ask(work, run, at, step)
        case "tell":
            _tell(work, run, at, step)
        case _:
            until = work.now + timedelta(seconds=_number(step.spec.get("for_s")))
            clocks.add(work, "wait", run.id, run.incident, None, work.now, until)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _look(work: Work, run: Run, at: int, step: Step) -> None:
    """A step that looks at the world, with its words put in."""
    spec = changes.filled(work, run, step, step.spec)
    permission = may("step", "reads", work.settings, ())
    if permission.verdict is not Verdict.DO:
        finish(work, run, at, StepState.SKIPPED, why=permission.why)
    elif isinstance(spec, Say):
        finish(work, run, at, StepState.FAILED, why=spec)
    else:
        changes.act(work, run, at, step.kind, spec, step.timeout_s, again=True)


def _ask(work: Work, run: Run, at: int, step: Step) -> None:
    incident = work.incident(run.incident)
    who = (incident.owner or escalate.first(incident, work.settings, work.now)) if incident else None
    if who is None or who not in work.settings.people:
        finish(work, run, at, StepState.SKIPPED, why=say("repair.skipped.nobody"))
        return
    given = step.spec.get("choices")
    choices = tuple(str(choice) for choice in given) if isinstance(given, list | tuple) else ("yes", "no")
    wanted = step.spec.get("text") or step.name
    if isinstance(wanted, Mapping):
        wanted = wanted.get(work.settings.people[who].language) or next(iter(wanted.values()))
    put = changes.filled(work, run, step, {"text": str(wanted)})
    wanted = wanted if isinstance(put, Say) else put["text"]
    message = telling.ask(work, run.incident, who, str(wanted), choices, run.id)
    work.put(replace(run, state=RunState.WAITING, asks=message))


def _tell(work: Work, run: Run, at: int, step: Step) -> None:
    """`tell: {notice: SUBKIND}` drafts that notice for those whom it concerns."""
    incident = work.incident(run.incident)
    subkind = Subkind(str(step.spec.get("notice", Subkind.UPDATE)))
    drafted = 0
    for told in audience.who(incident, subkind, work.settings).told if incident else ():
        drafted += telling.draft(work, run.incident, told.customer, subkind, told.why) is not None
    finish(work, work.run(run.id) or run, at, StepState.OK, why=say("repair.drafted", count=drafted))


# --- results ----------------------------------------------------------------------------------------------------------


def finish(
    work: Work,
    run: Run,
    at: int,
    state: StepState,
    *,
    why: Say | None = None,
    summary: str = "",
    output: str = "",
    facts: Mapping[str, str] | None = None,
) -> None:
    """A step has ended: keep what came of it, and go on."""
    result = replace(
        run.steps[at], state=state, ended_at=work.now, why=why, summary=summary, output=output, facts=facts or run.steps[at].facts
    )
    run = replace(playbook.with_step(run, at, result), state=RunState.RUNNING, asks=None)
    if result.kind == playbook.VERIFY:
        run = changes.verified(work, run, at, state)
        result = run.steps[at]
    _tell_story(work, run, result)
    if result.kind == playbook.VERIFY:
        run = changes.with_undo(work, run, at)
    work.put(run)
    if state is StepState.UNKNOWN and not (result.changing or result.kind in MENDING):
        work.put(replace(run, state=RunState.UNKNOWN, ended_at=work.now))
        return
    _advance(work, run)


def _tell_story(work: Work, run: Run, result: StepResult) -> None:
    if result.why:
        nested = {**result.why.facts, "step": result.name, "result": str(result.state), "summary": f"@{result.why.key}"}
        work.note(run.incident, Say("respond.step", nested), run.id)
    else:
        work.note(run.incident, say("respond.step", step=result.name, result=str(result.state), summary=result.summary), run.id)


def step_ended(work: Work, given: StepEnded) -> None:
    """A step's result. A late one, of a run that has ended or moved on, is only noted."""
    run = work.run(given.run)
    if run is None or run.at != given.step or run.steps[given.step].state is not StepState.RUNNING:
        return
    state = StepState(given.result)
    finish(work, run, given.step, state, summary=given.summary, output=given.output, facts=given.facts)


def answered(work: Work, message: str, answer: str, by: str) -> None:
    """A person answered an ask: the run that waited goes on."""
    asked = work.message(message)
    run = work.run(asked.run) if asked and asked.run else None
    if asked is None:
        return
    if asked.subkind == approvals.APPROVAL and run:
        (refuse if changes.is_no(answer) else approve)(work, run, by, answer)
        return
    work.put(replace(asked, state=MessageState.ANSWERED, answer=answer, version=asked.version + 1))
    if run and run.asks == message and run.at is not None:
        state = StepState.FAILED if answer.lower() in NO else StepState.OK
        said = say("repair.answered", answer=answer, who=by)
        finish(work, run, run.at, state, why=said, facts={"answer": answer})


def approve(work: Work, run: Run, by: str, answer: str = "yes") -> None:
    """A yes to the change that waits. Raises Refused where it can't be given, or can't be acted on now."""
    at, step = changes.waiting(run)
    if not changes.is_yes(answer):
        raise Refused(say("refused.yes_or_no", answer=answer))
    changes.may_say_yes(work, run, at, by)
    result = run.steps[at]
    result = replace(result, approved_by=(*result.approved_by, by), approved_at=work.now)
    run = playbook.with_step(run, at, result)
    work.note(run.incident, say("repair.approved", step=step.name, who=by), run.id, by=by)
    if len(result.approved_by) < run.needs:
        work.put(run)
        return
    run = approvals.close(work, run, f"yes ({', '.join(result.approved_by)})", say("dropped.overtaken"))
    changes.begin(work, run, at)


def refuse(work: Work, run: Run, by: str, answer: str = "no") -> None:
    """A no: the step is not run."""
    at, _ = changes.waiting(run)
    run = approvals.close(work, run, f"no ({by})", say("dropped.overtaken"))
    finish(work, run, at, StepState.SKIPPED, why=say("repair.skipped.refused", who=by))


def expired(work: Work, id: str) -> None:
    """Nobody answered in time: the step is not run."""
    run = work.run(id)
    if run and run.at is not None and approvals.step_of(run):
        at = run.at
        run = approvals.close(work, run, None, say("dropped.expired"))
        finish(work, run, at, StepState.SKIPPED, why=say("repair.skipped.expired"))


def waited(work: Work, id: str) -> None:
    run = work.run(id)
    if run and run.at is not None and run.steps[run.at].kind == "wait":
        finish(work, run, run.at, StepState.OK)


def stop_all(work: Work, incident: str) -> None:
    """The trouble is over: runs that wait or would go on stop. One that is changing something comes to its end first: the
    probe is asked, and what was in vain is undone."""
    for run in work.runs(incident):
        if run.state not in AT_WORK:
            continue
        waits = approvals.step_of(run)
        if waits:
            run = approvals.close(work, run, None, say("dropped.overtaken"))
        if run.engaged:
            if waits:
                finish(work, run, waits[0], StepState.SKIPPED, why=say("repair.skipped.over"))
            continue
        clocks.end_all(work, run.id, "dropped")
        if run.asks and (asked := work.message(run.asks)):
            sending.drop(work, asked, say("dropped.overtaken"))
        steps = tuple(_skipped(step) for step in run.steps)
        work.put(replace(run, state=RunState.STOPPED, asks=None, steps=steps, ended_at=work.now))


def _skipped(step: StepResult) -> StepResult:
    return replace(step, state=StepState.SKIPPED) if step.state in (StepState.WAITING, StepState.RUNNING) else step
