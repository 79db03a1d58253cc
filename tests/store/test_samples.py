"""What every store of samples must do. A new backend is a line in BACKENDS."""

from __future__ import annotations

import math
import random
import threading
from array import array
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from forewarn.model.errors import StoreError
from forewarn.model.series import Bound, SeriesId, Tally
from forewarn.model.slots import ERROR, Slot
from forewarn.store import prune, seal
from forewarn.store import samples as samples_module
from forewarn.store.samples import SqliteSamples
from forewarn.store.samples_memory import MemorySamples

CPU = SeriesId("host", "local", "cpu_ratio")
DISK = SeriesId("host", "local", "fs_used_ratio", (("device", "sd|a"), ("mount", '/s"rv\\')))
SHOP = SeriesId("shop", "https://shop.example/健康", "total_s")
BACKENDS = {"sqlite": lambda folder: SqliteSamples(folder / "samples.db"), "memory": lambda folder: MemorySamples()}


@pytest.fixture(params=BACKENDS)
def samples(request, tmp_path):
    made = BACKENDS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture(params=[(1, 0, 2), (1, 2, 5), (5, 3, 7), (20_000, 240, 1_440)], ids=lambda given: f"seal-{given}")
def seal_rows(request, monkeypatch):
    """How soon samples move on: to the sorted rows, to small chunks, to full ones; no reader may see a difference."""
    rows, runs, full = request.param
    monkeypatch.setattr(samples_module, "SEAL_ROWS", rows)
    monkeypatch.setattr(seal, "SEAL_RUNS", runs)
    monkeypatch.setattr(seal, "FULL", full)


pytestmark = pytest.mark.usefixtures("seal_rows")


def pairs(window) -> list[tuple[float, float]]:
    return list(zip(window.times_s, window.values, strict=True))


def test_nothing_is_known_at_first(samples):
    window = samples.read(CPU, 0, 1e10)
    assert (pairs(window), window.fresh, window.times_s.typecode, window.values.typecode) == ([], 0, "d", "d")
    assert (samples.series(), samples.last(), samples.cursor("log"), samples.prune(1e10)) == ([], {}, None, 0)


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [(0, 99, [10, 20, 30]), (10, 30, [10, 20]), (10.5, 30.5, [20, 30]), (30, 30, []), (40, 50, []), (30, 10, [])],
)
def test_a_read_takes_since_and_leaves_until(samples, since, until, found):
    samples.append([(CPU, float(at), at / 100) for at in (10, 20, 30)] + [(DISK, 15.0, 9.0)])
    window = samples.read(CPU, since, until)
    assert pairs(window) == [(at, at / 100) for at in found]
    assert window.fresh == len(found)


@pytest.mark.parametrize(
    ("bound", "bad"), [(Bound(above=0.0), [1, 0, 2]), (Bound(below=2.0), [1, 1, 0]), (Bound(above=2.0), [3, 1, 2])]
)
def test_a_tally_counts_what_a_read_would_show(samples, bound, bad):
    values = [(3600.0, 1.0), (3610.0, 0.0), (7199.9, 2.0), (7200.0, 2.0), (14400.0, 0.0), (14410.0, -1.0)]
    samples.append([(CPU, at, value) for at, value in [(10.0, 0.0), *values, (18000.0, 0.0)]] + [(DISK, 3700.0, 0.0)])
    found = samples.tally(CPU, Tally(bound, 3600.0, 86400.0), 3600.0, 18000.0)
    assert [(at, n) for at, n, _ in found] == [(3600.0, 3), (7200.0, 1), (14400.0, 2)]
    assert [bad for _, _, bad in found] == bad
    assert samples.tally(SHOP, Tally(bound, 3600.0, 86400.0), 0, 1e10) == []


def test_what_comes_late_stands_in_its_place(samples):
    for at in (10.0, 40.0, 20.0, 5.0, 30.0):
        samples.append([(CPU, at, at)])
    assert list(samples.read(CPU, 0, 99).times_s) == [5, 10, 20, 30, 40]


def test_the_later_of_two_at_one_time_counts(samples):
    samples.append([(CPU, 10.0, 1.0), (CPU, 10.0, 2.0), (CPU, 20.0, 5.0)])
    assert pairs(samples.read(CPU, 0, 99)) == [(10, 2), (20, 5)]
    samples.append([(CPU, 10.0, 3.0)])
    assert pairs(samples.read(CPU, 0, 99)) == [(10, 3), (20, 5)]
    assert samples.last() == {CPU: (20, 5)}


