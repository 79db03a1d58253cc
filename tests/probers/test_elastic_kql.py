"""KQL as DSL, and what is refused with its column."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.probers.elastic import ElasticOptions, addresses, dsl
from forewarn.probers.elastic_kql import kql

A, B, C = {"match": {"a": "1"}}, {"match": {"b": "2"}}, {"match": {"c": "3"}}


def any_of(*parts: Any) -> dict[str, Any]:
    return {"bool": {"should": list(parts), "minimum_should_match": 1}}


def all_of(*parts: Any) -> dict[str, Any]:
    return {"bool": {"filter": list(parts)}}


def no(part: Any) -> dict[str, Any]:
    return {"bool": {"must_not": [part]}}


TAKEN = [
    ("a: 1", A),
    ("a:1", A),
    ('a: "one two"', {"match_phrase": {"a": "one two"}}),
    (r'a: "say \"x\""', {"match_phrase": {"a": 'say "x"'}}),
    ("message: quick brown", {"match": {"message": "quick brown"}}),
    ("a: *", {"exists": {"field": "a"}}),
    ("a: web-*", {"query_string": {"fields": ["a"], "query": r"web\-*"}}),
    (r"a: 1\*2*", {"query_string": {"fields": ["a"], "query": r"1\*2*"}}),
    (r"a: x\:y", {"match": {"a": "x:y"}}),
    ("a > 5", {"range": {"a": {"gt": "5"}}}),
    ('a.b >= "2026-01-01"', {"range": {"a.b": {"gte": "2026-01-01"}}}),
    ("a < 5 and a <= 6", all_of({"range": {"a": {"lt": "5"}}}, {"range": {"a": {"lte": "6"}}})),
    ("a:1 and b:2 or c:3", any_of(all_of(A, B), C)),
    ("a:1 or b:2 and c:3", any_of(A, all_of(B, C))),
    ("a:1 AND (b:2 OR c:3)", all_of(A, any_of(B, C))),
    ("not a:1 and b:2", all_of(no(A), B)),
    ("NOT (a:1 or b:2)", no(any_of(A, B))),
    ("a: (1 or 4)", any_of(A, {"match": {"a": "4"}})),
    ("a: (1 and not 4)", all_of(A, no({"match": {"a": "4"}}))),
    ('"in any field"', {"multi_match": {"query": "in any field", "type": "phrase", "lenient": True}}),
    ("error", {"multi_match": {"query": "error", "type": "best_fields", "lenient": True}}),
    ("*", {"match_all": {}}),
    ("用户: 张三", {"match": {"用户": "张三"}}),
]


@pytest.mark.parametrize(("text", "made"), TAKEN)
def test_taken(text: str, made: dict[str, Any]) -> None:
    assert kql(text) == made


REFUSED = [
    ("a: {b: 1}", "column 4: nested fields are not taken; write the query as a DSL map with a nested query"),
    ("a*: 1", 'column 1: wildcards in the name of a field ("a*") are not taken; name each field'),
    ("a:1 b:2", 'column 6: ":" is too much; join two conditions with and / or'),
    ("a b: 1", 'column 1: "a b" is no field; write and / or between two conditions'),
    ("a: ", 'column 3: a field or a value is missing before the end; write FIELD: VALUE, e.g. level: "ERROR"'),
    ("(a: 1", 'column 6: a ")" is missing; close what was opened'),
    ("a: 1)", 'column 5: ")" is too much; join two conditions with and / or'),
    ('a: "x', "column 4: a quoted text has no end; put texts with such signs in double quotes"),
    ("and a: 1", 'column 1: a field or a value is missing before "and"; write FIELD: VALUE, e.g. level: "ERROR"'),
    ("a > 1*", "column 5: a limit can't hold *; write a number, a date or a text"),
    ("  ", "the query is empty; leave it out to take every document"),
    ("(" * 60 + "a: 1" + ")" * 60, "column 52: too many parentheses; write at most 50 levels"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError) as error:
        kql(text)
    assert str(error.value) == said


@given(st.text(alphabet='ab:()<>={}"\\* andortn\n', max_size=40))
def test_whatever_is_written_is_taken_or_refused_in_words(text: str) -> None:
    try:
        made = kql(text)
    except ValueError as error:
        assert ";" in str(error)
    else:
        assert len(made) == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('level:"ERROR', 'column 7: a quoted text has no end; close it with "'),
        ("(a OR (b)", 'column 1: "(" is not closed; add ")"'),
        ("a) OR b", 'column 2: ")" closes nothing; take it out'),
        ({"term": {}, "range": {}}, "a DSL query is a map with one key; write e.g. {term: {level: ERROR}}"),
    ],
)
def test_lucene_and_dsl_that_are_wrong_for_sure(query: Any, said: str) -> None:
    with pytest.raises(ValueError) as error:
        dsl(query, "lucene")
    assert str(error.value) == said


def test_lucene_goes_as_it_is() -> None:
    assert dsl(r'a:"(" AND b:\) ', "lucene") == {"query_string": {"query": r'a:"(" AND b:\) '}}


WRONG = [
    (
        {"index": "x", "api_key_file": "/k", "basic": {"user": "u", "password_file": "/p"}},
        "api_key_file and basic exclude each other",
    ),
    ({"index": "x", "fingerprint": "/k"}, "a fingerprint has 64 hexadecimal digits"),
    ({"index": "x", "fingerprint": "ab" * 32, "ca_file": "/c"}, "fingerprint and ca_file exclude each other"),
    ({"index": "a/b"}, '"a/b" is not an index'),
    ({"index": "x", "changes": {"c": "c"}}, "changes without by"),
    ({"index": "x", "values": {"n": {}}}, "a value without a measure"),
    ({"index": "x", "values": {"n": {"avg": "a", "max": "a"}}}, "avg and max in one value"),
    ({"index": "x", "values": {"matches_total": {"count": True}}}, "is measured by the probe itself"),
    ({"index": "x", "values": {"r": {"share": "a:("}}}, "column 3"),
    ({"index": "x", "language": "kql", "query": "a:(b"}, "column 5"),
    ({"index": "x", "window": "5 minutes"}, '"5 minutes" is not a duration; write 30s, 5m or 1d'),
    ({"index": "x", "by": {"a-b": "c"}}, "can't name a label"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_options_that_do_not_fit(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        ElasticOptions.model_validate(options)


def test_labels_are_named_after_fields() -> None:
    options = ElasticOptions.model_validate(
        {"index": "x", "by": ["user.name.keyword", "@host"], "changes": {"country": "geo.country"}}
    )
    assert options.labels == (("host", "@host"), ("user_name", "user.name.keyword"))
    assert options.own_metrics == ("country_changes_total",)


@pytest.mark.parametrize(
    ("target", "nodes"),
    [
        ("https://a.example:9200", ("https://a.example:9200",)),
        ("https://a.example:9200 https://b.example:9200/es", ("https://a.example:9200", "https://b.example:9200/es")),
        ("a.example:9200", None),
        ("https://user:pw@a.example", None),
        ("", None),
    ],
)
def test_addresses(target: str, nodes: tuple[str, ...] | None) -> None:
    assert addresses(target) == nodes
