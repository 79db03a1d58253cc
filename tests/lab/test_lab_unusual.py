"""The shipped baseline on labelled series, scored as the Numenta Anomaly Benchmark scores: one setting, one frozen limit."""

from __future__ import annotations

import csv
import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from forewarn.core.detect.baseline import ALARM, BaselineOptions, BaselineState, judged

DATA = Path(__file__).parents[3] / "shared" / "data"
LEAST = {"nab": 65.0, "cloudmon": 55.0}
"""A little under what it reaches (docs/foresight.md), so that a change which costs more than noise is seen."""


@pytest.fixture(scope="module")
def scorer() -> ModuleType:
    path = DATA / "nab" / "nab_score.py"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    spec = importlib.util.spec_from_file_location("nab_score", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", LEAST)
def test_the_one_frozen_limit_holds_on_both_sets(scorer: ModuleType, name: str) -> None:
    labels = json.loads((DATA / name / "labels" / "combined_windows.json").read_text())
    streams = []
    for stream, windows in labels.items():
        with (DATA / name / "data" / stream).open(newline="") as file:
            rows = [(row["timestamp"].split(".")[0], float(row["value"])) for row in csv.DictReader(file)]
        state, scores = BaselineState(), []
        for text, value in rows:
            at = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
            state = judged(BaselineOptions(), state, at, value)
            scores.append(state.score)
        streams.append(scorer.Stream(stream, [text for text, _ in rows], scores, windows))
    assert scorer.score(streams, threshold=ALARM)["score"] >= LEAST[name]


@pytest.mark.timeout(120)
def test_a_month_of_a_processor_s_temperature_is_told_by_its_cold_reboots() -> None:
    """Of the real events, the cold reboots of 12 and 19 April, both; and at most one more."""
    path = DATA / "cputemp" / "raspberrypi4_2021-04.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    state, alarms = BaselineState(), []
    with path.open(newline="") as file:
        for text, value in list(csv.reader(file))[1:]:
            state = judged(BaselineOptions(), state, datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp(), float(value))
            if state.score >= ALARM:
                alarms.append(text[:10])
    assert {"2021-04-12", "2021-04-19"} <= set(alarms)
    assert len(alarms) <= 3
