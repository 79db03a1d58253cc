"""Where things lie on the line of time, and how a series becomes a picture."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from web_stage import NOW, TOKEN, Stage, incident, views

from forewarn.cli.words import phrases
from forewarn.core.reader import Reader
from forewarn.model.forecast import Forecast
from forewarn.model.series import Window
from forewarn.web.chart import HEIGHT, WIDTH, chart
from forewarn.web.probe import phases
from forewarn.web.rows import Row
from forewarn.web.strip import FAR_S, LEAST, outlook

READER = Reader("en", phrases("en"), ZoneInfo("Asia/Shanghai"), NOW)
HOUR = timedelta(hours=1)


def row(earliest_h: float | None, latest_h: float | None, act_by_h: float | None = None) -> Row:
    def at(hours: float | None) -> datetime | None:
        return None if hours is None else NOW + hours * HOUR

    likely = None if earliest_h is None or latest_h is None else (earliest_h + latest_h) / 2
    ahead = Forecast(earliest=at(earliest_h), likely=at(likely), latest=at(latest_h), horizon_s=3 * 86400.0)
    it = replace(incident(), act_by=at(act_by_h), earliest=at(earliest_h))
    return Row(incident=it, forecast=ahead, services="", customers=0, vips=0, next_update=None)


def test_a_bar_lies_where_its_moments_are():
    found = outlook([row(7.2, 36.0, 3.6)], READER)
    (strip,), (bar,) = found.strips, found.strips[0].bars
    assert (strip.key, bar.begin, bar.end, bar.likely, bar.act_by) == ("near", 10.0, 50.0, 30.0, 5.0)


def test_each_forewarning_stands_on_one_line():
    found = outlook([row(1, 2), row(71, 80), row(73, 90), row(29 * 24, 31 * 24), row(31 * 24, 40 * 24), row(None, None)], READER)
    assert [(strip.key, len(strip.bars)) for strip in found.strips] == [("near", 2), ("far", 2)]
    assert len(found.undated) == 2


def test_an_overdue_act_by_and_one_beyond_the_line_have_no_mark():
    bars = outlook([row(1, 2, -1), row(1, 2, 100)], READER).strips[0].bars
    assert [bar.act_by for bar in bars] == [None, None]


def test_days_are_the_readers_own():
    (near,) = outlook([row(1, 2)], READER).strips
    assert [tick.label for tick in near.ticks] == ["now", "Monday", "Tuesday", "Wednesday"]  # it is 18:03 on Sunday in Shanghai
    (far,) = outlook([row(100, 200)], READER).strips
    assert [tick.label for tick in far.ticks] == ["now", "30 November", "7 December", "14 December", "21 December"]


@given(st.floats(0, FAR_S / 3600), st.floats(0, 2000), st.floats(-100, 2000))
def test_nothing_is_drawn_outside_the_line(earliest, width, act_by):
    for strip in outlook([row(earliest, earliest + width, act_by)], READER).strips:
        for bar in strip.bars:
            assert 0 <= bar.begin <= 100 - LEAST
            assert bar.begin < bar.end <= 100
            assert all(mark is None or 0 <= mark <= 100 for mark in (bar.likely, bar.act_by))


# --- series ---


def drawn(pairs, judged=(), ahead=None, hours=1.0, gap_s=60.0):
    return chart(Window.of(pairs), NOW - hours * HOUR, NOW, list(judged), ahead, gap_s)


def line(values, every_s=10.0):
    start = NOW.timestamp() - every_s * len(values)
    return [(start + every_s * at, value) for at, value in enumerate(values)]


def points(path):
    return [tuple(map(float, pair.split())) for pair in re.findall(r"[ML]([-\d.e+]+ [-\d.e+]+)", path)]


def test_no_samples_no_picture():
    assert drawn([]) is None
    assert drawn([(NOW.timestamp() - 5, math.nan)]) is None


def test_a_gap_breaks_the_line():
    pairs = [(at, value) for at, value in line([1.0] * 360) if not 1000 < NOW.timestamp() - at < 2000]
    assert drawn(pairs).mean.count("M") == 2
    assert drawn(line([1.0] * 360)).mean.count("M") == 1


def test_single_values_are_points():
    assert drawn(line([1.0])).dots.count("h0") == 1
    assert drawn(line([1.0, 2.0, 3.0])).dots.count("h0") == 3
    assert drawn(line([1.0] * 360)).dots == "", "a line of its own is enough"
    alone = [*line([1.0] * 200), (NOW.timestamp() - 3500, 2.0)]
    assert drawn(sorted(alone)).dots.count("h0") == 1, "one that stands apart"


def test_a_spike_is_in_the_envelope_even_where_the_mean_hides_it():
    values = [1.0] * 3600
    values[1800] = 100.0
    it = drawn(line(values, 1.0), gap_s=5.0)
    assert it.top > 100
    assert max(it.numbers["max"]) == 100.0
    assert max(it.numbers["mean"]) < 100.0
    assert len(it.numbers["times_s"]) <= 301


def test_a_limit_near_is_drawn_and_one_far_away_only_named():
    it = drawn(line([1.0, 2.0] * 180), judged=[("near", 3.0), ("far", 1e9)])
    near, far = it.limits
    assert near.y is not None
    assert 0 < near.y < HEIGHT
    assert (far.y, far.value) == (None, 1e9)


def test_a_forecast_leads_from_the_newest_value_to_its_limit():
    ahead = Forecast(earliest=NOW + 0.2 * HOUR, likely=NOW + 0.3 * HOUR, latest=NOW + 0.4 * HOUR, horizon_s=86400.0)
    it = drawn(line([80.0 + at / 50 for at in range(360)]), judged=[("full", 95.0)], ahead=ahead)
    tip, first, last = points(it.cone)
    assert tip[0] <= it.now_x < first[0] < last[0] <= WIDTH
    assert first[1] == last[1] == it.limits[0].y
    assert points(it.likely)[1][0] == pytest.approx((first[0] + last[0]) / 2, abs=0.2)


def test_a_forecast_far_away_leaves_most_of_the_picture_to_the_past():
    ahead = Forecast(earliest=NOW + 50 * HOUR, likely=NOW + 60 * HOUR, latest=NOW + 70 * HOUR, horizon_s=86400.0)
    it = drawn(line([1.0] * 360), judged=[("full", 1.2)], ahead=ahead)
    assert it.now_x == pytest.approx(650, abs=1)


@example([0.0, 2.225073858507203e-309])  # too small a height to divide by
@given(st.lists(st.one_of(st.floats(-1e12, 1e12), st.just(math.nan), st.just(math.inf)), min_size=1, max_size=400))
def test_every_point_lies_inside(values):
    it = drawn(line(values))
    if it is None:
        return
    for x, y in points(it.mean) + points(it.envelope):
        assert -0.1 <= x <= WIDTH + 0.1
        assert -0.1 <= y <= HEIGHT + 0.1


def test_phases_are_shares_of_one_exchange():
    target = views()[1].targets[0]
    one = target.series[0]

    def series(metric, value):
        return replace(one, series=replace(one.series, metric=metric, labels=()), value=value)

    parts = phases(replace(target, series=(series("connect_s", 0.02), series("first_byte_s", 0.06), series("total_s", 0.1))))
    assert [(part.name, part.begin, part.width) for part in parts] == [
        ("connect_s", 0, 20),
        ("first_byte_s", 20, 60),
        ("rest", 80, 20),
    ]
    assert phases(replace(target, series=(series("connect_s", 0.02),))) == ()


# --- the probe's page and its twin ---


def with_past(stage: Stage, hours: int = 5) -> str:
    series = str(stage.stats.shown[0].targets[0].series[0].series)
    begin = datetime(2026, 11, 22, 5, 0, tzinfo=UTC).timestamp()
    stage.past[series] = Window.of([(begin + 60.0 * at, 0.5 + at / 1000) for at in range(60 * hours)])
    return series


def test_a_probe_shows_the_course_of_what_rules_judge(told: Stage):
    with_past(told)
    body = told.ask("/p/host").body
    assert body.count("<figure") == 1
    assert 'class="mean" d="M' in body
    numbers = json.loads(re.search(r'<script type="application/json">(.*?)</script>', body, re.DOTALL)[1])
    assert numbers["mean"][-1] == pytest.approx(0.799, abs=0.01)


def test_the_same_numbers_for_programs(told: Stage):
    from urllib.parse import quote

    series = with_past(told)
    body = json.loads(told.ask(f"/api/v1/series/{quote(series)}?hours=6", Authorization=f"Bearer {TOKEN}").body)
    assert (body["series"], body["hours"]) == (series, 6)
    assert len(body["times_s"]) == len(body["mean"]) > 200


@pytest.mark.parametrize(("ago", "hours"), [([3], 1), ([59, 1], 1), ([61, 1], 6), ([500, 1], 24), ([1439], 24), ([], 24)])
def test_unasked_a_picture_reaches_as_far_as_there_are_samples(told: Stage, ago: list[int], hours: int):
    told.past[with_past(told)] = Window.of([(NOW.timestamp() - 60 * minutes, 0.5) for minutes in ago])
    body = told.ask("/p/host").body
    assert re.findall(r'href="\?hours=(\d+)" aria-current="true"', body) == [str(hours)]
    assert 'href="?hours=720" aria-current="true"' in told.ask("/p/host?hours=720").body


def test_a_span_or_series_that_there_is_not(told: Stage):
    assert told.ask("/p/host?hours=5").status == 400
    assert "6, 24, 168, 720" in told.ask("/p/host?hours=5").body
    assert told.ask("/p/host?series=host|local|nothing").status == 404


def test_the_filter_narrows_what_is_watched(told: Stage):
    assert "No probe has" in told.ask("/now?q=nonsense").body
    found = told.ask("/now?q=disk").body
    assert '"/p/disks"' in found
    assert '"/p/host"' not in found


def test_many_probes_come_in_pages(bare: Stage):
    view = views()[0]
    bare.stats.shown = [replace(view, probe=replace(view.probe, name=f"probe-{at:03}")) for at in range(250)]
    seen, path = [], "/now"
    while path:
        body = bare.ask(path).body
        seen += re.findall(r'<th scope="row"><a href="/p/(probe-\d+)">\1</a></th>\s*<td class="how">', body)
        after = re.search(r'href="(/now\?after=[^"]+)">More probes', body)
        path = after[1] if after else ""
    assert seen == [f"probe-{at:03}" for at in range(250)]
