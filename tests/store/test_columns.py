"""Columns, times and chunks: whatever goes in comes out, bit by bit; and what is measured is small."""

from __future__ import annotations

import math
import random
from array import array
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.model.errors import StoreError
from forewarn.store import blocks, columns, planes, times
from forewarn.store.blocks import Block, Chunk

CHANCE = random.Random(11)
RUNS = 1_440
START_US = 1_764_000_000_123_456
SHAPES = {  # values, and the most bytes that one of them may take
    "constant": ([34.0] * RUNS, 0.01),
    "latencies in us": ([round(CHANCE.lognormvariate(-7, 0.35), 6) for _ in range(RUNS)], 1.36),
    "counter": (list(accumulate((float(CHANCE.randrange(50)) for _ in range(RUNS)), initial=1e9))[1:], 0.76),
    "up": ([float(CHANCE.random() > 0.01) for _ in range(RUNS)], 0.07),
    "temperature": ([CHANCE.choice([41.0, 41.5, 42.0]) for _ in range(RUNS)], 0.3),
    "hundredths": ([CHANCE.randrange(100) / 100 for _ in range(RUNS)], 1.0),
    "memory in pages": (
        [4096.0 * step for step in accumulate((CHANCE.randrange(-9, 9) for _ in range(RUNS)), initial=10**6)][1:],
        1.9,
    ),
    "negative": ([-CHANCE.randrange(1000) / 1000 for _ in range(RUNS)], 1.4),
    "ratios of all digits": ([CHANCE.random() for _ in range(RUNS)], 7.0),
    "huge": ([1e300 * CHANCE.random() for _ in range(RUNS)], 7.1),
    "zero of both signs": ([CHANCE.choice([0.0, -0.0]) for _ in range(RUNS)], 0.3),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_probes_measure_is_small_and_exact(shape):
    values, most = SHAPES[shape]
    kind, packed = columns.encode(array("d", values))
    assert columns.decode(kind, packed, RUNS).tobytes() == array("d", values).tobytes()
    assert len(packed) / RUNS <= most


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60))
def test_any_values_come_back(values):
    kind, packed = columns.encode(array("d", values))
    assert columns.decode(kind, packed, len(values)).tobytes() == array("d", values).tobytes()


@given(st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=60), st.integers(0, 9))
def test_any_decimals_come_back(whole, e):
    values = array("d", [k / 10**e for k in whole])
    kind, packed = columns.encode(values)
    assert columns.decode(kind, packed, len(values)).tobytes() == values.tobytes()


@given(
    st.lists(st.one_of(st.integers(0, 10**9), st.integers(0, 2**50)), min_size=1, max_size=60, unique=True),
    st.sampled_from([0, START_US, 2**30 * 10**6 - 5, 2**31 * 10**6 - 5]),
)
def test_any_times_come_back(offsets, start):
    when = array("q", sorted(start + offset for offset in offsets))
    found = times.decode(times.encode(when), len(when))
    assert list(found) == [us / 1e6 for us in when]
    assert [times.micros(at) for at in found] == list(when)


@given(st.integers(1, 400), st.sampled_from([1, 10, 60, 300, 3600]), st.sampled_from([1, 1_500, 60_000, 2_000_000]), st.integers(0))
def test_times_near_a_grid_come_back(runs, every_s, late_us, seed):
    chance = random.Random(seed)
    when = sorted({START_US + n * every_s * 10**6 + int(chance.expovariate(1 / late_us)) for n in range(runs)})
    assert list(times.decode(times.encode(array("q", when)), len(when))) == [us / 1e6 for us in when]


@pytest.mark.parametrize(("late_us", "most"), [(0, 0.02), (100, 1.2), (1_500, 1.6), (50_000, 2.3)])
def test_times_near_a_grid_are_small(late_us, most):
    when = [START_US + n * 60_000_000 + (int(CHANCE.expovariate(1 / late_us)) if late_us else 0) for n in range(RUNS)]
    assert len(times.encode(array("q", when))) / RUNS <= most


RUN = st.dictionaries(st.integers(1, 6), st.floats(allow_nan=False, allow_infinity=False), min_size=1)


@given(st.dictionaries(st.integers(0, 10**12), RUN, min_size=1, max_size=30))
def test_any_block_comes_back_whole_and_series_by_series(runs):
    rows = [(n, at, array("d", run.values()).tobytes()) for n, (at, run) in enumerate(sorted(runs.items()))]
    block = blocks.of_rows(rows, {n: list(run) for n, (_, run) in enumerate(sorted(runs.items()))})
    chunk = Chunk(blocks.encode(block))
    assert chunk.block().times_us == block.times_us
    assert {id: values.tobytes() for id, values in chunk.block().series.items()} == {
        id: values.tobytes() for id, values in block.series.items()
    }
    for id in range(1, 8):
        line = [(at / 1e6, run[id]) for at, run in sorted(runs.items()) if id in run]
        assert [(at, str(value)) for at, value in zip(*chunk.pairs(id), strict=True)] == [(at, str(value)) for at, value in line]
    assert chunk.between(-math.inf, math.inf) == sum(map(len, runs.values()))


def test_of_two_blocks_the_later_counts():
    first = Block(array("q", [10, 20]), {1: array("d", [1.0, 2.0])})
    second = Block(array("q", [20, 30]), {1: array("d", [5.0, math.nan]), 2: array("d", [math.nan, 3.0])})
    both = blocks.joined([first, second])
    assert list(both.times_us) == [10, 20, 30] and list(both.series[1])[:2] == [1.0, 5.0]
    assert math.isnan(both.series[1][2]) and list(both.series[2])[2:] == [3.0]
    assert both.cut(0, 1).series.keys() == {1}


def test_a_chunk_of_a_newer_form_is_refused():
    data = blocks.encode(Block(array("q", [10]), {1: array("d", [1.0])}))
    with pytest.raises(StoreError, match=r"a newer forewarn wrote this part \(form 9, this one knows 1\); start that one"):
        Chunk(bytes([9]) + data[1:])


@pytest.mark.parametrize("plain", [b"\0" * 2_000, bytes(range(256)) * 8, random.Random(1).randbytes(planes.MOST), b"a"])
def test_a_plane_is_never_much_larger_than_it_was(plain):
    small = planes.squeeze(plain)
    assert len(small) <= len(plain) + 2
    assert planes.expand(b"before" + small + b"after", 6, len(plain)) == (plain, 6 + len(small))
