"""forewarn lab forecast: what a user types and reads."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Ten-minute rows of a disk that rises from 50 to 95 in 50 hours."""
    file = tmp_path / "disk.csv"
    rows = [f"{1763800000 + n * 600},{50 + 45 * n / 300 + 0.1 * (n % 3):.3f}" for n in range(330)]
    file.write_text("timestamp,value\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return file


def test_each_row_gets_state_and_dates(forewarn, disk: Path, tmp_path: Path):
    out, plot = tmp_path / "out.csv", tmp_path / "out.svg"
    ran = forewarn("lab", "forecast", str(disk), "--limit", "95", "--out", str(out), "--plot", str(plot))
    assert ran.code == 1 and "warned at least 6 h ahead: 1" in ran.out and "of which false: 0" in ran.out
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["timestamp", "state", "earliest", "likely", "latest"] and len(rows) == 330
    assert rows[0]["state"] == "learning" and rows[0]["likely"] == ""
    assert rows[150]["state"] == "firing" and rows[150]["earliest"] < rows[150]["likely"] < rows[150]["latest"]
    assert rows[150]["likely"].startswith("2025-11-24T1")
    assert rows[-1]["state"] == "crossed" and rows[-1]["earliest"] == rows[-1]["latest"]
    assert plot.read_text(encoding="utf-8").startswith("<svg")


def test_nothing_is_seen_of_what_comes_later(forewarn, disk: Path, tmp_path: Path):
    whole, half = tmp_path / "whole.csv", tmp_path / "half.csv"
    first = tmp_path / "first.csv"
    first.write_text("".join(disk.read_text(encoding="utf-8").splitlines(keepends=True)[:161]), encoding="utf-8")
    forewarn("lab", "forecast", str(disk), "--limit", "95", "--out", str(whole))
    forewarn("lab", "forecast", str(first), "--limit", "95", "--out", str(half))
    assert whole.read_text(encoding="utf-8").startswith(half.read_text(encoding="utf-8"))


def test_json_and_the_other_side(forewarn, disk: Path):
    ran = forewarn("lab", "forecast", str(disk), "--limit", "40", "--below", "--json")
    body = json.loads(ran.out)
    assert ran.code == 0 and body["now"] == {"state": "never", "earliest": None, "likely": None, "latest": None}
    assert body["foresight"]["crossings"] == 0 and body["items"] == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--limit", "much"], '"much" is not a number'),
        (["--limit", "95", "--within", "3"], "has no unit"),
        (["--limit", "95", "--confidence", "80"], "write 0.5 to 0.99"),
        ([], "--limit"),
    ],
)
def test_what_cannot_be_is_refused(forewarn, disk: Path, given: list[str], says: str):
    ran = forewarn("lab", "forecast", str(disk), *given)
    assert ran.code == 2 and says in ran.err


def test_a_file_that_is_not_there(forewarn, tmp_path: Path):
    ran = forewarn("lab", "forecast", str(tmp_path / "no.csv"), "--limit", "1")
    assert ran.code == 2 and "no.csv" in ran.err
