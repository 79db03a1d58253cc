"""What things are called on a page: people read names, the files keep ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from markupsafe import Markup, escape

from forewarn.core.reader import Reader
from forewarn.model.incident import Incident
from forewarn.model.playbook import Playbook
from forewarn.model.settings import Settings
from forewarn.model.text import Fact, Say, harmless

COMMANDS = "repair.breaker"
"""Sentences that name a command to type: what it needs is the id."""
TYPED = re.compile(r"`([^`]+)`")
ID = re.compile(r"\b(INC|F|M|R|D)-\d+\b")


class Names:
    """For one reader: each answers the name of an id, or the id where nothing has it any more."""

    def __init__(self, settings: Settings, reader: Reader) -> None:
        self._settings, self.reader = settings, reader
        self._facts: Mapping[str, Callable[[str], str]] = {
            "service": self.service,
            "customer": self.customer,
            "playbook": self.playbook,
            "who": self.recipient,
            "owner": self.recipient,
            "to": self.recipient,
        }

    def service(self, name: str) -> str:
        found = self._settings.services.get(name)
        return found.called(self.reader.language) if found else name

    def customer(self, name: str) -> str:
        found = self._settings.customers.get(name)
        return found.title if found else name

    def recipient(self, name: str) -> str:
        """A customer's or a person's name."""
        person = self._settings.people.get(name)
        return person.title if person else self.customer(name)

    def listed(self, people: Iterable[str]) -> str:
        return self.reader.listed(map(self.recipient, people))

    def playbook(self, name: str) -> str:
        found = self._settings.playbooks.get(name)
        return _titled(found, self.reader.language) if found else name

    def title(self, incident: Incident) -> str:
        """What the trouble is called, with the service's name in the reader's language."""
        return self.tell(incident.title)

    def tell(self, what: Say) -> str:
        """A sentence with the names of what it names by id."""
        if what.key.startswith(COMMANDS):
            return self.reader.tell(what)
        return self.reader.tell(Say(what.key, {fact: self._called(fact, value) for fact, value in what.facts.items()}))

    def _called(self, fact: str, value: Fact) -> Fact:
        called = self._facts.get(fact)
        if called is None or not isinstance(value, str):
            return value
        return ", ".join(called(one) for one in value.split(", "))


def _titled(playbook: Playbook, language: str) -> str:
    return playbook.title.get(language) or next(iter(playbook.title.values()), playbook.name)


def linked(text: str) -> Markup:
    """The text with each id in it as a link to what it came from; everything else stays text."""
    return Markup(ID.sub(_link, str(escape(harmless(text)))))  # noqa: S704 - escaped right here


def typed(text: str) -> Markup:
    """The text with what stands between `backticks`, which is to be typed, set apart; everything else stays text."""
    return Markup(TYPED.sub(r"<code>\1</code>", str(escape(harmless(text)))))  # noqa: S704 - escaped right here


def _link(found: re.Match[str]) -> str:
    path = f"/i/{found[0]}" if found[1] == "INC" else f"/why/{found[0]}"
    return f'<a href="{path}">{found[0]}</a>'
