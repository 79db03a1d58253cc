"""Jinja's environment for the console's pages: escaping always on, and the catalogue as a function."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from forewarn.core.reader import Reader
from forewarn.model.text import Fact, Say, harmless
from forewarn.web.names import linked, typed


def _shown(value: object) -> object:
    """What a template puts in; what is already markup was made by us."""
    return harmless(value) if type(value) is str else value


@cache
def environment() -> Environment:
    """Made once for the process: templates are compiled on first use and kept."""
    pages = Environment(
        loader=PackageLoader("forewarn.web", "templates"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    pages.filters["linked"] = linked
    pages.filters["typed"] = typed
    return pages


def rendered(pages: Environment, template: str, reader: Reader, shown: Mapping[str, Any]) -> str:
    """A page in the reader's language. Templates say `t(key, fact=...)`; times are datetimes or epoch seconds. `shown` holds
    the reader's `names`. Takes a while for a long page: call it in a thread."""

    def t(key: str, /, **facts: Fact | datetime) -> str:
        return reader.tell(Say(key, {name: _fact(value) for name, value in facts.items()}))

    names = shown["names"]

    def say(what: Say | None) -> str:
        return names.tell(what) if what else ""

    return pages.get_template(template).render(t=t, say=say, word=reader.word, reader=reader, **shown)


def answered(text: str | bytes, reader: Reader, status: int = 200) -> HTMLResponse:
    """A rendered page as an answer."""
    return HTMLResponse(text, status, {"content-language": reader.language, "vary": "Accept-Language, Cookie"})


def _fact(value: Fact | datetime) -> Fact:
    return value.timestamp() if isinstance(value, datetime) else value
