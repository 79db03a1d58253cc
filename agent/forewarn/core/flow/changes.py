"""Steps that change something: offered to the policy, asked for, ordered, verified, undone.

offer -> blocked | shadow: recorded | ask -> (approvals) -> begin | do -> begin
begin -> RunStep -> verify -> repaired | better | unchanged, worse -> undo
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from forewarn.core.flow import approvals, breaker
from forewarn.core.respond import guard, playbook
from forewarn.core.respond import verify as judging
from forewarn.core.tell.may import may
from forewarn.core.work import Work
from forewarn.model.actions import RunStep, urgency
from forewarn.model.errors import Refused
from forewarn.model.finding import Finding, FindingState
from forewarn.model.playbook import Playbook, Repair, Run, Step, StepState, command_text
from forewarn.model.policy import Verdict
from forewarn.model.text import Say, say

YES = frozenset({"yes", "y", "是", "同意", "批准", "approve"})
NO = frozenset({"no", "n", "否", "不", "不批准", "refuse"})
Ended = tuple[StepState, Say]


def is_yes(answer: str) -> bool:
    return answer.strip().lower() in YES


def is_no(answer: str) -> bool:
    return answer.strip().lower() in NO


def offer(work: Work, run: Run, at: int, found: Playbook | None) -> Ended | None:
    """Ask for a changing step, begin it, or answer how it ended without being run."""
    step = run.plan[at]
    spec, undo = filled(work, run, step, step.spec), filled(work, run, step, step.undo) if step.undo else None
    if isinstance(spec, Say) or isinstance(undo, Say):
        return StepState.FAILED, spec if isinstance(spec, Say) else undo  # type: ignore[return-value]
    if found is None:
        return StepState.SKIPPED, say("repair.skipped.gone", playbook=run.playbook)
    run = playbook.with_step(run, at, replace(run.steps[at], spec=spec, undo=undo))
    work.put(run)
    if why := _blocked(work, run, at, found):
        return StepState.SKIPPED, why
    finding = work.finding(run.finding) if run.finding else None
    permission = guard.permit(may("step", "changes", work.settings, ()), found, step, finding)
    match permission.verdict:
        case Verdict.RECORD:
            return StepState.RECORDED, say("repair.would_run", command=command_text(spec))
        case Verdict.ASK:
            approvals.ask(work, run, at, found, permission)
        case Verdict.DO:
            begin(work, run, at)
    return None


def words(work: Work, run: Run) -> Mapping[str, str]:
    """What this run's steps may name."""
    return playbook.words_of(work.finding(run.finding) if run.finding else None, run.incident, work.settings)


def filled(work: Work, run: Run, step: Step, spec: Mapping[str, object]) -> Mapping[str, object] | Say:
    """A spec with its words put in; what is wrong with a word otherwise."""
    put = playbook.filled(spec, words(work, run), bool(step.spec.get("allow_dash")))
    if not isinstance(put, playbook.BadWord):
        return put
    return (
        say("repair.word.unknown", word=put.word) if put.value is None else say("repair.word.dash", word=put.word, value=put.value)
    )


def _blocked(work: Work, run: Run, at: int, found: Playbook) -> Say | None:
    case = guard.Case(
        run=run,
        step=run.plan[at],
        playbook=found,
        finding=work.finding(run.finding) if run.finding else None,
        guard=work.guard(found.name),
        guards=work.guards(),
        others=[other for other in work.runs() if other.id != run.id],
        holds=work.holds(),
        settings=work.settings,
    )
    return guard.blocked(case, work.now)


# --- a person's yes ---------------------------------------------------------------------------------------------------


def waiting(run: Run) -> tuple[int, Step]:
    """The step that waits for a yes; raises Refused where none does."""
    found = approvals.step_of(run)
    if found is None:
        raise Refused(say("refused.wrong_state", id=run.id, state=f"console.run_state.{run.state}"))
    return found


