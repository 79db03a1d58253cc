"""Words put into steps: whole arguments, nothing split, nothing taken for an option."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.core.respond.playbook import BadWord, filled, fits, words_of
from forewarn.model.finding import Evidence, Finding, FindingState
from forewarn.model.level import Colour
from forewarn.model.playbook import Match, Playbook
from forewarn.model.probe import Probe, Source, Target
from forewarn.model.settings import Daemon, Settings
from forewarn.model.text import say

NOW = datetime(2026, 11, 24, tzinfo=UTC)
WORDS = {"mount": "/srv/my data; rm -rf /", "dash": "--force", "target": "web-1"}


def test_a_value_stays_one_argument_whatever_it_holds() -> None:
    assert filled({"argv": ["du", "-x", "${mount}"]}, WORDS) == {"argv": ["du", "-x", "/srv/my data; rm -rf /"]}


def test_a_value_inside_an_argument() -> None:
    assert filled({"argv": ["echo", "at=${target}!"]}, WORDS) == {"argv": ["echo", "at=web-1!"]}


@pytest.mark.parametrize(("spec", "dash", "word"), [(["ls", "${dash}"], False, "dash"), (["ls", "${nothing}"], True, "nothing")])
def test_options_and_unknown_words_are_refused(spec: list[str], dash: bool, word: str) -> None:
    found = filled({"argv": spec}, WORDS, dash)
    assert isinstance(found, BadWord)
    assert found.word == word


def test_a_step_may_allow_an_option() -> None:
    assert filled({"argv": ["ls", "${dash}"]}, WORDS, dash=True) == {"argv": ["ls", "--force"]}


@given(st.text().filter(lambda text: not text.startswith("-")))
def test_any_value_comes_through_unchanged(value: str) -> None:
    assert filled({"argv": ["cat", "${file}"]}, {"file": value}) == {"argv": ["cat", value]}


def finding(rule: str, target: str = "shop", tags: tuple[str, ...] = ("unit=shop.service", "web")) -> tuple[Finding, Settings]:
    probe = Probe(
        name="shop", kind="http", every_s=10, timeout_s=1, targets=(Target("shop", "https://shop.example/health"),), options=None,
        rules=(), tags=tags, source=Source("probes/shop.yaml", 1),
    )  # fmt: skip
    settings = Settings(id="x", folder=".", loaded_at=NOW, files=1, daemon=Daemon(zone=UTC), probes={"shop": probe})
    found = Finding(
        id="F-1", state=FindingState.OPEN, series="shop|shop|up", target=target, labels=(("mount", "/srv"),), metric="up", rule=rule,
        kind=rule, probe="shop", service=None, colour=Colour.RED, effect=None, opened_at=NOW, why=say("why.up"), evidence=Evidence(),
        forecast=None, confirmed=True, config="x", source="a:1", seq=1,
    )  # fmt: skip
    return found, settings


@pytest.mark.parametrize(
    ("match", "rule", "fits_it"),
    [
        (Match(probe="shop"), "down", True),
        (Match(probe="sh*"), "down", True),
        (Match(tag="unit=*"), "down", True),
        (Match(tag="unit=*", rule="slow"), "down", False),
        (Match(service="shop"), "down", False),
        (Match(probe="shop"), "cannot-see", False),  # nobody looked: that is not what it is for
        (Match(probe="shop", rule="cannot-see"), "cannot-see", True),
        (Match(probe="shop", rule="*"), "cannot-see", False),
    ],
)
def test_what_fits(match: Match, rule: str, fits_it: bool) -> None:
    found, settings = finding(rule)
    assert fits(Playbook(name="p", match=match, steps=(), source=Source("p.yaml", 1)), found, settings) is fits_it


def test_words_come_from_the_finding_its_target_and_tags() -> None:
    found, settings = finding("down")
    assert words_of(found, "INC-1", settings) == {
        "incident": "INC-1", "target": "shop", "probe": "shop", "service": "", "mount": "/srv", "unit": "shop.service",
        "address": "https://shop.example/health", "host": "shop.example", "port": "443",
    }  # fmt: skip
    assert "host" not in words_of(replace(found, target="gone"), "INC-1", settings)
    assert words_of(None, "INC-1", settings) == {"incident": "INC-1"}
