"""What a person needs next to a refusal: which ids there are, or who changed the thing meanwhile, and what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from forewarn.cli.client import Client, Stop

MISSING = ("web.not_found", "refused.not_found")
CHANGED = "refused.version"
OPEN = "ahead,open,acknowledged,mitigated,resolved"
MOST = 8
"""Ids or lines that are shown: what one takes in at a glance."""


def helped(what: Callable[[], int], client: Client, id: str) -> int:
    """Run `what`; a Stop about a missing or changed thing says in addition what there is, or who changed it."""
    from forewarn.cli.client import Stop

    try:
        return what()
    except Stop as stop:
        more = _more(client, id, stop)
        raise Stop("\n".join([stop.text, *more]), stop.code, stop.key) from stop


def _more(client: Client, id: str, stop: Stop) -> list[str]:
    if stop.key in MISSING:
        return _known(client, id)
    return _changes(client, id) if stop.key == CHANGED else []


def _known(client: Client, id: str) -> list[str]:
    """Those that the id may have been meant for, newest first."""
    screen, ids = client.screen, []
    if id.upper().startswith("M"):
        ids = [it["id"] for it in client.get("messages", limit=MOST)["items"]]
        return [screen.t("cli.mistake.messages", known=screen.listed(ids))] if ids else []
    found = client.all("incidents", state=OPEN)
    if not found:
        return [screen.t("cli.mistake.no_incidents")]
    shown = [f"{it['id']} ({screen.t('state.' + it['state'])})" for it in found[:MOST]]
    return [screen.t("cli.mistake.incidents", known=screen.listed(shown))]


def _changes(client: Client, id: str) -> list[str]:
    """The latest lines of the story that people wrote about it."""
    from forewarn.cli.screen import at

    screen = client.screen
    message: dict[str, Any] | None = client.get(f"messages/{id}") if id.upper().startswith("M") else None
    incident = message["incident"] if message else id
    story = client.get(f"incidents/{incident}/timeline")["items"] if incident else []
    about = [line for line in story if line["by"] != "forewarn" and (message is None or id in line["refs"])]
    client.use_zone()
    version = (message or client.get(f"incidents/{id}"))["version"]
    lines = [screen.t("cli.mistake.change", at=at(it["at"]), who=it["by"], what=it["what"]) for it in about[-MOST:]]
    return [*lines, screen.t("cli.mistake.version", id=id, version=version)]
