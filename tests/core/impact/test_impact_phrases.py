"""Every sentence that this stage can say exists in both languages, with every fact that it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from impact_cases import NOW, ahead, customer, down, errors, finding, judged, measure, probe, service, settings, slow
from test_impact_correlate import CASES as PLACES
from test_impact_correlate import put
from test_impact_less_known import SCENES
from test_impact_orders import CASES as ORDERS
from test_impact_orders import window

from forewarn.core.impact.orders import drop
from forewarn.core.tell.words import problems, render
from forewarn.model.level import Effect, Level
from forewarn.model.map import Criticality
from forewarn.model.text import Say

PHRASES = Path(__file__).parents[3] / "config" / "phrases"


def flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def catalogue(language: str) -> dict[str, str]:
    files = ("impact.yaml", "words.yaml")
    return {key: text for file in files for key, text in flat(yaml.safe_load((PHRASES / language / file).read_text("utf-8")))}


CATALOGUES = {language: catalogue(language) for language in ("en", "zh")}


def sentences() -> Iterator[Say]:
    leak = settings(
        services=(service(criticality=Criticality.SUPPORTING, tags=("core-payment",)),),
        probes=(probe("leak", kind="command", tags=("data-exposed", "data-lost")),),
    )
    nobody = settings(services=(service(),), customers=())
    impacts = [judged(*findings, state=state) for findings, state in SCENES.values()]
    impacts += [judged(*findings, state=state, known=nobody) for findings, state in SCENES.values()]
    impacts += [
        judged(finding("leak|local|x"), known=leak),
        judged(down("web-1"), known=leak),
        judged(declared=Level.P0),
        judged(ahead(p=None), state="ahead"),
    ]
    impacts += [
        judged(finding("host|local|cpu_ratio")),
        judged(finding("shop|web-1|up", kind="cannot-see")),
        judged(finding("a|b|c", effect=Effect.QUESTION)),
    ]
    impacts += [
        judged(slow(effect=Effect.FAILS), measures=measure("users_share", 0.3)),
        judged(errors(), known=settings(customers=(customer("customer-zh", users=9_000),))),
    ]
    impacts += [judged(down("local", probe="x", of=None), services=())]
    for impact in impacts:
        yield impact.why
        yield from (factor.why for factor in impact.factors if factor.why and not factor.why.key.startswith("why."))
    yield from (put(found, of, *incidents).why for _, found, of, incidents, _ in PLACES)
    yield from (drop(window(now), history, since, NOW)[1] for _, now, history, since, _, _ in ORDERS if now)


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_sentence_is_whole(language: str) -> None:
    for say in sentences():
        facts = (
            {"value": 62.0, "usual": 100.0, "drop": 0.38, "weeks": 4} | dict(say.facts) if say.key == "orders.drop" else say.facts
        )
        text = render(Say(say.key, facts), CATALOGUES[language], NOW.tzinfo, NOW)  # type: ignore[arg-type]
        assert say.key in CATALOGUES[language] and not re.search(r"[{}]|\bNone\b|impact\.|unknown\b|未知 ", text), (
            f"{say.key}: {text}"
        )


def test_both_languages_say_the_same_with_the_same_facts() -> None:
    assert problems(CATALOGUES) == []


def test_every_factor_has_a_name() -> None:
    for findings, state in SCENES.values():
        for factor in judged(*findings, state=state).factors:
            key = "impact.factor." + re.sub(r"[ -]", "_", factor.name)
            assert key in CATALOGUES["en"], key


def test_the_sentence_of_the_story() -> None:
    why = judged(down("web-1"), down("web-2"), errors()).why
    told = {language: render(why, words, NOW.tzinfo, NOW) for language, words in CATALOGUES.items()}  # type: ignore[arg-type]
    assert told["en"] == "stopped x all: 2 of 2 targets down; 12 % of users; customers affected 2"
    assert told["zh"].startswith("中断 × 全部：2 个目标中 2 个不可用；影响 12%")
