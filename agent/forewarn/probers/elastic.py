"""elasticsearch: what people write for it. Queries are built in elastic_query.py, documents counted in elastic_count.py,
Elasticsearch is asked in elastic_ask.py and followed in elastic_follow.py."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path as File
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from forewarn.probers.elastic_kql import Dsl, kql
from forewarn.probers.http import Basic
from forewarn.probers.options import Options, Span, Texts

METRICS = {
    "matches_total": "documents that matched {by}",
    "late_total": "of them, those that came when their time had been read already",
    "behind_s": "how far reading is behind now",
}
STATS = ("avg", "min", "max", "sum", "p50", "p90", "p95", "p99")
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_URL = re.compile(r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$")
_FINGERPRINT = re.compile(r"^[0-9a-f]{64}$")

Query = Annotated[str | dict[str, Any], WithJsonSchema({"type": ["string", "object"]})]


def _as_fields(value: object) -> object:
    """`user.name.keyword` as {user_name: user.name.keyword}: what a label may be called."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        return value
    return {re.sub(r"\W", "_", str(field).removesuffix(".keyword")).lstrip("0123456789_") or "field": field for field in value}


Fields = Annotated[
    dict[str, str],
    BeforeValidator(_as_fields),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]
Lists = dict[str, tuple[str | int | float | bool, ...]]


class Measure(Options):
    """A figure that Elasticsearch computes over the window; exactly one of them."""

    count: bool | None = Field(default=None, description="how many documents")
    share: Query | None = Field(default=None, description="the share of the documents that also match this")
    distinct: str | None = Field(default=None, description="how many different values a field has")
    avg: str | None = Field(default=None, description="mean of a field")
    min: str | None = Field(default=None, description="smallest value of a field")
    max: str | None = Field(default=None, description="largest value of a field")
    sum: str | None = Field(default=None, description="sum of a field")
    p50: str | None = Field(default=None, description="median of a field")
    p90: str | None = Field(default=None, description="90 % of the values lie below")
    p95: str | None = Field(default=None, description="95 % of the values lie below")
    p99: str | None = Field(default=None, description="99 % of the values lie below")
    scale: float = Field(default=1.0, description="what it is multiplied by, e.g. 0.001 for ms into s")
    least: int = Field(
        default=1, ge=1, description="documents that it takes; with fewer there is no sample (not for count, distinct, sum)"
    )

    @model_validator(mode="after")
    def _one(self) -> Measure:
        given = [name for name in ("count", "share", "distinct", *STATS) if getattr(self, name)]
        if len(given) != 1:
            said = " and ".join(given) + " in one value" if given else "a value without a measure"
            raise ValueError(f"{said}; write one of count: true, share, distinct, {', '.join(STATS)}")
        return self

    @property
    def what(self) -> str:
        """Which of them."""
        return next(name for name in ("count", "share", "distinct", *STATS) if getattr(self, name))