def test_what_is_no_number_is_left_out(samples):
    samples.append([(CPU, 10.0, math.nan), (CPU, 11.0, math.inf), (CPU, 12.0, -math.inf), (CPU, 13.0, 0.0), (DISK, 9.0, math.nan)])
    assert pairs(samples.read(CPU, 0, 99)) == [(13, 0)]
    assert samples.series() == [CPU]


def test_series_and_their_last_samples(samples):
    samples.append([(CPU, 10.0, 0.1), (DISK, 10.0, 0.9), (SHOP, 11.0, 0.3)])
    samples.append([(CPU, 20.0, 0.2), (SHOP, 5.0, 0.7)])
    assert samples.series() == [CPU, DISK, SHOP]
    assert samples.series("host") == [CPU, DISK]
    assert samples.last() == {CPU: (20, 0.2), DISK: (10, 0.9), SHOP: (11, 0.3)}
    assert samples.last("shop") == {SHOP: (11, 0.3)}
    assert samples.series("nothing") == [] and samples.last("nothing") == {}


def test_the_first_sample_that_is_kept(samples):
    assert samples.first(CPU) is None
    samples.append([(CPU, 20.0, 1.0), (DISK, 1.0, 1.0)])
    samples.append([(CPU, 10.0, 1.0), (CPU, 30.0, 1.0)])
    assert samples.first(CPU) == 10
    samples.prune(15.0)
    assert (samples.first(CPU), samples.first(DISK)) == (20, None)


def test_cursors_come_with_their_samples(samples):
    samples.append([(CPU, 1.0, 1.0)], {"log": {"file": "/日志", "offset": 10}, "journal": {}})
    samples.append([], {"log": {"file": "/日志", "offset": 20}})
    assert samples.cursor("log") == {"file": "/日志", "offset": 20}
    assert samples.cursor("journal") == {}
    assert samples.cursor("other") is None


def test_prune_forgets_what_is_older_and_series_without_any(samples, monkeypatch):
    monkeypatch.setattr(samples_module, "PRUNE_ROWS", 3)
    samples.append([(CPU, float(at), 1.0) for at in range(20)] + [(DISK, 3.0, 1.0)])
    assert samples.prune(12.0) == 13
    assert list(samples.read(CPU, 0, 99).times_s) == list(range(12, 20))
    assert samples.series() == [CPU]
    assert samples.prune(12.0) == 0
    samples.append([(SHOP, 50.0, 3.0), (DISK, 60.0, 2.0)])
    assert pairs(samples.read(DISK, 0, 99)) == [(60, 2)]
    assert pairs(samples.read(SHOP, 0, 99)) == [(50, 3)]


def test_runs_are_the_samples_that_they_hold(samples):
    plan = (CPU, DISK, SHOP)
    for at in (10.0, 20.0, 5.0, 20.0):
        samples.append_runs([(plan, at, (at, at / 3, math.nan if at == 20 else 1.0)), ((DISK,), at + 1, [0.5])], {"log": {"n": at}})
    assert pairs(samples.read(CPU, 0, 99)) == [(5, 5), (10, 10), (20, 20)]
    assert pairs(samples.read(DISK, 0, 99)) == [(5, 5 / 3), (6, 0.5), (10, 10 / 3), (11, 0.5), (20, 20 / 3), (21, 0.5)]
    assert pairs(samples.read(SHOP, 0, 99)) == [(5, 1), (10, 1)]
    assert samples.cursor("log") == {"n": 20}
    samples.append([(CPU, 10.0, 7.0)])
    samples.append_runs([(plan, 10.0, (8.0, 8.0, 8.0)), ((CPU,), 10.0, (9.0,))])
    assert pairs(samples.read(CPU, 10, 11)) == [(10, 9)] and pairs(samples.read(SHOP, 10, 11)) == [(10, 8)]


def test_more_series_of_a_target_than_share_a_bundle(samples):
    plan = tuple(SeriesId("log", "web-1", "lines", (("of", f"{n:03}"),)) for n in range(100))
    for at in range(8):
        samples.append_runs([(plan[:70] if at < 3 else plan, float(at), [float(at * n) for n in range(70 if at < 3 else 100)])])
    assert samples.series("log") == list(plan)
    for n, one in enumerate(plan):
        assert pairs(samples.read(one, 0, 99)) == [(at, at * n) for at in range(0 if n < 70 else 3, 8)]
        assert samples.first(one) == (0 if n < 70 else 3)
    assert samples.last() == {one: (7, 7 * n) for n, one in enumerate(plan)}
    assert samples.prune(5.0) == 70 * 5 + 30 * 2
    assert [samples.first(one) for one in plan] == [5.0] * 100


