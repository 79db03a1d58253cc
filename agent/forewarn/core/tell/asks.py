"""Texts of the questions that a repair puts to people: may this run, and what now that it did not help.

What would run is shown to the letter and is never cut: whoever says yes must have seen all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from forewarn.core.tell.scene import Composed, Scene
from forewarn.core.tell.voice import Voice, localised, voice
from forewarn.model.map import Person
from forewarn.model.playbook import Playbook, Repair, Run, Step, command_text
from forewarn.model.settings import Settings
from forewarn.model.text import Fact, Say, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A change that somebody is asked for. `spec` and `undo` are final: their words are put in."""

    run: Run
    playbook: Playbook
    step: Step
    spec: Mapping[str, object]
    undo: Mapping[str, object] | None
    expires: datetime
    how_many: int
    why: Say


def approval(person: Person, scene: Scene, wish: Wish, settings: Settings, now: datetime) -> Composed:
    """May this step run?"""
    speaker = voice(person.language, person.zone, settings, now)
    facts: dict[str, Fact] = {
        "run": wish.run.id,
        "incident": scene.incident.id,
        "title": _title(scene, speaker, settings),
        "step": wish.step.name,
        "playbook": _called(wish.playbook, speaker),
        "command": command_text(wish.spec),
        "where": speaker.tell(say("repair.where.local")) if wish.step.where == "local" else wish.step.where,
        "risk": f"repair.risk.{wish.playbook.risk}",
        "back": _back(wish, speaker),
        "why": speaker.tell(wish.why),
        "expires": wish.expires.timestamp(),
    }
    keys = ("title", "command", "where", "back", *(("two",) if wish.how_many > 1 else ()), "otherwise", "answer")
    lines = [speaker.tell(Say(f"repair.ask.{key}", facts)) for key in keys]
    return Composed(subject=speaker.tell(Say("repair.ask.subject", facts)), text="\n".join(lines))


def _back(wish: Wish, speaker: Voice) -> str:
    """What is declared about taking it back, all of it."""
    said = []
    if wish.undo:
        said.append(say("repair.back.undo", command=command_text(wish.undo)))
    if wish.step.idempotent:
        said.append(say("repair.back.idempotent"))
    if wish.step.irreversible:
        said.append(say("repair.back.irreversible"))
    return speaker.catalogue.get("format.list", ", ").join(map(speaker.tell, said))


def outcome(
    person: Person, scene: Scene, run: Run, playbook: Playbook | None, said: Sequence[Say], settings: Settings, now: datetime
) -> Composed:
    """A change was made and did not do what it should: what happened, what the probe says, what was undone."""
    speaker = voice(person.language, person.zone, settings, now)
    facts: dict[str, Fact] = {
        "run": run.id,
        "incident": scene.incident.id,
        "title": _title(scene, speaker, settings),
        "playbook": _called(playbook, speaker) if playbook else run.playbook,
        "repair": f"repair.outcome.{run.repair or Repair.UNSEEN}",
    }
    lines = [
        speaker.tell(Say("repair.ended.title", facts)),
        *map(speaker.tell, said),
        speaker.tell(Say("repair.ended.look", facts)),
    ]
    return Composed(subject=speaker.tell(Say(f"repair.ended.subject.{run.state}", facts)), text="\n".join(lines))


def _title(scene: Scene, speaker: Voice, settings: Settings) -> str:
    return speaker.tell(localised(scene.incident.title, settings, speaker.language))


def _called(playbook: Playbook, speaker: Voice) -> str:
    return playbook.title.get(speaker.language) or playbook.title.get("en") or playbook.name