class ElasticOptions(Options):
    """Options of a probe of kind elasticsearch. A target is a cluster: the address of a node, or of several with blanks between."""

    index: Texts = Field(min_length=1, description="indices, aliases or data streams; wildcards allowed")
    time_field: str = Field(default="@timestamp", min_length=1, description="when a document's event happened")
    query: Query | None = Field(
        default=None, description="what to look for: Lucene or KQL as text, or a map of the query DSL; all if left out"
    )
    language: Literal["lucene", "kql"] = Field(default="lucene", description="of queries that are texts")
    any_of: Lists = Field(default={}, description="only documents whose field has one of these values (a blacklist)")
    none_of: Lists = Field(default={}, description="only documents whose field is there and has none of these values (a whitelist)")
    by: Fields = Field(default={}, description="fields whose values become labels, as a list, or label: field")
    changes: dict[str, str] = Field(
        default={}, description="name -> field: counts how often its value changed, for each set of labels"
    )
    values: dict[str, Measure] = Field(default={}, description="series name -> a figure over the window, for each set of labels")
    window: Span = Field(default=300.0, gt=0, description="what `values` are computed over")
    message: str = Field(default="message", description="field that is shown as an example")
    late: Span = Field(default=120.0, ge=0, le=86400, description="how late a document may come and still be counted")
    history: Span = Field(default=0.0, ge=0, description="at first sight: sets of labels of so long ago are known already")
    catch_up: Span = Field(default=86400.0, ge=0, description="after a stop: how much of the past is read at most")
    page: int = Field(default=500, ge=1, le=10_000, description="documents in one answer")
    max_documents: int = Field(default=10_000, ge=100, le=100_000, description="documents read in one run; the next begins at once")
    max_labels: int = Field(default=100, ge=1, le=1000, description='sets of labels at a time; the rest is "other"')
    forget: Span = Field(default=86400.0, ge=60, description="a set of labels that rested so long makes room for a new one")
    api_key_file: File | None = Field(default=None, description="file whose first line is the encoded API key")
    basic: Basic | None = None
    ca_file: File | None = Field(default=None, description="certificates to trust instead of the system's")
    fingerprint: str | None = Field(default=None, description="SHA-256 of the certificate, instead of checking its chain")
    verify: bool = Field(default=True, description="check the certificate's chain and name")

    @field_validator("index")
    @classmethod
    def _index(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for name in given:
            if not name or re.search(r'[\s/\\?"<>|,#]', name) or name.startswith(("_", "+")):
                raise ValueError(f'"{name}" is not an index; write e.g. logs-shop-*')
        return given

    @field_validator("by")
    @classmethod
    def _labels(cls, given: dict[str, str]) -> dict[str, str]:
        for label in given:
            if not re.fullmatch(r"[A-Za-z_]\w*", label):
                raise ValueError(f'"{label}" can\'t name a label; write letters, digits and _, e.g. {{user: user.name}}')
        return given

    @field_validator("changes", "values")
    @classmethod
    def _names(cls, given: dict[str, Any]) -> dict[str, Any]:
        for name in given:
            if not _NAME.match(name):
                raise ValueError(f'"{name}" can\'t name a series; write lower case with _, e.g. errors_ratio')
            if name in METRICS or name == "up":
                raise ValueError(f'"{name}" is measured by the probe itself; choose another name')
        return given

    @field_validator("fingerprint")
    @classmethod
    def _hex(cls, given: str | None) -> str | None:
        plain = given.replace(":", "").lower() if given else None
        if plain is not None and not _FINGERPRINT.match(plain):
            raise ValueError("a fingerprint has 64 hexadecimal digits; take that of openssl x509 -fingerprint -sha256")
        return plain

    @model_validator(mode="after")
    def _together(self) -> ElasticOptions:
        if self.api_key_file and self.basic:
            raise ValueError("api_key_file and basic exclude each other; keep one")
        if self.fingerprint and self.ca_file:
            raise ValueError("fingerprint and ca_file exclude each other; keep one")
        if self.changes and not self.by:
            raise ValueError("changes without by; name whose value it is, e.g. by: [user.name]")
        if len(set(self.by)) != len(self.by):
            raise ValueError("two fields would have one label; write by: {label: field}")
        for given in (self.query, *(one.share for one in self.values.values())):
            dsl(given, self.language)
        return self

    @property
    def own_metrics(self) -> tuple[str, ...]:
        """Series whose names this probe chooses, beside `values`."""
        return tuple(changes_metric(name) for name in self.changes)

    @cached_property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Label and field, by label."""
        return tuple(sorted(self.by.items()))


def changes_metric(name: str) -> str:
    """The series of a watched value: country -> country_changes_total."""
    return f"{name}_changes_total"


def dsl(query: str | dict[str, Any] | None, language: str) -> Dsl | None:
    """A query as people write it, as DSL; raises ValueError that says where it is wrong."""
    if query is None or isinstance(query, dict):
        if query is not None and len(query) != 1:
            raise ValueError("a DSL query is a map with one key; write e.g. {term: {level: ERROR}}")
        return query
    if language == "kql":
        return kql(query)
    if not query.strip():
        raise ValueError("the query is empty; leave it out to take every document")
    _balanced(query)
    return {"query_string": {"query": query}}


def _balanced(query: str) -> None:
    """Find what Elasticsearch would refuse for sure: quotes and parentheses that are not closed."""
    plain = re.sub(r"\\.", "  ", query)
    if plain.count('"') % 2:
        raise ValueError(f'column {plain.rindex(chr(34)) + 1}: a quoted text has no end; close it with "')
    text = re.sub(r'"[^"]*"', lambda found: " " * len(found[0]), plain)
    opened: list[int] = []
    for column, sign in enumerate(text, 1):
        if sign == "(":
            opened.append(column)
        elif sign == ")":
            if not opened:
                raise ValueError(f'column {column}: ")" closes nothing; take it out')
            opened.pop()
    if opened:
        raise ValueError(f'column {opened[-1]}: "(" is not closed; add ")"')


def addresses(target: str) -> tuple[str, ...] | None:
    """The nodes of a target; None where one is not an address."""
    found = tuple(target.replace(",", " ").split())
    return found if found and all(_URL.match(one) for one in found) else None