def test_values_come_back_bit_by_bit_and_times_in_microseconds(samples):
    chance = random.Random(3)
    values = [
        0.0,
        -0.0,
        1e-300,
        -1e300,
        1.7976931348623157e308,
        0.1 + 0.2,
        1 / 3,
        2.0**53,
        2.0**53 + 2,
        -5.25,
        5e-324,
        123456.000001,
    ]
    values += [round(chance.lognormvariate(-7, 0.35), 6) for _ in range(200)]
    at = [1_764_000_000 + 60 * n + round(chance.random(), 7) for n in range(len(values))]
    samples.append([(CPU, when, value) for when, value in zip(at, values, strict=True)])
    window = samples.read(CPU, 0, 1e10)
    assert window.values.tobytes() == array("d", values).tobytes()
    assert list(window.times_s) == [round(when * 1e6) / 1e6 for when in at]


TIMES = st.integers(0, 12).map(float)
BATCHES = st.lists(st.lists(st.tuples(st.sampled_from([CPU, DISK]), TIMES, st.floats(-1e6, 1e6)), max_size=8), max_size=8)


@given(batches=BATCHES, before=TIMES)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_files_and_memory_agree_on_any_history(tmp_path_factory, batches, before):
    ours, theirs = MemorySamples(), SqliteSamples(tmp_path_factory.mktemp("agree") / "samples.db")
    for n, batch in enumerate(batches):
        ours.append(batch, {"log": {"n": n}})
        if n % 2:
            theirs.append_runs([((series,), at, (value,)) for series, at, value in batch], {"log": {"n": n}})
        else:
            theirs.append(batch, {"log": {"n": n}})
    for _ in range(2):
        for series in (CPU, DISK):
            assert theirs.read(series, 0, 99) == ours.read(series, 0, 99)
            assert theirs.read(series, 3, 9) == ours.read(series, 3, 9)
            assert theirs.first(series) == ours.first(series)
            for bound in (Bound(above=0.0), Bound(below=5.0)):
                assert theirs.tally(series, Tally(bound, 4.0, 99.0), 0, 99) == ours.tally(series, Tally(bound, 4.0, 99.0), 0, 99)
        assert theirs.last() == ours.last()
        assert theirs.cursor("log") == ours.cursor("log")
        ours.prune(before), theirs.prune(before)
    theirs.close()


# --- files only


def test_all_is_there_after_a_restart(tmp_path):
    first = SqliteSamples(tmp_path / "samples.db")
    first.append([(DISK, float(at), at / 10) for at in range(7)], {"log": {"offset": 3}})
    first.close()
    second = SqliteSamples(tmp_path / "samples.db")
    second.append([(DISK, 7.0, 0.7)])
    assert pairs(second.read(DISK, 0, 99)) == [(at, at / 10) for at in range(8)]
    assert second.cursor("log") == {"offset": 3}
    second.close()


def test_an_append_that_fails_leaves_neither_samples_nor_cursors(tmp_path):
    store = SqliteSamples(tmp_path / "samples.db")
    store.append([(CPU, 1.0, 1.0)], {"log": {"offset": 1}})
    with store._file.transaction() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match=r"samples.db: the disk is full and nothing of this was stored; free some space"):
        store.append([(DISK, float(at), 1.0) for at in range(5000)], {"log": {"offset": 2}})
    assert store.series() == [CPU] and store.cursor("log") == {"offset": 1}
    with store._file.transaction() as db:
        db.execute("PRAGMA max_page_count = 1000000")
    store.append([(DISK, 3.0, 1.0)], {"log": {"offset": 3}})
    assert pairs(store.read(DISK, 0, 99)) == [(3, 1)]
    assert pairs(store.read(CPU, 0, 99)) == [(1, 1)]
    store.close()


