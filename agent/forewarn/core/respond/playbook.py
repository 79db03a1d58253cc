"""Which playbooks fit a finding, and which of a run's steps is next.

A run goes through its steps in order. Only `probe` steps and `run` steps with `reads: true` run unasked; an `ask` stops
the run until a person answers; a changing step waits for approval. A step that may have run is `unknown`: the run stops
there and a person decides, unless the step is declared idempotent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase

from forewarn.model.finding import Finding
from forewarn.model.playbook import Playbook, Run, RunState, Step, StepResult, StepState
from forewarn.model.settings import Settings

WORDS = re.compile(r"\$\{([a-z_][a-z0-9_]*)\}")


def fitting(finding: Finding, settings: Settings) -> list[Playbook]:
    """Playbooks whose `for:` matches the finding, in the order of their files."""
    return [playbook for playbook in settings.playbooks.values() if fits(playbook, finding, settings)]


def fits(playbook: Playbook, finding: Finding, settings: Settings) -> bool:
    probe = settings.probes.get(finding.probe)
    service = settings.services.get(finding.service or "")
    tags = (probe.tags if probe else ()) + (service.tags if service else ())
    match = playbook.match
    wanted = (
        (match.service, (finding.service or "",)),
        (match.rule, (finding.rule,)),
        (match.probe, (finding.probe,)),
        (match.tag, tags),
    )
    return all(glob is None or any(fnmatchcase(value, glob) for value in values) for glob, values in wanted)


def begun(id: str, playbook: Playbook, incident: str, finding: Finding | None, by: str, now: datetime) -> Run:
    """A run with all of its steps ahead of it."""
    return Run(
        id=id,
        playbook=playbook.name,
        incident=incident,
        finding=finding.id if finding else None,
        state=RunState.RUNNING,
        steps=tuple(StepResult(name=step.name, kind=step.kind) for step in playbook.steps),
        started_at=now,
        by=by,
    )


def with_step(run: Run, at: int, result: StepResult) -> Run:
    return replace(run, steps=(*run.steps[:at], result, *run.steps[at + 1 :]))


def closed(run: Run, now: datetime) -> Run:
    """The run's end when no step is left: done, unless one failed or is unknown."""
    states = {step.state for step in run.steps}
    state = RunState.UNKNOWN if StepState.UNKNOWN in states else RunState.FAILED if StepState.FAILED in states else RunState.DONE
    return replace(run, state=state, ended_at=now)


def applies(step: Step, run: Run) -> bool:
    """`when: STEP STATE`, e.g. `when: look failed`: only after that step ended so. No `when` always applies."""
    if not step.when:
        return True
    name, _, state = step.when.partition(" ")
    return any(result.name == name and result.state == (state or "ok") for result in run.steps)


@dataclass(frozen=True, slots=True)
class BadWord:
    """A value that may not be substituted: unknown, or one that a program would take for an option."""

    word: str
    value: str | None


def words_of(finding: Finding | None, incident: str) -> Mapping[str, str]:
    """What `${...}` may stand for in a step: the finding's labels and names."""
    words = {"incident": incident}
    if finding:
        words |= dict(finding.labels) | {
            "target": finding.target,
            "probe": finding.probe,
            "service": finding.service or "",
        }
    return words


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
