"""When lines that differ in one word are one template.

Masks find what varies by its looks; this finds what varies by being different each time: names of users, of hosts, of things.
For each place of a line we keep which words stood there while all else was the same. Where enough different ones were seen, the
place varies. How many are enough depends on what stands before it: after a word that names a thing (user, host) three, after
"=" or ":" four, after "from", "to" and the like five, elsewhere six, and at the beginning of a line, where programs write what it is
about, twenty. In quotes it's four, and in a line of which five other words or more stay, four too: nobody writes so many long
sentences that differ in one word. Words in capitals are mostly states (NEW, RUNNING), of which a program has a fixed few: six at least. A place
that something announces and that also held a masked value needs two.

Two places that vary each by itself (class A for class B) seldom differ in one word only. So pairs of places are looked at too:
PAIRED different lines that are equal but for two words make both places vary when PAIR_APART different words stood at each and
PAIR_FIXED words are left to say what the line is about.

How much hangs on each number, on eight labelled systems, is told in docs/logs-templates.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

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
AFTER_QUOTE, OPENED = 4, 6
QUOTES = "'\"`<"
LONG, IN_LONG = 5, 4
PAIRED, PAIR_APART, PAIR_WORDS, PAIR_FIXED = 6, 4, 16, 2

_GAP = r"[\s=:,;()\[\]{}\"'`|<>#!/，。：；（）【】“”、！]+"
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
    """Where a word stands: how many different ones must have stood there, and whether anything before it announces a value."""

    enough: int
    announced: bool


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
    if sign and sign[-1] in QUOTES:
        return Place(AFTER_QUOTE, True)
    if not before:
        return Place(OPENED if sign else FIRST, False)
    if sign and sign[-1] in "=:：":
        return Place(AFTER_SIGN, True)
    if before in _THINGS:
        return Place(AFTER_THING, True)
    if before in _PREPOSITIONS:
        return Place(AFTER_PREPOSITION, True)
    return Place(ELSEWHERE, False)


def varies(words: Collection[str], place: Place, others: int) -> bool:
    """Whether a place at which these words have stood, all else being equal, is one that varies. `others`: words that stay."""
    plain = [word for word in words if word != STAR]
    if len(plain) < len(words) and place.announced:
        return len(words) >= WITH_STAR
    enough = min(place.enough, IN_LONG) if others >= LONG else place.enough
    return len(words) >= (max(enough, CAPITALS) if _mostly_capitals(plain) else enough)


def pairs(parts: Parts, found: Mapping[int, Place]) -> list[tuple[int, int]]:
    """Which two places of a line may both vary: what is left must still say what the line is about."""
    words = [at for at in found if parts[at] != STAR]
    return list(combinations(words, 2)) if 2 + PAIR_FIXED <= len(words) <= PAIR_WORDS else []


def vary_both(seen: Sequence[tuple[str, str, int]]) -> bool:
    """Whether two places vary, at which these words stood together, all else being equal."""
    if len(seen) < PAIRED:
        return False
    sides = ({one[0] for one in seen}, {one[1] for one in seen})
    return all(len(words) >= PAIR_APART and not _mostly_capitals(words) for words in sides)


def with_stars(parts: Parts, at: Collection[int]) -> Parts:
    """The line with the words at these places taken for ones that vary."""
    return tuple(STAR if place in at else part for place, part in enumerate(parts))


def _mostly_capitals(words: Collection[str]) -> bool:
    return 2 * sum(word.isupper() for word in words) > len(words)
