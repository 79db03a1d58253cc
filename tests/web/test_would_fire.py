"""The page of a probe and its twin: how often each rule fired, and how often it would have on what is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from web_stage import NOW, SOURCE, Stage, at, probe, views

from forewarn.model.hindsight import Hindsight, Progress
from forewarn.model.probe import Rule

SRV = 'host|local|fs_used_ratio{mount="/srv"}'
COUNTED = Hindsight(
    progress=Progress.COUNTED, since=at("03:00:00"), until=NOW, fired={("disk-fills", SRV): 12}, samples=900, share=1.0
)


@pytest.mark.parametrize(
    ("would", "en", "zh"),
    [
        (Hindsight(progress=Progress.COUNTING), "is being counted", "正在用现行规则重算"),
        (COUNTED, "played over the samples since", "用现行规则重算"),
        (replace(COUNTED, share=0.4), "Samples are there for 40 % of that time", "样本只覆盖其中 40%"),
        (replace(COUNTED, samples=0, fired={}), "nothing was kept since", "没有样本可以重算"),
        (
            Hindsight(progress=Progress.FAILED, why="no room"),
            "could not be counted (no room)",
            "没能算出现行规则会触发多少次（no room）",
        ),
    ],
)
def test_the_page_says_what_was_counted_and_what_was_not(told: Stage, would: Hindsight, en: str, zh: str) -> None:
    told.would = would
    for language, words in (("en", en), ("zh", zh)):
        page = " ".join(told.ask(f"/p/host?lang={language}").body.split())
        assert words.replace(" ", "") in page.replace(" ", ""), language
        assert ("12×" in page) == (would.progress is Progress.COUNTED and would.samples > 0)
        assert ("data-running" in page) == (would.progress is Progress.COUNTING), "it follows only while something is to come"


def test_a_rule_about_which_samples_say_nothing_has_no_count(told: Stage) -> None:
    rule = Rule(name="busy", kind="cannot-see", metric=None, options=None, source=SOURCE)
    host = views()[0]
    told.stats.shown = [replace(host, probe=probe(rules=(rule,)))]
    told.would = replace(COUNTED, fired={})
    page = told.ask("/p/host?lang=en").body
    assert page.count(">0×<") + page.count(">1×<") == 3, "two that fired or did not, and one that would not have"
    assert page.count(">–<") == 1
    assert told.api("probes/host")["would_have_fired"]["uncounted"] == ["busy"]


def test_the_twin_says_the_same(told: Stage) -> None:
    told.would = COUNTED
    body = told.api("probes/host")
    assert body["name"] == "host"
    assert body["would_have_fired"] == {
        "progress": "counted", "since": "2026-11-22T03:00:00Z", "until": "2026-11-22T10:03:20Z", "samples": 900, "share": 1.0,
        "rules": [{"rule": "disk-fills", "series": SRV, "count": 12}], "uncounted": [], "why": None,
    }  # fmt: skip
    assert body["fired"]["days"] == 7
    assert body["fired"]["rules"] == [
        {"rule": "busy", "series": SRV, "count": 1}, {"rule": "disk-fills", "series": SRV, "count": 1}
    ]  # fmt: skip
