"""Spelling of words for SQLite's full-text index, so that two Chinese signs are found as well as an English word.

FTS5's own tokenizers take a run of Han signs for one word, or (trigram) find nothing shorter than three signs; most Chinese
words have two. So a run is spelled as its overlapping pairs and its last sign, 客户甲 -> 客户 户甲 甲, and asked for the same
way: two or more signs as the phrase of their pairs, one sign as the beginning of a pair. All else is left to `unicode61`,
which parts words at punctuation and writes them small.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_HAN}]+")
_PART = re.compile(f"[{_HAN}]+|[^{_HAN}]+")
MOST_PARTS = 16
"""Words of one question; more narrow it no further that anybody would notice."""


def spelled(text: str) -> str:
    """A text as it stands in the index."""
    return _RUN.sub(lambda run: f" {' '.join([*_pairs(run[0]), run[0][-1]])} ", text)


def asked(text: str) -> str | None:
    """The FTS5 query for a question: every word of it must occur, the last part of each may go on. None: nothing to ask for."""
    parts = [query for word in text.split() for part in _PART.findall(word) if (query := _query(part))]
    return " ".join(parts[:MOST_PARTS]) or None


def _query(part: str) -> str | None:
    if _RUN.match(part):
        return f'"{" ".join(_pairs(part))}"' if len(part) > 1 else f'"{part}"*'
    # quotes would end the phrase; what is neither a letter nor a figure is no token
    words = "".join(sign if sign.isalnum() else " " for sign in part).split()
    return f'"{" ".join(words)}"*' if words else None


def _pairs(run: str) -> Iterator[str]:
    return (run[at : at + 2] for at in range(len(run) - 1))
