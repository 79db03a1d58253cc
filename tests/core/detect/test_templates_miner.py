"""Which lines are one template: by counting words, whatever the batches, and never without a bound."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.core.detect.templates.miner import OTHER, Miner

NAMES = ["anna", "bert", "carl", "dora", "emil", "fritz", "gerd", "hans", "ida", "jana"]
LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(["user {} logged in", "connect from {}", "{} done", "state={} x=1", "read 5 bytes from {} to {}"]).flatmap(
            lambda form: st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).map(lambda pair: form.format(*pair))
        ),
    ),
    max_size=60,
)


def groups(lines: list[str]) -> list[int]:
    miner = Miner()
    ids = miner.ids(lines)
    miner.settle()
    return [miner.root(number) for number in ids]


def templates(lines: list[str]) -> set[str]:
    miner = Miner()
    ids = miner.ids(lines)
    miner.settle()
    return {miner.text(number) for number in ids}


@pytest.mark.parametrize(
    ("form", "enough"),
    [
        ("session opened for user {} by uid", 3),
        ("node {} is up", 3),
        ("type={} ok", 4),
        ("moved to {} now", 5),
        ("the {} thing", 6),
        ("the '{}' thing", 4),
        ("({}) was seen", 6),
        ("what the {} did was seen by nobody at all", 4),
        ("{} startup succeeded", 20),
    ],
)
def test_a_place_varies_when_it_has_held_enough_words(form: str, enough: int) -> None:
    names = [f"{one}{two}" for one, two in product(NAMES, "xyz")]
    assert len(templates([form.format(name) for name in names[: enough - 1]])) == enough - 1
    assert templates([form.format(name) for name in names[:enough]]) == {form.format("<*>")}


def test_states_in_capitals_are_told_apart() -> None:
    lines = [f"task moved to {state} now" for state in ("NEW", "RUNNING", "KILLED", "DONE", "LOST")]
    assert len(templates(lines)) == 5


def test_one_masked_word_makes_an_announced_place_vary() -> None:
    assert templates(["Invalid user bob from x", "Invalid user 77 from x"]) == {"Invalid user <*> from x"}


def test_two_places_that_vary_together() -> None:
    lines = [f"Registering class {one.title()} for class {two.title()}" for one, two in zip(NAMES, reversed(NAMES), strict=True)]
    assert templates(lines) == {"Registering class <*> for class <*>"}


def test_two_places_that_vary_are_both_kept_for_a_restart() -> None:
    miner = Miner()
    lines = [f"cannot look at {one} URL {two}" for one, two in zip(NAMES, reversed(NAMES), strict=True)]
    number = miner.root(miner.ids(lines)[-1])
    later = Miner()
    assert later.id_of("cannot look at nora URL olga") != later.restore(miner.stored(number))
    assert later.text(later.id_of("cannot look at rosa URL thea")) == "cannot look at <*> URL <*>"


def test_a_line_of_which_nothing_would_be_left_stays() -> None:
    lines = [f"{one} {two}" for one, two in zip(NAMES, reversed(NAMES), strict=True)]
    assert len(templates(lines)) == len(NAMES)


def test_a_line_that_came_before_its_places_varied_is_settled() -> None:
    """The first line has two words of which each varies only with the other taken away."""
    first = "user zoe on host alpha ok"
    lines = [first, *(f"user {name} on host beta ok" for name in NAMES), *(f"user anna on host {name} ok" for name in NAMES)]
    assert len(set(groups(lines))) == 1


def test_an_id_that_was_given_stays_and_younger_templates_become_aliases() -> None:
    miner = Miner()
    first = miner.id_of("user anna in")
    second, third = miner.id_of("user bert in"), miner.id_of("user carl in")
    assert len({first, second, third}) == 3
    assert miner.root(first) == miner.root(second) == miner.root(third) == first
    assert miner.root(miner.id_of("user dora in")) == first
    assert miner.text(third) == "user <*> in"
    assert len(miner) == 1


@given(LINES)
@settings(max_examples=100, deadline=None)
def test_every_line_has_one_template_and_the_same_line_the_same(lines: list[str]) -> None:
    found = groups(lines)
    assert len(found) == len(lines)
    known: dict[str, int] = {}
    for line, number in zip(lines, found, strict=True):
        assert known.setdefault(line, number) == number


@given(LINES, st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_batches_and_forgetting_make_no_difference(lines: list[str], size: int) -> None:
    """However lines are cut into batches, and however little is known by heart."""
    whole, cut = Miner(), Miner(remembered=3)
    first = whole.ids(lines)
    second = [number for at in range(0, len(lines), size) for number in cut.ids(lines[at : at + size])]
    assert [whole.root(one) for one in first] == [cut.root(one) for one in second]


def test_beyond_the_bound_lines_are_other() -> None:
    miner = Miner(most=3)
    ids = miner.ids([f"{'abcdefghij'[at]} is a different thing altogether{'!' * at}" for at in range(6)])
    assert ids[:3] == [1, 2, 3]
    assert set(ids[3:]) == {OTHER}
    assert miner.text(OTHER) == "<*>"


def test_very_long_lines_are_read_to_a_bound() -> None:
    miner = Miner()
    assert miner.id_of("x " * 100_000) == miner.id_of("x " * 200_000)
    assert miner.text(miner.id_of("start " + "q" * 5000)) == "start <*>"
