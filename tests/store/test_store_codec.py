"""Every entity, entry and action comes back as it went."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from ledger_things import T0, finding, incident, message, step

from forewarn.model.actions import RunStep, Send
from forewarn.model.errors import StoreError
from forewarn.model.incident import TimelineEntry
from forewarn.model.map import Secret
from forewarn.store.codec import decode, encode
from forewarn.store.kinds import KINDS

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FLOATS = st.floats(allow_nan=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXT, lambda x: st.lists(x) | st.dictionaries(TEXT, x), max_leaves=5
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    float: FLOATS,
    bool: st.booleans(),
    NoneType: st.none(),
    object: JSON,
    datetime: st.datetimes(timezones=st.just(UTC)),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type as the model uses types."""
    origin, args = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if origin in (Union, UnionType):
        return st.one_of([values(arg) for arg in args])
    if origin is tuple and args[-1] is ...:
        return st.lists(values(args[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, args))
    if origin is Mapping:
        return st.dictionaries(values(args[0]), values(args[1]), max_size=2)
    if is_dataclass(kind):
        return st.builds(kind, **{name: values(hint) for name, hint in get_type_hints(kind).items()})
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    raise NotImplementedError(f"{kind}: teach `values` about it")


@pytest.mark.parametrize(
    "kind", [*(kind.type for kind in KINDS.values()), TimelineEntry, Send, RunStep], ids=lambda kind: kind.__name__
)
@given(data=st.data())
@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_round_trip(kind, data):
    thing = data.draw(values(kind))
    again = decode(kind, encode(thing))
    assert again == thing
    assert encode(again) == encode(thing)
    assert type(again) is type(thing)


def test_types_stay_what_they_are():
    made = finding(1)
    again = decode(type(made), encode(made))
    assert again.opened_at.utcoffset() == timedelta(0)
    assert type(again.state) is type(made.state) and type(again.labels) is tuple and type(again.labels[0]) is tuple
    assert type(again.evidence) is type(made.evidence) and type(again.evidence.n) is int
    assert "支付失败" in encode(made)


def test_other_zones_become_utc():
    shanghai = T0.astimezone(timezone(timedelta(hours=8)))
    text = encode(replace(message(1), at=shanghai))
    assert json.loads(text)["at"] == "2026-11-22T08:00:00+00:00"


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinity_stays(value):
    made = finding(1)
    made = replace(made, evidence=replace(made.evidence, value=value), why=replace(made.why, facts={"value": value}))
    assert decode(type(made), encode(made)) == made


def test_not_a_number_stays():
    made = finding(1)
    made = replace(made, evidence=replace(made.evidence, value=math.nan))
    assert math.isnan(decode(type(made), encode(made)).evidence.value)


def test_fields_come_and_go():
    """A ledger outlives a field that was added (it gets its default) and one that is not known yet."""
    made = incident(1)
    body = json.loads(encode(made))
    del body["told"]
    body["from_the_future"] = 1
    assert decode(type(made), json.dumps(body)) == made


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (replace(step(1), spec={"token": Secret("s3cr3t")}), r"RunStep A-1 can't be stored: Secret has no form in JSON"),
        (replace(message(1), at=T0.replace(tzinfo=None)), r"Message M-1 can't be stored: 2026-11-22 08:00:00 has no time zone"),
    ],
)
def test_what_has_no_form_is_refused(broken, message):
    with pytest.raises(StoreError, match=message) as caught:
        encode(broken)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id":"INC-1"}', encode(incident(1)).replace('"open"', '"opened"')])
def test_a_damaged_text_says_so(text):
    with pytest.raises(StoreError, match="a stored Incident can't be read: "):
        decode(type(incident(1)), text)
