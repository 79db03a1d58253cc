"""KQL, as far as it is taken, as Elasticsearch's query DSL.

    query = term { ("and" | "or") term }        "and" binds tighter than "or"; "not" tighter than both
    term  = "not" term | "(" query ")" | FIELD ":" value | FIELD (">" | ">=" | "<" | "<=") word | word
    value = word | "(" value { ("and" | "or") value } ")"
    word  = quoted text | words, in which * stands for any signs and a backslash takes the next sign as it is

What Kibana also knows and is not taken here, nested fields and wildcards in names of fields, is refused with its column.
Source of the meaning: Kibana's documentation of KQL (match for words, match_phrase for quoted text, exists for `field: *`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Dsl = dict[str, Any]
LONGEST = 10_000
DEEPEST = 50

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>>=|<=|[():<>{}])|(?P<word>(?:[^\s"():<>{}\\]|\\.)+)|(?P<bad>\S))""", re.DOTALL
)
_RANGE = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_RESERVED = ("and", "or", "not")
_LUCENE = re.compile(r'([+\-=&|!(){}\[\]^"~?:\\/<>\s])')


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is quoted, sign, word or end; `column` counts from 1."""

    kind: str
    text: str
    column: int

    @property
    def reserved(self) -> str | None:
        """and, or, not; None for any other."""
        low = self.text.lower()
        return low if self.kind == "word" and low in _RESERVED else None


@dataclass(frozen=True, slots=True)
class Word:
    """One value: its words, or a quoted phrase."""

    text: str
    quoted: bool
    column: int

    @property
    def wild(self) -> bool:
        return not self.quoted and re.search(r"(?<!\\)\*", self.text) is not None

    @property
    def plain(self) -> str:
        return re.sub(r"\\(.)", r"\1", self.text, flags=re.DOTALL)


def kql(text: str) -> Dsl:
    """The query as DSL; raises ValueError that names the column and what would be right."""
    if len(text) > LONGEST:
        raise ValueError(f"the query has {len(text)} characters; write at most {LONGEST}")
    if not text.strip():
        raise ValueError("the query is empty; leave it out to take every document")
    reader = _Reader(_tokens(text))
    made = reader.either(0)
    rest = reader.next
    if rest.kind != "end":
        raise _wrong(rest, f'"{rest.text}" is too much', "join two conditions with and / or")
    return made


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(text.rstrip()):
        token = _TOKEN.match(text, at)
        if token is None:
            break
        kind = str(token.lastgroup)
        column = token.start(kind) + 1
        if kind == "bad":
            what = "a quoted text has no end" if token["bad"] == '"' else f'"{token["bad"]}" can\'t stand here'
            raise ValueError(f"column {column}: {what}; put texts with such signs in double quotes")
        found.append(Token(kind, token[kind], column))
        at = token.end()
    return [*found, Token("end", "", len(text.rstrip()) + 1)]


def _wrong(token: Token, what: str, right: str) -> ValueError:
    return ValueError(f"column {token.column}: {what}; {right}")


class _Reader:
    """Reads tokens by the grammar above."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def take(self) -> Token:
        token = self.next
        self._at += token.kind != "end"
        return token

    def took(self, sign: str) -> bool:
        found = self.next.kind == "sign" and self.next.text == sign
        self._at += found
        return found

    def either(self, depth: int) -> Dsl:
        parts = [self.both(depth)]
        while self.next.reserved == "or":
            self.take()
            parts.append(self.both(depth))
        return _any(parts)

    def both(self, depth: int) -> Dsl:
        parts = [self.term(depth)]
        while self.next.reserved == "and":
            self.take()
            parts.append(self.term(depth))
        return _all(parts)

    def term(self, depth: int) -> Dsl:
        if depth > DEEPEST:
            raise _wrong(self.next, "too many parentheses", f"write at most {DEEPEST} levels")
        if self.next.reserved == "not":
            self.take()
            return {"bool": {"must_not": [self.term(depth + 1)]}}
        if self.took("("):
            made = self.either(depth + 1)
            self._close()
            return made
        first = self.word()
        if self.took(":"):
            return self.value(self._field(first), depth)
        if self.next.kind == "sign" and self.next.text in _RANGE:
            op = _RANGE[self.take().text]
            limit = self.word()
            if limit.wild:
                raise ValueError(f"column {limit.column}: a limit can't hold *; write a number, a date or a text")
            return {"range": {self._field(first): {op: limit.plain}}}
        return _anywhere(first)

    def value(self, field: str, depth: int) -> Dsl:
        if self.next.kind == "sign" and self.next.text == "{":
            raise _wrong(self.next, "nested fields are not taken", "write the query as a DSL map with a nested query")
        if not self.took("("):
            return _at(field, self.word())
        made = self._values(field, depth + 1)
        self._close()
        return made

    def _values(self, field: str, depth: int) -> Dsl:
        alternatives = [[self._one(field, depth)]]
        while self.next.reserved in ("and", "or"):
            if self.take().reserved == "and":
                alternatives[-1].append(self._one(field, depth))
            else:
                alternatives.append([self._one(field, depth)])
        return _any([_all(parts) for parts in alternatives])

    def _one(self, field: str, depth: int) -> Dsl:
        if depth > DEEPEST:
            raise _wrong(self.next, "too many parentheses", f"write at most {DEEPEST} levels")
        if self.next.reserved == "not":
            self.take()
            return {"bool": {"must_not": [self._one(field, depth + 1)]}}
        return self.value(field, depth)

    def _close(self) -> None:
        if not self.took(")"):
            raise _wrong(self.next, 'a ")" is missing', "close what was opened")

    def word(self) -> Word:
        token = self.take()
        if token.kind == "quoted":
            return Word(token.text[1:-1], True, token.column)
        if token.kind != "word" or token.reserved:
            shown = f'"{token.text}"' if token.text else "the end"
            raise _wrong(token, f"a field or a value is missing before {shown}", 'write FIELD: VALUE, e.g. level: "ERROR"')
        words = [token.text]
        while self.next.kind == "word" and not self.next.reserved:
            words.append(self.take().text)
        return Word(" ".join(words), False, token.column)

    def _field(self, word: Word) -> str:
        name = word.plain
        if not word.quoted and " " in word.text and "\\ " not in word.text:
            raise ValueError(f'column {word.column}: "{name}" is no field; write and / or between two conditions')
        if word.wild:
            raise ValueError(f'column {word.column}: wildcards in the name of a field ("{name}") are not taken; name each field')
        return name


def _any(parts: list[Dsl]) -> Dsl:
    return parts[0] if len(parts) == 1 else {"bool": {"should": parts, "minimum_should_match": 1}}


def _all(parts: list[Dsl]) -> Dsl:
    return parts[0] if len(parts) == 1 else {"bool": {"filter": parts}}


def _at(field: str, word: Word) -> Dsl:
    """A condition on one field."""
    if not word.quoted and word.text == "*":
        return {"exists": {"field": field}}
    if word.wild:
        return {"query_string": {"fields": [field], "query": _escaped(word.text)}}
    return {"match_phrase" if word.quoted else "match": {field: word.plain}}


def _anywhere(word: Word) -> Dsl:
    """A text in any field."""
    if not word.quoted and word.text == "*":
        return {"match_all": {}}
    if word.wild:
        return {"query_string": {"query": _escaped(word.text)}}
    kind = "phrase" if word.quoted else "best_fields"
    return {"multi_match": {"query": word.plain, "type": kind, "lenient": True}}


def _escaped(text: str) -> str:
    """For query_string: all but * is meant as it stands."""
    parts = re.split(r"(?<!\\)\*", text)
    return "*".join(_LUCENE.sub(r"\\\1", re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)).replace("*", r"\*") for part in parts)
