"""What is new, bursting, gone, or together for the first time; and what is not worth telling."""

from __future__ import annotations

from forewarn.core.detect.templates.change import Change, Kind, changes, parts

USUAL, RARE, ODD = 1, 2, 3


def told(before: list[tuple[int, int]], after: list[tuple[int, int]], trouble: dict[int, int] | None = None) -> list[Change]:
    one, two = parts([*before, *after], len(before))
    return changes(one, two, 1.0, trouble or {})


def steady(template: int, stretches: range, each: int = 1) -> list[tuple[int, int]]:
    return [(template, stretch) for stretch in stretches for _ in range(each)]


def test_nothing_is_told_of_what_goes_on_as_before() -> None:
    assert told(steady(USUAL, range(50), 3), steady(USUAL, range(50, 100), 3)) == []


def test_new_and_where_it_began() -> None:
    found = told(steady(USUAL, range(50)), [*steady(USUAL, range(50, 99)), (ODD, 99)])
    assert [(one.kind, one.templates, one.before, one.after, one.first) for one in found] == [(Kind.NEW, (ODD,), 0, 1, 99)]


def test_what_is_new_surprises_less_where_something_new_comes_all_the_time() -> None:
    calm = told(steady(USUAL, range(100)), [(ODD, 100)])[-1]
    busy = next(one for one in told([(100 + at, at) for at in range(100)], [(ODD, 100)]) if one.kind is Kind.NEW)
    assert calm.surprise > busy.surprise


def test_bursting_and_vanished() -> None:
    before = [*steady(USUAL, range(50)), *steady(RARE, range(50))]
    found = told(before, steady(USUAL, range(50, 100), 6))
    assert {(one.kind, one.templates) for one in found} == {(Kind.BURST, (USUAL,)), (Kind.VANISHED, (RARE,))}


def test_what_came_in_bursts_before_may_burst_again() -> None:
    before = [*steady(USUAL, range(0, 50, 10), 20), *steady(RARE, range(50))]
    after = [*steady(USUAL, range(50, 100, 10), 70), *steady(RARE, range(50, 100))]
    even = told(steady(USUAL, range(50), 2), steady(USUAL, range(50, 100), 7))
    assert even[0].surprise > max((one.surprise for one in told(before, after)), default=0.0)


def test_together_for_the_first_time() -> None:
    before = [*steady(USUAL, range(0, 400, 100)), *steady(RARE, range(50, 400, 100)), *steady(ODD, range(400))]
    after = [*steady(ODD, range(400, 410)), (USUAL, 405), (RARE, 405)]
    found = [one for one in told(sorted(before, key=lambda line: line[1]), after) if one.kind is Kind.TOGETHER]
    assert [(one.templates, one.before, one.after) for one in found] == [((USUAL, RARE), 0, 1)]


def test_trouble_comes_first_unless_it_is_gone() -> None:
    found = told(steady(USUAL, range(50)), [(RARE, 50), (ODD, 51)], {ODD: 2})
    assert [one.templates for one in found if one.kind is Kind.NEW] == [(ODD,), (RARE,)]
    gone = told([*steady(USUAL, range(50)), *steady(ODD, range(50))], [*steady(USUAL, range(50, 100)), (RARE, 99)], {ODD: 2})
    assert {one.kind for one in gone} == {Kind.NEW, Kind.VANISHED}
