"""What is loaded: every declared thing with the line that it was written in, the version, and whether the files are newer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forewarn.core.overview import REFUSED_CONFIG
from forewarn.core.reader import Body, Reader, stamp
from forewarn.model.map import Customer, Person, Service
from forewarn.model.playbook import Playbook
from forewarn.model.settings import Settings
from forewarn.web.reads import Live
from forewarn.web.said import Trouble, Unanswerable

KINDS = ("probes", "services", "customers", "people", "playbooks")
MOST_ROWS = 200
"""Of each kind; a link leads on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One declared thing: its name, what to say about it, where it was written, and the page that shows it."""

    name: str
    about: str
    source: str
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Declared things of one kind, by name: those of this page, how many there are, and the last name where there are more."""

    rows: tuple[Declared, ...]
    count: int
    next: str | None


def loaded_page(
    settings: Settings,
    live: Live,
    reload: Mapping[str, Any] | None,
    reader: Reader,
    kind: str | None = None,
    after: str | None = None,
) -> Body:
    """The running set, by kind of thing; with `kind` only that, after the name `after`. `reload` is what the newest reload
    answered. Raises Unanswerable for a kind that there is not."""
    if kind is not None and kind not in KINDS:
        raise Unanswerable(Trouble(400, "web.kind", {"kind": kind, "kinds": ", ".join(KINDS)}))
    refused = next((trouble for trouble in live.troubles if trouble.key == REFUSED_CONFIG), None)
    tables = {each: _table(settings, each, reader, after if kind else None) for each in KINDS if kind in (None, each)}
    changes = reload.get("changes", {}) if reload else {}
    return {
        "reload": reload,
        "problems": [_problem(one) for one in reload["problems"]] if reload and refused else [],
        "changes": [(table, how, names) for table, by in changes.items() for how, names in by.items()],
        "older": [trouble for trouble in live.troubles if trouble.key.startswith("trouble.older")],
        "settings": settings,
        "refused": refused,
        "tables": {each: table for each, table in tables.items() if table.count},
        "added": settings.added,
    }


def loaded_body(
    settings: Settings,
    live: Live,
    reload: Mapping[str, Any] | None,
    reader: Reader,
    kind: str | None = None,
    after: str | None = None,
) -> Body:
    """GET /api/v1/loaded: the same; each table is a list with its own cursor."""
    shown = loaded_page(settings, live, reload, reader, kind, after)
    return {
        "id": settings.id,
        "folder": settings.folder,
        "files": settings.files,
        "loaded_at": stamp(settings.loaded_at),
        "refused": reader.tell(shown["refused"]) if shown["refused"] else None,
        "reload": reload,
        "added": [
            {"kind": one.kind, "package": one.package, "version": one.version, "used": one.used, "trouble": one.trouble}
            for one in settings.added
        ],
        **{
            each: {
                "items": [{"name": one.name, "about": one.about or None, "source": one.source} for one in table.rows],
                "next": table.next,
                "count": table.count,
            }
            for each, table in shown["tables"].items()
        },
    }


def _table(settings: Settings, kind: str, reader: Reader, after: str | None) -> Table:
    named: Callable[[Any], str] = (lambda one: one.name) if kind == "probes" else lambda one: _named(one, reader)
    things = sorted(getattr(settings, kind).values(), key=named)
    begin = 0 if after is None else bisect_right(things, after, key=named)
    shown = things[begin : begin + MOST_ROWS]
    rows = tuple(
        Declared(
            name=(name := named(one)),
            about=ABOUT[kind](one),
            source=str(one.source),
            link=f"/p/{name}" if kind == "probes" else None,
        )
        for one in shown
    )
    return Table(rows=rows, count=len(things), next=rows[-1].name if begin + MOST_ROWS < len(things) else None)


def _problem(it: Mapping[str, Any]) -> tuple[str, str]:
    """Where it stands, and what is wrong there with what would be right."""
    where = ":".join(str(part) for part in (it["file"], it["line"]) if part)
    said = "; ".join(str(part) for part in (it["what"], it["right"]) if part)
    return where, f"{it['path']}: {said}" if it["path"] else said


def _named(thing: Service | Customer | Person | Playbook, reader: Reader) -> str:
    match thing:
        case Service():
            return thing.called(reader.language)
        case Customer() | Person():
            return thing.title
    return thing.name


ABOUT: Mapping[str, Callable[[Any], str]] = {
    "probes": lambda one: str(one.kind),
    "services": lambda one: str(one.criticality),
    "customers": lambda one: str(one.tier),
    "people": lambda one: "",
    "playbooks": lambda one: str(one.mode),
}
