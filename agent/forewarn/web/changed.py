"""POST /api/v1/changes: what a pipeline or a person changed, in the words of their own tools."""

from __future__ import annotations

from typing import Any

from forewarn.web.said import Trouble, Unanswerable

FIELDS = ("what", "text", "who", "service", "host", "at", "key")


def words_of(given: dict[str, Any]) -> tuple[str, ...]:
    """The words of the command `changed`; raises Unanswerable naming a field that is missing, unknown or no text."""
    for field, value in given.items():
        if field not in FIELDS:
            raise Unanswerable(Trouble(400, "web.change_field", {"field": field, "fields": ", ".join(FIELDS)}))
        if not isinstance(value, str | None):
            raise Unanswerable(Trouble(400, "web.field", {"field": field}))
    for field in ("text", "who"):
        if not (given.get(field) or "").strip():
            raise Unanswerable(Trouble(400, "web.field", {"field": field}))
    return tuple(given.get(field) or "" for field in ("what", "service", "host", "at", "key"))
