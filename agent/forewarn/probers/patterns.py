"""Regular expressions that people write: RE2, whose time is linear in the text, whatever the pattern.

Source: R. Cox 2007-2010, "Regular Expression Matching Can Be Simple And Fast"; syntax https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

LONGEST = 2000  # characters of one pattern

_REFUSED = (
    (
        re.compile(r"(?<!\\)\(\?<?[=!]"),
        "look-around is not taken, since it can't be matched in bounded time",
        "match the wanted text itself, and put what must not be there under `unless`",
    ),
    (
        re.compile(r"(?<!\\)\\[1-9]|\(\?P=\w+\)"),
        "back-references are not taken, since they can't be matched in bounded time",
        "write the repeated text out, or capture both places as two groups",
    ),
    (
        re.compile(r"(?<!\\)\(\?>|(?<!\\)[*+?}]\+"),
        "atomic groups and possessive repeats are not taken",
        "write the plain repeat; nothing backtracks here",
    ),
    (re.compile(r"(?<!\\)\\Z"), "\\Z is not known", "write \\z for the end of the text"),
)


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Any:
    """The compiled pattern; raises ValueError that names the pattern, what is wrong and what would be right."""
    import re2

    if len(text) > LONGEST:
        raise ValueError(f"the pattern has {len(text)} characters; write at most {LONGEST}, or several patterns")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise ValueError(_explain(text, error)) from None


def searcher(text: str) -> Callable[[bytes], Sequence[tuple[int, int]] | None]:
    """Answers where the whole match and each group of a pattern stand in some bytes of UTF-8, (-1, -1) for a group that took no
    part; None where there is no match. Raises ValueError as `compile_pattern` does."""
    import re2

    pattern = compile_pattern(text)
    direct = getattr(getattr(pattern, "_regexp", None), "Match", None)
    anchor = getattr(re2, "_Anchor", None)
    if direct is None or anchor is None:  # another edition of the wrapper
        return lambda given: _spans(pattern.search(given))
    anywhere = anchor.UNANCHORED

    def search(given: bytes) -> Sequence[tuple[int, int]] | None:
        """What the wrapper's own search() does, at a third of its cost: every matching line of a log goes through here."""
        spans: Sequence[tuple[int, int]] = direct(anywhere, given, 0, len(given))
        return None if spans[0][0] < 0 else spans

    return search


def _spans(found: Any) -> Sequence[tuple[int, int]] | None:
    return None if found is None else [found.span(number) for number in range(len(found.groups()) + 1)]


def _explain(text: str, error: Exception) -> str:
    shown = text if len(text) <= 80 else text[:77] + "..."
    for refused, what, right in _REFUSED:
        if refused.search(text):
            return f'"{shown}": {what}; {right}'
    said = error.args[0] if error.args else error
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return f'"{shown}" is not a pattern: {said}; see https://github.com/google/re2/wiki/Syntax'
