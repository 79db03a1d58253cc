"""Several documents as one: files of a folder side by side, and a user's file over the shipped one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forewarn.config.files import Document, Path
from forewarn.config.problems import Problems


class _Places:
    """Where each path of the result was written."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.files: dict[Path, str] = {}

    def note(self, doc: Document, taken: Path, to: Path) -> None:
        """The place of `taken` alone."""
        at = doc.at(taken)
        self.lines[to], self.files[to] = at.line, at.file

    def copy(self, doc: Document, taken: Path, to: Path) -> None:
        """The place of `taken` and of everything below it."""
        for path, line in doc.lines.items():
            if path[: len(taken)] == taken:
                place = to + path[len(taken) :]
                self.lines[place], self.files[place] = line, doc.files.get(path, doc.file)

    def document(self, first: Document, value: Any, docs: Sequence[Document]) -> Document:
        return Document(first.file, value, self.lines, self.files, tuple(mask for doc in docs for mask in doc.masks))


def merged(docs: Sequence[Document], problems: Problems) -> Document | None:
    """Files side by side, in order: maps merge, lists append; a scalar given twice is a problem. None when there is none."""
    if len(docs) < 2:
        return docs[0] if docs else None
    places = _Places()
    places.note(docs[0], (), ())
    value: Any = {} if isinstance(docs[0].value, dict) else []
    for doc in docs:
        if type(doc.value) is not type(value):
            problems.add(doc, (), "this file holds another shape than the ones before it", "write keys in all of them")
            continue
        _side_by_side(value, doc, doc.value, (), (), places, problems)
    return places.document(docs[0], value, docs)


def _side_by_side(into: Any, doc: Document, value: Any, at: Path, to: Path, places: _Places, problems: Problems) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            places.copy(doc, (*at, index), (*to, len(into)))
            into.append(item)
        return
    for key, item in value.items():
        here, there = (*at, key), (*to, key)
        if key not in into:
            into[key] = type(item)() if isinstance(item, dict | list) else item
            places.note(doc, here, there)
            if not isinstance(item, dict | list):
                continue
        elif type(into[key]) is not type(item) or not isinstance(item, dict | list):
            first = f"{places.files[there]}:{places.lines[there]}"
            problems.add(doc, here, f'"{key}" is given in {first} already', "keep one")
            continue
        _side_by_side(into[key], doc, item, here, there, places, problems)


def overlaid(base: Document, over: Document) -> Document:
    """`over` on top of `base`, key by key: maps merge, all else replaces, and nothing (`key:` or `key: null`) takes away."""
    places = _Places()
    places.copy(base, (), ())
    value = _on_top(base.value, over, (), places) if isinstance(over.value, dict) else over.value
    places.lines[()], places.files[()] = over.lines.get((), 1), over.file
    return places.document(over, value, (base, over))


def _on_top(base: Any, over: Document, at: Path, places: _Places) -> dict[str, Any]:
    given = over.value
    for part in at:
        given = given[part]
    result = dict(base)
    for key, item in given.items():
        path = (*at, key)
        if isinstance(item, dict) and isinstance(base.get(key), dict):
            result[key] = _on_top(base[key], over, path, places)
            places.lines[path], places.files[path] = over.lines.get(path, 1), over.files.get(path, over.file)
            continue
        result.pop(key, None)
        if item is not None or key not in base:
            result[key] = item
        places.copy(over, path, path)
    return result
