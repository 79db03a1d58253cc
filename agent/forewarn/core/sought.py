"""By which words an incident or a message is found: its id, title and text in every language, and the names it is about."""

from __future__ import annotations

from forewarn.core.tell.words import render
from forewarn.model.incident import Incident
from forewarn.model.message import Message
from forewarn.model.settings import Settings

MOST = 20_000
"""Signs of one thing that are looked at; a text that is longer is found by its beginning."""


def words_of(thing: object, settings: Settings) -> str:
    """One text with all of them; empty for what is not found by words."""
    match thing:
        case Incident():
            found = _incident(thing, settings)
        case Message():
            found = [thing.id, thing.subject, thing.text, thing.to, thing.incident, thing.edited_by]
        case _:
            return ""
    return "\n".join(part for part in found if part)[:MOST]


def _incident(it: Incident, settings: Settings) -> list[str | None]:
    zone = settings.daemon.zone
    said = [render(what, words, zone, it.opened_at) for words in settings.phrases.values() for what in (it.title, it.why)]
    services = [text for name in it.services for text in (name, *_called(name, settings))]
    customers = [text for name in (*it.impact.affected, *it.impact.exposed) for text in (name, *_titled(name, settings))]
    return [it.id, *said, *services, *customers, it.thing, it.owner, it.plan, it.resolution, it.declared_by]


def _called(service: str, settings: Settings) -> tuple[str, ...]:
    found = settings.services.get(service)
    return tuple(found.names.values()) if found else ()


def _titled(customer: str, settings: Settings) -> tuple[str, ...]:
    found = settings.customers.get(customer)
    return (found.title,) if found else ()
