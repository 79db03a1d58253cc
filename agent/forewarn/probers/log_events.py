"""From the bytes of a file to a block that can be searched: valid UTF-8, plain newlines, lines that belong together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from forewarn.probers.log import LogOptions
from forewarn.probers.patterns import searcher

MOST_LINES = 500
"""Lines of one event; what is longer goes on as another."""

_HEADS = re.compile(
    rb"^(?![ \t}\])]|Caused by:|Suppressed:|Traceback |During handling|The above exception|\.\.\. |at |$)", re.MULTILINE
)
"""Lines that begin an event where indented ones do not: neither the joints of a stack trace (Java, Python, .NET) nor empty ones,
nor the brackets that close something."""
_PYTHON = re.compile(rb"^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning)(?::|$)")
"""The last line of a Python trace stands at the margin."""


@dataclass(frozen=True)
class Form:
    """How the bytes of a probe's files are read."""

    encoding: str = "utf-8"
    starts: Callable[[bytes], list[int]] | None = None
    """Where events begin in a block of UTF-8, the first at 0; None: each line is one."""

    @staticmethod
    def of(options: LogOptions) -> Form:
        if options.events is None:
            return Form(options.encoding)
        if options.events.begin is None:
            return Form(options.encoding, indented)
        search = searcher(options.events.begin)
        return Form(options.encoding, lambda block: _bounded(block, lambda line: search(line) is not None))

    def text(self, block: bytes) -> bytes:
        """As UTF-8; what is no character becomes one that says so. There are as many lines as before."""
        if not block.isascii():
            block = _utf8(block, self.encoding)
        while b"\r" in block and b"\r\n" in block:  # looking for one byte is ten times quicker
            block = block.replace(b"\r\n", b"\n")
        return block


def _utf8(block: bytes, encoding: str) -> bytes:
    text = block.decode(encoding, "replace").encode()
    if text.count(b"\n") == block.count(b"\n"):
        return text
    return b"\n".join(line.decode(encoding, "replace").replace("\n", "\ufffd").encode() for line in block.split(b"\n"))


def indented(block: bytes) -> list[int]:
    """Stack traces and whatever else is indented belong to the line before."""
    heads = {found.start() for found in _HEADS.finditer(block)}

    def begins(at: int, before: int, line: bytes) -> bool:
        in_trace = before >= 0 and block[before : before + 1] in (b" ", b"\t")
        return at in heads and not (in_trace and _PYTHON.match(line))

    return _folded(block, begins)


def _bounded(block: bytes, is_head: Callable[[bytes], bool]) -> list[int]:
    return _folded(block, lambda _at, _before, line: is_head(line))


def _folded(block: bytes, begins: Callable[[int, int, bytes], bool]) -> list[int]:
    """`begins` is asked of each line: where it stands, where the one before it stands (-1: none), and the line."""
    starts, at, before, lines = [0], 0, -1, 0
    while at < len(block):
        end = block.find(b"\n", at)
        if at and (lines >= MOST_LINES or begins(at, before, block[at:end])):
            starts.append(at)
            lines = 0
        before, at, lines = at, end + 1, lines + 1
    return starts
