"""A Say becomes a sentence: the one place where keys and facts meet a language.

The catalogue carries the sentences and also the conventions of its language (`format.*`: clock, dates, names of days and
zones, units), so nothing here knows one. A placeholder is `{name}` or `{name:kind}`; KINDS is the table of kinds.
`render` never raises: what can't be shown shows itself, because a sentence with a hole is worth more at 3 a.m. than none.
`problems` is the strict half: it finds every hole before anybody reads one.

Chinese and Latin script want a space between them, two Chinese words none; which one a fact is written in is known only
here. So the seams between a template and its facts are spaced by what meets there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, tzinfo
from functools import lru_cache

from forewarn.core.tell import figures, when
from forewarn.core.tell.when import Reader
from forewarn.model.text import Fact, Say

PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)(?::([a-z_]+))?\}")
MAX_NESTING = 5

Facts = Mapping[str, Fact]


def render(what: Say, catalogue: Mapping[str, str], zone: tzinfo, now: datetime) -> str:
    """The sentence for a reader with this catalogue and zone at this moment. Never raises.

    An unknown key is shown with its facts; a missing fact shows its placeholder; a fact of None is "unknown".
    """
    return _sentence(what, Reader(catalogue, zone, now), 0)


def _sentence(what: Say, reader: Reader, depth: int) -> str:
    template = reader.catalogue.get(what.key)
    if template is None or depth > MAX_NESTING:
        facts = ", ".join(f"{name}={value}" for name, value in what.facts.items())
        return f"{what.key} ({facts})" if facts else what.key
    out, after_value = "", False
    for text, name, kind in _pieces(template):
        if name:
            out = _seam(out, _value(text, name, kind, what.facts, reader, depth), both_values=after_value)
        else:
            out = _seam(out, text, both_values=False)
        after_value = bool(name)
    return out.strip(" ")


@lru_cache(maxsize=4096)
def _pieces(template: str) -> tuple[tuple[str, str, str], ...]:
    """The template in pieces, taken apart once: a text with "" and "", or a placeholder with its name and kind."""
    found, at = list[tuple[str, str, str]](), 0
    for hole in PLACEHOLDER.finditer(template):
        if hole.start() > at:
            found.append((template[at : hole.start()], "", ""))
        found.append((hole[0], hole[1], hole[2] or "text"))
        at = hole.end()
    if at < len(template):
        found.append((template[at:], "", ""))
    return tuple(found)


def _value(hole: str, name: str, kind: str, facts: Facts, reader: Reader, depth: int) -> str:
    if name not in facts or kind not in KINDS:
        return hole
    value = facts[name]
    if value is None:
        return reader.catalogue.get("format.unknown", "?")
    try:
        return KINDS[kind](value, facts, reader, depth)
    except (TypeError, ValueError, OverflowError, OSError):
        return str(value)


# --- kinds ------------------------------------------------------------------------------------------------------------


def _text(value: str | int | float, facts: Facts, reader: Reader, depth: int) -> str:
    if not isinstance(value, str):
        return figures.plain(value)
    nested = value[1:] if value.startswith("@") else ""
    return _sentence(Say(nested, facts), reader, depth + 1) if nested in reader.catalogue else value


def _key(value: str | int | float, facts: Facts, reader: Reader, depth: int) -> str:
    """A fact that is a key. Without an entry its own name is shown: metric.queue_length -> queue_length."""
    key = str(value)
    return _sentence(Say(key, facts), reader, depth + 1) if key in reader.catalogue else key.partition(".")[2] or key


def _word(value: str | int | float, facts: Facts, reader: Reader, depth: int) -> str:
    """A code word of ours (ok, failed, mail, P1), shown by its entry `word.<it>` or as it is."""
    return reader.catalogue.get(f"word.{value}", str(value))


def _metric(value: str | int | float, facts: Facts, reader: Reader, depth: int) -> str:
    return figures.by_unit(float(value), str(facts.get("unit") or ""), reader.catalogue)


def _end(facts: Facts) -> float | None:
    latest = facts.get("latest")
    return None if latest is None else float(latest)


Kind = Callable[[str | int | float, Facts, Reader, int], str]
KINDS: Mapping[str, Kind] = {
    "text": _text,
    "key": _key,
    "word": _word,
    "metric": _metric,  # by the fact `unit`
    "count": lambda value, facts, reader, depth: figures.count(float(value)),
    "ratio": lambda value, facts, reader, depth: figures.ratio(float(value), reader.catalogue),
    "s": lambda value, facts, reader, depth: figures.latency(float(value), reader.catalogue),
    "span": lambda value, facts, reader, depth: figures.span(float(value), reader.catalogue),
    "bytes": lambda value, facts, reader, depth: figures.size(float(value), reader.catalogue),
    "celsius": lambda value, facts, reader, depth: figures.celsius(float(value), reader.catalogue),
    "time": lambda value, facts, reader, depth: when.time(reader, float(value)),
    "second": lambda value, facts, reader, depth: when.second(reader, float(value)),
    "day": lambda value, facts, reader, depth: when.day(reader, float(value)),
    "moment": lambda value, facts, reader, depth: when.moment(reader, float(value)),
    "zone": lambda value, facts, reader, depth: when.zone(reader, float(value)),
    "date": lambda value, facts, reader, depth: when.full_date(reader, reader.local(float(value))),
    "window": lambda value, facts, reader, depth: when.window(reader, float(value), _end(facts)),  # until the fact `latest`
    "period": lambda value, facts, reader, depth: when.period(reader, float(value), _end(facts)),  # the same, in full
    "dated": lambda value, facts, reader, depth: when.dated(reader, float(value), _end(facts)),  # the window for a title
}


# --- seams ------------------------------------------------------------------------------------------------------------


def _seam(left: str, right: str, both_values: bool) -> str:
    """`left` and `right` with the space between them that their scripts want."""
    if not left or not right:
        return left + right
    a, b = left[-1], right[0]
    if a in PLAIN and b in PLAIN:  # most seams by far are between Latin letters, digits and marks
        return left + " " + right if both_values and _is_latin(a) and _is_latin(b) else left + right
    if (a == " " and b in PLAIN and left[-2:-1] in PLAIN) or (b == " " and a in PLAIN and right[1:2] in PLAIN):
        return left + right
    a, b = left.rstrip(" ")[-1:], right.lstrip(" ")[:1]
    if not a or not b:
        return left + right
    spaced = left.endswith(" ") or right.startswith(" ")
    if spaced and (_is_mark(a) or _is_mark(b) or (_is_han(a) and _is_han(b))):
        return left.rstrip(" ") + right.lstrip(" ")
    mixed = (_is_han(a) and _is_latin(b)) or (_is_latin(a) and _is_han(b))
    return left + " " + right if not spaced and (mixed or (both_values and _is_latin(a) and _is_latin(b))) else left + right


PLAIN = frozenset(map(chr, range(0x21, 0x7F)))


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff"


def _is_mark(char: str) -> bool:
    """Full-width punctuation carries its own space."""
    return "\u3000" <= char <= "\u303f" or "\uff01" <= char <= "\uff65"


def _is_latin(char: str) -> bool:
    return char == "%" or (char.isascii() and char.isalnum())


# --- the strict half --------------------------------------------------------------------------------------------------

_CLOCK = frozenset({"hour", "minute"})
_DATE = frozenset({"weekday", "day", "month"})
FORMATS: Mapping[str, frozenset[str]] = {
    "format.unknown": frozenset(),
    "format.gap": frozenset(),
    "format.list": frozenset(),
    "format.ratio": frozenset({"number"}),
    "format.ms": frozenset({"number"}),
    "format.s": frozenset({"number"}),
    "format.bytes": frozenset({"number", "unit"}),
    "format.celsius": frozenset({"number"}),
    **{f"format.span.{name}": frozenset({"number"}) for name, _ in figures.SPANS},
    "format.span.gap": frozenset(),
    "format.clock": _CLOCK,
    "format.second": _CLOCK | {"second"},
    "format.time": frozenset({"day", "clock"}),
    "format.date": _DATE,
    "format.date_year": _DATE | {"year"},
    "format.moment": frozenset({"date", "clock", "zone"}),
    "format.window": frozenset({"start", "end"}),
    "format.window_start": frozenset({"day", "clock"}),
    "format.window_days": frozenset({"start", "end"}),
    "format.window_from": frozenset({"start"}),
    "format.window_until": frozenset({"end"}),
    "format.dated": frozenset({"window", "zone"}),
    "format.period": frozenset({"start", "end", "date", "zone"}),
    "format.period_days": frozenset({"start", "start_date", "end", "end_date", "zone"}),
    "format.period_from": frozenset({"start", "date", "zone"}),
    "format.period_until": frozenset({"end", "date", "zone"}),
    **{
        f"format.day.{name}": frozenset() for name in ("today", "tomorrow", "yesterday", "evening", "early_today", "early_tomorrow")
    },
    "format.day.weekday": frozenset({"weekday"}),
    "format.day.next_week": frozenset({"weekday"}),
    "format.day.date": frozenset({"day", "month"}),
    "format.day.date_year": frozenset({"day", "month", "year"}),
    **{f"format.weekday.{name}": frozenset() for name in when.WEEKDAYS},
    **{f"format.month.{name}": frozenset() for name in when.MONTHS},
    "format.zone_city": frozenset({"city"}),
    "format.zone_offset": frozenset({"offset"}),
}
"""What a language must bring: its conventions, each with the parts that it is made of."""

MAY_LEAVE_OUT: Mapping[str, frozenset[str]] = {"format.dated": frozenset({"zone"})}
"""Parts that a language may do without: a Chinese title doesn't name the zone, the text below it does."""

