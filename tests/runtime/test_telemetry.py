from __future__ import annotations

import math

import pytest

from forewarn.runtime.telemetry import Telemetry


def test_the_text_that_prometheus_reads():
    figures = Telemetry({"forewarn_up": "1 while\nit \\ runs"})
    figures.set("forewarn_up", 1)
    figures.count("forewarn_runs_total", probe="b", outcome='say "hi"\\\n')
    figures.count("forewarn_runs_total", probe="a", outcome="up")
    figures.count("forewarn_runs_total", 2.5, outcome="up", probe="a")
    figures.set("forewarn_lag_s", math.inf)
    assert figures.text().splitlines() == [
        "# TYPE forewarn_lag_s gauge",
        "forewarn_lag_s +Inf",
        "# TYPE forewarn_runs_total counter",
        'forewarn_runs_total{outcome="say \\"hi\\"\\\\\\n",probe="b"} 1',
        'forewarn_runs_total{outcome="up",probe="a"} 3.5',
        "# HELP forewarn_up 1 while\\nit \\\\ runs",
        "# TYPE forewarn_up gauge",
        "forewarn_up 1",
    ]


def test_an_empty_one_and_forgetting():
    figures = Telemetry()
    assert figures.text() == ""
    figures.set("forewarn_probes", math.nan, state="up")
    assert 'forewarn_probes{state="up"} NaN' in figures.text()
    figures.forget("forewarn_probes")
    assert figures.text() == ""
    assert figures.value("forewarn_probes", state="up") == 0


@pytest.mark.parametrize(
    "wrong", [("other_total", 1.0), ("forewarn_runs", 1.0), ("forewarn_runs_total", -1.0), ("forewarn_a b_total", 1.0)]
)
def test_wrong_counters(wrong):
    with pytest.raises(ValueError, match=wrong[0]):
        Telemetry().count(*wrong)
