"""forewarn lab logs: a row for every line, what is different from a moment on, and how right templates are on labelled lines."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
from pathlib import Path

import pytest

from forewarn.cli.main import main

DATA = Path(__file__).parents[3] / "shared" / "data" / "logs"
SYSTEMS = ("Apache", "HDFS", "Hadoop", "HealthApp", "Linux", "OpenSSH", "Spark", "Windows")
LEAST = 0.97
"""A little under the least of what it reaches on any (docs/logs-templates.md)."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """An hour that is quiet, and another in which a disk fails."""
    path = tmp_path / "app.log"
    quiet = [f"2026-11-23 09:{at:02d}:00,000 INFO [main] shop.Cart: order {at} done\n" for at in range(60)]
    loud = [
        f"2026-11-23 10:{at:02d}:00,000 ERROR [main] shop.Disk: disk sda{at} failed\n  at shop.A.b(A.java:{at})\n"
        for at in range(60)
    ]
    path.write_text("".join(quiet + loud), "utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().out)


def test_every_line_is_a_row(tmp_path: Path) -> None:
    path, out = tmp_path / "odd.log", tmp_path / "out.csv"
    path.write_bytes(
        b'\n\xff\xfe broken\n"quoted, with comma" 5\r\n\x00\x00\n\n' + b"x" * 70_000 + "\n用户 7 登录失败\nno end".encode()
    )
    assert main(["lab", "logs", str(path), "--messages", "--templates", str(out)]) == 0
    found = rows(out)
    assert len(found) == 8
    assert found[2]["EventTemplate"] == '"quoted, with comma" <*>'
    assert found[0] == found[4] == {"EventId": "E1", "EventTemplate": ""}
    assert found[6]["EventTemplate"] == "用户 <*> 登录失败"


def test_files_follow_each_other_and_may_be_packed(tmp_path: Path, log: Path) -> None:
    packed, out = tmp_path / "app.log.1.gz", tmp_path / "out.csv"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert main(["lab", "logs", str(packed), str(log), "--templates", str(out)]) == 0
    found = [row["EventId"] for row in rows(out)]
    assert len(found) == 360
    assert found[:180] == found[180:]


def test_what_is_new_and_gone_around_a_time(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "logs", str(log), "--around", "2026-11-23 10:00", "--json"]) == 0
    found = told(capsys)
    assert [(one["kind"], one["templates"][0]["template"], one["after"]) for one in found["items"]] == [  # type: ignore[attr-defined]
        ("new", "disk <*> failed", 120),
        ("vanished", "order <*> done", 0),
    ]


def test_the_first_line_of_it_is_shown(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "logs", str(log), "--around", "10:00"]) == 0
    said = capsys.readouterr().out
    assert f"{log}:61: 2026-11-23 10:00:00,000 ERROR" in said
    assert "trouble" in said


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        (["--around", "soon"], '"soon" is not a time'),
        (["--around", "99:99"], '"99:99" is not a time'),
        (["--around", "10:00:75"], '"10:00:75" is not a time'),
        (["--around", "2026-11-23 25:00"], '"2026-11-23 25:00" is not a time'),
        (["--around", "2020-01-01 00:00:00"], "no line lies before it"),
        (["--around", "10:00", "--messages"], "have no time"),
    ],
)
def test_a_time_that_cannot_be_is_told(log: Path, capsys: pytest.CaptureFixture[str], more: list[str], wrong: str) -> None:
    assert main(["lab", "logs", str(log), *more]) == 2
    assert wrong in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "logs", str(tmp_path / "none.log")]) == 2
    assert "none.log: No such file" in capsys.readouterr().err


def test_a_log_of_one_line_and_of_none(tmp_path: Path) -> None:
    for text in ("", "one line\n"):
        (tmp_path / "a.log").write_text(text)
        assert main(["lab", "logs", str(tmp_path / "a.log")]) == 0


@pytest.mark.parametrize("headers", [False, True])
@pytest.mark.parametrize("system", SYSTEMS)
def test_templates_are_right_on_labelled_lines(system: str, headers: bool, tmp_path: Path) -> None:
    scorer = DATA / "log_score.py"
    if not scorer.is_file():
        pytest.skip(f"{scorer} is not here")
    spec = importlib.util.spec_from_file_location("log_score", scorer)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    truth = rows(DATA / "loghub" / system / f"{system}_2k.log_structured.csv")
    file, out = DATA / "loghub" / system / f"{system}_2k.log", tmp_path / "out.csv"
    if not headers:
        file = tmp_path / "messages.txt"
        file.write_text("".join(f"{row['Content']}\n" for row in truth), "utf-8")
    assert main(["lab", "logs", str(file), "--templates", str(out), *([] if headers else ["--messages"])]) == 0
    found = module.grouping([row["EventId"] for row in truth], [row["EventId"] for row in rows(out)])
    assert found["GA"] >= LEAST
    assert found["FGA"] >= LEAST
