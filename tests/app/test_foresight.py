"""The judge of forecasts, on rows whose truth is plain; and the shipped forecast on open series."""

from __future__ import annotations

from pathlib import Path

import pytest

from forewarn.app.lab import foresight
from forewarn.app.lab.forecast import foresight as foreseen
from forewarn.app.lab.forecast import rule, walk
from forewarn.app.lab.foresight import Stated, interval_score, judged
from forewarn.app.lab.series_csv import Row, read

HOUR, DAY = 3600.0, 86400.0
OPEN = Path(__file__).parents[2].parent.parent / "shared" / "data"
"""Beside the checkouts."""


def told(
    warns: set[int], beyond: set[int], hours: int = 48, dates: tuple[float, float, float] | None = None
) -> foresight.Foresight:
    """Hourly rows; `dates` in hours, on each row that warns."""
    given = (dates[0] * HOUR, dates[1] * HOUR, dates[2] * HOUR) if dates else None
    rows = [
        Stated(Row(n, "", n * HOUR, 0.0), "firing" if n in warns else "never", n in warns, given if n in warns else None)
        for n in range(hours)
    ]
    return judged(rows, [n in beyond for n in range(hours)], 12 * HOUR, 0.8, HOUR)


@pytest.mark.parametrize(
    ("warns", "beyond", "crossings", "warned", "warnings", "false"),
    [
        (set(), {20}, 1, 0, 0, 0),
        (set(range(10, 20)), {20}, 1, 1, 1, 0),
        (set(range(15, 20)), {20}, 1, 0, 1, 0),  # five hours ahead is too late, but it was no false warning
        (set(range(10, 14)), {20}, 1, 0, 1, 0),  # withdrawn too soon
        (set(range(2, 6)), {40}, 1, 0, 1, 1),
        (set(range(45, 48)), set(), 0, 0, 0, 0),  # the file ends before it can be judged
        (set(), {20, 22, 25}, 1, 0, 0, 0),  # less than six hours under the limit: the same event
        (set(), {0, 3}, 0, 0, 0, 0),
        (set(range(8, 20)) | set(range(23, 30)), {20, 21, 30}, 2, 2, 2, 0),
    ],
)
def test_warnings_and_crossings_are_counted(warns, beyond, crossings, warned, warnings, false):
    found = told(warns, beyond)
    assert (found.crossings, found.warned, found.warnings, found.false) == (crossings, warned, warnings, false)


@pytest.mark.parametrize(
    ("dates", "beyond", "covered"),
    [
        ((15, 20, 25), {20}, 1.0),
        ((21, 22, 25), {20}, 1.0),  # one row beside: there is no sample between
        ((22, 23, 25), {20}, 0.0),
        ((15, 20, 25), set(), 0.0),  # it never came
        ((15, 20, 99), set(), None),  # it may still come
    ],
)
def test_an_interval_holds_or_not(dates, beyond, covered):
    assert told({10}, beyond, dates=dates).coverage == covered


def test_the_score_punishes_width_and_misses():
    assert interval_score(10, 20, 15, 0.8) == 10
    assert interval_score(10, 20, 25, 0.8) == pytest.approx(10 + 10 * 5)
    assert interval_score(10, 20, 5, 0.8) == pytest.approx(10 + 10 * 5)


@pytest.mark.timeout(300)
def test_what_comes_back_is_foreseen_on_open_series():
    """Seldom wrong, and not silent: the shipped setting on a few real streams; scripts/bench/foresight.py measures all."""
    streams = {
        "realTraffic/TravelTime_451": 400.0,
        "realAWSCloudwatch/elb_request_count_8c0756": 250.0,
        "realTraffic/speed_6005": -50.0,
    }
    folder = OPEN / "nab" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    found = []
    for name, limit in streams.items():
        rows = read(folder / f"{name}.csv")
        forecast = rule(abs(limit), limit < 0, 3 * DAY, 0.8)
        steps, _ = walk(rows, forecast, lambda _: None)
        found.append(foreseen(steps, forecast))
    assert sum(one.warned for one in found) >= 0.5 * sum(one.crossings for one in found)
    assert sum(one.false for one in found) <= sum(one.months for one in found) + 1
    assert 0.65 <= sum(one.covered for one in found) / sum(one.judged for one in found) <= 0.95
