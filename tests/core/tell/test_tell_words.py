"""Keys and facts become sentences: figures, moments, seams between scripts, and the strict check of catalogues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tell_things import CATALOGUES, NOW, SHANGHAI

from forewarn.core.tell.words import FORMATS, KINDS, _seam, _spaced, problems, render
from forewarn.model.text import Say

FACTS = st.dictionaries(st.sampled_from(["x", "latest", "unit"]), st.none() | st.integers() | st.floats() | st.text())


def shown(template: str, language: str = "en", now: datetime = NOW, zone: object = SHANGHAI, **facts: object) -> str:
    words = {**CATALOGUES[language], "t": template}
    return render(Say("t", facts), words, zone, now)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "en", "zh"),
    [
        ("ratio", 0.912, "91.2 %", "91.2%"),
        ("ratio", 0.38, "38 %", "38%"),
        ("ratio", 0.1 + 0.2, "30 %", "30%"),
        ("ratio", 0.9999, "99.99 %", "99.99%"),
        ("ratio", 0.00042, "0.042 %", "0.042%"),
        ("ratio", 0, "0 %", "0%"),
        ("ratio", 1, "100 %", "100%"),
        ("ratio", 14.4, "1,440 %", "1,440%"),
        ("ratio", 0.99, "99 %", "99%"),
        ("s", 0.031, "31 ms", "31 ms"),
        ("s", 0.0082, "8.2 ms", "8.2 ms"),
        ("s", 0.0004, "0.4 ms", "0.4 ms"),
        ("s", 0.9999, "1 s", "1 s"),
        ("s", 1.2, "1.2 s", "1.2 s"),
        ("s", 12.345, "12.3 s", "12.3 s"),
        ("s", 0, "0 s", "0 s"),
        ("s", 600, "10 min", "10 分"),
        ("span", 11820, "3 h 17 min", "3 小时 17 分"),
        ("span", 21600, "6 h", "6 小时"),
        ("span", 90, "1 min 30 s", "1 分 30 秒"),
        ("span", 3599.8, "1 h", "1 小时"),
        ("span", 45, "45 s", "45 秒"),
        ("span", 0.5, "500 ms", "500 ms"),
        ("span", 0, "0 s", "0 秒"),
        ("span", 259200, "3 d", "3 天"),
        ("span", 187200, "2 d 4 h", "2 天 4 小时"),
        ("span", -300, "-5 min", "-5 分"),
        ("bytes", 3.1e9, "3.1 GB", "3.1 GB"),
        ("bytes", 512, "512 B", "512 B"),
        ("bytes", 999_600, "1 MB", "1 MB"),
        ("celsius", 41.04, "41 °C", "41 °C"),
        ("count", 12000, "12,000", "12,000"),
        ("count", 2.0, "2", "2"),
        ("text", 0.1 + 0.2, "0.3", "0.3"),
        ("text", 12.35, "12.35", "12.35"),
        ("text", 1234.567, "1,235", "1,235"),
        ("text", 0.00001234, "0.00001234", "0.00001234"),
        ("text", None, "unknown", "未知"),
        ("ratio", None, "unknown", "未知"),
        ("word", "mail", "mail", "邮件"),
        ("word", "carrier-pigeon", "carrier-pigeon", "carrier-pigeon"),
        ("key", "due.ack", "take it", "认领"),
        ("key", "metric.queue_length", "queue_length", "queue_length"),
        ("text", "@due.ack", "take it", "认领"),
        ("text", "@everybody", "@everybody", "@everybody"),
    ],
)
def test_figures(kind: str, value: object, en: str, zh: str) -> None:
    assert shown(f"{{x:{kind}}}", "en", x=value) == en
    assert shown(f"{{x:{kind}}}", "zh", x=value) == zh


@pytest.mark.parametrize(
    ("unit", "value", "en"),
    [
        ("ratio", 0.912, "91.2 %"),
        ("s", 0.5, "500 ms"),
        ("bytes", 2e6, "2 MB"),
        ("celsius", 55, "55 °C"),
        ("total", 41, "41"),
        ("", 7.5, "7.5"),
    ],
)
def test_a_metric_is_shown_by_its_unit(unit: str, value: float, en: str) -> None:
    assert shown("{x:metric}", x=value, unit=unit) == en


# Sunday 22 November 2026, 18:12 in Shanghai, unless the case says otherwise.
@pytest.mark.parametrize(
    ("local", "now", "en", "zh"),
    [
        ("2026-11-22 14:02", None, "14:02", "14:02"),
        ("2026-11-22 22:00", None, "22:00", "22:00"),
        ("2026-11-23 02:10", None, "02:10 tonight", "明天凌晨 02:10"),
        ("2026-11-23 06:00", None, "06:00 tomorrow", "明天 06:00"),
        ("2026-11-23 14:00", None, "14:00 tomorrow", "明天 14:00"),
        ("2026-11-21 23:10", None, "23:10 yesterday", "昨天 23:10"),
        ("2026-11-25 09:00", None, "09:00 on Wednesday", "下周三 09:00"),
        ("2026-11-29 09:00", None, "09:00 on 29 November", "11 月 29 日 09:00"),
        ("2026-11-20 09:00", None, "09:00 on 20 November", "11 月 20 日 09:00"),
        ("2027-03-14 09:00", None, "09:00 on 14 March 2027", "2027 年 3 月 14 日 09:00"),
        ("2026-11-26 09:00", "2026-11-23 10:00", "09:00 on Thursday", "本周四 09:00"),
        ("2026-11-23 02:10", "2026-11-23 01:00", "02:10", "02:10"),
        ("2026-11-24 03:00", "2026-11-23 02:00", "03:00 tomorrow", "明天 03:00"),
    ],
)
def test_times(local: str, now: str | None, en: str, zh: str) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)
    reads = datetime.fromisoformat(now).replace(tzinfo=SHANGHAI).astimezone(UTC) if now else NOW
    assert shown("{x:time}", "en", reads, x=at.timestamp()) == en
    assert shown("{x:time}", "zh", reads, x=at.timestamp()) == zh


@pytest.mark.parametrize(
    ("start", "end", "en", "zh"),
    [
        ("2026-11-23 02:10", "2026-11-23 04:40", "tonight 02:10–04:40", "明天凌晨 02:10–04:40"),
        ("2026-11-22 20:10", "2026-11-22 22:40", "tonight 20:10–22:40", "今晚 20:10–22:40"),
        ("2026-11-22 23:10", "2026-11-23 02:00", "tonight 23:10–02:00", "今晚 23:10 至明天凌晨 02:00"),
        ("2026-11-22 23:10", "2026-11-23 08:40", "tonight 23:10 to 08:40 tomorrow", "今晚 23:10 至明天 08:40"),
        ("2026-11-23 14:00", "2026-11-23 16:00", "tomorrow 14:00–16:00", "明天 14:00–16:00"),
        ("2026-11-25 14:00", "2026-11-25 16:00", "on Wednesday 14:00–16:00", "下周三 14:00–16:00"),
        ("2026-11-22 17:00", "2026-11-22 19:30", "before 19:30", "19:30 前"),
        ("2026-11-23 02:10", None, "from 02:10 tonight", "明天凌晨 02:10 起"),
    ],
)
def test_windows(start: str, end: str | None, en: str, zh: str) -> None:
    first, last = (datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() if text else None for text in (start, end))
    assert shown("{x:window}", "en", x=first, latest=last) == en
    assert shown("{x:window}", "zh", x=first, latest=last) == zh


@pytest.mark.parametrize(
    ("end", "en", "zh"),
    [
        (
            "2026-11-23 04:40",
            "between 02:10 and 04:40 on Monday 23 November (Shanghai time)",
            "11 月 23 日（周一）02:10–04:40（北京时间）",
        ),
        (
            "2026-11-24 04:40",
            "between 02:10 on Monday 23 November and 04:40 on Tuesday 24 November (Shanghai time)",
            "11 月 23 日（周一）02:10 至 11 月 24 日（周二）04:40（北京时间）",
        ),
        (None, "from 02:10 on Monday 23 November (Shanghai time)", "11 月 23 日（周一）02:10 起（北京时间）"),
    ],
)
def test_periods(end: str | None, en: str, zh: str) -> None:
    first = datetime(2026, 11, 23, 2, 10, tzinfo=SHANGHAI).timestamp()
    last = datetime.fromisoformat(end).replace(tzinfo=SHANGHAI).timestamp() if end else None
    assert shown("{x:period}", "en", x=first, latest=last) == en
    assert shown("{x:period}", "zh", x=first, latest=last) == zh


@pytest.mark.parametrize(
    ("zone", "en", "zh"),
    [
        (SHANGHAI, "18:12 on Sunday 22 November (Shanghai time)", "11 月 22 日（周日）18:12（北京时间）"),
        (UTC, "10:12 on Sunday 22 November (UTC)", "11 月 22 日（周日）10:12（UTC）"),
        (ZoneInfo("Asia/Kolkata"), "15:42 on Sunday 22 November (Kolkata time)", "11 月 22 日（周日）15:42（Kolkata 时间）"),
        (
            timezone(timedelta(hours=-3, minutes=-30)),
            "06:42 on Sunday 22 November (UTC-03:30)",
            "11 月 22 日（周日）06:42（UTC-03:30）",
        ),
    ],
)
def test_moments_name_the_zone(zone: object, en: str, zh: str) -> None:
    assert shown("{x:moment}", "en", zone=zone, x=NOW.timestamp()) == en
    assert shown("{x:moment}", "zh", zone=zone, x=NOW.timestamp()) == zh


@pytest.mark.parametrize(
    ("template", "facts", "told"),
    [
        ("{x}变慢", {"x": "结账"}, "结账变慢"),
        ("{x}变慢", {"x": "Checkout"}, "Checkout 变慢"),
        ("已用{x:ratio}，上限", {"x": 0.9}, "已用 90%，上限"),
        ("提交 {x} 的响应", {"x": "订单"}, "提交订单的响应"),
        ("提交{x}的响应", {"x": "API v2"}, "提交 API v2 的响应"),
        ("自{x}（{y}）起", {"x": "14:02", "y": "北京时间"}, "自 14:02（北京时间）起"),
        ("{x}{y}", {"x": "04:40", "y": "Checkout"}, "04:40 Checkout"),
        ("{x}{y}", {"x": "04:40", "y": "结账"}, "04:40 结账"),
        ("{x} （{y}）", {"x": "结账", "y": "a"}, "结账（a）"),
        ("all of {x} now", {"x": "结账"}, "all of 结账 now"),
        ("{x}: {y}", {"x": "a", "y": "b"}, "a: b"),
        ("Resolved. {x}", {"x": ""}, "Resolved."),
    ],
)
def test_seams(template: str, facts: dict[str, str], told: str) -> None:
    assert shown(template, "zh", **facts) == told


def test_values_are_never_templates() -> None:
    assert shown("{x} {y}", x="{y}", y="{x:time}") == "{y} {x:time}"


def test_a_missing_key_shows_itself_and_its_facts() -> None:
    assert render(Say("no.such", {"a": 1}), CATALOGUES["en"], UTC, NOW) == "no.such (a=1)"


def test_a_missing_fact_and_an_unknown_kind_show_the_placeholder() -> None:
    assert shown("{x:time} {y:nonsense}", y=1) == "{x:time} {y:nonsense}"


def test_a_sentence_that_names_itself_ends() -> None:
    assert "t" in shown("{x:key}", x="t")


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(facts=FACTS)
def test_render_never_raises(kind: str, facts: dict[str, object]) -> None:
    assert isinstance(shown(f"{{x:{kind}}}", **facts), str)


# --- problems -----------------------------------------------------------------------------------------------------------

BASE = {key: " ".join(f"{{{name}}}" for name in sorted(parts)) or "x" for key, parts in FORMATS.items()}


def test_a_clean_pair_has_no_problems() -> None:
    assert problems({"en": {**BASE, "a": "{x:time} b"}, "zh": {**BASE, "a": "乙{x:time}"}}) == []


@pytest.mark.parametrize(
    ("en", "zh", "expected"),
    [
        ({"a": "b"}, {}, 'zh: "a" is missing; en has it'),
        ({}, {"a": "b"}, 'en: "a" is missing; zh has it'),
        ({"a": "{x}"}, {"a": "{y}"}, 'zh: "a" has the placeholders [y:text], but en has [x:text]'),
        ({"a": "{x:time}"}, {"a": "{x:span}"}, 'zh: "a" has the placeholders [x:span], but en has [x:time]'),
        ({"a": "{x:when}"}, {"a": "{x:when}"}, 'en: "a" shows {x} as "when", which is no kind'),
        ({"a": "{X}"}, {"a": "b"}, 'en: "a" has a brace that is no placeholder'),
        ({"a": " "}, {"a": "b"}, 'en: "a" is empty'),
        ({"format.clock": "{hour}"}, {}, "en: \"format.clock\" is made of [hour:text]; write it with ['hour', 'minute']"),
    ],
)
def test_problems_are_found(en: dict[str, str], zh: dict[str, str], expected: str) -> None:
    found = problems({"en": {**BASE, **en}, "zh": {**BASE, **zh}})
    assert any(line.startswith(expected) for line in found), found


def test_a_missing_convention_is_a_problem() -> None:
    lacking = {key: text for key, text in BASE.items() if key != "format.clock"}
    assert 'zh: "format.clock" is missing; every language brings its own conventions' in problems({"en": BASE, "zh": lacking})


def test_users_may_extend_some_sections_in_one_language() -> None:
    catalogues = {"en": {**BASE, "service.checkout.notice.x": "y"}, "zh": BASE}
    assert problems(catalogues, strict=False) == []
    assert problems(catalogues) != []


@given(*(st.text(alphabet="a7%.( \u4e2d\uff0c\u00e9", max_size=3) for _ in range(2)), st.booleans())
def test_the_short_way_over_a_seam_leads_where_the_long_one_does(left: str, right: str, both_values: bool) -> None:
    assert _seam(left, right, both_values) == _spaced(left, right, both_values)
