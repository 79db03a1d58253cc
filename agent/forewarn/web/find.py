"""Search: incidents and messages by their words (the ledger's index), what people declared by its names, and any id at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from urllib.parse import quote

from forewarn.core.reader import Body, Reader, stamp
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident
from forewarn.model.message import Message
from forewarn.model.playbook import Run
from forewarn.model.probe import Probe
from forewarn.model.settings import Settings
from forewarn.ports import Entity
from forewarn.web.names import Names
from forewarn.web.reads import Query, Reads
from forewarn.web.rows import called
from forewarn.web.said import Trouble, Unanswerable

KINDS = ("incidents", "messages", "probes", "services", "customers")
"""In the order in which they are shown."""
STORED = {"incidents": "incident", "messages": "message"}
PREFIXES = {"incidents": "INC", "messages": "M"}
MOST_WORDS = 200
FEW = 10
"""Of each kind, while all kinds are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is sought. With `kind`, only of that; `after` is then the id or name of the last one seen."""

    text: str
    kind: str | None
    after: str | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that was found; `about` is a second line, `state` a word of the catalogue or None."""

    kind: str
    id: str
    title: str
    about: str
    state: str | None
    at: str | None
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What was found of one kind; `next` leads on."""

    kind: str
    hits: tuple[Hit, ...]
    next: str | None


def asked(given: Mapping[str, str]) -> Asked:
    """From `?q=&kind=&after=&limit=`; raises Unanswerable for a kind that there is not, or a limit that is no number."""
    kind, after = given.get("kind") or None, given.get("after") or None
    if kind is not None and kind not in KINDS:
        raise Unanswerable(Trouble(400, "web.kind", {"kind": kind, "kinds": ", ".join(KINDS)}))
    if after and kind in STORED and not (after.startswith(f"{PREFIXES[kind]}-") and after.rpartition("-")[2].isdecimal()):
        raise Unanswerable(Trouble(400, "web.after", {"after": after, "example": f"{PREFIXES[kind]}-12"}))
    limit = Query.of(given).limit if given.get("limit") or kind else FEW
    return Asked(text=given.get("q", "").strip()[:MOST_WORDS], kind=kind, after=after if kind else None, limit=limit)


def found(reads: Reads, it: Asked, reader: Reader) -> list[Section]:
    """By kind, those in which something was found; an id that is exactly what was asked for comes first. Blocks on the store."""
    if not it.text:
        return []
    sections = []
    for kind in KINDS if it.kind is None else (it.kind,):
        hits = _stored(reads, kind, it, reader) if kind in STORED else _declared(reads.settings(), kind, it, reader)
        if hits:
            more = len(hits) > it.limit
            sections.append(Section(kind=kind, hits=tuple(hits[: it.limit]), next=hits[it.limit - 1].id if more else None))
    return sections


def search_body(reads: Reads, it: Asked, reader: Reader) -> Body:
    """GET /api/v1/search. `next` is the cursor where one kind is asked for; `more` are the kinds of which there is more."""
    sections = found(reads, it, reader)
    exact = _exact(reads, it, reader)
    hits = [hit for section in sections for hit in section.hits if exact is None or hit.id != exact.id]
    return {
        "q": it.text,
        "items": [_item(hit) for hit in ([exact] if exact else []) + hits],
        "next": sections[0].next if it.kind and sections else None,
        "more": [section.kind for section in sections if section.next],
    }


def _item(hit: Hit) -> Body:
    """A hit for programs: its state as all other bodies write it, without the catalogue's prefix."""
    return {**asdict(hit), "state": hit.state and hit.state.rpartition(".")[2]}


def search_page(reads: Reads, it: Asked, reader: Reader) -> Body:
    """What the page shows."""
    exact = _exact(reads, it, reader)
    return {"words": it.text, "kind": it.kind, "exact": exact, "sections": found(reads, it, reader)}


# --- what the ledger keeps --------------------------------------------------------------------------------------------


def _exact(reads: Reads, it: Asked, reader: Reader) -> Hit | None:
    """The thing whose id was given, in whatever case."""
    thing = reads.ledger.get(it.text.upper()) if it.kind is None and "-" in it.text and " " not in it.text else None
    return _hit(thing, Names(reads.settings(), reader)) if thing else None


