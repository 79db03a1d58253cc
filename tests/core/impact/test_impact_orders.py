from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from forewarn.core.impact.orders import drop, same_hour
from forewarn.model.series import Window

NOW = datetime(2026, 11, 22, 16, 20, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=40)


def window(values: list[float], until: datetime = NOW, every_s: float = 60.0) -> Window:
    start = until.timestamp() - len(values) * every_s
    return Window.of([(start + (i + 1) * every_s, value) for i, value in enumerate(values)])


def hour(mean: float, week: int, n: int = 60, seed: int = 1) -> Window:
    noise = random.Random(seed * 100 + week)
    return window([max(0.0, noise.gauss(mean, mean**0.5)) for _ in range(n)], NOW - timedelta(weeks=week))


USUAL = [hour(100.0, week) for week in (1, 2, 3, 4)]
EMPTY = window([])

CASES: list[tuple[str, list[float], list[Window], datetime | None, float | None, str]] = [
    ("as usual", [99, 101, 100, 98, 102], USUAL, LONG_AGO, 0.0, "orders.usual"),
    ("more than usual", [150, 160, 155], USUAL, LONG_AGO, 0.0, "orders.usual"),
    ("a bit less, within the noise", [95, 97, 96], USUAL, LONG_AGO, 0.0, "orders.usual"),
    ("38 % under", [62, 63, 61], USUAL, LONG_AGO, 0.38, "orders.drop"),
    ("none at all", [0, 0, 0, 0, 0], USUAL, LONG_AGO, 1.0, "orders.drop"),
    ("one odd week does not count", [62, 63, 61], [*USUAL[:3], hour(400.0, 4)], LONG_AGO, 0.38, "orders.drop"),
    ("a week of outage does not count", [100, 99, 101], [*USUAL[:3], window([0.0] * 60)], LONG_AGO, 0.0, "orders.usual"),
    ("two weeks are missing", [62, 63, 61], [USUAL[0], EMPTY, USUAL[2], EMPTY], LONG_AGO, 0.38, "orders.drop"),
    ("three weeks are missing", [62, 63, 61], [USUAL[0], EMPTY, EMPTY, EMPTY], LONG_AGO, None, "orders.no_usual"),
    ("13 days of history", [10, 10, 10], USUAL, NOW - timedelta(days=13), None, "orders.learning"),
    ("no history at all", [10, 10, 10], [], None, None, "orders.learning"),
    ("too few samples now", [10, 10], USUAL, LONG_AGO, None, "orders.no_now"),
    ("a closed shop", [0, 0, 0], [window([0.0] * 60)] * 4, LONG_AGO, None, "orders.none_usual"),
    ("few orders are noisy", [1, 0, 2, 1, 0], [hour(1.3, week) for week in (1, 2, 3, 4)], LONG_AGO, 0.0, "orders.usual"),
]


@pytest.mark.parametrize(
    ("now", "history", "since", "expected", "key"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_drop(now: list[float], history: list[Window], since: datetime | None, expected: float | None, key: str) -> None:
    value, why = drop(window(now), history, since, NOW)
    assert why.key == key
    assert value is None if expected is None else value == pytest.approx(expected, abs=0.03)


def test_old_samples_are_no_figure_of_now() -> None:
    stale = window([62, 63, 61], NOW - timedelta(minutes=6))
    assert drop(stale, USUAL, LONG_AGO, NOW) == (None, drop(stale, USUAL, LONG_AGO, NOW)[1])
    assert drop(stale, USUAL, LONG_AGO, NOW)[1].key == "orders.no_now"


def test_noise_alone_is_hardly_ever_a_drop() -> None:
    """500 ordinary five-minute windows: at most 4 % are called a drop, none of half the orders."""
    dice = random.Random(7)
    shares = [drop(window([dice.gauss(100, 10) for _ in range(5)]), USUAL, LONG_AGO, NOW)[0] or 0.0 for _ in range(500)]
    assert sum(share > 0 for share in shares) <= 20
    assert max(shares) < 0.2


def test_the_same_hour_is_local_across_the_change_of_clocks() -> None:
    """On 25 October 2026 Berlin's clocks went back: 16:20 local was 14:20 UTC before, 15:20 UTC after."""
    now = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)
    spans = same_hour(ZoneInfo("Europe/Berlin"), now)
    middles = [datetime.fromtimestamp((begin + end) / 2, UTC) for begin, end in spans]
    assert [f"{at:%d.%m %H:%M}" for at in middles] == ["27.10 15:20", "20.10 14:20", "13.10 14:20", "06.10 14:20"]
    assert all(end - begin == 3600.0 for begin, end in spans)
