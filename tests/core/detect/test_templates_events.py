"""Lines of a file as events: folding, levels, batches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.core.detect.templates.events import FOLDED, Events, severity
from forewarn.core.detect.templates.miner import Miner

TRACE = """\
2026-11-23 10:00:00,123 ERROR [main] shop.Cart: order 17 failed
java.lang.IllegalStateException: no stock
    at shop.Cart.add(Cart.java:12)
Caused by: java.io.IOException: disk
    ... 12 more
2026-11-23 10:00:01,123 INFO [main] shop.Cart: order 18 done""".splitlines()
MORE = [
    "",
    "plain",
    "ERROR: boom",
    "    at a.B.c(B.java:1)",
    "Nov 23 10:00:00 web1 sshd[7]: Accepted",
    "level=warn x=1",
    "ключ 5 用户 \x1b[0m",
]


def test_a_stack_trace_belongs_to_its_line() -> None:
    found = Events(Miner()).of(TRACE)
    assert [event.folded for event in found] == [False, True, True, True, True, False]
    assert len({event.template for event in found[:5]}) == 1
    assert [event.level for event in (found[0], found[4], found[5])] == ["error", "error", "info"]


def test_frames_fold_without_headers_too() -> None:
    found = Events(Miner(), messages=True).of(["it failed", "    at a.B.c(B.java:1)", "next", "Traceback (most recent call last):"])
    assert [event.folded for event in found] == [False, True, False, True]


def test_lines_without_a_time_stand_alone_where_no_line_has_one() -> None:
    assert not any(event.folded for event in Events(Miner()).of(["one", "two", "three", "one"]))


def test_a_line_whose_header_is_not_understood_stands_alone() -> None:
    found = Events(Miner()).of([TRACE[0], "it was on Monday that she said: at 10:00:00 all of it ended", "and more"])
    assert [event.folded for event in found] == [False, False, True]


def test_an_event_holds_a_bounded_number_of_lines() -> None:
    found = Events(Miner()).of([TRACE[0], *("more" for _ in range(FOLDED + 5))])
    assert sum(event.folded for event in found[: FOLDED + 1]) == FOLDED
    assert not found[FOLDED + 1].folded


@given(st.lists(st.sampled_from([*TRACE, *MORE]), max_size=40), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_every_line_has_one_event_however_the_lines_are_cut(lines: list[str], size: int) -> None:
    whole, cut = Events(Miner()), Events(Miner(), remembered=2)
    first = whole.of(lines)
    second = [event for at in range(0, len(lines), size) for event in cut.of(lines[at : at + size])]
    assert len(first) == len(lines)
    assert first == second


@pytest.mark.parametrize(
    ("level", "text", "expected"),
    [
        ("error", "all fine", 2),
        ("warn", "disk failed", 1),
        ("info", "connection refused", 1),
        ("info", "done", 0),
        (None, "connection refused", 2),
        (None, "数据库连接失败", 2),
        (None, "erreur de disque", 2),
        (None, "terror is a film", 0),
    ],
)
def test_severity(level: str | None, text: str, expected: int) -> None:
    assert severity(level, text) == expected
