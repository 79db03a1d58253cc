"""One run of a probe, whatever its shape: for `forewarn try`, diagnose steps and `verify`."""

from __future__ import annotations

import asyncio
from typing import Any

from forewarn.model.probe import Probe, Target
from forewarn.model.series import ProbeRun
from forewarn.probers.reasons import Reason, failed, unknown
from forewarn.reach.machine import CannotReach


async def run_once(shape: str, prober: Any, probe: Probe, now_s: float) -> tuple[ProbeRun, ...]:
    """The result for each target, in their order. `prober` is what the kind's `make()` gave; `now_s` is epoch seconds.

    A follower looks at the end of what it follows; what is pushed to us can't be looked at.
    """
    if shape == "engine":
        return await _by_engine(prober, probe, now_s)
    look = prober if shape == "async" else getattr(prober, "once", None)
    if look is None:
        raise TypeError(f"a probe of kind {probe.kind} is told from outside and can't be run once")

    async def one(target: Target) -> ProbeRun:
        try:
            run: ProbeRun = await look(probe, target, now_s)
        except CannotReach as away:
            return failed(probe, target, unknown(Reason(away.reason), str(away)), now_s)
        return run

    return tuple(await asyncio.gather(*map(one, probe.targets)))


async def recent_runs(shape: str, prober: Any, probe: Probe, now_s: float) -> tuple[ProbeRun, ...]:
    """As `run_once`; of a prober that knows when each thing happened (`recent`) all runs of the last while, oldest first."""
    if not hasattr(prober, "recent"):
        return await run_once(shape, prober, probe, now_s)
    found = await asyncio.gather(*(prober.recent(probe, target, now_s) for target in probe.targets))
    return tuple(run for runs in found for run in runs)


async def _by_engine(engine: Any, probe: Probe, now_s: float) -> tuple[ProbeRun, ...]:
    done = asyncio.get_running_loop().create_future()
    runs: dict[str, ProbeRun] = {}

    def deliver(run: ProbeRun) -> None:
        runs[run.target] = run
        if len(runs) == len(probe.targets) and not done.done():
            done.set_result(None)

    engine.submit([(probe, target, now_s) for target in probe.targets], deliver)
    if probe.targets:
        await done
    return tuple(runs[target.name] for target in probe.targets)
