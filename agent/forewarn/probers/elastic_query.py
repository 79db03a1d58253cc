"""Bodies of requests, and what answers say: pure, so that recorded answers can be read everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from forewarn.model.series import Column, Labels
from forewarn.probers.elastic import ElasticOptions, Measure, dsl
from forewarn.probers.elastic_kql import Dsl

LABEL_LENGTH = 128
LINE_LENGTH = 500
ENTITIES = "entities"
PAGES_OF_ENTITIES = 20
ENTITIES_A_PAGE = 500
ALL_AT_LEAST_ZERO = ("count", "distinct", "sum")
"""Measures that no document makes 0; the others are then unknown."""


@dataclass(frozen=True, slots=True)
class Doc:
    """A document that matched. `held` are the values that are watched for changes, in the order of the options."""

    id: str
    at_s: float
    labels: Labels
    held: tuple[str | None, ...]
    line: str


def condition(options: ElasticOptions, from_s: float, until_s: float) -> Dsl:
    """What is looked for, of the time from_s <= t < until_s."""
    span = {"gte": ms(from_s), "lt": ms(until_s), "format": "epoch_millis"}
    filters: list[Dsl] = [{"range": {options.time_field: span}}]
    wanted = dsl(options.query, options.language)
    filters += [wanted] if wanted else []
    filters += [{"terms": {field: list(values)}} for field, values in options.any_of.items()]
    filters += [{"exists": {"field": field}} for field in options.none_of]
    without = [{"terms": {field: list(values)}} for field, values in options.none_of.items()]
    return {"bool": {"filter": filters, **({"must_not": without} if without else {})}}


def page(options: ElasticOptions, query: Dsl, size: int, after: Sequence[Any] | None) -> dict[str, Any]:
    """The search for one page of documents, in the order of time."""
    order = {"order": "asc", "numeric_type": "date", "format": "epoch_millis", "unmapped_type": "date"}
    fields = [*dict.fromkeys([*(field for _, field in options.labels), *options.changes.values(), options.message])]
    body = {
        "query": query,
        "sort": [{options.time_field: order}, {"_shard_doc": "asc"}],
        "size": size,
        "source": False,
        "fields": fields,
        "track_total_hits": False,
    }
    return {**body, "search_after": list(after)} if after else body


def docs(options: ElasticOptions, answer: Mapping[str, Any]) -> tuple[list[Doc], list[Any] | None]:
    """The documents of a page, and where the next begins; raises KeyError, TypeError or ValueError on what is no such answer."""
    found = [_doc(options, hit) for hit in answer["hits"]["hits"]]
    last = answer["hits"]["hits"][-1]["sort"] if found else None
    return found, last


def _doc(options: ElasticOptions, hit: Mapping[str, Any]) -> Doc:
    fields: Mapping[str, Any] = hit.get("fields") or {}
    at_s = float(hit["sort"][0]) / 1000
    said = _first(fields, options.message) or f"{hit['_index']}/{hit['_id']}"
    at = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Doc(
        id=f"{hit['_index']}/{hit['_id']}",
        at_s=at_s,
        labels=tuple((label, (_first(fields, field) or "")[:LABEL_LENGTH]) for label, field in options.labels),
        held=tuple(_first(fields, field) for field in options.changes.values()),
        line=f"{at} {said}"[: 4 * LINE_LENGTH],
    )


def _first(fields: Mapping[str, Any], name: str) -> str | None:
    """The first value of a field as a text; None where it has none."""
    found = fields.get(name)
    if not found:
        return None
    value = found[0] if isinstance(found, list) else found
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- figures that Elasticsearch computes ------------------------------------------------------------------------------


def figures(options: ElasticOptions, query: Dsl, after: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The search for `values`, for each set of labels when there are any."""
    inner = {name: made for name, one in options.values.items() if (made := _aggregation(options, one))}
    if not options.labels:
        return {"query": query, "size": 0, "track_total_hits": True, "aggs": inner}
    return {"query": query, "size": 0, "track_total_hits": False, "aggs": {ENTITIES: entities(options, inner, after)}}


def entities(options: ElasticOptions, inner: Dsl, after: Mapping[str, Any] | None) -> Dsl:
    """All sets of labels, page by page."""
    sources = [{label: {"terms": {"field": field}}} for label, field in options.labels]
    composite: Dsl = {"size": ENTITIES_A_PAGE, "sources": sources, **({"after": dict(after)} if after else {})}
    return {"composite": composite, **({"aggs": inner} if inner else {})}


def _aggregation(options: ElasticOptions, one: Measure) -> Dsl | None:
    what = one.what
    field = getattr(one, what)
    if what == "count":
        return None
    if what == "share":
        return {"filter": dsl(field, options.language)}
    if what == "distinct":
        return {"cardinality": {"field": field}}
    if what.startswith("p"):
        return {"percentiles": {"field": field, "percents": [float(what[1:])]}}
    return {what: {"field": field}}


def read_figures(options: ElasticOptions, bucket: Mapping[str, Any], n: int, labels: Labels) -> Iterator[tuple[Column, float]]:
    """The values of one bucket with `n` documents; those that are not known are left out."""
    for name, one in options.values.items():
        value = _figure(one, bucket.get(name) or {}, n)
        if value is not None:
            yield (name, labels), value * one.scale


def _figure(one: Measure, answer: Mapping[str, Any], n: int) -> float | None:
    what = one.what
    if what not in ALL_AT_LEAST_ZERO and n < one.least:
        return None
    if what == "count":
        return float(n)
    if what == "share":
        return float(answer["doc_count"]) / n
    if what.startswith("p"):
        value = next(iter(answer["values"].values()), None)
    else:
        value = answer.get("value")
    return None if value is None else float(value)


def labels_of(options: ElasticOptions, key: Mapping[str, Any]) -> Labels:
    """The labels of a bucket."""
    return tuple((label, _text(key.get(label))) for label, _ in options.labels)


def _text(value: object) -> str:
    return "" if value is None else (str(value).lower() if isinstance(value, bool) else str(value))[:LABEL_LENGTH]


def ms(at_s: float) -> int:
    return round(at_s * 1000)
