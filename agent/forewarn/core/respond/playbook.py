"""Which playbooks fit a finding, and which of a run's steps is next.

A run goes through its steps in order. Only `probe` steps and `run` steps with `reads: true` run unasked; an `ask` stops
the run until a person answers; a changing step waits for a yes.

The changes of a run are one repair. After the last of them a `verify` step asks the probe that fired; if it sees no change
or a worse one, what was done is undone, last first. A changing step that was not run, or failed, or may have run, keeps
those after it from running, unless their own `when` wants exactly that. A step that may have run is `unknown` and is never
repeated, unless it is declared idempotent: the probe is asked, and a person decides.

The steps are copied when the run begins: a reload changes nothing about what was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from forewarn.core.respond import conditions
from forewarn.model.finding import Finding
from forewarn.model.playbook import Playbook, Repair, Run, RunState, Step, StepResult, StepState
from forewarn.model.settings import Settings

VERIFY = "verify"
UNSEEN = "cannot-see"
PORTS = {"https": 443, "http": 80}
USELESS = frozenset({Repair.UNCHANGED, Repair.WORSE})
BROKE_OFF = frozenset({StepState.FAILED, StepState.UNKNOWN, StepState.SKIPPED})
WORDS = re.compile(r"\$\{([a-z_][a-z0-9_]*)\}")


def fitting(finding: Finding, settings: Settings) -> list[Playbook]:
    """Playbooks whose `for:` matches the finding, in the order of their files."""
    return [playbook for playbook in settings.playbooks.values() if fits(playbook, finding, settings)]


def fits(playbook: Playbook, finding: Finding, settings: Settings) -> bool:
    """Everything that `for:` gives must match. That we could not look is no trouble of a playbook that does not name it."""
    if finding.rule == UNSEEN and playbook.match.rule != UNSEEN:
        return False
    tags = tags_of(finding, settings)
    match = playbook.match
    wanted = (
        (match.service, (finding.service or "",)),
        (match.rule, (finding.rule,)),
        (match.probe, (finding.probe,)),
        (match.tag, tags),
    )
    return all(glob is None or any(fnmatchcase(value, glob) for value in values) for glob, values in wanted)


def tags_of(finding: Finding | None, settings: Settings) -> tuple[str, ...]:
    """Those of its service and of its probe; of two that give a word its value, the probe's counts."""
    probe = settings.probes.get(finding.probe) if finding else None
    service = settings.services.get(finding.service or "") if finding else None
    return (service.tags if service else ()) + (probe.tags if probe else ())


def begun(id: str, playbook: Playbook, incident: str, finding: Finding | None, by: str, now: datetime) -> Run:
    """A run with all of its steps ahead of it, and behind its last change the step that verifies."""
    plan = planned(playbook)
    return Run(
        id=id,
        playbook=playbook.name,
        incident=incident,
        finding=finding.id if finding else None,
        state=RunState.RUNNING,
        steps=tuple(_ahead(step) for step in plan),
        started_at=now,
        by=by,
        plan=plan,
        place=_place(finding, incident),
    )


def planned(playbook: Playbook) -> tuple[Step, ...]:
    """The playbook's steps and, where it changes something, the look that follows."""
    last = max((at for at, step in enumerate(playbook.steps) if step.changing), default=None)
    if last is None:
        return playbook.steps
    look = Step(name=VERIFY, kind=VERIFY, timeout_s=playbook.verify_s, source=playbook.source)
    return (*playbook.steps[: last + 1], look, *playbook.steps[last + 1 :])


def _ahead(step: Step) -> StepResult:
    return StepResult(name=step.name, kind=step.kind, changing=step.changing, where=step.where)


def _place(finding: Finding | None, incident: str) -> str:
    """What a run is about, for its limits: the service, else the target that was seen."""
    return (finding.service or f"{finding.probe}|{finding.target}") if finding else incident


def with_step(run: Run, at: int, result: StepResult) -> Run:
    return replace(run, steps=(*run.steps[:at], result, *run.steps[at + 1 :]))


