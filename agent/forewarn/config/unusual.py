"""What people write for a baseline: what the values may depend on, and how unusual is unusual."""

from __future__ import annotations

from typing import Literal

from forewarn.config.problems import Wrong
from forewarn.config.units import number_text
from forewarn.config.written import Share, Written, described
from forewarn.core.detect.baseline import ALARM, BaselineOptions


class BaselineWritten(Written):
    """Whether a series behaves as it always has: evidence, opens nothing alone."""

    metric: str = described('metric, or metric{label="glob"}', "total_s")
    season: Literal["none", "day", "week"] = described("what of the clock the values may depend on", "day", default="day")
    above: Share = described(
        "the score that alarms; 0.5 is the one shipped limit, each step halves what is left", 0.5, default=ALARM
    )


def baseline(written: BaselineWritten, metric: str) -> BaselineOptions:
    if not 0.3 <= written.above <= 0.95:
        raise Wrong(f"above {number_text(written.above)} is out of range", "write 0.3 to 0.95; 0.5 is the shipped limit")
    return BaselineOptions(season=written.season, above=written.above)
