"""Steps that touch the world: one module a kind, one line in `build`. Asking, telling and waiting touch nothing: core
decides them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from forewarn.model.series import ProbeRun
from forewarn.ports import StepRunner
from forewarn.reach.machine import Machines, only_here
from forewarn.steps.probe import probe_step
from forewarn.steps.run import run_step
from forewarn.steps.verify import verify_step


def build(run_once: Callable[[str], Awaitable[list[ProbeRun]]], machines: Machines = only_here) -> Mapping[str, StepRunner]:
    """The runners by kind of step. `run_once` runs a probe by name on all of its targets; KeyError if there is none.
    `machines` are where a step may run."""
    return {"run": run_step(machines), "probe": probe_step(run_once), "verify": verify_step(run_once)}
