"""Durations, sizes, shares and limits in a metric's unit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.config import units
from forewarn.config.problems import Wrong
from forewarn.model.due import Span

GOOD = [
    (units.duration, "500ms", 0.5),
    (units.duration, "10s", 10),
    (units.duration, "1.5m", 90),
    (units.duration, "3h", 10800),
    (units.duration, "3d", 259200),
    (units.duration, "1w", 604800),
    (units.duration, "0s", 0),
    (units.size, "10GB", 10e9),
    (units.size, "10GiB", 10 * 2**30),
    (units.size, "1.5 kB", 1500),
    (units.size, "64KiB", 65536),
    (units.size, "512B", 512),
    (units.ratio, "90%", 0.9),
    (units.ratio, "150%", 1.5),
    (units.ratio, "99.5 %", 0.995),
    (units.ratio, 0.9, 0.9),
    (units.ratio, "0.9", 0.9),
    (units.ratio, "-5%", -0.05),
    (units.celsius, "90C", 90),
    (units.celsius, "90 °C", 90),
    (units.celsius, "-5.5C", -5.5),
    (units.plain, 17, 17),
    (units.plain, "17.5", 17.5),
    (units.plain, "1e3", 1000),
    (units.share, "100%", 1),
]


@pytest.mark.parametrize(("read", "text", "value"), GOOD)
def test_reads(read, text, value) -> None:
    assert read(text) == pytest.approx(value)


BAD = [
    (units.duration, "5 mins", '"5 mins" is not a duration; write 5m'),
    (units.duration, "5 minutes", '"5 minutes" is not a duration; write 5m'),
    (units.duration, "30 Sec", '"30 Sec" is not a duration; write 30s'),
    (units.duration, "5分钟", '"5分钟" is not a duration; write 5m'),
    (units.duration, "2 小时", '"2 小时" is not a duration; write 2h'),
    (units.duration, 10, "10 has no unit; write 10s, 10ms or 10m"),
    (units.duration, "10", '"10" has no unit; write 10s, 10ms or 10m'),
    (units.duration, "1h30m", '"1h30m" is not a duration; write 10s, 500ms, 5m, 3h, 3d or 1w'),
    (units.duration, "-5m", '"-5m" is not a duration; write 10s, 500ms, 5m, 3h, 3d or 1w'),
    (units.duration, "5wd", '"5wd": working days are counted in the limits of the ladder only; write 5d'),
    (units.duration, True, "true is not a duration; write 10s, 500ms, 5m, 3h, 3d or 1w"),
    (units.duration, None, "nothing is not a duration; write 10s, 500ms, 5m, 3h, 3d or 1w"),
    (units.duration, ["5m"], "a list is not a duration; write 10s, 500ms, 5m, 3h, 3d or 1w"),
    (units.duration, "٣m", '"٣m" is not a duration; write 10s, 500ms, 5m, 3h, 3d or 1w'),
    (units.size, "10", '"10" is not a size; write 10GB or 10GiB'),
    (units.size, 10, "10 has no unit; write 10B, 10GB or 10GiB"),
    (units.size, "10 gigs", '"10 gigs" is not a size; write 10GB or 10GiB'),
    (units.size, "10iB", '"10iB" is not a size; write 10GB or 10GiB'),
    (units.ratio, 95, "95 for a share of 0 to 1; write 95%"),
    (units.ratio, "95", "95 for a share of 0 to 1; write 95%"),
    (units.ratio, math.inf, "inf is not a share; write 90%"),
    (units.ratio, False, "false is not a share; write 90%"),
    (units.share, "120%", '"120%" is not a share of a whole; write 0% to 100%'),
    (units.celsius, 90, "90 has no unit; write 90C"),
    (units.celsius, "90F", '"90F" is not a temperature; write 90C'),
    (units.plain, math.nan, "nan is not a plain number; write it without a unit, e.g. 90"),
    (units.span, "0wd", '"0wd": at least one working day; write 1wd or 0s'),
]


@pytest.mark.parametrize(("read", "text", "said"), BAD)
def test_refuses_and_says_what_would_be_right(read, text, said) -> None:
    with pytest.raises(Wrong) as wrong:
        read(text)
    assert str(wrong.value) == said


LIMITS = [
    ("total_s", "500ms", 0.5),
    ("total_s", 0, 0),
    ("total_s", "0", 0),
    ("fs_used_ratio", "95%", 0.95),
    ("fs_used_ratio", 0.95, 0.95),
    ("fs_used_ratio", "0.95", 0.95),
    ("fs_free_bytes", "10GB", 1e10),
    ("cpu_celsius", "90C", 90),
    ("errors_total", 20, 20),
    ("orders_per_min", "20", 20),
    ("load1", 1.5, 1.5),
]


@pytest.mark.parametrize(("metric", "text", "value"), LIMITS)
def test_a_limit_is_read_in_the_metrics_unit(metric, text, value) -> None:
    assert units.value_of(metric, text) == pytest.approx(value)


WRONG_UNIT = [
    ("total_s", "95%", '"95%" is a share, but total_s is a duration; write 500ms'),
    ("total_s", 500, "500 has no unit; write 500s, 500ms or 500m"),
    ("total_s", "500", "500 has no unit; write 500s, 500ms or 500m"),
    ("total_s", "10GB", '"10GB" is a size, but total_s is a duration; write 500ms'),
    ("fs_used_ratio", "5m", '"5m" is a duration, but fs_used_ratio is a share; write 95%'),
    ("fs_used_ratio", 95, "95 for a share of 0 to 1; write 95%"),
    ("fs_free_bytes", "90C", '"90C" is a temperature, but fs_free_bytes is a size; write 10GB'),
    ("fs_free_bytes", "10", "10 has no unit; write 10B, 10GB or 10GiB"),
    ("cpu_celsius", "90", "90 has no unit; write 90C"),
    ("orders_per_min", "20%", '"20%" has a unit, but orders_per_min is a plain number; write 20'),
    ("errors_total", "many", '"many" is not a plain number; write it without a unit, e.g. 90'),
]


@pytest.mark.parametrize(("metric", "text", "said"), WRONG_UNIT)
def test_a_wrong_unit_says_what_is_right(metric, text, said) -> None:
    with pytest.raises(Wrong) as wrong:
        units.value_of(metric, text)
    assert str(wrong.value) == said


def test_spans_of_the_ladder() -> None:
    assert units.span("5wd") == Span(working_days=5)
    assert units.span("24h") == Span(seconds=86400)


@settings(deadline=None)
@given(st.integers(1, 10**9), st.sampled_from(sorted(units.SECONDS)))
def test_a_duration_survives_being_written(number: int, unit: str) -> None:
    seconds = units.duration(f"{number}{unit}")
    assert units.duration(units.duration_text(seconds)) == pytest.approx(seconds)


@settings(deadline=None)
@given(st.integers(0, 10**12), st.sampled_from(sorted(units.BYTES)))
def test_sizes_are_exact_multiples(number: int, unit: str) -> None:
    assert units.size(f"{number}{unit}") == float(number) * units.BYTES[unit]


@settings(deadline=None)
@given(st.floats(0, 1).map(lambda part: round(part, 6)))
def test_percent_and_fraction_agree(part: float) -> None:
    assert units.share(f"{part * 100:.6f}%") == pytest.approx(units.share(part))


@settings(deadline=None)
@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans(), st.lists(st.integers())))
@pytest.mark.parametrize("read", [units.duration, units.size, units.ratio, units.celsius, units.plain, units.span])
def test_whatever_comes_is_read_or_refused(read, value) -> None:
    try:
        found = read(value)
    except Wrong as wrong:
        assert wrong.right
    else:
        assert isinstance(found, Span) or math.isfinite(found)