OPTIONAL = ("service.", "format.zone.", "cause.", "metric.", "word.")
"""Sections that users extend for themselves, in one language if that is all they need."""


def problems(catalogues: Mapping[str, Mapping[str, str]], strict: bool = True) -> list[str]:
    """Everything wrong with a set of catalogues: keys that one language lacks, placeholders that differ, unknown kinds,
    stray braces, empty sentences, conventions that are missing or made of other parts.

    Not `strict`: sections that users extend (OPTIONAL) may stand in one language only.
    """
    found = [line for language, catalogue in catalogues.items() for line in _own_problems(language, catalogue)]
    for key in sorted(set().union(*catalogues.values())):
        have = {language: catalogue[key] for language, catalogue in catalogues.items() if key in catalogue}
        first = next(iter(have))
        if strict or not key.startswith(OPTIONAL):
            found += [f'{language}: "{key}" is missing; {first} has it' for language in catalogues if language not in have]
        if key not in FORMATS:
            found += [
                f'{language}: "{key}" has the placeholders {_names(text)}, but {first} has {_names(have[first])}'
                for language, text in have.items()
                if _holes(text) != _holes(have[first])
            ]
    return found


def _own_problems(language: str, catalogue: Mapping[str, str]) -> Iterator[str]:
    for key in FORMATS:
        if key not in catalogue:
            yield f'{language}: "{key}" is missing; every language brings its own conventions'
    for key, text in catalogue.items():
        if key in FORMATS:
            if not FORMATS[key] - MAY_LEAVE_OUT.get(key, frozenset()) <= {name for name, _ in _holes(text)} <= FORMATS[key]:
                yield f'{language}: "{key}" is made of {_names(text)}; write it with {sorted(FORMATS[key])}'
            continue
        for name, kind in sorted(_holes(text)):
            if kind not in KINDS:
                yield f'{language}: "{key}" shows {{{name}}} as "{kind}", which is no kind; one of {", ".join(sorted(KINDS))}'
        if set("{}") & set(PLACEHOLDER.sub("", text)):
            yield f'{language}: "{key}" has a brace that is no placeholder; write {{name}} or {{name:kind}}'
        if not text.strip():
            yield f'{language}: "{key}" is empty'


def _holes(text: str) -> set[tuple[str, str]]:
    return {(name, kind or "text") for name, kind in PLACEHOLDER.findall(text)}


def _names(text: str) -> str:
    return "[" + ", ".join(f"{name}:{kind}" for name, kind in sorted(_holes(text))) + "]"
