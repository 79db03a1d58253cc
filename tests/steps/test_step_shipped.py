"""The shipped playbooks on the machine that runs the tests: what looks really runs, and what is missing says so."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.config.load import load
from forewarn.core.respond.playbook import BadWord, filled
from forewarn.model.playbook import Step
from forewarn.probers import PROBERS
from forewarn.steps.run import run_step

ROOT = Path(__file__).parents[2]
SETTINGS = load(ROOT, PROBERS, datetime.now(UTC))
WORDS = {
    "mount": "/", "unit": "cron.service", "target": "/dev/sda", "probe": "self", "service": "this-host", "incident": "INC-1",
    "host": "127.0.0.1", "port": "1", "address": "http://127.0.0.1:1/",
}  # fmt: skip
LOOKING = [
    pytest.param(step, id=f"{playbook.name}-{step.name}")
    for playbook in SETTINGS.playbooks.values()
    for step in playbook.steps
    if step.kind == "run" and step.reads
]
SIX = {"disk-filling", "service-down", "certificate-ending", "failing-disk", "overheating", "api-slow"}
ALWAYS = {"df", "du", "cat", "uptime", "ps", "free", "ss", "lsblk"}
"""What a plain Debian host has, and what must work for anybody."""
HERE = ("/proc/mdstat", "/proc/pressure", "/var/log/journal", "/var/cache/apt")
"""What only some machines have."""


def test_the_six_are_there_in_both_languages() -> None:
    assert set(SETTINGS.playbooks) >= SIX
    for playbook in SETTINGS.playbooks.values():
        assert set(playbook.title) == {"en", "zh"}
        for step in playbook.steps:
            if step.kind == "ask" and playbook.name in SIX:
                assert set(step.spec["text"]) == {"en", "zh"}  # type: ignore[arg-type]


@pytest.mark.parametrize("step", LOOKING)
async def test_what_looks_really_runs(step: Step) -> None:
    spec = filled(step.spec, WORDS)
    assert not isinstance(spec, BadWord)
    program = spec["argv"][0]  # type: ignore[index]
    outcome = await run_step()(spec, "local", min(step.timeout_s, 10.0))
    assert outcome.result in ("ok", "failed", "unknown")
    assert outcome.summary
    assert "Traceback" not in outcome.output
    if shutil.which(program) is None:
        assert "is missing" in outcome.summary
    elif program in ALWAYS and not any(place in str(spec) for place in HERE) and outcome.result != "unknown":
        assert outcome.result == "ok", outcome


@pytest.mark.parametrize("playbook", SETTINGS.playbooks.values(), ids=lambda playbook: playbook.name)
def test_changes_ask_first_and_say_what_becomes_of_them(playbook) -> None:
    for step in playbook.steps:
        if step.changing:
            assert playbook.mode == "suggest"
            assert step.undo or step.idempotent or step.irreversible
