from __future__ import annotations

import math

import pytest

from forewarn.model.series import Outcome, ProbeRun
from forewarn.steps import build
from forewarn.steps.probe import shown

COLUMNS = (("total_s", ()), ("fs_used_ratio", (("mount", "/srv"),)), ("orders_per_min", ()), ("gone", ()))


def seen(target: str, outcome: Outcome, *, detail: str | None = None, reason: str | None = None, values=()) -> ProbeRun:
    return ProbeRun("shop", target, 0.0, outcome, COLUMNS[: len(values)], values, reason=reason, detail=detail)


UP1, UP2 = seen("web-1", Outcome.UP, values=(0.031, 0.912, 40.0, math.nan)), seen("web-2", Outcome.UP)
DOWN2 = seen("web-2", Outcome.DOWN, reason="refused", detail="connection refused")
BLIND = seen("web-3", Outcome.UNKNOWN, reason="no_network")


@pytest.mark.parametrize(
    ("runs", "result", "summary"),
    [
        ([UP1], "ok", "shop: up"),
        ([UP1, UP2], "ok", "shop: all 2 targets up"),
        ([DOWN2], "ok", "shop: down (web-2: connection refused)"),
        ([UP1, DOWN2], "ok", "shop: 1 of 2 targets down (web-2: connection refused)"),
        ([UP1, BLIND], "failed", "shop: 1 of 2 targets unknown (web-3: no_network)"),
        ([UP1, DOWN2, BLIND], "failed", "shop: 1 of 3 targets down (web-2: connection refused)"),
        ([], "failed", "shop has no targets"),
    ],
)
async def test_what_a_probe_step_says(runs, result, summary):
    asked = []

    async def run_once(name):
        asked.append(name)
        return runs

    outcome = await build(run_once)["probe"]({"probe": "shop"}, "local", 5.0)
    assert (outcome.result, outcome.summary, asked) == (result, summary, ["shop"])


async def test_one_target_and_its_phases():
    async def run_once(name):
        return [UP1, DOWN2]

    step = build(run_once)["probe"]
    assert (await step({"probe": "shop", "target": "web-1"}, "local", 5.0)).output == (
        'up      web-1  total_s 31 ms, fs_used_ratio{mount="/srv"} 91.2 %, orders_per_min 40'
    )
    both = await step({"probe": "shop"}, "local", 5.0)
    assert both.output.splitlines()[1] == "down    web-2  connection refused"
    missing = await step({"probe": "shop", "target": "web-9"}, "local", 5.0)
    assert (missing.result, missing.summary) == ("failed", 'shop has no target "web-9"')


async def test_a_probe_that_is_not_there():
    async def run_once(name):
        raise KeyError(name)

    outcome = await build(run_once)["probe"]({"probe": "shpo"}, "local", 5.0)
    assert (outcome.result, outcome.summary) == ("failed", 'there is no probe "shpo"')


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("total_s", 1.25, "1.25 s"),
        ("cpu_celsius", 41.0, "41 °C"),
        ("free_bytes", 12_345_678.0, "12.3 MB"),
        ("free_bytes", 5e15, "5e+03 TB"),
        ("load1", 0.5, "0.5"),
    ],
)
def test_values_carry_their_unit(metric, value, text):
    assert shown(metric, value) == text
