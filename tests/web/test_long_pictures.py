"""Pictures of weeks are made of summaries: complete beyond the samples that are kept, with every spike, and quickly read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from web_stage import Stage

from forewarn.model.series import SeriesId, Window
from forewarn.model.slots import Slot
from forewarn.store.samples import SqliteSamples
from forewarn.store.samples_memory import MemorySamples
from forewarn.web.columns import COLUMNS, columns, step_for, stored

HOUR, DAY = 3600.0, 86_400.0
KEPT = {300: 180 * DAY, 3600: 730 * DAY}
NOW_S = 20_700 * DAY + 11 * HOUR
SERIES = SeriesId("shop", "web", "total_s")
SPIKE_S = NOW_S - 60 * DAY + 17


@pytest.mark.parametrize(
    ("hours", "retention_days", "kept", "step"),
    [
        (6, 35, KEPT, 0),
        (24, 35, KEPT, 0),
        (168, 35, KEPT, 300),
        (720, 35, KEPT, 3600),
        (2160, 35, KEPT, 3600),
        (168, 35, {300: 0.0, 3600: 730 * DAY}, 3600),  # the finer ones are not kept
        (168, 35, {300: 2 * DAY, 3600: 730 * DAY}, 3600),  # nor for so long
        (720, 35, {300: 0.0, 3600: 0.0}, 0),  # none are kept: the samples
        (2160, 35, {300: 0.0, 3600: 0.0}, 0),
        (2160, 35, {300: 60 * DAY, 3600: 0.0}, 300),  # nothing reaches back so far: what reaches furthest
        (24, 0.5, KEPT, 0),  # at least what there is in full
    ],
)
def test_what_is_read_for_a_span(hours: int, retention_days: float, kept: dict[int, float], step: int) -> None:
    assert step_for(hours * HOUR, retention_days * DAY, kept) == step


@pytest.fixture(params=["sqlite", "memory"])
def quarter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteSamples | MemorySamples]:
    """Ninety days of a sample every five minutes, one of them far off; samples are kept for 35 days."""
    store = SqliteSamples(tmp_path / "samples.db") if request.param == "sqlite" else MemorySamples()
    times = [NOW_S - 300 * n - 150 for n in range(90 * 288, -1, -1)]
    store.append([(SERIES, at, 0.1 + (n % 7) / 100) for n, at in enumerate(times)])
    store.append([(SERIES, SPIKE_S, 9.5)])
    while store.roll(NOW_S, 50):
        pass
    store.prune(NOW_S - 35 * DAY)
    yield store
    store.close()


def test_a_quarter_is_complete_beyond_the_samples_with_its_spike(quarter: SqliteSamples) -> None:
    def drawn(step: int) -> list[tuple[float, float, float, float]]:
        return columns(stored(quarter, SERIES, NOW_S - 90 * DAY, NOW_S, step), NOW_S - 90 * DAY, NOW_S)

    raw, rolled = drawn(0), drawn(step_for(90 * DAY, 35 * DAY, KEPT))
    assert NOW_S - raw[0][0] < 36 * DAY
    assert NOW_S - rolled[0][0] > 89 * DAY
    assert NOW_S - rolled[-1][0] < 90 * DAY / COLUMNS
    assert COLUMNS - 5 <= len(rolled) <= COLUMNS + 1
    assert max(most for *_, most in rolled) == 9.5
    (spike,) = [column for column in rolled if column[3] == 9.5]
    assert abs(spike[0] - SPIKE_S) <= 90 * DAY / COLUMNS, "it stands where it was"
    assert spike[1] == pytest.approx(0.1), "the band reaches from the least to the greatest"
    assert 0.1 < spike[2] < 0.9, "one sample in eighty moves the mean only a little"


def test_summaries_draw_what_the_samples_would(quarter: SqliteSamples) -> None:
    begin_s = NOW_S - 7 * DAY
    raw = columns(stored(quarter, SERIES, begin_s, NOW_S, 0), begin_s, NOW_S)
    rolled = columns(stored(quarter, SERIES, begin_s, NOW_S, 300), begin_s, NOW_S)
    assert len(raw) == pytest.approx(len(rolled), abs=2)
    for (at, least, mean, most), (other_at, other_least, other_mean, other_most) in zip(raw[2:-2], rolled[2:-2], strict=False):
        assert abs(at - other_at) <= 7 * DAY / COLUMNS
        assert (least, most) == pytest.approx((other_least, other_most), abs=0.02)
        assert mean == pytest.approx(other_mean, rel=0.1)


def test_a_mean_of_slots_is_weighed_by_their_samples() -> None:
    slots = [Slot(0.0, 1, 10.0, 10.0, 10.0), Slot(300.0, 99, 0.0, 0.0, 0.0)]
    ((_, least, mean, most),) = columns(slots, -1e6, 1e6)
    assert (least, mean, most) == (0.0, pytest.approx(0.1), 10.0)
    assert columns([], 0.0, 1.0) == []
    assert columns([Slot(50.0, 3, 1.0, 0.0, 2.0)], 0.0, 100.0) == [(50.0, 0.0, 1.0, 2.0)]


def test_the_page_asks_for_summaries_where_the_span_is_long(told: Stage) -> None:
    told.past['host|local|fs_used_ratio{mount="/srv"}'] = Window.of([(1.0, 0.5)])
    for hours, step in (("6", 0), ("24", 0), ("168", 300), ("720", 3600), ("2160", 3600)):
        told.steps.clear()
        assert told.ask(f"/p/host?hours={hours}").status == 200
        assert set(told.steps) == {step}, hours
    told.steps.clear()
    told.api("series/host|local|cpu_used_ratio?hours=2160")
    assert told.steps == [3600]
