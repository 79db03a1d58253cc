"""The catalogue of config/phrases: complete in both languages, in one piece, and rich enough for every sentence that code names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
import yaml

from forewarn.config.rules import Stat
from forewarn.core.tell.words import FORMATS, PLACEHOLDER, problems, render
from forewarn.model.text import Say

ROOT = Path(__file__).parents[1]
PHRASES = ROOT / "config" / "phrases"
LANGUAGES = ("en", "zh")


def pairs(tree: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        assert isinstance(key, str), f"{name} is a {type(key).__name__} for YAML: quote it"
        if isinstance(value, dict):
            yield from pairs(value, f"{name}.")
        else:
            yield name, value


def read(language: str) -> dict[str, tuple[str, str]]:
    """Key -> (sentence, file)."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((PHRASES / language).glob("*.yaml")):
        for key, text in pairs(yaml.safe_load(path.read_text(encoding="utf-8"))):
            assert isinstance(text, str), f"{path.name} {key}: {text!r} is not text: quote it"
            assert key not in found, f"{key} stands in {found[key][1]} and in {path.name}"
            found[key] = (text, path.name)
    return found


CATALOGUES = {language: {key: text for key, (text, _) in read(language).items()} for language in LANGUAGES}


def test_both_languages_are_complete_and_alike() -> None:
    assert problems(CATALOGUES) == []


def test_every_file_has_its_counterpart() -> None:
    assert {p.name for p in (PHRASES / "en").iterdir()} == {p.name for p in (PHRASES / "zh").iterdir()}


def test_chinese_is_chinese_and_english_is_english() -> None:
    own_names = "console.language."  # a language is offered in its own name
    english = {key: text for key, text in CATALOGUES["en"].items() if not key.startswith(own_names)}
    han = [key for key, text in english.items() if any("\u3400" <= char <= "\u9fff" for char in text)]
    assert han == []
    half_width = [
        key
        for key, text in CATALOGUES["zh"].items()
        for before, char in pairwise(text)
        if char in ",;:?!()" and "\u3400" <= before <= "\u9fff"
    ]
    assert half_width == [], "after a Chinese word use full-width punctuation"


def test_nothing_says_what_it_must_not() -> None:
    banned = ("successfully", "please be advised", "an error has occurred", "TODO")
    inside = {key: text for key, text in CATALOGUES["en"].items() if not key.startswith("lint.")}
    assert [key for key, text in inside.items() if any(word.lower() in text.lower() for word in banned)] == []


def literals() -> Iterator[tuple[str, str, set[str] | None]]:
    """Every `say("key", fact=...)` and `Say("key", ...)` in the code: where, key, names of its facts (None: not readable here)."""
    for path in sorted((ROOT / "agent").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "from forewarn.model.text import" not in text:
            continue  # another `say`
        for node in ast.walk(ast.parse(text)):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "Say") and node.args
            ):
                continue
            keys = node.args[0]
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            options = (keys.body, keys.orelse) if isinstance(keys, ast.IfExp) else (keys,)
            for option in options:
                if isinstance(option, ast.Constant) and isinstance(option.value, str):
                    yield where, option.value, _facts(node)


def _facts(node: ast.Call) -> set[str] | None:
    if node.func.id == "say":  # type: ignore[attr-defined]
        names = [keyword.arg for keyword in node.keywords]
        return None if None in names else {name for name in names if name}
    if len(node.args) == 1:
        return set()
    given = node.args[1]
    if isinstance(given, ast.Dict) and all(isinstance(key, ast.Constant) for key in given.keys):
        return {str(key.value) for key in given.keys if isinstance(key, ast.Constant)}
    return None


LITERALS = list(literals())


def test_the_scan_sees_the_code() -> None:
    assert len(LITERALS) > 50


@pytest.mark.parametrize(("where", "key", "facts"), LITERALS, ids=[f"{where}-{key}" for where, key, _ in LITERALS])
def test_what_code_says_has_words_and_facts(where: str, key: str, facts: set[str] | None) -> None:
    for language, catalogue in CATALOGUES.items():
        assert key in catalogue, f"{where} says {key}, which has no words in {language}"
        holes = PLACEHOLDER.findall(catalogue[key])
        wanted = {name for name, _ in holes} | (
            {"latest"} if any(kind in ("window", "period", "dated") for _, kind in holes) else set()
        )
        assert facts is None or wanted <= facts, f"{where} says {key} without {wanted - facts}"


def test_conventions_are_not_sentences() -> None:
    assert all(key.startswith("format.") for key in FORMATS)


def test_every_statistic_has_its_word_in_the_sentence() -> None:
    for stat in get_args(Stat):
        facts = {"stat": stat, "window_s": 300.0, "value": 0.9, "limit": 0.8, "unit": "ratio"}
        said = render(Say("why.threshold.stat", facts), CATALOGUES["zh"], UTC, datetime(2026, 11, 25, tzinfo=UTC))
        assert (stat in said) is (stat == "last"), "last has sentences of its own"


def test_an_incident_that_nobody_took_says_so_once() -> None:
    zh = CATALOGUES["zh"]
    assert "\u8ba4\u9886" in zh["console.nobody"]
    assert "\u8ba4\u9886" not in zh["state.open"], "it stands beside console.nobody"


def test_a_probe_and_its_run_are_two_words_in_chinese() -> None:
    """What is declared is \u63a2\u6d4b\u9879; \u63a2\u6d4b alone is the looking (a run), its result, its delay or its kind."""
    wrong = [
        key
        for key, text in CATALOGUES["zh"].items()
        if re.search(r"\bprobes?\b", CATALOGUES["en"][key])
        and re.search("\u63a2\u6d4b(?!\u9879|\u7c7b\u578b|\u7ed3\u679c|\u5ef6\u8fdf)", text)
    ]
    assert wrong == []
