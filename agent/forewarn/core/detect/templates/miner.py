"""Lines to templates, one by one: what a line says without what varies in it.

Three steps, each of which most lines need not go beyond: a line that was seen before but for its digits; masked words
that were seen before in this order; and else the tree, which is a table of masked lines and of places that turned out to vary
(merge.py). The number that a line gets stays; when templates turn out to be one, the younger becomes an alias of the older.
Source of the idea of masks and a tree of fixed depth: He et al. 2017 (Drain, ICWS); of telling variables by how many different
words a place has held: Jiang et al. 2008 (AEL). Everything is bounded: beyond `most` templates new ones are OTHER.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, combinations
from typing import Any

from forewarn.core.detect.templates.mask import SHOWN, STAR, alike, mask_line, mask_word, shown
from forewarn.core.detect.templates.merge import (
    WORDS_KEPT,
    Parts,
    Place,
    apart,
    pairs,
    places,
    varies,
    vary_both,
    with_stars,
)

MOST = 5000
LONGEST = 2000
"""Characters of a line that are looked at."""
WORD = 256
"""Characters of a word; a longer one is data."""
OTHER = 0
"""The template of lines for which there is no room."""
REMEMBERED = 20_000
"""Lines, and words, that are known by heart; when there are more, all are forgotten and learnt anew."""


class Miner:
    """Grows while it is fed, up to `most` templates. Not for two threads at once."""

    def __init__(self, most: int = MOST, remembered: int = REMEMBERED) -> None:
        self._most, self._remembered = most, remembered
        self._lines: dict[str, int] = {}
        self._words: dict[str, str] = {}
        self._masked: dict[str, int] = {}
        self._known: dict[Parts, int] = {}
        self._seen: dict[int, dict[str, int]] = {}  # the words of a place, with the template of each; by `_key`
        self._holes: set[int] = set()
        self._pairs: dict[
            int, list[tuple[str, str, int]]
        ] = {}  # the words of two places, with the template of each; by `_pair_key`
        self._paired: set[int] = set()
        self._parts: list[Parts] = [(SHOWN,)]
        self._alias: list[int] = [OTHER]

    def __len__(self) -> int:
        """Templates that stand for themselves."""
        return sum(number == of for number, of in enumerate(self._alias)) - 1

    def ids(self, lines: Iterable[str]) -> list[int]:
        """The template of each line, as far as is known at that line."""
        known, one = self._lines, self.id_of
        found = []
        for line in lines:
            number = known.get(alike(line))
            found.append(one(line) if number is None else number)
        return found

    def id_of(self, line: str) -> int:
        """The template of a line."""
        same = alike(line)
        number = self._lines.get(same)
        if number is None:
            if len(self._lines) >= self._remembered:
                self._lines.clear()
            number = self._lines[same] = self._by_words(same[:LONGEST])
        return number

    def root(self, number: int) -> int:
        """The template that this one has turned out to be: itself, or an older one."""
        alias = self._alias
        while alias[number] != number:
            alias[number] = alias[alias[number]]
            number = alias[number]
        return number

    def text(self, number: int) -> str:
        """A template as people read it."""
        return shown("".join(self._parts[self.root(number)]))

    def settle(self) -> None:
        """Look at all templates again with what is known now: a line that came before its places were known to vary finds its kin."""
        for parts, number in list(self._known.items()):
            wider = self._generalised(parts)
            if wider != parts:
                self._join(wider, (number,))

    def stored(self, number: int) -> dict[str, Any]:
        """A template and its places that vary by experience, for `restore`; plain values, so that JSON can hold them."""
        parts = self._parts[self.root(number)]
        found, total = places(parts), _total(parts)
        holes = [at for at in found if parts[at] == STAR and _key(total, parts, at) in self._holes]
        stars = [at for at in found if parts[at] == STAR]
        paired = [list(pair) for pair in combinations(stars, 2) if _pair_key(total, parts, pair) in self._paired]
        return {"text": "".join(parts), "holes": holes, "pairs": paired}

    def restore(self, stored: Mapping[str, Any]) -> int:
        """Know a template again. Answers its number, OTHER if it is not one that this code would make."""
        parts = apart(str(stored["text"]))
        found, total = places(parts), _total(parts)
        paired = [(left, right) for left, right in stored.get("pairs", ())]
        if not all(at in found and parts[at] == STAR for at in (*stored["holes"], *chain.from_iterable(paired))):
            return OTHER
        self._holes |= {_key(total, parts, at) for at in stored["holes"]}
        self._paired |= {_pair_key(total, parts, pair) for pair in paired}
        return self._by_parts(parts)

    # --- masked words ---

    def _by_words(self, same: str) -> int:
        text = " ".join([self._words.get(word) or self._word(word) for word in same.split()])
        number = self._masked.get(text)
        if number is None:
            if len(self._masked) >= self._remembered:
                self._masked.clear()
            number = self._masked[text] = self._by_parts(apart(mask_line(text)))
        return number

    def _word(self, word: str) -> str:
        if len(self._words) >= self._remembered:
            self._words.clear()
        masked = self._words[word] = mask_word(word) if len(word) <= WORD else STAR
        return masked

    # --- the tree ---

    def _by_parts(self, parts: Parts) -> int:
        parts = self._generalised(parts)
        known = self._known.get(parts)
        if known is not None:
            return known
        if len(self._parts) > self._most:
            return OTHER
        number = len(self._parts)
        self._parts.append(parts)
        self._alias.append(number)
        self._enter(parts, number)
        return number

    def _generalised(self, parts: Parts) -> Parts:
        """The line with STAR wherever a place is known to vary."""
        found = places(parts)
        while True:
            total = _total(parts)
            at: tuple[int, ...] = next(((at,) for at in found if parts[at] != STAR and _key(total, parts, at) in self._holes), ())
            if not at and self._paired:
                at = next((pair for pair in pairs(parts, found) if _pair_key(total, parts, pair) in self._paired), ())
            if not at:
                return parts
            parts = with_stars(parts, at)

    def _enter(self, parts: Parts, number: int) -> None:
        """Make a masked line known, and look whether one of its places now varies."""
        self._known[parts] = number
        found, total = places(parts), _total(parts)
        fixed = sum(parts[at] != STAR for at in found) - 1
        for at, place in found.items():
            key = _key(total, parts, at)
            seen = self._seen.setdefault(key, {})
            if len(seen) < WORDS_KEPT or parts[at] == STAR:
                seen[parts[at]] = number
            if len(seen) > 1 and key not in self._holes and varies(seen, place, fixed):
                self._holes.add(key)
                self._join(with_stars(parts, (at,)), seen.values())
        self._enter_pairs(parts, found, total, number)

    def _enter_pairs(self, parts: Parts, found: Mapping[int, Place], total: int, number: int) -> None:
        """Look whether two places vary, each independently of the other."""
        for pair in pairs(parts, found):
            key = _pair_key(total, parts, pair)
            seen = self._pairs.get(key, [])
            if key in self._paired or len(seen) >= WORDS_KEPT:
                continue
            if not seen:
                if len(self._pairs) >= self._remembered:
                    self._pairs.clear()
                self._pairs[key] = seen
            seen.append((parts[pair[0]], parts[pair[1]], number))
            if vary_both(seen):
                self._paired.add(key)
                del self._pairs[key]
                self._join(with_stars(parts, pair), [one for _, _, one in seen])

    def _join(self, wider: Parts, numbers: Iterable[int]) -> None:
        """These templates are one, which reads `wider`."""
        known = self._known.get(wider)
        roots = {self.root(one) for one in (*numbers, *(() if known is None else (known,)))}
        oldest = min(roots)
        for root in roots:
            self._alias[root] = oldest
        self._parts[oldest] = wider
        if known is None:
            self._enter(wider, oldest)


def _pair_key(total: int, parts: Parts, pair: tuple[int, int]) -> int:
    """For all that stands around two places."""
    left, right = pair
    less = hash(parts[left]) * (2 * left + 1) ** 3 + hash(parts[right]) * (2 * right + 1) ** 3
    return hash((pair, len(parts), (total - less) & _MASK))


_MASK = (1 << 61) - 1


def _total(parts: Parts) -> int:
    """A number for a line from which that of the line without one word follows at once."""
    return sum(hash(part) * (2 * at + 1) ** 3 for at, part in enumerate(parts)) & _MASK


def _key(total: int, parts: Parts, at: int) -> int:
    """For all that stands around a place: 61 bits, so that two differ, and a thousand times less memory than the words."""
    return hash((at, len(parts), (total - hash(parts[at]) * (2 * at + 1) ** 3) & _MASK))