def test_an_append_gets_in_while_a_prune_is_under_way(tmp_path, monkeypatch):
    store = SqliteSamples(tmp_path / "samples.db")
    store.append([(CPU, float(at), 1.0) for at in range(6_000)])
    inside, appended, waited = threading.Event(), threading.Event(), list[bool]()
    forget = prune.chunks

    def slowly(*given):
        inside.set()
        waited.append(appended.wait(30))
        return forget(*given)

    monkeypatch.setattr(prune, "chunks", slowly)
    pruned: list[int] = []
    thread = threading.Thread(target=lambda: pruned.append(store.prune(5_900.0)))
    thread.start()
    assert inside.wait(30)
    store.append([(CPU, float(at), 1.0) for at in range(6_000, 6_020)])
    appended.set()
    thread.join()
    assert waited == [True]
    assert pruned == [5_900]
    assert len(store.read(CPU, 0, 1e9).values) == 120
    store.close()


# --- summaries

DAY = 86_400.0


def days(samples, count, series=SHOP, every=60):
    """Samples of so many days from the epoch on; answers them all."""
    chance = random.Random(4)
    made = [(at + 0.25, round(chance.lognormvariate(-2, 0.5), 6)) for at in range(0, int(count * DAY), every)]
    for begin in range(0, len(made), 1_000):
        samples.append_runs([((series, CPU), at, (value, 1.0)) for at, value in made[begin : begin + 1_000]])
    return made


def slots(made, step):
    found = {}
    for at, value in made:
        found.setdefault(at // step * step, []).append(value)
    return found


@pytest.mark.parametrize("step", [300, 3600])
def test_summaries_are_the_same_before_and_after_a_day_is_rolled(samples, step):
    made = days(samples, 2.5, every=45)
    before = samples.rolled(SHOP, 0, 1e9, step)
    while samples.roll(2.5 * DAY, 1):
        pass
    after = samples.rolled(SHOP, 0, 1e9, step)
    assert after == before
    expected = slots(made, step)
    assert [slot.at_s for slot in after] == list(expected)
    for slot in after:
        values = sorted(expected[slot.at_s])
        assert (slot.count, slot.least, slot.most) == (len(values), values[0], values[-1])
        assert slot.mean == pytest.approx(sum(values) / len(values), rel=1e-5)
        for q in (0.01, 0.5, 0.9, 0.99, 1.0):
            assert slot.quantile(q) == pytest.approx(values[max(0, math.ceil(q * len(values)) - 1)], rel=ERROR + 1e-9)
    assert samples.rolled(SHOP, 3600, 7200, 3600) == [slot for slot in samples.rolled(SHOP, 0, 1e9, 3600) if slot.at_s == 3600]
    assert {(slot.mean, slot.count) for slot in samples.rolled(CPU, 0, DAY, step)} == {
        (1.0, math.ceil(step / 45)),
        (1.0, step // 45),
    }


def test_summaries_stay_when_the_samples_go(samples):
    days(samples, 3)
    kept = samples.rolled(SHOP, 0, 1e9, 3600)
    while samples.roll(4 * DAY, 100):
        pass
    samples.prune(10 * DAY)
    assert samples.first(SHOP) is None
    assert samples.rolled(SHOP, 0, 1e9, 3600) == kept and len(kept) == 72
    assert samples.prune_rolled(3600, 2 * DAY) > 0
    assert samples.rolled(SHOP, 0, 1e9, 3600) == kept[48:]
    assert len(samples.rolled(SHOP, 0, 1e9, 300)) == 3 * 288
    samples.append([(SHOP, 5 * DAY, 1.0)])
    assert samples.rolled(SHOP, 3 * DAY, 1e9, 300) == [Slot(5 * DAY, 1, 1.0, 1.0, 1.0)]


def test_a_day_is_rolled_once_and_not_before_it_is_over(samples):
    days(samples, 1)
    while samples.roll(DAY + 3_599, 10):
        pass
    samples.append([(SHOP, 10.0, 99.0)])  # late, and not too late
    while samples.roll(DAY + 3_600, 10):
        pass
    kept = samples.rolled(SHOP, 0, DAY, 300)
    assert (kept[0].count, kept[0].most) == (6, 99.0)
    samples.append([(SHOP, 10.0, 1e6)])
    assert samples.roll(DAY + 3_600, 10) == 0
    assert samples.rolled(SHOP, 0, DAY, 300) == kept


def test_summaries_without_sketches_are_the_same_but_for_these(samples):
    days(samples, 2)
    for whole in (False, True):
        if whole:
            while samples.roll(3 * DAY, 10):
                pass
        for series, step in ((SHOP, 300), (SHOP, 3600), (CPU, 300)):
            plain = samples.rolled(series, 0, 1e9, step, sketches=False)
            assert [replace(slot, inner={}) for slot in plain] == [
                replace(slot, inner={}) for slot in samples.rolled(series, 0, 1e9, step)
            ]
