"""Steps that touch the world: one module a kind, one line in `build`. Asking, telling and waiting touch nothing: core
decides them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from forewarn.model.series import ProbeRun
from forewarn.ports import StepRunner
from forewarn.steps.probe import probe_step
from forewarn.steps.run import run_step
from forewarn.steps.verify import verify_step


def build(run_once: Callable[[str], Awaitable[list[ProbeRun]]]) -> Mapping[str, StepRunner]:
    """The runners by kind of step. `run_once` runs a probe by name on all of its targets; KeyError if there is none."""
    return {"run": run_step, "probe": probe_step(run_once), "verify": verify_step(run_once)}
