"""Where a service, customer, person or playbook has a name, people read that and not the id of the files."""

from __future__ import annotations

import pytest
from web_stage import ENTRIES, SOURCE, TOKEN, Stage, at, incident, run

from forewarn.model.incident import TimelineEntry
from forewarn.model.playbook import Match, Playbook
from forewarn.model.text import say

DOWN = say("title.down", service="checkout")


@pytest.fixture
def named(locked: Stage) -> Stage:
    """An incident, its story and a run whose sentences name things by id."""
    book = Playbook(name="free-volume", title={"en": "Free the volume", "zh": "腾出空间"}, match=Match(), steps=(), source=SOURCE)
    locked.settings.playbooks["free-volume"] = book  # type: ignore[index]
    told = [
        *ENTRIES,
        TimelineEntry(incident="INC-3", at=at("10:03:30"), say=say("respond.run_started", playbook="free-volume")),
        TimelineEntry(incident="INC-3", at=at("10:03:31"), say=say("respond.paged", who="customer-zh")),
        TimelineEntry(incident="INC-3", at=at("10:03:32"), say=say("repair.breaker_opened", count=3, playbook="free-volume")),
    ]
    locked.keep(incident(title=DOWN), run(), entries=told)
    return locked


@pytest.mark.parametrize(("language", "service", "book"), [("en", "Checkout", "Free the volume"), ("zh", "结账", "腾出空间")])
def test_names_stand_where_ids_are_meant(named: Stage, language: str, service: str, book: str) -> None:
    page = named.ask(f"/i/INC-3?lang={language}", Cookie=named.enter()).body
    story = page.partition('class="timeline"')[2]
    assert service in page.partition("<h1>")[2].partition("</h1>")[0]
    assert book in story
    assert "客户甲" in story
    assert "forewarn playbook close-breaker free-volume" in story, "what is typed is the id"


@pytest.mark.parametrize(("language", "service", "book"), [("en", "Checkout", "Free the volume"), ("zh", "结账", "腾出空间")])
def test_what_is_found_bears_its_name(named: Stage, language: str, service: str, book: str) -> None:
    def hit(id: str) -> dict[str, str]:
        items = named.api(f"search?q={id}&lang={language}")["items"]
        return next(one for one in items if one["id"] == id)

    assert service in hit("INC-3")["title"]
    assert service in hit("INC-3")["about"]
    assert hit("R-1")["title"] == book
    assert hit("M-7")["about"] == "客户甲"
    assert hit("M-7")["url"] == "/i/INC-3#M-7"


def test_a_chain_names_the_service(named: Stage) -> None:
    for language, service in (("en", "Checkout"), ("zh", "结账")):
        assert service in named.ask(f"/why/INC-3?lang={language}", Cookie=named.enter()).body
        assert service in named.ask(f"/api/v1/why/INC-3?text=1&lang={language}", Authorization=f"Bearer {TOKEN}").body
