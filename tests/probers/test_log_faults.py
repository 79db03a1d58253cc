"""What writers do to a log by mistake: a line of 50 MB, a binary file. The rest of the log is still read, in little memory."""

from __future__ import annotations

import asyncio
import json
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from probing import probe, values

from forewarn.model.series import Outcome, ProbeRun, SeriesId
from forewarn.probers.log_follow import LogFollower
from forewarn.store.samples import SqliteSamples

MB = 1024**2
PATTERNS = {"errors": r"ERROR tenant=(?P<tenant>\S+)"}
ERROR = b"ERROR tenant=a pay refused\n"


async def followed(path: Path, write: Callable[[], None], errors: int) -> list[ProbeRun]:
    """The runs until so many `errors` were counted."""
    path.write_bytes(b"an old line\n")
    follower, runs = LogFollower(), list[ProbeRun]()
    one = probe("log", files=[str(path)], patterns=PATTERNS, every_s=0.5)
    task = asyncio.create_task(follower.follow(one, None, runs.append))
    while not runs:
        await asyncio.sleep(0.005)
    await asyncio.to_thread(write)
    end = time.monotonic() + 20
    while not any(values(run).get("errors_total", 0) >= errors for run in runs) and time.monotonic() < end:
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    follower.close()
    return runs


async def test_a_line_of_50_mb_is_cut_and_the_next_ones_are_read(tmp_path: Path) -> None:
    log = tmp_path / "app.log"

    def write() -> None:
        with log.open("ab") as out:
            for _ in range(50):
                out.write(b"x" * MB)
            out.write(b"\n" + ERROR)

    tracemalloc.start()
    try:
        runs = await followed(log, write, 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    last = values(runs[-1])
    assert (last["errors_total"], last["lines_total"]) == (1.0, 2.0)  # the long line is one line
    assert {run.outcome for run in runs} == {Outcome.UP}
    assert peak < 10 * MB, f"{peak / MB:.1f} MB for a line that is cut at 1 MB"
    assert all(len(line) <= 500 for run in runs for line in run.lines)


async def test_a_binary_log_is_read_to_its_end(tmp_path: Path) -> None:
    log, noise = tmp_path / "app.log", random.Random(7).randbytes(4 * MB)

    def write() -> None:
        with log.open("ab") as out:
            out.write(noise + b"\n" + ERROR)

    runs = await followed(log, write, 1)
    last = runs[-1]
    assert values(last)["errors_total"] == 1.0
    assert values(last)["lines_total"] == noise.count(b"\n") + 2
    assert [line for run in runs for line in run.lines] == [ERROR.decode().strip()]
    json.dumps(last.cursor)


@pytest.mark.parametrize(
    "tenant",
    [b"\xff\xfe\x00\x01", b"\x1b[31mred\x1b[0m", b"<script>alert(1)</script>", b'"}\\', "客户甲".encode(), b"\xed\xa0\x80"],
)
async def test_bytes_that_become_a_label_survive_the_store(tmp_path: Path, tenant: bytes) -> None:
    log = tmp_path / "app.log"

    def write() -> None:
        with log.open("ab") as out:
            out.write(b"ERROR tenant=" + tenant + b" pay refused\n")

    runs = await followed(log, write, 1)
    ((metric, labels),) = (column for column in runs[-1].columns if column[0] == "errors_total")
    assert dict(labels)["tenant"] == tenant.decode("utf-8", "replace")
    series = SeriesId("p", "local", metric, labels)
    samples = SqliteSamples(tmp_path / "samples.db")
    samples.append([(series, 1.0, 1.0)], {"p": runs[-1].cursor or {}})
    assert samples.series("p") == [series]
    assert samples.cursor("p") == runs[-1].cursor
    samples.close()
