"""`when:` is compared, never evaluated."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from forewarn.core.respond.conditions import holds, read
from forewarn.model.playbook import Run, RunState, StepResult, StepState

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FACTS = {"exit": "0", "last": "/srv/my data", "share": "91.2 %", "answer": "Journal"}
RUN = Run(
    id="R-1", playbook="p", incident="INC-1", finding=None, state=RunState.RUNNING, started_at=NOW,
    steps=(
        StepResult(name="a.b", kind="run", state=StepState.OK, facts=FACTS),
        StepResult(name="bad", kind="run", state=StepState.FAILED, facts={"exit": "3"}),
        StepResult(name="not-yet", kind="run"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("a.b", True),
        ("a.b ok", True),
        ("a.b failed", False),
        ("bad", False),
        ("bad failed", True),
        ("bad ended", True),
        ("not-yet", False),
        ("not-yet ended", False),
        ("gone", False),
        ("a.b.exit == 0", True),
        ("a.b.exit != 0", False),
        ("bad.exit >= 3", True),
        ("bad.exit > 3", False),
        ("a.b.share > 90", True),
        ("a.b.share <= 90 %", False),
        ('a.b.last == "/srv/my data"', True),
        ("a.b.last ~ srv", True),
        ("a.b.answer == journal", True),
        ("a.b.nothing == 0", False),
        ("a.b.nothing != 0", False),
        ("a.b.last > 1", False),
    ],
)
def test_what_is_true(text: str, true: bool) -> None:
    assert holds(read(text), RUN) is true


@pytest.mark.parametrize(
    "text",
    ["", "a b c", "a.exit == 0 and b.exit == 0", "a.exit == 0; rm", "a.exit ** 2", "f(x)", "a.exit == '0' or '1'", "a.exit >"],
)
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(ValueError, match="not a condition"):
        read(text)
