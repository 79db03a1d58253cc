"""What goes wrong at the door, in words: one trouble, shown as JSON to programs and as a page to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forewarn.model.errors import NotFound, Refused
from forewarn.model.text import Fact, Say


@dataclass(frozen=True, slots=True)
class Trouble:
    """A request that can't be answered as asked: HTTP status, catalogue key, facts."""

    status: int
    key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

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
