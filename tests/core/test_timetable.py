from __future__ import annotations

from collections import Counter

import pytest

from forewarn.core.timetable import MOST_AT_ONCE, STORM_RUNS, Timetable, first_s, grid_s, next_due, phase_s

NOW = 1_763_800_003.0


def table(targets: int, every_s: float = 10.0, *, first: float | None = None, most_s: float = 30.0) -> Timetable:
    made = Timetable()
    for i in range(targets):
        made.add(i, f"probe-{i}|here", every_s, grid_s(targets / every_s), NOW, first_s=first, most_s=most_s)
    return made


def run(made: Timetable, until_s: float, begin_s: float = NOW) -> list[tuple[float, list[int]]]:
    """Wake-ups, each with what ran; every run ends at once."""
    found = []
    while (at := made.next_s()) is not None and at <= until_s:
        batch = made.take(max(at, begin_s))
        found.append((at, [key for key, _ in batch]))
        for key, _ in batch:
            made.ended(key)
    return found


def test_about_ten_share_a_wake_up_and_the_load_is_even():
    wakes = run(table(2000), NOW + 10)
    sizes = [len(keys) for _, keys in wakes]
    assert sum(sizes) == 2000 and 6 <= sum(sizes) / len(sizes) <= 14 and max(sizes) < 30
    a_second = Counter(int(at) for at, _ in wakes)
    assert max(a_second.values()) <= 21  # a grid of 50 ms


def test_a_phase_is_the_same_in_every_process_and_on_the_grid():
    assert phase_s("shop|web-1", 10.0, 0.05) == phase_s("shop|web-1", 10.0, 0.05)
    assert phase_s("shop|web-1", 10.0, 0.05) != phase_s("shop|web-2", 10.0, 0.05)
    for name in map(str, range(200)):
        phase = phase_s(name, 10.0, 0.05)
        assert 0 <= phase < 10 and round(phase / 0.05) == pytest.approx(phase / 0.05)


@pytest.mark.parametrize(("rate", "grid"), [(0, 5.0), (1, 5.0), (4, 2.5), (200, 0.05), (100_000, 0.01)])
def test_the_grid(rate, grid):
    assert grid_s(rate) == grid


def test_each_runs_once_an_interval():
    ran = Counter(key for _, keys in run(table(50), NOW + 100) for key in keys)
    assert set(ran.values()) == {10}


def test_few_begin_at_once_and_many_are_spread():
    assert {first_s(str(i), 60.0, 9, 0.2) for i in range(9)} == {0.0}
    waits = [first_s(str(i), 60.0, 2000, 0.05) for i in range(2000)]
    assert max(waits) < 40.0 and sum(wait < 4 for wait in waits) < 300
    assert all(first_s(str(i), 10.0, 5000, 0.05) < 10.0 for i in range(100))


def test_a_pause_is_counted_and_not_caught_up():
    made = table(20)
    run(made, NOW + 20)
    assert made.missed == 0
    batch = made.take(NOW + 3600)
    assert len(batch) == 20 and len({key for key, _ in batch}) == 20
    assert all(NOW + 3590 < at <= NOW + 3600 for _, at in batch)
    assert 20 * 356 <= made.missed <= 20 * 358
    for key, _ in batch:
        made.ended(key)
    assert all(at > NOW + 3600 for at, _ in run(made, NOW + 3610))


def test_after_a_pause_thousands_are_spread_and_each_runs_once():
    made = table(2000)
    run(made, NOW + 20)
    back = NOW + 3600
    first = made.take(back)
    assert len(first) == STORM_RUNS
    for key, _ in first:
        made.ended(key)
    ran = Counter(key for _, keys in run(made, back + 10.1, back) for key in keys)
    run(made, back + 20)
    busiest = Counter(int(at) for at, keys in run(made, back + 30) for _ in keys)
    assert len(set(ran) | {key for key, _ in first}) == 2000
    assert max(busiest.values()) < 300, "as even as ever afterwards"
    assert 2000 * 356 <= made.missed <= 2000 * 359


def test_what_is_under_way_is_left_out_and_counted():
    made = table(1)
    (first,) = made.take(NOW + 10)
    assert made.take(NOW + 20) == [] and made.missed == 1
    made.ended(first[0])
    assert len(made.take(NOW + 30)) == 1 and made.missed == 1


def test_a_run_that_never_reports_is_given_up():
    made = table(1, most_s=25.0)
    assert [len(made.take(NOW + at)) for at in (10, 20, 30, 40)] == [1, 0, 0, 1]


def test_a_clock_that_is_set_back_stops_nothing():
    made = table(20)
    run(made, NOW + 20)
    back = NOW - 7200
    made.set_back(back)
    ran = Counter(key for _, keys in run(made, back + 10, back) for key in keys)
    assert set(ran.values()) == {1} and len(ran) == 20


def test_a_little_set_back_makes_nobody_wait_for_longer_than_its_interval():
    made = table(20)
    made.set_back(NOW - 0.5)
    ran = Counter(key for _, keys in run(made, NOW + 9.5, NOW - 0.5) for key in keys)
    assert set(ran.values()) == {1} and len(ran) == 20


def test_removed_runs_no_more_and_added_again_runs_once():
    made = table(3, first=0.0)
    made.remove(1)
    made.add(2, "probe-2|here", 10.0, 0.05, NOW, first_s=0.0)
    assert sorted(key for key, _ in made.take(NOW)) == [0, 2]
    made.ended("nobody")


@pytest.mark.parametrize("every_s", [0.1, 1.0, 7.3, 3600.0])
def test_the_next_is_always_later(every_s):
    now = NOW
    for _ in range(1000):
        later = next_due(phase_s("x", every_s, 0.01), every_s, now)
        assert now < later <= now + 2 * every_s
        now = later


def test_after_a_short_standstill_few_begin_at_once_and_nobody_is_left_out():
    made = table(2000, first=0.0)
    late = NOW + 0.5
    begun: list[int] = []
    while made.next_s() is not None and made.next_s() <= late:
        batch = made.take(late)
        assert 0 < len(batch) <= MOST_AT_ONCE
        begun += [key for key, _ in batch]
    assert sorted(begun) == list(range(2000)) and made.missed == 0
