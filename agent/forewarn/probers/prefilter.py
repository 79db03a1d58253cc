"""What Hyperscan looks for in a whole block of lines, made from a pattern: whatever line the pattern matches, this finds it.

Hyperscan tells where a match ends, once for every possible end, and knows nothing of lines. So a pattern is made shorter and
looser, and the pattern itself is run afterwards on the lines that were found:
- what may be left out at either end is left out (`tenant=\\S+` -> `tenant=\\S`): one end instead of one a character. The line in
  which the shorter match ends is the line of the longer one.
- `\\A`, `^` and `\\z`, `$` mean the ends of a line; names, greed and the flags m and U change nothing here and are dropped.
- where the two may differ, every line is tried: `\\p{...}` (other editions of Unicode), `\\C`. Hyperscan's `\\s` also has the
  vertical tab, so that a block which holds one is not given to it.
Source: https://github.com/google/re2/wiki/Syntax and the chapter "Compiling Patterns" of Hyperscan's developer guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])")
_NAME = re.compile(r"\(\?P?<\w+>")
_TIMES = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_ESCAPE = re.compile(r"\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|[0-7]{1,3}|.)", re.DOTALL)
_POSIX = re.compile(r"\[:\^?\w+:\]")
EDGES = frozenset({"^", "$", r"\b", r"\B"})
MOST_COPIES = 64
"""A repeat at an end that must come more often than this stays as it is."""


class Unfit(Exception):
    """A pattern that no prefilter can be made of: it must be tried on every line."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a sequence: `text` or, for a group, `head` and its `branches`; with how often it comes (`most` None: no end)."""

    text: str = ""
    head: str = ""
    branches: tuple[tuple[Piece, ...], ...] | None = None
    least: int = 1
    most: int | None = 1

    def __str__(self) -> str:
        inner = self.text if self.branches is None else f"{self.head}{_joined(self.branches)})"
        if (self.least, self.most) == (1, 1):
            return inner
        if self.most is None and self.least < 2:
            return f"{inner}{'*+'[self.least]}"
        if self.least == self.most:
            return f"{inner}{{{self.least}}}"
        return f"{inner}{{{self.least},{'' if self.most is None else self.most}}}"


def prefilter(pattern: str) -> str:
    """What to give to Hyperscan for an RE2 pattern; raises Unfit where it would find every line, or could miss one."""
    reader = _Reader(pattern)
    branches = reader.branches()
    if reader.at < len(pattern):
        raise Unfit
    branches = tuple(_shortened(branch) for branch in branches)
    if not _consume(branches):
        raise Unfit
    return _joined(branches)


def _consume(branches: tuple[tuple[Piece, ...], ...]) -> bool:
    """Whether no branch can match without taking a character: Hyperscan does not tell of such matches."""
    return all(any(piece.least and not _is_mark(piece) and _consume(piece.branches or ()) for piece in one) for one in branches)


def _is_mark(piece: Piece) -> bool:
    return piece.text in EDGES or _is_flag(piece)


def _joined(branches: tuple[tuple[Piece, ...], ...]) -> str:
    return "|".join("".join(map(str, branch)) for branch in branches)


