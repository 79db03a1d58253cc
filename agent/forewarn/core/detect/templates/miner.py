"""Lines to templates, one by one: what a line says without what varies in it.

Three steps, each of which most lines need not go beyond: a line that was seen before but for its digits; masked words
that were seen before in this order; and else the tree, which is a table of masked lines and of places that turned out to vary
(merge.py). The number that a line gets stays; when templates turn out to be one, the younger becomes an alias of the older.
Source of the idea of masks and a tree of fixed depth: He et al. 2017 (Drain, ICWS); of telling variables by how many different
words a place has held: Jiang et al. 2008 (AEL). Everything is bounded: beyond `most` templates new ones are OTHER.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from forewarn.core.detect.templates.mask import SHOWN, STAR, alike, mask_line, mask_word, shown
from forewarn.core.detect.templates.merge import (
    FRAMED,
    WORDS_KEPT,
    Parts,
    Place,
    apart,
    apart_places,
    places,
    varies,
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
        self._frames: dict[Parts, list[Parts]] = {}
        self._framed: dict[Parts, tuple[int, ...]] = {}
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
        return {"text": "".join(parts), "holes": holes, "framed": list(self._framed.get(_frame(parts, found), ()))}

    def restore(self, stored: Mapping[str, Any]) -> int:
        """Know a template again. Answers its number, OTHER if it is not one that this code would make."""
        parts = apart(str(stored["text"]))
        found, total = places(parts), _total(parts)
        if not all(at in found and parts[at] == STAR for at in (*stored["holes"], *stored["framed"])):
            return OTHER
        self._holes |= {_key(total, parts, at) for at in stored["holes"]}
        if stored["framed"]:
            self._framed[_frame(parts, found)] = tuple(stored["framed"])
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
            wider = with_stars(parts, self._framed.get(_frame(parts, found), ()))
            total = _total(wider)
            at = next((at for at in found if wider[at] != STAR and _key(total, wider, at) in self._holes), None)
            wider = wider if at is None else with_stars(wider, (at,))
            if wider == parts:
                return parts
            parts = wider

    def _enter(self, parts: Parts, number: int) -> None:
        """Make a masked line known, and look whether one of its places now varies."""
        self._known[parts] = number
        found, total = places(parts), _total(parts)
        for at, place in found.items():
            key = _key(total, parts, at)
            seen = self._seen.setdefault(key, {})
            if len(seen) < WORDS_KEPT or parts[at] == STAR:
                seen[parts[at]] = number
            if len(seen) > 1 and key not in self._holes and varies(seen, place):
                self._holes.add(key)
                self._join(with_stars(parts, (at,)), seen.values())
        self._enter_frame(parts, found)

    def _enter_frame(self, parts: Parts, found: Mapping[int, Place]) -> None:
        frame = _frame(parts, found)
        lines = self._frames.setdefault(frame, [])
        if frame in self._framed or len(lines) > 4 * FRAMED:
            return
        lines.append(parts)
        at = apart_places(lines, [at for at, place in found.items() if place.by_word])
        if len(at) > 1:
            self._framed[frame] = at
            for wider in {with_stars(line, at) for line in lines}:
                self._join(wider, [self._known[line] for line in lines if with_stars(line, at) == wider])

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


def _frame(parts: Parts, found: Mapping[int, Place]) -> Parts:
    return with_stars(parts, [at for at, place in found.items() if place.by_word])


_MASK = (1 << 61) - 1


def _total(parts: Parts) -> int:
    """A number for a line from which that of the line without one word follows at once."""
    return sum(hash(part) * (2 * at + 1) ** 3 for at, part in enumerate(parts)) & _MASK


def _key(total: int, parts: Parts, at: int) -> int:
    """For all that stands around a place: 61 bits, so that two differ, and a thousand times less memory than the words."""
    return hash((at, len(parts), (total - hash(parts[at]) * (2 * at + 1) ** 3) & _MASK))
