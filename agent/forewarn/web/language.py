"""Which language a reader gets: `?lang=`, the cookie, Accept-Language, then the daemon's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.requests import HTTPConnection

from forewarn.core.reader import Reader
from forewarn.model.settings import Settings

COOKIE = "forewarn_lang"


def reader_of(connection: HTTPConnection, settings: Settings, now: datetime) -> Reader:
    """Who reads this answer."""
    chosen = (connection.query_params.get("lang"), connection.cookies.get(COOKIE))
    accepted = _accepted(connection.headers.get("accept-language", ""))
    language = choose([*chosen, *accepted], settings.phrases, settings.daemon.language)
    return Reader(language, settings.phrases.get(language, {}), settings.daemon.zone, now)


def choose(wanted: list[str | None], have: Mapping[str, object], default: str) -> str:
    """The first wanted language that there is: zh-CN and zh_CN.UTF-8 are zh."""
    for tag in wanted:
        language = (tag or "").replace("_", "-").partition("-")[0].lower()
        if language in have:
            return language
    return default


def _accepted(header: str) -> list[str]:
    """Tags of Accept-Language, the most wanted first (RFC 9110, 12.5.4)."""
    found = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.partition(";")
        found.append((-_weight(weight), place, tag.strip()))
    return [tag for weight, _, tag in sorted(found) if tag and weight < 0]


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
