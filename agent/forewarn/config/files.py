"""YAML as people write it, with the line of every key and value.

Read by YAML 1.2's core rules: `on`, `no` and `22:00` are texts, `0123` is 123, `0o17` and `0x1f` are numbers. libyaml's
scanner does the reading; values are built here from its events, since building recursively in C crashes the process on
`[[[[...`. Keys are always texts, as written. A file that can't be read gives problems, never an exception.

Source: https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from forewarn.config.yaml_words import DEEPEST, TOO_DEEP, in_plain_words
from forewarn.model.errors import Problem
from forewarn.model.probe import Source

Path = tuple[str | int, ...]

LARGEST = 1024 * 1024  # bytes of one file
MOST = 100_000  # values of one file, each use of an anchor counted in full

_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,300}")
_BASE = {"0o": (re.compile(r"0o[0-7]{1,300}"), 8), "0x": (re.compile(r"0x[0-9a-fA-F]{1,300}"), 16)}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TEXT_TAGS = ("tag:yaml.org,2002:str", "!")


@dataclass(frozen=True, slots=True)
class Document:
    """One document of one file. `lines` holds the line of each path; `files` only where paths came from other files.

    `masks` are texts that never appear in an error, with what is shown instead (values that came from the environment).
    """

    file: str
    value: Any
    lines: Mapping[Path, int]
    files: Mapping[Path, str] = field(default_factory=dict)
    masks: tuple[tuple[str, str], ...] = ()

    def at(self, path: Path) -> Source:
        """Where a path was written; for one that was not, where its nearest parent was."""
        while path and path not in self.lines:
            path = path[:-1]
        return Source(self.files.get(path, self.file), self.lines.get(path, 1))

    def masked(self, text: str) -> str:
        for value, name in self.masks:
            text = text.replace(value, name)
        return text

    def under(self, value: Any) -> Document:
        """The same places with another value."""
        return replace(self, value=value)


Place = tuple[Document, Path]
"""A path in a document."""


def path_text(path: Path) -> str:
    """`services.checkout.needs[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def scalar(text: str) -> str | int | float | bool | None:
    """What a plain (unquoted) word means by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if _INT.fullmatch(text):
        return int(text)
    if text[:2] in _BASE:
        form, base = _BASE[text[:2]]
        return int(text[2:], base) if form.fullmatch(text) else text
    if _FLOAT.fullmatch(text):
        return float(text)
    if found := _INFINITE.fullmatch(text):
        return float("nan") if found[3] else float(f"{found[1]}inf")
    return text


class _Stop(Exception):
    """The file can't be read any further."""

    def __init__(self, line: int, what: str, right: str | None = None) -> None:
        super().__init__(what)
        self.line, self.what, self.right = line, what, right


@dataclass(slots=True)
class _Open:
    """A map or list that is being built. `key` is the next value's place; None in a map means a key is next."""

    value: Any
    path: Path
    anchor: str | None
    began: int  # how many values there were when it began
    key: str | int | None = None
    skip: bool = False  # what comes next belongs to a refused key


class _Builder:
    """Builds one document from events."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        self.lines: dict[Path, int] = {}
        self.root: Any = None
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0
        self._takes: Mapping[type, Callable[[Any, int], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._begin,
            yaml.SequenceStartEvent: self._begin,
            yaml.AliasEvent: self._alias,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
        }

    def problem(self, line: int, path: Path, what: str, right: str | None = None) -> None:
        self.problems.append(Problem(self.file, line, path_text(path), what, right))

    def take(self, event: Any) -> None:
        take = self._takes.get(type(event))
        if take is not None:
            take(event, event.start_mark.line + 1)

    def _scalar(self, event: Any, line: int) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and top.key is None:
            self._key(top, event.value, line)
            return
        if event.tag and event.tag not in _TEXT_TAGS:
            raise _Stop(line, f'the tag "{event.tag}" is not taken', "write the value without it")
        value = scalar(event.value) if event.implicit[0] and not event.tag else event.value
        self._grow(1, line)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._put(value, line)

    def _key(self, top: _Open, name: str, line: int) -> None:
        path = (*top.path, name)
        top.key = name
        if name == "<<":
            self.problem(line, top.path, '"<<" is not part of YAML 1.2', "write the keys out")
            top.skip = True
        elif name in top.value:
            before = self.lines[path]
            self.problem(line, path, f'"{name}" is given twice, first in line {before}', "keep one")
            top.skip = True
        else:
            self.lines[path] = line
            top.value[name] = None

    def _begin(self, event: Any, line: int) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and top.key is None:
            raise _Stop(
                line,
                "a key is a map or a list",
                "write key: value with a plain text as the key; quote texts that begin with { or [",
            )
        if event.tag and not event.implicit:
            raise _Stop(line, f'the tag "{event.tag}" is not taken', "write the value without it")
        if len(self._open) >= DEEPEST:
            raise _Stop(line, *TOO_DEEP)
        self._grow(1, line)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._put(value, line)
        self._open.append(_Open(value, path, event.anchor, self._count, 0 if isinstance(value, list) else None))

    def _end(self, event: Any, line: int) -> None:
        done = self._open.pop()
        if done.anchor:
            self._anchors[done.anchor] = (done.value, 1 + self._count - done.began)

    def _alias(self, event: Any, line: int) -> None:
        if event.anchor not in self._anchors:
            raise _Stop(
                line,
                f"*{event.anchor} stands for nothing",
                f"write &{event.anchor} before a value further up, or put the text in quotes",
            )
        value, size = self._anchors[event.anchor]
        top = self._open[-1] if self._open else None
        if top is not None and top.key is None:
            self._key(top, str(value), line)
            return
        self._grow(size, line)
        self._put(value, line)

    def _grow(self, by: int, line: int) -> None:
        self._count += by
        if self._count > MOST:
            raise _Stop(
                line,
                f"there are more than {MOST} values in this file, uses of anchors counted",
                "split it, or write less with anchors",
            )

    def _put(self, value: Any, line: int) -> Path:
        """Set the value in its place; answers its path."""
        if not self._open:
            self.root = value
            self.lines[()] = line
            return ()
        top = self._open[-1]
        key = top.key
        assert key is not None
        path = (*top.path, key, "?") if top.skip else (*top.path, key)  # a refused value leaves the first one's lines alone
        if isinstance(top.value, list):
            top.value.append(value)
            self.lines[path] = line
            top.key = len(top.value)
        else:
            if not top.skip:
                top.value[key] = value
            top.key, top.skip = None, False
        return path


def read(data: bytes, file: str, problems: list[Problem]) -> list[Document]:
    """The documents of one file (empty ones left out). What can't be read goes to `problems`."""
    if len(data) > LARGEST:
        size = f"{len(data) / 1024 / 1024:.1f} MiB"
        problems.append(Problem(file, 1, "", f"the file has {size}; at most {LARGEST // 1024 // 1024} MiB is read", "split it"))
        return []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(Problem(file, line, "", "this is not UTF-8 text", "save the file as UTF-8"))
        return []
    try:
        return list(_documents(text, file, problems))
    except _Stop as stop:
        problems.append(Problem(file, stop.line, "", stop.what, stop.right))
    except yaml.YAMLError as error:
        line, what, right = in_plain_words(error, text)
        problems.append(Problem(file, line, "", what, right))
    return []


def _documents(text: str, file: str, problems: list[Problem]) -> Iterator[Document]:
    parser = CParser(text)
    builder: _Builder | None = None
    while parser.check_event():
        event = parser.get_event()
        if isinstance(event, yaml.DocumentStartEvent):
            builder = _Builder(file, problems)
        elif isinstance(event, yaml.DocumentEndEvent):
            if builder is not None and builder.root is not None:
                yield Document(file, builder.root, builder.lines)
            builder = None
        elif builder is not None:
            builder.take(event)
