"""Words put into steps: whole arguments, nothing split, nothing taken for an option."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.core.respond.playbook import BadWord, filled

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