def with_undo(run: Run, at: int) -> Run:
    """The run with steps behind `at` that take back what was done, last first; what has no way back is left."""
    done = [(run.plan[i], step) for i, step in enumerate(run.steps) if step.changing and step.state is StepState.OK and step.undo]
    steps = tuple(
        Step(name=f"undo-{step.name}", kind="undo", where=result.where, timeout_s=step.timeout_s, source=step.source)
        for step, result in reversed(done)
    )
    results = tuple(replace(_ahead(step), spec=result.undo or {}) for step, (_, result) in zip(steps, reversed(done), strict=True))
    return replace(
        run, plan=(*run.plan[: at + 1], *steps, *run.plan[at + 1 :]), steps=(*run.steps[: at + 1], *results, *run.steps[at + 1 :])
    )


def closed(run: Run, now: datetime) -> Run:
    """The run's end when no step is left: done, unless one failed, may have run, or the change did not help."""
    states = {step.state for step in run.steps if step.kind != VERIFY}  # what that one saw is the repair
    unsure = StepState.UNKNOWN in states and run.repair is not Repair.REPAIRED
    bad = _failed(run) and not run.helped
    state = RunState.UNKNOWN if unsure else RunState.FAILED if bad or run.repair in USELESS else RunState.DONE
    return replace(run, state=state, ended_at=now)


def _failed(run: Run) -> bool:
    """A change or its undo failed, or nothing at all could be looked at. One tool that is missing is no failed run."""
    states = [step.state for step in run.steps if step.kind not in (VERIFY, "ask") and step.state is not StepState.SKIPPED]
    acted = any(step.state is StepState.FAILED and (step.changing or step.kind == "undo") for step in run.steps)
    return acted or bool(states and all(state is StepState.FAILED for state in states))


def applies(step: Step, run: Run, words: Mapping[str, str]) -> bool:
    """Whether its `when` is true, and without one whether nothing speaks against it (a repair that broke off)."""
    if step.when:
        condition = conditions.read(step.when)
        put = filled({"value": condition.value}, words, dash=True)
        return not isinstance(put, BadWord) and conditions.holds(replace(condition, value=str(put["value"])), run)
    return not (step.changing and any(result.changing and result.state in BROKE_OFF for result in run.steps))


@dataclass(frozen=True, slots=True)
class BadWord:
    """A value that may not be substituted: unknown, or one that a program would take for an option."""

    word: str
    value: str | None


def words_of(finding: Finding | None, incident: str, settings: Settings) -> Mapping[str, str]:
    """What `${...}` may stand for in a step: incident, target, probe, service; the target's address, host and port; the
    finding's labels; and tags that read `word=value`.

    A tag is how a probe or service tells a playbook what can't be measured: `tags: [unit=nginx.service]`.
    """
    words = {name: value for name, _, value in (tag.partition("=") for tag in tags_of(finding, settings)) if value}
    words["incident"] = incident
    if finding:
        words = _address(finding, settings) | words | dict(finding.labels)
        words |= {"target": finding.target, "probe": finding.probe, "service": finding.service or ""}
    return words


def _address(finding: Finding, settings: Settings) -> dict[str, str]:
    """Where the target is; of a URL also its host and port."""
    probe = settings.probes.get(finding.probe)
    address = next((target.address for target in probe.targets if target.name == finding.target), None) if probe else None
    if not address:
        return {}
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return {"address": address}
    found = {"address": address} | ({"host": parts.hostname} if parts.hostname else {})
    return found | ({"port": str(port)} if port else {})


def filled(spec: Mapping[str, object], words: Mapping[str, str], dash: bool = False) -> Mapping[str, object] | BadWord:
    """`spec` with its words put in: each as (part of) one whole argument, so nothing is ever split or quoted.

    A value that begins with `-` where an argument begins is refused unless the step allows it (`dash`).
    """
    try:
        return {key: _fill(value, words, dash) for key, value in spec.items()}
    except _Bad as bad:
        return bad.word


class _Bad(Exception):
    def __init__(self, word: BadWord) -> None:
        super().__init__(word.word)
        self.word = word


def _fill(value: object, words: Mapping[str, str], dash: bool) -> object:
    if isinstance(value, str):
        return _fill_text(value, words, dash)
    if isinstance(value, list | tuple):
        return [_fill(item, words, dash) for item in value]
    if isinstance(value, Mapping):
        return {key: _fill(item, words, dash) for key, item in value.items()}
    return value


def _fill_text(text: str, words: Mapping[str, str], dash: bool) -> str:
    def put(found: re.Match[str]) -> str:
        value = words.get(found[1])
        if value is None or (found.start() == 0 and value.startswith("-") and not dash):
            raise _Bad(BadWord(found[1], value))
        return value

    return WORDS.sub(put, text)
