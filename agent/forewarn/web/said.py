"""What can't be answered as asked, in words: one trouble, shown as JSON to programs and as a page to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forewarn.model.errors import NotFound, Refused
from forewarn.model.incident import Incident, TimelineEntry
from forewarn.model.message import Message
from forewarn.model.text import Fact, Say
from forewarn.ports import Ledger


@dataclass(frozen=True, slots=True)
class Missed:
    """What somebody did not know who changed a thing as it was before: its version now, and what has been done to it since."""

    id: str
    version: int
    changes: tuple[TimelineEntry, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A request that can't be answered as asked: HTTP status, catalogue key, facts."""

    status: int
    key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    missed: Missed | None = None

    @property
    def say(self) -> Say:
        return Say(self.key, self.facts)


class Unanswerable(Exception):
    """Carries a Trouble out of a handler."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.key)
        self.trouble = trouble


def of_command(error: Refused | NotFound, id: str | None) -> Trouble:
    """Why a command was not carried out."""
    if isinstance(error, NotFound):
        return Trouble(404, "web.not_found", {"id": id or str(error)})
    return Trouble(404 if error.say.key == "refused.not_found" else 409, error.say.key, error.say.facts)


def missed(ledger: Ledger, id: str, seen: int) -> Missed | None:
    """What has been done to an incident or message since its version `seen`; None for anything else. Blocks on the store."""
    thing = ledger.get(id)
    if not isinstance(thing, Incident | Message):
        return None
    incident = thing.id if isinstance(thing, Incident) else thing.incident
    story = ledger.timeline(incident) if incident else []
    return Missed(id, thing.version, tuple(line for line in story if line.versions.get(id, 0) > seen))
