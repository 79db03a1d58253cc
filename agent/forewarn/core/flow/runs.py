"""A playbook's run: what fits begins, each step is ordered in turn, answers move it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from forewarn.core.flow import clocks, sending, telling
from forewarn.core.respond import escalate, playbook
from forewarn.core.tell import audience
from forewarn.core.tell.may import may
from forewarn.core.work import Work
from forewarn.model.actions import RunStep
from forewarn.model.finding import Finding
from forewarn.model.inputs import StepEnded
from forewarn.model.message import MessageState, Subkind
from forewarn.model.playbook import Playbook, Run, RunState, Step, StepResult, StepState
from forewarn.model.policy import Verdict
from forewarn.model.text import say


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


def _advance(work: Work, run: Run) -> None:
    """Order the next step that applies; skip those that don't; end the run when none is left."""
    found = work.settings.playbooks.get(run.playbook)
    while (at := run.at) is not None and found is not None and at < len(found.steps):
        step = found.steps[at]
        if playbook.applies(step, run):
            work.put(run)
            _order(work, run, at, step)
            return
        run = playbook.with_step(run, at, replace(run.steps[at], state=StepState.SKIPPED, ended_at=work.now))
    run = playbook.closed(run, work.now)
    work.put(run)
    work.note(run.incident, say("respond.run_ended", playbook=run.playbook, result=str(run.state)), run.id)


def _order(work: Work, run: Run, at: int, step: Step) -> None:
    running = replace(run.steps[at], state=StepState.RUNNING, started_at=work.now)
    run = playbook.with_step(run, at, running)
    work.put(run)
    match step.kind:
        case "probe" | "run":
            _touch(work, run, at, step)
        case "ask":
            _ask(work, run, at, step)
        case "tell":
            _tell(work, run, at, step)
        case _:
            clocks.add(
                work, "wait", run.id, run.incident, None, work.now, work.now + timedelta(seconds=_number(step.spec.get("for_s")))
            )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _touch(work: Work, run: Run, at: int, step: Step) -> None:
    """A step that looks at the world, with its words put in."""
    permission = may("step", "changes" if step.changing else "reads", work.settings, ())
    finding = work.finding(run.finding) if run.finding else None
    spec = playbook.filled(step.spec, playbook.words_of(finding, run.incident), bool(step.spec.get("allow_dash")))
    if step.changing or permission.verdict is not Verdict.DO:
        _finish(work, run, at, StepState.SKIPPED, "needs approval: only steps that read run by themselves")
    elif isinstance(spec, playbook.BadWord):
        said = "is not known here" if spec.value is None else f'is "{spec.value}", which a program would take for an option'
        _finish(work, run, at, StepState.FAILED, f"${{{spec.word}}} {said}")
    else:
        _order_action(work, run, at, step, spec)


def _order_action(work: Work, run: Run, at: int, step: Step, spec: Mapping[str, object]) -> None:
    again = step.kind == "probe" or step.reads or step.idempotent
    id = work.new_id("A")
    work.act(
        RunStep(
            id=id,
            at=work.now,
            run=run.id,
            step=at,
            kind=step.kind,
            where=step.where,
            spec=spec,
            timeout_s=step.timeout_s,
            again=again,
        )
    )


def _ask(work: Work, run: Run, at: int, step: Step) -> None:
    incident = work.incident(run.incident)
    who = (incident.owner or escalate.first(incident, work.settings, work.now)) if incident else None
    if who is None or who not in work.settings.people:
        _finish(work, run, at, StepState.SKIPPED, "nobody to ask: no escalation names a person")
        return
    given = step.spec.get("choices")
    choices = tuple(str(choice) for choice in given) if isinstance(given, list | tuple) else ("yes", "no")
    question = str(step.spec.get("text") or step.name)
    message = telling.ask(work, run.incident, who, question, choices, run.id)
    work.put(replace(run, state=RunState.WAITING, asks=message))


def _tell(work: Work, run: Run, at: int, step: Step) -> None:
    """`tell: {notice: SUBKIND}` drafts that notice for those whom it concerns."""
    incident = work.incident(run.incident)
    subkind = Subkind(str(step.spec.get("notice", Subkind.UPDATE)))
    drafted = 0
    for told in audience.who(incident, subkind, work.settings).told if incident else ():
        drafted += telling.draft(work, run.incident, told.customer, subkind, told.why) is not None
    _finish(work, work.run(run.id) or run, at, StepState.OK, f"{drafted} drafted")


def _finish(work: Work, run: Run, at: int, state: StepState, summary: str, output: str = "") -> None:
    result = replace(run.steps[at], state=state, ended_at=work.now, summary=summary, output=output)
    run = replace(playbook.with_step(run, at, result), state=RunState.RUNNING, asks=None)
    work.put(run)
    work.note(run.incident, say("respond.step", step=result.name, result=str(state), summary=summary), run.id)
    if state is StepState.UNKNOWN:
        work.put(replace(run, state=RunState.UNKNOWN, ended_at=work.now))
        return
    _advance(work, run)


def step_ended(work: Work, given: StepEnded) -> None:
    """A step's result. A late one, of a run that has ended or moved on, is only noted."""
    run = work.run(given.run)
    if run is None or run.at != given.step or run.steps[given.step].state is not StepState.RUNNING:
        return
    _finish(work, run, given.step, StepState(given.result), given.summary, given.output)


def answered(work: Work, message: str, answer: str) -> None:
    """A person answered an ask: the run that waited goes on."""
    asked = work.message(message)
    run = work.run(asked.run) if asked and asked.run else None
    if asked is None:
        return
    work.put(replace(asked, state=MessageState.ANSWERED, answer=answer, version=asked.version + 1))
    if run and run.asks == message and run.at is not None:
        state = StepState.FAILED if answer.lower() in ("no", "否", "n") else StepState.OK
        _finish(work, run, run.at, state, f"answer: {answer}")


def waited(work: Work, id: str) -> None:
    run = work.run(id)
    if run and run.at is not None and run.steps[run.at].kind == "wait":
        _finish(work, run, run.at, StepState.OK, "")


def stop_all(work: Work, incident: str) -> None:
    """The trouble is over: runs that wait or would go on stop."""
    for run in work.runs(incident):
        if run.state not in (RunState.RUNNING, RunState.WAITING):
            continue
        clocks.end_all(work, run.id, "dropped")
        if run.asks and (asked := work.message(run.asks)):
            sending.drop(work, asked, say("dropped.overtaken"))
        steps = tuple(_skipped(step) for step in run.steps)
        work.put(replace(run, state=RunState.STOPPED, asks=None, steps=steps, ended_at=work.now))


def _skipped(step: StepResult) -> StepResult:
    return replace(step, state=StepState.SKIPPED) if step.state in (StepState.WAITING, StepState.RUNNING) else step
