"""Looks again and again for a bounded time, on a clock of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forewarn.core.respond.verify import Look, spec_of
from forewarn.model.series import Outcome, ProbeRun
from forewarn.steps.verify import verify_step

DOWN = Look(probe="shop", target="web-1", kind="down")
FULL = Look(probe="host", target="local", kind="threshold", series="fs_used_ratio", limit=0.95, before=0.97)
UP, BAD, BLIND = Outcome.UP, Outcome.DOWN, Outcome.UNKNOWN


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


async def ran(look: Look | None, outcomes: list, timeout_s: float = 20.0):
    clock, looks = Clock(), []

    async def run_once(name: str) -> list[ProbeRun]:
        looks.append(clock.now)
        one = outcomes[min(len(looks), len(outcomes)) - 1]
        if isinstance(one, float):
            return [ProbeRun(name, "local", 0.0, UP, (("fs_used_ratio", ()),), (one,))]
        if one is None:
            raise KeyError(name)
        return [ProbeRun(name, "other", 0.0, BAD), ProbeRun(name, "web-1", 0.0, one, detail="refused" if one is BAD else None)]

    step = verify_step(run_once, clock.sleep, clock.monotonic)
    return await step(spec_of(look, timeout_s), "local", timeout_s), looks


@pytest.mark.parametrize(
    ("outcomes", "repair", "looks", "summary"),
    [
        ([UP], "repaired", 2, "shop: web-1 up"),
        ([BAD, BAD, UP, UP], "repaired", 4, "shop: web-1 up"),
        ([UP, BAD, UP, UP], "repaired", 4, "shop: web-1 up"),  # it fell over once more
        ([BAD], "unchanged", 10, "shop: web-1 down (refused)"),
        ([UP, BAD], "unchanged", 10, "shop: web-1 down (refused)"),
        ([BLIND], "unseen", 10, "shop: web-1 unknown"),
        ([None], "unseen", 10, "shop: web-1 could not be looked at"),
    ],
)
async def test_a_target_that_was_down(outcomes, repair, looks, summary):
    outcome, made = await ran(DOWN, outcomes)
    assert (outcome.facts["repair"], len(made), outcome.summary) == (repair, looks, summary)
    assert outcome.result == ("ok" if repair == "repaired" else "failed")
    assert made[-1] < 20.0


async def test_a_value_with_its_limit():
    outcome, _ = await ran(FULL, [0.96, 0.85])
    assert (outcome.facts["repair"], outcome.summary) == ("repaired", "fs_used_ratio 85 %, was 97 %, limit 95 %")
    better, _ = await ran(FULL, [0.955])
    assert (better.result, better.facts["repair"], better.facts["value"]) == ("ok", "better", "0.955")


async def test_nothing_to_ask():
    assert (await ran(None, [UP]))[0].facts == {"repair": "unseen"}
    pattern, looks = await ran(replace(DOWN, kind="pattern"), [UP])
    assert (pattern.facts["repair"], looks) == ("unseen", [])
    assert "pattern" in pattern.summary
