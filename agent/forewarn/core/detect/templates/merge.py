"""When lines that differ in one word are one template.

Masks find what varies by its looks; this finds what varies by being different each time: names of users, of hosts, of things.
For each place of a line we keep which words stood there while all else was the same. Where enough different ones were seen, the
place varies. How many are enough depends on what stands before it: after a word that names a thing (user, host) three, after
"=" or ":" four, after "from", "to" and the like five, elsewhere six, and at the beginning of a line, where programs write what it is
about, twenty. Words in capitals are mostly states (NEW, RUNNING), of which a program has a fixed few: six at least. A place
that something announces and that also held a masked value needs two.

Two places that always vary together (class A for class B) never differ in one word only. For them all places after such a word
are taken out at once (`frame`): FRAMED different lines in one frame make those places vary that held at least APART words.

How much hangs on each number, on eight labelled systems, is told in docs/logs-templates.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from forewarn.core.detect.templates.mask import STAR

Parts = tuple[str, ...]
"""A masked line, taken apart into words and what lies between them; joined it is the line again."""

MOST_PARTS = 240
"""Of a line; the rest is left out."""
LOOKED_AT = 48
"""Words of a line, from its beginning, of which one may turn out to vary."""
WORDS_KEPT = 24
"""Different words that are kept of a place; by then it has varied long ago, or it never will."""
FIRST, ELSEWHERE, AFTER_PREPOSITION, AFTER_SIGN, AFTER_THING, CAPITALS, WITH_STAR = 20, 6, 5, 4, 3, 6, 2
FRAMED, APART = 6, 3

_GAP = r"[\s=:,;()\[\]{}\"'|<>#!/，。：；（）【】“”、！]+"
_SPLIT = re.compile(rf"({STAR}|{_GAP}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)")
_IS_GAP = re.compile(_GAP)
_THINGS = frozenset([
    "user", "host", "name", "node", "named", "device", "client", "server", "file", "process", "service", "port", "address",
    "domain", "package", "app", "task", "job", "key", "path", "query", "class", "root", "用户", "主机", "设备", "文件", "服务", "进程",
    "客户", "客户端", "节点", "地址", "ユーザー", "ホスト", "사용자", "usuario", "benutzer", "utilisateur",
])  # fmt: skip
_PREPOSITIONS = frozenset([
    "for", "from", "by", "to", "at", "on", "of", "in", "with", "as", "via", "来自", "从", "到", "由", "de", "von", "por", "par",
    "für", "aus",
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word stands: how many different ones must have stood there; whether anything before it announces a value, and
    whether that is a word."""

    enough: int
    announced: bool
    by_word: bool


def apart(masked: str) -> Parts:
    """A masked line as parts."""
    return tuple(part for part in _SPLIT.split(masked) if part)[:MOST_PARTS]


def is_gap(part: str) -> bool:
    return part != STAR and _IS_GAP.fullmatch(part) is not None


def places(parts: Parts) -> dict[int, Place]:
    """Each word of a line that could vary, by its index."""
    found: dict[int, Place] = {}
    before, sign = "", ""
    for at, part in enumerate(parts):
        if is_gap(part):
            sign = part.strip() or sign
            continue
        if len(found) >= LOOKED_AT:
            break
        found[at] = _place(before.lower(), sign)
        before, sign = part, ""
    return found


def _place(before: str, sign: str) -> Place:
    if not before:
        return Place(FIRST, False, False)
    if sign and sign[-1] in "=:：":
        return Place(AFTER_SIGN, True, False)
    if before in _THINGS:
        return Place(AFTER_THING, True, True)
    if before in _PREPOSITIONS:
        return Place(AFTER_PREPOSITION, True, True)
    return Place(ELSEWHERE, False, False)


def varies(words: Collection[str], place: Place) -> bool:
    """Whether a place at which these words have stood, all else being equal, is one that varies."""
    plain = [word for word in words if word != STAR]
    if len(plain) < len(words) and place.announced:
        return len(words) >= WITH_STAR
    return len(words) >= (max(place.enough, CAPITALS) if _mostly_capitals(plain) else place.enough)


def apart_places(lines: Sequence[Parts], hinted: Collection[int]) -> tuple[int, ...]:
    """Of lines that differ at most in their `hinted` words, the places that vary together; none if they don't."""
    if len(lines) < FRAMED:
        return ()
    words = {at: {line[at] for line in lines} for at in hinted}
    return tuple(at for at, seen in words.items() if len(seen) >= APART and not _mostly_capitals(seen))


def with_stars(parts: Parts, at: Collection[int]) -> Parts:
    """The line with the words at these places taken for ones that vary."""
    return tuple(STAR if place in at else part for place, part in enumerate(parts))


def _mostly_capitals(words: Collection[str]) -> bool:
    return 2 * sum(word.isupper() for word in words) > len(words)