def may_say_yes(work: Work, run: Run, at: int, by: str) -> None:
    """Raises Refused for a yes that can't count: a second one of the same person, a stranger's where two are needed, or
    while something else stands against the change."""
    if run.needs > 1 and by not in work.settings.people:
        raise Refused(say("refused.stranger", who=by))
    if by in run.steps[at].approved_by:
        raise Refused(say("refused.same_person", who=by))
    found = work.settings.playbooks.get(run.playbook)
    why = _blocked(work, run, at, found) if found else say("repair.skipped.gone", playbook=run.playbook)
    if why:
        raise Refused(Say("refused.blocked", {**why.facts, "why": f"@{why.key}"}))


# --- doing ------------------------------------------------------------------------------------------------------------


def begin(work: Work, run: Run, at: int) -> None:
    """Order a changing step: it counts from now on."""
    step = run.plan[at]
    result = replace(run.steps[at], state=StepState.RUNNING, started_at=work.now)
    run = playbook.with_step(run, at, result)
    work.put(run)
    breaker.begun(work, run)
    work.note(run.incident, say("repair.begun", step=step.name, command=command_text(result.spec)), run.id)
    act(work, run, at, "run", result.spec, step.timeout_s, again=step.idempotent)


def act(work: Work, run: Run, at: int, kind: str, spec: Mapping[str, object], timeout_s: float, *, again: bool) -> None:
    """`again`: after a crash it may simply be done once more."""
    incident = work.incident(run.incident)
    work.act(
        RunStep(
            id=work.new_id("A"), at=work.now, run=run.id, step=at, kind=kind, where=run.plan[at].where, spec=spec,
            timeout_s=timeout_s, again=again, urgency=urgency(None, incident.level if incident else None),
        )
    )  # fmt: skip


def verify(work: Work, run: Run, at: int, step: Step) -> None:
    """Ask the probe that fired whether the change helped."""
    finding = _subject(work, run)
    rule = None
    if finding and (probe := work.settings.probes.get(finding.probe)):
        rule = probe.rule(finding.rule)
    look = judging.look_at(finding, rule) if finding else None
    act(work, run, at, "verify", judging.spec_of(look, step.timeout_s), step.timeout_s, again=True)


def _subject(work: Work, run: Run) -> Finding | None:
    """The finding that the run is for; for one begun by hand the incident's first that stands."""
    if run.finding:
        return work.finding(run.finding)
    incident = work.incident(run.incident)
    return next(iter(work.open_findings(incident)), None) if incident else None


AS_SEEN = {StepState.OK: Repair.REPAIRED, StepState.FAILED: Repair.UNCHANGED}


def verified(work: Work, run: Run, at: int, state: StepState) -> Run:
    """What the look came to. The rule's own verdict comes first: a finding that has cleared is repaired."""
    result, finding = run.steps[at], _subject(work, run)
    said = result.facts.get("repair")
    repair = Repair(said) if said else AS_SEEN.get(state, Repair.UNSEEN)
    if finding and finding.state is FindingState.CLEARED and finding.ended == "cleared":
        repair = Repair.REPAIRED
    ended = StepState.OK if repair in (Repair.REPAIRED, Repair.BETTER) else StepState.FAILED
    return replace(playbook.with_step(run, at, replace(result, state=ended)), repair=repair)


def with_undo(work: Work, run: Run, at: int) -> Run:
    """What was done in vain is taken back, unless part of it may or may not have run: then a person decides."""
    if run.repair not in playbook.USELESS:
        return run
    if any(step.changing and step.state is StepState.UNKNOWN for step in run.steps):
        work.note(run.incident, say("repair.no_undo.unsure"), run.id)
        return run
    undone = playbook.with_undo(run, at)
    if len(undone.steps) == len(run.steps):
        work.note(run.incident, say("repair.no_undo.none"), run.id)
    return undone


def undo(work: Work, run: Run, at: int, step: Step) -> None:
    """Take one step back. It is not repeated after a crash: what may have run is a person's to judge."""
    spec = run.steps[at].spec
    work.note(run.incident, say("repair.begun", step=step.name, command=command_text(spec)), run.id)
    act(work, run, at, "run", spec, step.timeout_s, again=False)
