"""Times as programs write them, and lines that are read late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from probing import probe

from forewarn.probers.log_following import Following
from forewarn.probers.log_time import Clockwork

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()
TEN = datetime(2026, 11, 23, 10, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23T10:00:05Z x",
        "2026-11-23T18:00:05.123456+08:00 x",
        "2026-11-23T05:30:05-0430 x",
        "2026-11-23 10:00:05,123 ERROR [main] x",
        "2026-11-23 10:00:05.123 UTC [99] LOG: x",
        "2026/11/23 10:00:05 x",
        "2026/11/23 10:00:05.000001 main.go:7: x",
        "2026.11.23 10:00:05 x",
        "20261123T100005Z x",
        "Nov 23 10:00:05 web-1 sshd[9]: x",
        "<34>Nov 23 10:00:05 web-1 su: x",
        '203.0.113.9 - - [23/Nov/2026:18:00:05 +0800] "GET / HTTP/1.1" 200 1',
        "[Mon Nov 23 10:00:05.123456 2026] [core:error] x",
        "Mon Nov 23 10:00:05 UTC 2026 x",
        "Nov 23, 2026 10:00:05 AM org.example.Main x",
        "7:M 23 Nov 2026 10:00:05.123 * x",
        "Date: Mon, 23 Nov 2026 10:00:05 +0000",
        "I1123 10:00:05.123456    1 main.go:7] x",
        "2026年11月23日 10:00:05 x",
        "2026年11月23日 上午10时00分05秒 x",
        "11/23/2026 10:00:05 AM x",
        "23.11.2026 10:00:05 x",
        "26/11/23 10:00:05 INFO executor.Executor: x",
        "261123 100005 148 INFO dfs.DataNode: x",
        "11-23 10:00:05.811  1702  2395 D WindowManager: x",
        "R02-M1 2026-11-23-10.00.05.363779 RAS x",
        f"{int(TEN.timestamp())} x",
        f"{int(TEN.timestamp())}.123 x",
        f'{{"ts":{int(TEN.timestamp())}123,"msg":"x"}}',
        '{"level":"error","time":"2026-11-23T10:00:05.1Z"}',
    ],
)
def test_a_form_is_read(line: str) -> None:
    assert Clockwork("UTC").time_of(line.encode(), NOW) == TEN.timestamp()


@pytest.mark.parametrize("line", ["x", "", "12345", "port 10:00:05", "2026-13-41 10:00:05", "1.2.3.4 10", "Feb 30 10:00:00 x"])
def test_what_is_no_time(line: str) -> None:
    assert Clockwork("UTC").time_of(line.encode(), NOW) is None


def test_a_zone_that_is_not_written_is_the_probes() -> None:
    assert Clockwork("Asia/Shanghai").time_of("2026年11月23日 下午6时00分05秒".encode(), NOW) == TEN.timestamp()
    assert Clockwork("Asia/Shanghai").time_of(b"Nov 23 18:00:05 x", NOW) == TEN.timestamp()


def test_a_year_that_is_not_written_is_the_newest_that_fits() -> None:
    new_year = datetime(2027, 1, 1, 0, 5, tzinfo=UTC).timestamp()
    assert Clockwork("UTC").time_of(b"Dec 31 23:59:00 x", new_year) == datetime(2026, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    assert Clockwork("UTC").time_of(b"Feb 29 10:00:00 x", NOW) == datetime(2024, 2, 29, 10, tzinfo=UTC).timestamp()


def test_lines_that_are_read_late_count_at_their_own_time(tmp_path) -> None:  # type: ignore[no-untyped-def]
    now = datetime.now(UTC)
    log, lines = tmp_path / "x.log", []
    for minutes in (180, 180, 90):
        lines.append(f"{(now - timedelta(minutes=minutes)).isoformat()} ERROR\n")
    log.write_text("".join([*lines, f"{now.isoformat()} ERROR\n", "ERROR without a time\n"]))
    following = Following(probe("log", files=[str(log)], patterns={"errors": "ERROR"}, zone="UTC"), "beginning", None, None)
    following.step(None)
    runs = following.runs(now.timestamp())
    told = [
        (round((now.timestamp() - run.at_s) / 60), dict(run.columns and zip(run.columns, run.values, strict=True))) for run in runs
    ]
    assert [(ago, values["errors_total", ()]) for ago, values in told] == [(179, 2), (89, 3), (0, 5)] or [
        (ago, values["errors_total", ()]) for ago, values in told
    ] == [(180, 2), (90, 3), (0, 5)]
    assert [run.at_s for run in runs] == sorted({run.at_s for run in runs})
    following.close()