def _stored(reads: Reads, kind: str, it: Asked, reader: Reader) -> list[Hit]:
    things = reads.ledger.search(STORED[kind], it.text, it.limit + 1, it.after)
    names = Names(reads.settings(), reader)
    return [hit for thing in things if (hit := _hit(thing, names))]


def _hit(thing: Entity, names: Names) -> Hit | None:
    match thing:
        case Incident():
            about = names.reader.listed((str(thing.level), *map(names.service, thing.services)))
            title, at, state = names.title(thing), stamp(thing.opened_at), f"state.{thing.state}"
            return Hit(kind="incidents", id=thing.id, title=title, about=about, state=state, at=at, url=f"/i/{thing.id}")
        case Message():
            url = f"/i/{thing.incident}#{thing.id}" if thing.incident else "/messages"
            at, state, to = stamp(thing.at), f"message.state.{thing.state}", names.recipient(thing.to)
            return Hit(kind="messages", id=thing.id, title=thing.subject, about=to, state=state, at=at, url=url)
        case Finding():
            url = f"/i/{thing.incident}" if thing.incident else f"/p/{quote(thing.probe, safe='')}"
            title, at = names.tell(thing.why), stamp(thing.opened_at)
            return Hit(kind="findings", id=thing.id, title=title, about=thing.series, state=None, at=at, url=url)
        case Run():
            title, at = names.playbook(thing.playbook), stamp(thing.started_at)
            url = f"/i/{thing.incident}"
            return Hit(kind="runs", id=thing.id, title=title, about=thing.incident, state=None, at=at, url=url)
    return None


# --- what people declared ---------------------------------------------------------------------------------------------


def _declared(settings: Settings, kind: str, it: Asked, reader: Reader) -> list[Hit]:
    """By name, one more than asked for."""
    words = it.text.lower().split()
    hits = []
    for text, hit in DECLARED[kind](settings, reader):
        if all(word in text for word in words):
            made = hit()
            if it.after is None or made.id > it.after:
                hits.append(made)
                if len(hits) > it.limit:
                    break
    return hits


class _Same:
    """A set of settings as the key of what is made of it: the same object, not an equal one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __hash__(self) -> int:
        return id(self.settings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.settings is self.settings


Candidates = Iterator[tuple[str, Callable[[], Hit]]]


def _probes(settings: Settings, reader: Reader) -> Candidates:
    for text, probe in _texts(_Same(settings)):
        yield text, lambda probe=probe: _probe(probe, settings, reader)  # type: ignore[misc]


@lru_cache(maxsize=1)
def _texts(same: _Same) -> tuple[tuple[str, Probe], ...]:
    """Made once for a configuration: thousands of names don't change between two questions."""
    return tuple((_probe_text(probe), probe) for _, probe in sorted(same.settings.probes.items()))


def _probe_text(probe: Probe) -> str:
    targets = " ".join(target.name for target in probe.targets)
    return f"{probe.name} {probe.service or ''} {probe.kind} {' '.join(probe.tags)} {targets}".lower()


def _probe(probe: Probe, settings: Settings, reader: Reader) -> Hit:
    service = called(settings, probe.service, reader) if probe.service else ""
    about = reader.listed(part for part in (probe.kind, service, str(probe.source)) if part)
    return Hit(
        kind="probes", id=probe.name, title=probe.name, about=about, state=None, at=None, url=f"/p/{quote(probe.name, safe='')}"
    )


def _services(settings: Settings, reader: Reader) -> Candidates:
    for name, it in sorted(settings.services.items()):
        hit = Hit(
            kind="services", id=name, title=it.called(reader.language), about=reader.listed((name, str(it.source))), state=None, at=None,
            url=f"/now?q={quote(name)}",
        )  # fmt: skip
        yield " ".join((name, *it.names.values(), *it.tags)).lower(), lambda hit=hit: hit  # type: ignore[misc]


def _customers(settings: Settings, reader: Reader) -> Candidates:
    for name, it in sorted(settings.customers.items()):
        hit = Hit(
            kind="customers", id=name, title=it.title, about=reader.listed((name, reader.word(f"word.{it.tier}", it.tier), str(it.source))), state=None, at=None,
            url="/loaded?kind=customers",
        )  # fmt: skip
        yield f"{name} {it.title} {it.tier}".lower(), lambda hit=hit: hit  # type: ignore[misc]


DECLARED: Mapping[str, Callable[[Settings, Reader], Candidates]] = {
    "probes": _probes,
    "services": _services,
    "customers": _customers,
}
