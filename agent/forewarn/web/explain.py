"""The chain behind an id, as JSON and as the text that `forewarn why` prints."""

from __future__ import annotations

from collections.abc import Sequence

from forewarn.core.learn.why import Why, as_json, as_text, explain
from forewarn.core.reader import Body, Reader
from forewarn.core.tell.audience import who
from forewarn.model.errors import NotFound
from forewarn.model.incident import Incident
from forewarn.model.message import Message, Subkind
from forewarn.model.settings import Settings
from forewarn.model.text import Say
from forewarn.ports import Ledger
from forewarn.web.names import Names
from forewarn.web.reads import MOST, Reads
from forewarn.web.said import Trouble, Unanswerable


def explained(id: str, reads: Reads, reader: Reader) -> Body:
    """{"why": (JSON, text)}, or None in it where there is no such thing. Blocks on the store."""
    found = _chain(id, reads)
    tell = Names(reads.settings(), reader).tell
    return {"why": (as_json(found, tell), as_text(found, tell)) if found else None}


def why_page(id: str, reads: Reads, reader: Reader) -> Body:
    """The same for a page: the chain's links, and beside them what came of them; raises Unanswerable where there is no such
    thing. Blocks on the store."""
    found = _chain(id, reads)
    if found is None:
        raise Unanswerable(Trouble(404, "web.not_found", {"id": id}))
    body: Body = as_json(found, Names(reads.settings(), reader).tell)
    links = list(zip(found.links, body["links"], strict=True))
    return {
        "why": body,
        "chain": [(link, shown) for link, shown in links if not link.beside],
        "came_of": [(link, shown) for link, shown in links if link.beside],
    }


def _chain(id: str, reads: Reads) -> Why | None:
    settings = reads.settings()

    def not_told(incident: Incident, subkind: str) -> Sequence[tuple[str, Say]]:
        return _left_out(incident, subkind, settings, reads.ledger)

    try:
        return explain(id, reads.ledger.get, lambda incident: reads.dues(incident=incident), not_told)
    except NotFound:
        return None


def _left_out(incident: Incident, subkind: str, settings: Settings, ledger: Ledger) -> list[tuple[str, Say]]:
    """Customers who got no notice of this subkind, by today's map; whoever has one got it, whatever the map says now."""
    if subkind not in set(Subkind):
        return []
    messages = ledger.find("message", incident=incident.id, limit=MOST)
    wrote_to = {m.to for m in messages if isinstance(m, Message) and m.subkind == subkind}
    return [(left.customer, left.why) for left in who(incident, subkind, settings).not_told if left.customer not in wrote_to]
