"""Places in a JSON answer: `$.a.b[0]`, `$['odd key']`, `$.list[-1]`. A small subset on purpose: one path, one value."""

from __future__ import annotations

import re
from typing import Final

Path = tuple[str | int, ...]


class Missing:
    """There is nothing at the path."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing()

_STEP = re.compile(r"""\.([^.\[\]'"\s]+)|\[(-?\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")


def parse_path(text: str) -> Path:
    """The steps of a path; raises ValueError with what would be right."""
    if not text.startswith("$"):
        raise ValueError(f'"{text}" is not a path; write $.{text.lstrip(".")}' if text else "a path is empty; write $.name")
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        step = _STEP.match(text, at)
        if not step:
            raise ValueError(f'"{text}" can\'t be read from "{text[at:]}" on; write $.name, $[0] or $[\'odd name\']')
        name, index, single, double = step.groups()
        steps.append(int(index) if index is not None else next(part for part in (name, single, double) if part is not None))
        at = step.end()
    return tuple(steps)


def find(document: object, path: Path) -> object:
    """The value at `path`, or MISSING."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(document, list) or not -len(document) <= step < len(document):
                return MISSING
            document = document[step]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return MISSING
    return document
