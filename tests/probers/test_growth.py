"""Growth by file ages: made trees with files of known ages, on a file system of known size."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from probing import probe

from forewarn.model.series import ProbeRun
from forewarn.probers.growth_pace import DAY_S, MOST_S, NEVER, WEEKS, Ages, Fill, Pace, fill, pace
from forewarn.probers.growth_walk import GrowthProber, walk

MB = 1024 * 1024
LATER_S = 200 * DAY_S
"""So much later than now the made trees are looked at: nobody can set back when an inode was made."""


def write(path: Path, size: int, days_old: float) -> None:
    """A file that will be so old when it is looked at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() + LATER_S - days_old * DAY_S,) * 2)


def ages_of(root: Path, most: int = 10_000, over: Callable[[], bool] = lambda: False) -> Ages:
    return walk(str(root), time.time() + LATER_S, most, over, sleep=lambda seconds: None)


# --- what ages say ----------------------------------------------------------------------------------------------------


def weeks(*sizes: float, first_days: float = 365) -> Pace | None:
    """The pace of bytes by week, newest first, on a file system so many days old."""
    ages = Ages(weeks=[*sizes, *[0.0] * (WEEKS - len(sizes))], first_s=-first_days * DAY_S)
    return pace(ages, 0.0)


def test_a_steady_archive_has_a_date() -> None:
    found = weeks(*[7 * MB] * WEEKS)
    assert found == Pace(MB, MB, MB)
    assert fill(found, 30 * MB, 1.0).likely_s == pytest.approx(30 * DAY_S)


def test_weeks_that_vary_make_a_wide_interval_around_the_usual_one() -> None:
    found = weeks(*(7 * MB * share for share in (1, 2, 1, 0.5, 1, 1, 3, 1, 0.6, 1, 1, 1.5, 1) * 2))
    dates = fill(found, 30 * MB, 1.0)
    assert dates.likely_s == pytest.approx(30 * DAY_S)
    assert dates.earliest_s < 20 * DAY_S < 30 * DAY_S < dates.latest_s < 60 * DAY_S


@pytest.mark.parametrize("kept", [1, 4, 8, 13, 24, 25])
def test_logs_that_are_rotated_away_do_not_grow(kept: int) -> None:
    """What is older than they are kept is gone: those weeks left nothing."""
    assert fill(weeks(*[7 * MB] * kept), 30 * MB, 1.0) == NEVER


def test_one_large_copy_is_no_pace() -> None:
    assert fill(weeks(0, 0, 900 * MB), 30 * MB, 1.0) == NEVER


def test_a_young_file_system_says_nothing_and_an_older_one_does() -> None:
    assert weeks(*[7 * MB] * 4, first_days=29) is None
    assert weeks(*[7 * MB] * 4, first_days=31) == Pace(MB, MB, MB)


def test_what_is_hidden_may_grow_likewise() -> None:
    whole, half = (fill(Pace(MB, MB, MB), 30 * MB, seen) for seen in (1.0, 0.5))
    assert (half.earliest_s, half.likely_s, half.latest_s) == (whole.earliest_s / 2, whole.likely_s, whole.latest_s)


def test_no_date_lies_beyond_ten_years_and_none_before_now() -> None:
    assert fill(Pace(1, 1, 1), 1e15, 1.0) == Fill(MOST_S, MOST_S, MOST_S, 1)
    assert fill(Pace(MB, MB, MB), -5.0, 1.0).likely_s == 0.0


# --- the walk ---------------------------------------------------------------------------------------------------------


def test_bytes_go_to_the_week_of_their_newest_change(tmp_path: Path) -> None:
    write(tmp_path / "database", 8 * MB, 0.1)
    write(tmp_path / "a" / "b" / "new", MB, 3)
    write(tmp_path / "a" / "older", 2 * MB, 20)
    write(tmp_path / "a" / "oldest", MB, 150)
    ages = ages_of(tmp_path)
    assert [round(size / MB) for size in ages.weeks] == [1, 0, 2] + [0] * 18 + [1] + [0] * 4
    assert round(ages.seen / MB) == 12 and not ages.cut


def test_a_file_with_two_names_counts_once_and_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "one", MB, 3)
    os.link(tmp_path / "one", tmp_path / "two")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    write(outside / "large", 4 * MB, 3)
    (tmp_path / "link").symlink_to(outside)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert round(ages_of(tmp_path).seen / MB) == 1


def test_a_hole_takes_no_room(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert ages_of(tmp_path).seen < MB


def test_it_ends_where_there_are_too_many_and_when_it_is_told_to(tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / str(number)).touch()
    assert ages_of(tmp_path, most=300).cut and ages_of(tmp_path, over=lambda: True).cut
    assert not ages_of(tmp_path).cut and ages_of(tmp_path).files == 600


def test_half_of_its_time_it_rests(tmp_path: Path) -> None:
    for number in range(1024):
        (tmp_path / str(number)).touch()
    rests: list[float] = []
    walk(str(tmp_path), time.time(), 10_000, lambda: False, rests.append)
    assert len(rests) == 4 and all(rest > 0 for rest in rests)


def test_other_file_systems_are_left_to_their_own_walk(tmp_path: Path, small: Path) -> None:
    write(small / "inside", MB, 3)
    assert ages_of(small.parent).seen < MB


# --- the prober on a file system of its own ---------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """64 MB that nobody else writes to."""
    where = tmp_path / "small"
    where.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "forewarn-test", where], capture_output=True, check=False
    ).returncode:
        pytest.skip("nothing can be mounted here")
    yield where
    subprocess.run(["umount", where], check=True)


async def look(where: Path, tmp_path: Path, **options: object) -> ProbeRun:
    """The mount table says that it is an ext4."""
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 7:7 / {where} rw - ext4 /dev/vdb rw\n")
    made = probe("growth", timeout_s=30.0, **options)
    prober = GrowthProber(table, lambda: time.time() + LATER_S)
    try:
        return await prober(made, made.targets[0], time.time() + LATER_S)
    finally:
        prober.close()


async def test_the_first_run_has_the_date(small: Path, tmp_path: Path) -> None:
    for week in range(WEEKS):
        write(small / "archive" / f"week-{week}", MB, 3 + 7 * week)
    run = await look(small, tmp_path)
    assert run.outcome == "up" and run.detail is None
    values = {
        metric: value for (metric, labels), value in zip(run.columns, run.values, strict=True) if labels == (("mount", str(small)),)
    }
    assert list(values)[:3] == ["fs_full_earliest_s", "fs_full_latest_s", "fs_full_s"], "a rule has the bounds when it looks"
    assert values["fs_full_s"] == pytest.approx((64 - WEEKS) * 7 * DAY_S, rel=0.02) and values["fs_growth_bytes"] == pytest.approx(
        MB / 7
    )
    assert values["fs_seen_ratio"] > 0.99


async def test_what_can_not_be_looked_through_is_named_and_does_not_end_findings(small: Path, tmp_path: Path) -> None:
    for number in range(1500):
        (small / str(number)).touch()
    run = await look(small, tmp_path, most_files=1000)
    assert run.outcome == "up" and run.columns == () and run.hidden == (("mount", str(small)),)
    assert run.detail and run.detail.startswith(f"{small} has too many files to look through")
