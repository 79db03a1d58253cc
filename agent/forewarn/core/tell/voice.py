"""The words for one reader: their language's catalogue, their zone, and a service's own phrases before the general ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from forewarn.core.tell.words import render
from forewarn.model.map import Service
from forewarn.model.settings import Settings
from forewarn.model.text import Fact, Say


@dataclass(frozen=True, slots=True)
class Voice:
    """`services` are asked for an own phrase first, in order: service.<name>.<key>."""

    language: str
    catalogue: Mapping[str, str]
    zone: tzinfo
    now: datetime
    services: tuple[Service, ...] = field(default=())

    def key(self, key: str) -> str:
        own = (f"service.{service.name}.{key}" for service in self.services)
        return next((name for name in own if name in self.catalogue), key)

    def say(self, key: str, facts: Mapping[str, Fact]) -> str:
        """One sentence; its first letter is a capital where the script has any."""
        text = render(Say(self.key(key), facts), self.catalogue, self.zone, self.now)
        return text[:1].upper() + text[1:]

    def tell(self, what: Say) -> str:
        """A stored sentence, with services called as this reader calls them."""
        return render(what, self.catalogue, self.zone, self.now)

    def sentences(self, keys: Iterable[str | None], facts: Mapping[str, Fact]) -> str:
        """Sentences of one paragraph; None is left out."""
        return self.catalogue.get("format.gap", " ").join(self.say(key, facts) for key in keys if key)

    def names(self, services: Iterable[Service], default: str) -> str:
        """The services as this reader calls them; `default` is the key for none."""
        named = [service.called(self.language) for service in services]
        return self.catalogue.get("format.list", ", ").join(named) or self.catalogue.get(default, "")

    def lacks(self, keys: Iterable[str | None]) -> tuple[str, ...]:
        """Keys without words in this catalogue."""
        return tuple(dict.fromkeys(key for key in keys if key and self.key(key) not in self.catalogue))


def voice(language: str, zone: tzinfo, settings: Settings, now: datetime, services: tuple[Service, ...] = ()) -> Voice:
    """The voice in `language`, or in the daemon's own where there is no such catalogue."""
    known = next((name for name in (language, settings.daemon.language, "en") if name in settings.phrases), language)
    return Voice(known, settings.phrases.get(known, {}), zone, now, services)


def localised(what: Say, settings: Settings, language: str) -> Say:
    """`what` with its fact `service` (a service's id) as people of that language call it."""
    name = what.facts.get("service")
    service = settings.services.get(name) if isinstance(name, str) else None
    return Say(what.key, {**what.facts, "service": service.called(language)}) if service else what
