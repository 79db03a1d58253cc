"""The catalogue of texts: phrases/en.yaml or phrases/en/*.yaml, flattened; a user's phrase replaces the shipped one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from forewarn.config.files import Document, Path
from forewarn.config.merge import merged
from forewarn.config.problems import Problems, suggestion
from forewarn.config.units import shown

OPEN = ("metric.", "cause.")
"""Sections whose keys end in a metric's name: a user's own metrics are named there."""

_PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")


def catalogue(docs: Sequence[Document], problems: Problems) -> dict[str, str]:
    """`why.threshold` -> text, of all files of one language."""
    doc = merged(docs, problems)
    return {".".join(map(str, path)): text for path, text in _texts(doc, problems)} if doc else {}


def overridden(shipped: Mapping[str, str], docs: Sequence[Document], problems: Problems) -> dict[str, str]:
    """The shipped catalogue with a user's texts over it. Each must be a known phrase, with placeholders of the shipped one."""
    doc = merged(docs, problems)
    result = dict(shipped)
    for path, text in _texts(doc, problems) if doc else ():
        assert doc is not None
        key = ".".join(map(str, path))
        if key not in shipped and key.startswith(OPEN):
            result[key] = text
            continue
        if key not in shipped:
            problems.add(doc, path, f'there is no phrase "{key}"', suggestion(key, shipped, 0))
            continue
        known = set(_PLACE.findall(shipped[key]))
        for name in sorted(set(_PLACE.findall(text)) - known):
            right = f"placeholders: {', '.join(sorted(known))}" if known else "this phrase has no placeholders"
            problems.add(doc, path, f"{{{name}}} is not known here", right)
        result[key] = text
    return result


def _texts(doc: Document, problems: Problems) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    _walk(doc, doc.value, (), found, problems)
    return found


def _walk(doc: Document, value: Any, at: Path, found: list[tuple[Path, str]], problems: Problems) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _walk(doc, item, (*at, key), found, problems)
    elif isinstance(value, str) and at:
        found.append((at, value))
    else:
        problems.add(doc, at, f"{shown(value)} stands where a text belongs", "write it in quotes")
