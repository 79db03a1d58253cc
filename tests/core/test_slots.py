"""Summaries: their quantiles are as near as they say, and those of parts add up to that of the whole."""

from __future__ import annotations

import math
import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.model.slots import ERROR, Slot, bin_of, middle, slot_of, slots_of, together

VALUES = st.lists(st.floats(-1e200, 1e200).filter(lambda value: value == 0 or abs(value) > 1e-200), min_size=1, max_size=50)


@given(VALUES, st.floats(0, 1))
def test_a_quantile_is_within_the_stated_error(values, q):
    slot, ranked = slot_of(0.0, values), sorted(values)
    assert (slot.count, slot.least, slot.most) == (len(values), ranked[0], ranked[-1])
    exact = ranked[max(0, math.ceil(q * len(values)) - 1)]
    assert abs(slot.quantile(q) - exact) <= (ERROR + 1e-9) * abs(exact)


@given(st.lists(VALUES, min_size=1, max_size=5), st.floats(0, 1))
def test_parts_together_are_the_whole(parts, q):
    whole, joined = slot_of(7.0, [value for part in parts for value in part]), together(7.0, [slot_of(0.0, part) for part in parts])
    assert (joined.count, joined.least, joined.most) == (whole.count, whole.least, whole.most)
    ranked = sorted(value for part in parts for value in part)
    exact = ranked[max(0, math.ceil(q * len(ranked)) - 1)]
    assert abs(joined.quantile(q) - exact) <= (2 * ERROR + 1e-9) * abs(exact)  # a least of a part is in a bin by its middle
    assert joined.mean == pytest.approx(whole.mean, rel=1e-4, abs=1e-4 * max(map(abs, ranked)))


@pytest.mark.parametrize("value", [1e-300, 0.000123, 1.0, 99.5, 1e300])
def test_a_bins_middle_is_near_all_that_is_in_it(value):
    for signed in (value, -value):
        assert middle(bin_of(signed)) == pytest.approx(signed, rel=ERROR + 1e-9)
    assert bin_of(-value) < bin_of(0.0) < bin_of(value)


def test_slots_without_samples_are_left_out():
    times, values = array("d", [0.0, 299.9, 300.0, 1200.5]), array("d", [1.0, 3.0, 5.0, 7.0])
    found = slots_of(times, values, 300)
    assert [(slot.at_s, slot.count, slot.mean) for slot in found] == [(0, 2, 2.0), (300, 1, 5.0), (1200, 1, 7.0)]
    assert slots_of(array("d"), array("d"), 300) == []


def test_a_summary_of_one_value_needs_no_bins():
    assert slot_of(0.0, [0.25] * 30) == Slot(0.0, 30, 0.25, 0.25, 0.25)
    chance = random.Random(1)
    assert len(slot_of(0.0, [chance.lognormvariate(-7, 0.35) for _ in range(1000)]).inner) < 40
