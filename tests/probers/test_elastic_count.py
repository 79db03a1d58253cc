"""Counting documents: each once, at its time, within bounds."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.probers.elastic import ElasticOptions
from forewarn.probers.elastic_count import MOST_RUNS, MOST_SEEN, Place, count, first_place
from forewarn.probers.elastic_query import Doc

T = 1_795_000_000.0


def options(**more: Any) -> ElasticOptions:
    return ElasticOptions.model_validate({"index": "logs", **more})


def doc(id: object, at_s: float, held: tuple[str | None, ...] = (), **labels: str) -> Doc:
    return Doc(str(id), T + at_s, tuple(sorted(labels.items())), held, f"line {id}")


def matches(counts: Any, metric: str = "matches_total") -> dict[str, float]:
    return {",".join(value for _, value in labels): n for (name, labels), n in counts.items() if name == metric}


PLAIN = options()
USERS = options(by=["user"], max_labels=2, forget="1h")


def test_a_document_that_is_read_again_counts_once_also_from_a_stored_cursor() -> None:
    place, _ = count(PLAIN, first_place(PLAIN, T), [doc(1, 1), doc(2, 2)], T + 10, 10)
    stored = Place.of(PLAIN, json.loads(json.dumps(place.stored())))
    assert stored == place
    after, slices = count(PLAIN, stored, [doc(1, 1), doc(2, 2), doc(3, 5), doc(4, 12)], T + 20, 10)
    assert matches(after.counts) == {"": 4}
    assert after.counts["late_total", ()] == 1
    assert [one.at_s - T for one in slices] == [20]
    assert slices[0].lines == ("line 3", "line 4")


def test_each_interval_of_a_catch_up_has_its_slice_and_a_long_one_has_wider_ones() -> None:
    _, slices = count(PLAIN, first_place(PLAIN, T), [doc(1, 5), doc(2, 25), doc(3, 95)], T + 100, 10)
    assert [(one.at_s - T, matches(one.counts)[""]) for one in slices] == [(10, 1), (30, 2), (100, 3)]
    _, slices = count(PLAIN, first_place(PLAIN, T), [doc(i, i * 10 + 1) for i in range(20_000)], T + 200_000, 10)
    assert len(slices) <= MOST_RUNS + 1
    assert matches(slices[-1].counts) == {"": 20_000}


def test_what_is_held_of_ids_is_bounded_and_rather_misses_than_counts_twice() -> None:
    crowd = [doc(i, i / 1000) for i in range(MOST_SEEN + 500)]
    place, _ = count(PLAIN, first_place(PLAIN, T), crowd, T + 10, 10)
    assert len(place.seen) == MOST_SEEN
    again_s = place.again_s(PLAIN)
    assert again_s > T + 0.499
    reread = [one for one in crowd if one.at_s >= again_s]
    after, _ = count(PLAIN, place, reread, T + 20, 10)
    assert matches(after.counts) == {"": MOST_SEEN + 500}
    assert len(json.dumps(place.stored())) < 120_000


def test_ids_older_than_late_are_let_go() -> None:
    place, _ = count(PLAIN, first_place(PLAIN, T), [doc(1, 1), doc(2, 290)], T + 300, 10)
    assert len(place.seen) == 1
    assert place.again_s(PLAIN) == T + 180


def test_no_document_of_before_the_start_is_wanted() -> None:
    assert first_place(PLAIN, T).again_s(PLAIN) == T


def test_sets_of_labels_are_bounded_and_one_that_rested_makes_room() -> None:
    docs = [doc(1, 1, user="a"), doc(2, 2, user="b"), doc(3, 3, user="c")]
    place, slices = count(USERS, first_place(USERS, T), docs, T + 10, 10)
    assert matches(place.counts) == {"a": 1, "b": 1, "other": 1}
    assert [labels[0][1] for _, labels in slices[-1].born] == ["a", "b", "other"]
    later, _ = count(USERS, place, [doc(4, 3700, user="b"), doc(5, 3701, user="d"), doc(6, 3702, user="a")], T + 3710, 10)
    assert matches(later.counts) == {"b": 2, "d": 1, "other": 2}


def test_known_sets_of_labels_begin_at_nothing() -> None:
    place = first_place(USERS, T, [(("user", "a"),), (("user", "b"),), (("user", "c"),)])
    assert matches(place.counts) == {"a": 0, "b": 0}


def test_changes_of_a_value_for_each_set_of_labels_in_the_order_of_time() -> None:
    watched = options(by=["user"], changes={"country": "geo.country"})
    docs = [doc(1, 1, ("FR",), user="a"), doc(2, 2, ("US",), user="b"), doc(3, 3, (None,), user="a"), doc(4, 4, ("US",), user="a")]
    place, slices = count(watched, first_place(watched, T), docs, T + 10, 10)
    assert matches(place.counts, "country_changes_total") == {"a": 1, "b": 0}
    assert "user=a: country FR -> US" in slices[-1].lines[-1]
    stored = Place.of(watched, json.loads(json.dumps(place.stored())))
    late = [doc(5, 3.5, ("DE",), user="a"), doc(6, 12, ("US",), user="a"), doc(7, 13, ("DE",), user="b")]
    after, _ = count(watched, stored, late, T + 20, 10)
    assert matches(after.counts, "country_changes_total") == {"a": 1, "b": 1}


def test_other_options_keep_of_a_cursor_what_still_fits() -> None:
    place, _ = count(USERS, first_place(USERS, T), [doc(1, 1, user="a")], T + 10, 10)
    assert matches(Place.of(options(by=["host"]), place.stored()).counts) == {}
    assert matches(Place.of(options(), place.stored()).counts) == {"": 0}
    assert Place.of(options(), place.stored()).to_s == T + 10


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=60))
def test_whenever_documents_come_each_is_counted_once(arrivals: list[tuple[int, int]]) -> None:
    """Documents (time, how many looks late), looked at every 10 s with 60 s for late ones."""
    place = first_place(PLAIN, T)
    for look in range(1, 10):
        until_s = T + 10 * look
        there = [doc(i, at_s) for i, (at_s, late) in enumerate(arrivals) if at_s < 10 * (look - late)]
        seen = sorted((one for one in there if place.again_s(PLAIN) <= one.at_s < until_s), key=lambda one: one.at_s)
        place, slices = count(PLAIN, place, seen, until_s, 10)
        assert slices[-1].at_s == until_s
    assert matches(place.counts) == {"": len(arrivals)}
