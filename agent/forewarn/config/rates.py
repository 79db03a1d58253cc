"""What people write for a rate: how fast a counter grows, or any other value rises or falls."""

from __future__ import annotations

from typing import Literal

from forewarn.config.limits import clear_of, limit_of
from forewarn.config.problems import Wrong
from forewarn.config.units import duration_text
from forewarn.config.written import Duration, Positive, Value, Written, described
from forewarn.core.detect.rate import RateOptions

LONGEST_S = 7 * 86400.0


class RateWritten(Written):
    """How fast a series changes, against a limit."""

    metric: str = described("a _total metric (its growth) or any other (how fast it rises or falls)", "errors_total")
    above: Value = described("fires when it changes by more than this `per` so long, in the metric's unit", 5, default=None)
    below: Value = described("fires when it changes by less", 1, default=None)
    per: Positive = described("the time that the limit is meant for", "1m", default=1.0)
    window: Positive = described("the change is taken over this span", "5m", default=300.0)
    clear_below: Value = described("with above: ends only below this", 3, default=None)
    clear_above: Value = described("with below: ends only above this", 2, default=None)
    for_: Duration = described("for how long it must hold", "5m", default=0.0, alias="for")
    direction: Literal["up", "down"] = described(
        "down: how fast a value falls, as a positive number; a _total metric never falls", "down", default="up"
    )


def rate(written: RateWritten, metric: str) -> RateOptions:
    """Options of the detector; raises Wrong."""
    side, limit = limit_of(metric, written.above, written.below)
    counter = metric.endswith("_total")
    if written.window + written.for_ > LONGEST_S:
        raise Wrong(f"window and for together are {duration_text(written.window + written.for_)}", "write at most 7d")
    if counter and written.direction == "down":
        raise Wrong(f"{metric} counts, and never falls", "leave direction out")
    return RateOptions(
        limit=limit,
        above=side == "above",
        clear=clear_of(written, metric, side, limit),
        per_s=written.per,
        window_s=written.window,
        for_s=written.for_,
        counter=counter,
        falls=written.direction == "down",
    )