def _shortened(branch: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Without what may be missing at its ends. Flags that stand alone hold for what follows, so they stay at the front."""
    flags = tuple(piece for piece in branch if _is_flag(piece))
    if flags and branch[: len(flags)] != flags:
        return branch
    return (*flags, *_at_end(_at_front(branch[len(flags) :])))


def _at_end(branch: tuple[Piece, ...]) -> tuple[Piece, ...]:
    while branch:
        last = _least(branch[-1], _at_end)
        if last is not None:
            return (*branch[:-1], last)
        branch = branch[:-1]
    return branch


def _at_front(branch: tuple[Piece, ...]) -> tuple[Piece, ...]:
    while branch:
        first = _least(branch[0], _at_front)
        if first is not None:
            return (first, *branch[1:])
        branch = branch[1:]
    return branch


def _least(piece: Piece, within: object) -> Piece | None:
    """The least of a piece at an end; None where it may be missing."""
    if piece.text in EDGES:
        return piece
    if piece.least == 0:
        return None
    if piece.least <= MOST_COPIES:
        piece = replace(piece, most=piece.least)
    if piece.branches is None or piece.least > 1 or any(_is_flag(one) for branch in piece.branches for one in branch):
        return piece
    inner = tuple(within(branch) for branch in piece.branches)  # type: ignore[operator]
    return replace(piece, branches=inner) if all(inner) else None


def _is_flag(piece: Piece) -> bool:
    return piece.branches is None and piece.text.startswith("(?")


class _Reader:
    """Reads RE2's syntax, which RE2 has accepted before."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def branches(self) -> tuple[tuple[Piece, ...], ...]:
        found = [self._sequence()]
        while self._next() == "|":
            self.at += 1
            found.append(self._sequence())
        return tuple(found)

    def _next(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _sequence(self) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        while self._next() not in ("", "|", ")"):
            pieces += self._quoted() if self.pattern.startswith(r"\Q", self.at) else [self._repeated(self._atom())]
        return tuple(piece for piece in pieces if piece.text or piece.branches is not None)

    def _quoted(self) -> list[Piece]:
        end = self.pattern.find(r"\E", self.at)
        text = self.pattern[self.at + 2 : end if end >= 0 else None]
        self.at = len(self.pattern) if end < 0 else end + 2
        pieces = [Piece(re.escape(sign)) for sign in text]
        return [*pieces[:-1], self._repeated(pieces[-1])] if pieces else []

    def _repeated(self, piece: Piece) -> Piece:
        while True:
            sign, times = self._next(), _TIMES.match(self.pattern, self.at)
            if sign and sign in "*+?":
                least, most = (1 if sign == "+" else 0), (1 if sign == "?" else None)
                self.at += 1
            elif times:
                least = int(times[1])
                most = least if not times[2] else int(times[3]) if times[3] else None
                self.at = times.end()
            else:
                return piece
            if self._next() == "?":  # as few as possible: the same lines
                self.at += 1
            if (piece.least, piece.most) != (1, 1) or piece.text in EDGES:
                raise Unfit  # x** and the like
            piece = replace(piece, least=least, most=most)

    def _atom(self) -> Piece:
        sign = self._next()
        if sign == "(":
            return self._group()
        if sign == "[":
            return Piece(self._class())
        if sign == "\\":
            return Piece(self._escape())
        self.at += 1
        return Piece(sign if sign in ".^$" else re.escape(sign))

    def _escape(self) -> str:
        found = _ESCAPE.match(self.pattern, self.at)
        if not found or found[0] in (r"\C", r"\E") or found[0][1] in "pP":
            raise Unfit
        self.at = found.end()
        text = {r"\A": "^", r"\z": "$", r"\a": r"\x07", r"\v": r"\x0b"}.get(found[0], found[0])
        return _octal(text) if text[1:2].isdigit() else text

    def _class(self) -> str:
        at = self.at + 1
        at += self.pattern.startswith("^", at)
        at += self.pattern.startswith("]", at)
        while at < len(self.pattern) and self.pattern[at] != "]":
            posix = _POSIX.match(self.pattern, at)
            escape = _ESCAPE.match(self.pattern, at)
            if escape and (escape[0] in (r"\C", r"\Q", r"\E", r"\v", r"\a") or escape[0][1] in "pP"):
                raise Unfit
            at = posix.end() if posix else escape.end() if escape else at + 1
        text, self.at = self.pattern[self.at : at + 1], at + 1
        # `[` and `&&`, `--` inside a class are plain signs for both; a first `]` is, too
        return text

    def _group(self) -> Piece:
        flags, name = _FLAGS.match(self.pattern, self.at), _NAME.match(self.pattern, self.at)
        head = "(?:"
        if flags:
            kept, off = (_only(flags[1]), _only(flags[2] or ""))
            self.at = flags.end()
            written = f"{kept}{'-' + off if off else ''}"
            if flags[3] == ")":
                return Piece(f"(?{written})" if written else "")
            head = f"(?{written}:"
        else:
            self.at = name.end() if name else self.at + 1
        inner = self.branches()
        if self._next() != ")":
            raise Unfit
        self.at += 1
        return Piece(head=head, branches=inner)


def _only(flags: str) -> str:
    if set(flags) - set("imsU"):
        raise Unfit
    return "".join(sign for sign in flags if sign in "is")


def _octal(escape: str) -> str:
    """RE2 reads \\1 to \\7 with further digits as octal; a single digit that is not 0 would be a reference, which it refuses."""
    return f"\\x{int(escape[1:], 8):02x}"
