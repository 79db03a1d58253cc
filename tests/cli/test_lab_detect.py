"""forewarn lab detect on files: what is written row by row, pictures, other rules, and files that can't be used."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from xml.etree import ElementTree

import pytest


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Two weeks of five minutes, with one spike on the last day."""
    rng = random.Random(3)
    rows = ["timestamp,value"]
    for at in range(4032):
        day, rest = divmod(at * 5, 1440)
        value = 500.0 if at == 4000 else 10 + rng.gauss(0, 1)
        rows.append(f"2026-11-{day + 1:02d} {rest // 60:02d}:{rest % 60:02d}:00,{value:.3f}")
    path = tmp_path / "series.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def test_each_row_is_judged_and_the_spike_is_found(forewarn, series: Path, tmp_path: Path) -> None:
    out, plot = tmp_path / "scores.csv", tmp_path / "plot.svg"
    ran = forewarn("lab", "detect", str(series), "--out", str(out), "--plot", str(plot))
    assert ran.code == 1
    assert "2026-11-14 21:20:00" in ran.out
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["timestamp", "value", "anomaly_score", "state", "finding"]
    assert len(rows) == 4032
    assert all(0.0 <= float(row["anomaly_score"]) <= 1.0 for row in rows)
    assert {row["state"] for row in rows[:99]} == {"learning"}
    assert float(rows[4000]["anomaly_score"]) >= 0.5
    assert rows[4000]["state"] == "firing" and rows[4000]["finding"].startswith("F-")
    ElementTree.fromstring(plot.read_text("utf-8"))


def test_what_comes_later_changes_nothing_before(forewarn, series: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.csv"
    short.write_text("\n".join(series.read_text().splitlines()[:3001]) + "\n")
    whole, part = tmp_path / "whole.csv", tmp_path / "part.csv"
    forewarn("lab", "detect", str(series), "--out", str(whole))
    forewarn("lab", "detect", str(short), "--out", str(part))
    assert whole.read_text().splitlines()[:3001] == part.read_text().splitlines()


def test_another_rule(forewarn, series: Path, tmp_path: Path) -> None:
    rule = tmp_path / "rule.yaml"
    rule.write_text("{name: high, threshold: {metric: value, above: 100}}\n")
    ran = forewarn("lab", "detect", str(series), "--rule", str(rule), "--json")
    body = json.loads(ran.out)
    assert ran.code == 1
    assert [(one["from"], one["until"]) for one in body["items"]] == [("2026-11-14 21:20:00", "2026-11-14 21:20:00")]


def test_the_threshold_is_printed(forewarn) -> None:
    ran = forewarn("lab", "detect", "--threshold")
    assert (ran.code, ran.out) == (0, "0.5\n")


BAD = {
    "not there": (None, "No such file"),
    "empty": ("", "two are needed"),
    "one column": ("value\n1\n", "two are needed"),
    "no time": ("timestamp,value\n2026-11-01,1\nsoon,2\n", ':3 timestamp: "soon" is not a time'),
    "no number": ("timestamp,value\n2026-11-01,1\n2026-11-02,much\n", ':3 value: "much" is not a number'),
    "only a head": ("timestamp,value\n", "no row"),
    "binary": ("\x00\x01\x02", "two are needed"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_is_named_with_its_line(forewarn, tmp_path: Path, name: str) -> None:
    text, said = BAD[name]
    path = tmp_path / "bad.csv"
    if text is not None:
        path.write_text(text)
    ran = forewarn("lab", "detect", str(path))
    assert ran.code == 2
    assert str(path) in ran.err and said in ran.err
    assert "Traceback" not in ran.err


def test_a_bad_rule_says_what_is_wrong(forewarn, series: Path, tmp_path: Path) -> None:
    rule = tmp_path / "rule.yaml"
    rule.write_text("{name: odd, baseline: {metric: value, season: year}}\n")
    ran = forewarn("lab", "detect", str(series), "--rule", str(rule))
    assert ran.code == 2 and '"year" is not one of none, day, week' in ran.err


TIMES = [
    "2026-11-22T10:03:20Z",
    "2026-11-22 10:03:20",
    "1795341800",
    "1795341800000",
    "2026/11/22 10:03:20",
    "2026-11-22T11:03:20+01:00",
]


@pytest.mark.parametrize("text", TIMES)
def test_times_are_written_in_many_ways(text: str) -> None:
    from forewarn.app.lab.series_csv import seconds

    assert seconds(text) == 1_795_341_800.0
