"""What is loaded: every declared thing with the line that it was written in, the version, and whether the files are newer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from forewarn.core.overview import REFUSED_CONFIG
from forewarn.core.reader import Body, Reader
from forewarn.model.settings import Settings
from forewarn.web.reads import Live


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One declared thing: its name, what to say about it, where it was written, and the page that shows it."""

    name: str
    about: str
    source: str
    link: str | None = None


def loaded_page(settings: Settings, live: Live, reload: Mapping[str, Any] | None, reader: Reader) -> Body:
    """The running set, by kind of thing; `reload` is what the newest reload answered."""
    refused = next((trouble for trouble in live.troubles if trouble.key == REFUSED_CONFIG), None)
    tables = {
        "probes": [
            Declared(name=one.name, about=one.kind, source=str(one.source), link=f"/p/{one.name}")
            for one in settings.probes.values()
        ],
        "services": [
            Declared(name=one.called(reader.language), about=str(one.criticality), source=str(one.source))
            for one in settings.services.values()
        ],
        "customers": [Declared(name=one.title, about=one.tier, source=str(one.source)) for one in settings.customers.values()],
        "people": [Declared(name=one.title, about="", source=str(one.source)) for one in settings.people.values()],
        "playbooks": [Declared(name=one.name, about=str(one.mode), source=str(one.source)) for one in settings.playbooks.values()],
    }
    changes = reload.get("changes", {}) if reload else {}
    return {
        "reload": reload,
        "problems": [_problem(one) for one in reload["problems"]] if reload and refused else [],
        "changes": [(table, how, names) for table, by in changes.items() for how, names in by.items()],
        "older": [trouble for trouble in live.troubles if trouble.key.startswith("trouble.older")],
        "settings": settings,
        "refused": refused,
        "tables": {kind: _sorted(things) for kind, things in tables.items() if things},
    }


def _sorted(things: Iterable[Declared]) -> list[Declared]:
    return sorted(things, key=lambda one: one.name)


def _problem(it: Mapping[str, Any]) -> tuple[str, str]:
    """Where it stands, and what is wrong there with what would be right."""
    where = ":".join(str(part) for part in (it["file"], it["line"]) if part)
    said = "; ".join(str(part) for part in (it["what"], it["right"]) if part)
    return where, f"{it['path']}: {said}" if it["path"] else said
