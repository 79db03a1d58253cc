"""`when:` of a step: a sentence about a step before it. Read by one pattern and compared; nothing is ever evaluated.

when: look                       it ended ok
when: look failed                how it ended: ok, failed, unknown, skipped, recorded; `ended` is any of these
when: decide.answer == journal   a fact of it: == != < <= > >= and ~ (contains)
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forewarn.model.playbook import Run, StepResult, StepState

ENDED = (StepState.OK, StepState.FAILED, StepState.UNKNOWN, StepState.SKIPPED, StepState.RECORDED)
ENDINGS = (*map(str, ENDED), "ended")
_FACT = re.compile(r"([\w.\-]+?)\.([a-z_]\w*)\s*(==|!=|<=|>=|<|>|~)\s*(\"[^\"]*\"|'[^']*'|[^\s\"']+(?: ?%)?)")
_END = re.compile(r"([\w.\-]+)(?:\s+([a-z]+))?")
ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """About step `step`: its ending, or (with `op`) its fact `fact` compared with `value`."""

    step: str
    ending: str = "ok"
    fact: str | None = None
    op: str | None = None
    value: str = ""


def read(text: str) -> Condition:
    """What a `when` says. Raises ValueError with the forms that would be right."""
    text = text.strip()
    if found := _FACT.fullmatch(text):
        name, fact, op, value = found.groups()
        value = value.strip().strip("\"'")
        if op in ORDER and _number(value) is None:
            raise ValueError(f'"{value}" is not a number; write {name}.{fact} {op} 90')
        return Condition(name, fact=fact, op=op, value=value)
    if found := _END.fullmatch(text):
        return Condition(found[1], found[2] or "ok")
    raise ValueError(f'"{text}" is not a condition; write look failed, or look.exit == 0')


def holds(condition: Condition, run: Run) -> bool:
    """Whether it is true of what has happened so far. A step that is not there or has not ended makes nothing true."""
    result = next((step for step in run.steps if step.name == condition.step and step.state in ENDED), None)
    if result is None:
        return False
    if condition.op is None:
        return condition.ending == "ended" or result.state == condition.ending
    return _compared(condition, result)


def _compared(condition: Condition, result: StepResult) -> bool:
    """A fact that is not there is never equal, unequal, greater or smaller."""
    given = result.facts.get(condition.fact or "")
    if given is None or condition.op is None:
        return False
    if condition.op == "~":
        return condition.value.lower() in given.lower()
    left, right = _number(given), _number(condition.value)
    if condition.op in ORDER:
        return left is not None and right is not None and ORDER[condition.op](left, right)
    same = left == right if left is not None and right is not None else given.lower() == condition.value.lower()
    return same if condition.op == "==" else not same


def _number(text: str) -> float | None:
    """12, 0.9, 91.2 %: a percentage is the number before its sign."""
    try:
        return float(text.rstrip("% "))
    except ValueError:
        return None
