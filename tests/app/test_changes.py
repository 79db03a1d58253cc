"""What was changed: kept once, shown with the incidents that it may have to do with, in page, story, chain and API."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forewarn.app.scenario import Story
from forewarn.app.stage import Stage
from forewarn.config.load import load
from forewarn.core.engine import decide
from forewarn.core.learn.lately import BEFORE, near
from forewarn.core.learn.why import as_json, explain
from forewarn.core.tell.words import render
from forewarn.model.change import Change
from forewarn.model.errors import Refused
from forewarn.model.incident import Incident
from forewarn.model.inputs import Command
from forewarn.model.message import Message
from forewarn.model.text import Say
from forewarn.probers import PROBERS

ROOT = Path(__file__).parents[2]
START = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.fixture
def stage() -> Stage:
    story = Story(name="shop", start=START, config="tests/scenarios/shop", lines=())
    return Stage(story, lambda folder, now: load(folder, PROBERS, now), ROOT)


def told(stage: Stage, *words: str, text: str = "checkout 4.2.1", by: str = "pipeline", after_s: float = 0.0) -> str | None:
    """The id that `changed` answers; the stage goes on from there."""
    now = stage.now + timedelta(seconds=after_s)
    decision = decide(stage.state, Command(verb="changed", id=None, by=by, words=words, text=text), now)
    stage.state = stage.state.after(decision)
    stage.kept |= {getattr(thing, "id", ""): thing for thing in decision.entities}
    return decision.answer


def declared(stage: Stage, service: str = "checkout", after_s: float = 300.0) -> Incident:
    now = stage.now + timedelta(seconds=after_s)
    given = Command(verb="declare", id=None, by="on-call-2", words=(service, "P1"), text="Payments take minutes")
    decision = decide(stage.state, given, now)
    stage.state = stage.state.after(decision)
    stage.kept |= {getattr(thing, "id", ""): thing for thing in decision.entities}
    (found,) = [thing for thing in decision.entities if isinstance(thing, Incident)]
    return found


def words(stage: Stage, what: Say) -> str:
    return render(what, stage.settings.phrases["en"], UTC, stage.now)


def test_a_page_says_what_was_changed(stage: Stage) -> None:
    told(stage, "deploy", "checkout")
    incident = declared(stage)
    assert incident.changes == ("C-1",)
    (page,) = [thing for thing in stage.kept.values() if isinstance(thing, Message)]
    assert "Changed: checkout 4.2.1 (" in page.text


def test_the_chain_names_it(stage: Stage) -> None:
    told(stage, "deploy", "checkout")
    incident = declared(stage)
    body = as_json(explain(incident.id, lambda id: stage.kept.get(id)), lambda say: words(stage, say))  # type: ignore[arg-type]
    (link,) = [link for link in body["links"] if link["type"] == "change"]
    assert (link["id"], link["facts"]["who"]) == ("C-1", "pipeline") and "deployed: checkout 4.2.1" in link["why"]
    alone = as_json(explain("C-1", lambda id: stage.kept.get(id)), lambda say: words(stage, say))  # type: ignore[arg-type]
    assert alone["complete"] and [one["id"] for one in alone["links"]] == ["C-1"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (("deploy", "checkout"), True),
        (("deploy", "search"), True),  # checkout needs it
        (("deploy", "reports"), False),
        (("kernel", "", "local"), True),  # it runs there
        (("kernel", "", "web-9"), False),
        (("config",), True),  # names neither service nor host: everything here
    ],
)
def test_it_is_shown_where_it_may_matter(stage: Stage, given: tuple[str, ...], shown: bool) -> None:
    told(stage, *given)
    assert bool(declared(stage).changes) is shown


def test_what_is_told_while_it_lasts_is_added(stage: Stage) -> None:
    incident = declared(stage)
    told(stage, "config", "checkout", text="time-out raised to 30 s", after_s=360)
    told(stage, "deploy", "reports", after_s=360)
    kept = stage.kept[incident.id]
    assert isinstance(kept, Incident) and kept.changes == ("C-1",)


def test_a_repeat_is_kept_once(stage: Stage) -> None:
    at = (START - timedelta(minutes=5)).isoformat()
    assert told(stage, "deploy", "checkout", "", at, "build-17") == "C-1"
    assert told(stage, "deploy", "checkout", "", at, "build-17", text="again") == "C-1"
    assert told(stage, "deploy", "checkout", "", at, "build-18") == "C-2"
    kept = stage.kept["C-1"]
    assert isinstance(kept, Change) and kept.text == "checkout 4.2.1" and kept.at == START - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("given", "text", "key"),
    [
        (("deploy",), " ", "change_text"),
        (("meal",), "x", "change_what"),
        (("deploy", "nonsense"), "x", "no_service"),
        (("deploy", "", "", "yesterday"), "x", "change_at"),
        (("deploy", "", "", "2030-01-01T00:00Z"), "x", "change_future"),
    ],
)
def test_what_is_no_change_is_refused_with_the_reason(stage: Stage, given: tuple[str, ...], text: str, key: str) -> None:
    with pytest.raises(Refused) as refused:
        told(stage, *given, text=text)
    assert refused.value.say.key == f"refused.{key}"
    assert "{" not in words(stage, refused.value.say)


def test_only_what_came_shortly_before(stage: Stage) -> None:
    def change(minutes: float) -> Change:
        at = START - timedelta(minutes=minutes)
        return Change(id=f"C-{minutes}", at=at, heard_at=at, what="deploy", text="x", who="y", service="checkout")

    services = stage.settings.services
    many = [change(minutes) for minutes in (-5, 1, 30, 359, 361)]
    assert [one.id for one in near(many, ["checkout"], services, START, START)] == ["C-1", "C-30", "C-359"]
    assert timedelta(hours=6) == BEFORE
    on_host = replace(change(2), service=None, host="local", id="C-host")
    assert near([on_host, change(30)], ["checkout"], services, START, START)[0].id == "C-30", "what was said of the service first"


def test_old_ones_leave_the_memory_and_stay_in_order(stage: Stage) -> None:
    for n in range(310):
        told(stage, "package", "", "local", "", f"k{n}")
    assert len(stage.state.changes) == 300 and next(iter(stage.state.changes)) == "C-11"
