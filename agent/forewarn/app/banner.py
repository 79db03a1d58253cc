"""What a start says: what it can see, in one line what it can't and why, and where the console is. Nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from forewarn.core.tell.words import render
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say
from forewarn.ports import ProbeView


def lines(views: Iterable[ProbeView], settings: Settings, address: str, link: str | None, state: str) -> list[str]:
    """The lines of a start, in the daemon's language."""
    views = list(views)
    known = {"version": settings.id, "state": state}
    said = [
        say("cli.run.sees", probes=_seen(views), **known),
        *([say("cli.run.blind", what=blind)] if (blind := _blind(views)) else []),
        say("cli.run.console", address=address, link=link) if link else say("cli.run.console_plain", address=address),
        say("cli.run.state", state=state, config=settings.folder, id=settings.id),
    ]
    return [_words(one, settings) for one in said]


def _words(what: Say, settings: Settings) -> str:
    catalogue = settings.phrases.get(settings.daemon.language) or settings.phrases["en"]
    return render(what, catalogue, settings.daemon.zone, settings.loaded_at)


def _seen(views: list[ProbeView]) -> str:
    """`host (14 series), self (6 series)`: probes that have something to show."""
    counts = {view.probe.name: sum(len(target.series) for target in view.targets if target.outcome != "unknown") for view in views}
    return ", ".join(f"{name} ({count})" for name, count in counts.items() if count) or "-"


def _blind(views: list[ProbeView]) -> str:
    """One line for all that can't be seen, each with its reason."""
    said = []
    for view in views:
        reasons = dict.fromkeys(t.detail or t.reason or "no answer yet" for t in view.targets if t.outcome == "unknown")
        if reasons:
            said.append(f"{view.probe.name} ({'; '.join(reasons)})")
    return ", ".join(said)
