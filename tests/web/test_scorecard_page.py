"""The scorecard: the API, the console's page, and the line on its first page."""

from __future__ import annotations

import pytest
from web_stage import NOW, Stage

from forewarn.model.forecast import Verdict
from forewarn.model.scorecard import Judged, Score


def score(right: int, wrong: int) -> Score:
    one = Score(probe="host", rule="disk-fills", kind="forecast", useful=3, needless=1)
    for n in range(right + wrong):
        came = n < right
        verdict = Verdict.CAME_TRUE if came else Verdict.WITHDRAWN
        one = one.judged(
            Judged(
                at=NOW, incident=f"INC-{n}", verdict=verdict, lead_s=9 * 3600.0 if came else None, width_s=3 * 3600.0,
                inside=True if came else None,
            )
        )  # fmt: skip
    return one


def test_nothing_was_judged_yet(bare: Stage) -> None:
    body = bare.api("scorecard")
    assert (body["right"], body["of"], body["median_lead_s"], body["rules"]) == (0, 0, None, [])
    assert [gate["open"] for kind in body["kinds"] for gate in kind["gates"]] == [False] * 4
    assert "No forecast has been judged yet." in bare.ask("/scorecard").body
    assert "Right so far" not in bare.ask("/").body


def test_figures(bare: Stage) -> None:
    bare.keep(score(11, 1))
    body = bare.api("scorecard")
    assert (body["right"], body["of"], body["median_lead_s"]) == (11, 12, 9 * 3600)
    (rule,) = body["rules"]
    assert (rule["coverage"], rule["sharpness"], rule["pages"]["precision"]) == (1.0, pytest.approx(1 / 3, abs=1e-3), 0.75)
    (forecasts,) = [kind for kind in body["kinds"] if kind["kind"] == "forecast"]
    assert {gate["name"]: gate["open"] for gate in forecasts["gates"]} == {"customers": False, "maintenance": True}
    assert forecasts["interval"][0] == forecasts["gates"][0]["low"] == pytest.approx(0.703, abs=0.001)


@pytest.mark.parametrize(("language", "line"), [("en", "Right so far: 11 of 12 · median 9 h ahead"), ("zh", "迄今说对 11/12")])
def test_the_pages_say_it_in_words(bare: Stage, language: str, line: str) -> None:
    bare.keep(score(11, 1))
    for path in ("/", "/scorecard"):
        assert line in bare.ask(f"{path}?lang={language}").body
    assert "disk-fills" in bare.ask("/scorecard").body
