"""A step that asks the probe that fired whether a change helped: looks again and again, for a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from forewarn.core.respond.verify import JUDGED, Look, from_spec, judge, value_in
from forewarn.model.playbook import Repair
from forewarn.model.series import ProbeRun
from forewarn.ports import StepOutcome, StepRunner
from forewarn.steps.probe import line, shown

PAUSE_S = 2.0
AGREES = 2
"""So many looks in a row must see it repaired: a service that falls over again at once was not."""

RunOnce = Callable[[str], Awaitable[list[ProbeRun]]]


def verify_step(
    run_once: RunOnce,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    monotonic: Callable[[], float] = lambda: asyncio.get_running_loop().time(),
) -> StepRunner:
    """A runner for the spec of core/respond/verify.py. Its fact `repair` is what the last look says.

    It ends as soon as two looks in a row see it repaired, or when the next look could not end in time. A probe that does
    not answer counts as one that could not look.
    """

    async def run(spec: Mapping[str, object], where: str, timeout_s: float) -> StepOutcome:
        look = from_spec(spec)
        if look is None:
            return _outcome(Repair.UNSEEN, "no probe speaks for this incident", "")
        if look.kind not in JUDGED:
            return _outcome(Repair.UNSEEN, f"{look.probe}: one look can't tell whether a {look.kind} rule still holds", "")
        until, agreed, seen = monotonic() + timeout_s, 0, None
        while True:
            seen = await _one(run_once, look, until - monotonic()) or seen
            said = judge(look, seen)
            agreed = agreed + 1 if said is Repair.REPAIRED else 0
            if agreed >= AGREES or monotonic() + PAUSE_S >= until:
                return _outcome(said, _summary(look, seen), line(seen) if seen else "", look, seen)
            await sleep(PAUSE_S)

    return run


async def _one(run_once: RunOnce, look: Look, left_s: float) -> ProbeRun | None:
    """The target's run; None where there is no such probe or target, or no answer in the time that is left."""
    try:
        async with asyncio.timeout(max(0.1, left_s)):
            runs = await run_once(look.probe)
    except (KeyError, TimeoutError):
        return None
    return next((run for run in runs if run.target == look.target), None)


def _summary(look: Look, run: ProbeRun | None) -> str:
    """`fs_used_ratio{mount="/srv"} 85 %, was 91.2 %, limit 95 %`, or what the probe says of its target."""
    if run is None:
        return f"{look.probe}: {look.target} could not be looked at"
    value = value_in(run, look.series)
    if look.kind == "down" or value is None:
        why = run.detail or run.reason
        return f"{look.probe}: {look.target} {run.outcome}" + (f" ({why})" if why else "")
    metric = look.series.partition("{")[0]
    before = f", was {shown(metric, look.before)}" if look.before is not None else ""
    limit = f", limit {shown(metric, look.limit)}" if look.limit is not None else ""
    return f"{look.series} {shown(metric, value)}{before}{limit}"


def _outcome(said: Repair, summary: str, output: str, look: Look | None = None, run: ProbeRun | None = None) -> StepOutcome:
    good = said in (Repair.REPAIRED, Repair.BETTER)
    facts = {"repair": str(said)} | ({"outcome": str(run.outcome)} if run else {})
    value = value_in(run, look.series) if look and run else None
    return StepOutcome(
        result="ok" if good else "failed",
        summary=summary[:160],
        output=output,
        facts=facts | ({"value": f"{value:g}"} if value is not None else {}),
    )
