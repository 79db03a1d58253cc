"""A step that runs a declared probe once: a diagnose step is a probe, not a second way of looking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from forewarn.model.series import Outcome, ProbeRun, metric_text, unit_of
from forewarn.ports import StepOutcome, StepRunner
from forewarn.reach.mask import mask

LINE = 160
WORST = (Outcome.DOWN, Outcome.UNKNOWN, Outcome.UP)


def probe_step(run_once: Callable[[str], Awaitable[list[ProbeRun]]]) -> StepRunner:
    """A runner for `{probe: name, target: name}`; without target all of them.

    It answers `ok` when every target was looked at, also when one is down: looking was the step's work, and what it saw
    stands in the summary. A target that could not be looked at makes it `failed`.
    """

    async def run(spec: Mapping[str, object], where: str, timeout_s: float) -> StepOutcome:
        name, target = str(spec.get("probe", "")), spec.get("target")
        try:
            runs = await run_once(name)
        except KeyError:
            return StepOutcome(result="failed", summary=f'there is no probe "{name}"')
        runs = [run for run in runs if target is None or run.target == target]
        if not runs:
            return StepOutcome(result="failed", summary=f'{name} has no target "{target}"' if target else f"{name} has no targets")
        result = "failed" if any(run.outcome is Outcome.UNKNOWN for run in runs) else "ok"
        return StepOutcome(result=result, summary=summary(name, runs), output="\n".join(map(line, runs)), facts=facts_of(runs))

    return run


def facts_of(runs: list[ProbeRun]) -> dict[str, str]:
    """What later steps may ask: the worst outcome, how many are up and down, and of a single target each value that has no
    labels or whose metric comes but once. Shares are in percent, as people write them; all else is in the metric's unit."""
    counts = {outcome: sum(run.outcome is outcome for run in runs) for outcome in WORST}
    facts = {"outcome": str(next(outcome for outcome in WORST if counts[outcome]))}
    facts |= {str(outcome): str(count) for outcome, count in counts.items()}
    if len(runs) == 1:
        names = [metric for metric, _ in runs[0].columns]
        for (metric, _), value in zip(runs[0].columns, runs[0].values, strict=True):
            if names.count(metric) == 1 and value == value:
                facts[metric] = f"{value * 100 if unit_of(metric) == 'ratio' else value:g}"
    return facts


def summary(name: str, runs: list[ProbeRun]) -> str:
    """`shop: 1 of 2 targets down (web-2: connection refused)`; the worst outcome speaks."""
    counts = {outcome: [run for run in runs if run.outcome is outcome] for outcome in WORST}
    worst = next(outcome for outcome in WORST if counts[outcome])
    some = counts[worst]
    if worst is Outcome.UP:
        text = f"{name}: up" if len(runs) == 1 else f"{name}: all {len(runs)} targets up"
    else:
        text = f"{name}: {worst}" if len(runs) == 1 else f"{name}: {len(some)} of {len(runs)} targets {worst}"
        why = some[0].detail or some[0].reason
        text += f" ({some[0].target}: {mask(why)})" if why else f" ({some[0].target})"
    return " ".join(text.split())[:LINE]


def line(run: ProbeRun) -> str:
    """One target: outcome, why, and each value (phases among them) with its unit."""
    why = run.detail or run.reason
    values = ", ".join(
        f"{metric_text(metric, labels)} {shown(metric, value)}"
        for (metric, labels), value in zip(run.columns, run.values, strict=True)
        if value == value
    )
    parts = (f"{run.outcome:<8}{run.target}", mask(why) if why else "", values)
    return "  ".join(part for part in parts if part)


def shown(metric: str, value: float) -> str:
    """A value with its unit: 31 ms, 91.2 %, 41 °C, 12 GB."""
    match unit_of(metric):
        case "s":
            return f"{value * 1000:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"
        case "ratio":
            return f"{value * 100:.3g} %"
        case "celsius":
            return f"{value:.3g} °C"
        case "bytes":
            return _size(value)
    return f"{value:g}"


def _size(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"
