"""What real servers of 8 and 9 answered, played again: the same requests, and what is made of the answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from elastic_recorded import FOLDER, play, player

from forewarn.probers.reasons import Reason

RECORDED = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("file", RECORDED, ids=lambda path: path.stem)
async def test_the_same_requests_and_what_comes_of_the_answers(file: Path) -> None:
    exchanges = json.loads(file.read_text("utf-8"))["exchanges"]
    asked: list[object] = []
    async with player(exchanges, asked) as url:
        labelled, whole, refused, missing = await play(url)
    assert asked == [one["ask"] for one in exchanges]
    assert labelled.counts("matches_total") == {"u0": 4, "u1": 4, "u2": 3}
    assert labelled.counts("country_changes_total") == {"u0": 1, "u1": 1, "u2": 1}
    assert labelled.counts("bad_ratio") == {"u0": 0.5, "u1": 0.5, "u2": pytest.approx(1 / 3)}
    assert labelled.counts("hosts") == {"u0": 4, "u1": 4, "u2": 3}
    assert labelled.counts("took_p95_s")["u2"] == pytest.approx(0.77, abs=0.03)
    assert whole.counts("n") == {"": 11}
    assert whole.counts("mean") == {"": 500}
    assert refused.runs[-1].reason is Reason.CONFIG
    assert "unknown field [nonsense]" in str(refused.runs[-1].detail)
    assert missing.runs[-1].reason is Reason.MISSING
    assert "no such index [forewarn-recorded-none]" in str(missing.runs[-1].detail)


def test_both_servers_are_there() -> None:
    assert {path.stem.partition(".")[0] for path in RECORDED} == {"8", "9"}
