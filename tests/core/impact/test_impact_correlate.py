from __future__ import annotations

from typing import Any

import pytest
from impact_cases import (
    HOST,
    NOW,
    SHOP,
    SHOP_LOG,
    VOLUME,
    ahead,
    down,
    errors,
    finding,
    incident,
    needing,
    probe,
    service,
    settings,
    slow,
)

from forewarn.core.impact.correlate import Breach, Evidence, Join, Nothing, Open, Placement, Task, linked, place, same_thing
from forewarn.model.finding import Evidence as Figures
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.probe import Probe

SHOP_MAP = settings(
    services=(
        service("checkout", needs=(needing("payments"), needing("search", soft=True), needing("cache-1", "cache-2"))),
        service("payments"),
        service("search"),
        service("cache-1"),
        service("cache-2"),
    )
)
FULL = "volume|local|volume_used_ratio"
ROOT = 'host|local|fs_used_ratio{mount="/"}'
LATE = "shop|web-1|total_s"


def put(found: Finding, of: Probe | None, *incidents: Incident, others: tuple[Finding, ...] = ()) -> Placement:
    return place(found, of, incidents, {f.id: f for f in (*others, found)}, SHOP_MAP, NOW)


def what(placement: Placement) -> tuple[str, str | None]:
    match placement:
        case Join(incident=id) | Breach(incident=id) | Evidence(incident=id):
            return type(placement).__name__, id
        case Open(state=state):
            return "Open", state
    return type(placement).__name__, None


def forewarned(series: str = FULL, id: str = "INC-1", **fields: Any) -> Incident:
    return incident(id, IncidentState.AHEAD, thing=series, findings=("F-ahead",), **fields)


def valued(series: str, value: float, limit: float = 0.9) -> Finding:
    return finding(series, "over", evidence=Figures(value=value, limit=limit))


OPEN, OLDER = incident("INC-7", minutes_ago=5), incident("INC-6", minutes_ago=50)
CASES: list[tuple[str, Finding, Probe | None, tuple[Incident, ...], tuple[str, str | None]]] = [
    ("nothing is open", slow(), SHOP, (), ("Open", "open")),
    ("the service has an open incident", down("web-1"), SHOP, (OPEN,), ("Join", "INC-7")),
    ("of two the newest", down("web-1"), SHOP, (OLDER, OPEN), ("Join", "INC-7")),
    ("opened together: the later number", slow(), SHOP, (incident("INC-9"), incident("INC-10")), ("Join", "INC-10")),
    ("mitigated is still unresolved", slow(), SHOP, (incident("INC-7", IncidentState.MITIGATED),), ("Join", "INC-7")),
    ("resolved is over", slow(), SHOP, (incident("INC-7", IncidentState.RESOLVED),), ("Open", "open")),
    ("of a service that it needs", slow(), SHOP, (incident("INC-7", services=("payments",)),), ("Join", "INC-7")),
    (
        "its own before a newer of a needed one",
        slow(),
        SHOP,
        (OLDER, incident("INC-8", services=("payments",), minutes_ago=1)),
        ("Join", "INC-6"),
    ),
    ("one of several that it needs", slow(), SHOP, (incident("INC-7", services=("cache-2",)),), ("Join", "INC-7")),
    ("not of one that it can do without", slow(), SHOP, (incident("INC-7", services=("search",)),), ("Open", "open")),
    ("not of a service that needs this one", down("local", of="payments"), None, (OPEN,), ("Open", "open")),
    ("a fault does not join what is ahead", slow(), SHOP, (forewarned(),), ("Open", "open")),
    ("errors of a customer", errors(), SHOP_LOG, (OPEN,), ("Join", "INC-7")),
    ("errors of nobody", errors(None), SHOP_LOG, (), ("Open", "open")),
    # forecasts
    ("a forecast opens ahead", ahead(), VOLUME, (), ("Open", "ahead")),
    ("a forecast does not join a fault", ahead(), VOLUME, (OPEN,), ("Open", "ahead")),
    ("a second rule on its series joins it", ahead(), VOLUME, (forewarned(),), ("Join", "INC-1")),
    ("another forecast of the service is its own", ahead(LATE), SHOP, (forewarned(),), ("Open", "ahead")),
    (
        "another metric of the same mount joins",
        ahead('host|local|fs_inodes_used_ratio{mount="/"}'),
        HOST,
        (forewarned(ROOT),),
        ("Join", "INC-1"),
    ),
    ("another mount does not", ahead('host|local|fs_used_ratio{mount="/srv"}'), HOST, (forewarned(ROOT),), ("Open", "ahead")),
    ("crossed at first sight is a fault", ahead(crossed=True), VOLUME, (), ("Open", "open")),
    ("its own limit is crossed", ahead(crossed=True), VOLUME, (forewarned(),), ("Breach", "INC-1")),
    ("the same thing, open already", ahead(), VOLUME, (OPEN, incident("INC-3", thing=FULL)), ("Join", "INC-3")),
    # what opens nothing
    ("cannot see", finding("shop|web-1|up", kind="cannot-see"), SHOP, (OPEN,), ("Nothing", None)),
    ("CPU", finding("host|local|cpu_ratio"), HOST, (OPEN,), ("Task", None)),
    ("unusual, nothing open", finding(LATE, kind="baseline"), SHOP, (), ("Evidence", None)),
    ("unusual, beside a fault", finding(LATE, kind="baseline"), SHOP, (OPEN,), ("Evidence", "INC-7")),
    # no service
    ("a probe without a service", down("local", of=None), None, (OPEN,), ("Open", "open")),
]


@pytest.mark.parametrize(("found", "of", "incidents", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_place(found: Finding, of: Probe | None, incidents: tuple[Incident, ...], expected: tuple[str, str | None]) -> None:
    assert what(put(found, of, *incidents)) == expected


def test_every_placement_says_why() -> None:
    for _, found, of, incidents, _ in CASES:
        assert put(found, of, *incidents).why.key.startswith("place.")


LIMITS = [
    ("below the forecast's limit", 0.93, ("Join", "INC-1")),
    ("at it", 0.95, ("Breach", "INC-1")),
    ("beyond it", 0.97, ("Breach", "INC-1")),
]


@pytest.mark.parametrize(("value", "expected"), [case[1:] for case in LIMITS], ids=[case[0] for case in LIMITS])
def test_a_threshold_on_its_series_turns_it_open_only_at_its_own_limit(value: float, expected: tuple[str, str]) -> None:
    assert what(put(valued(FULL, value), HOST, forewarned(), others=(ahead(),))) == expected


def test_a_limit_from_above_is_crossed_downwards() -> None:
    room = ahead("host|local|fs_free_ratio", evidence=Figures(value=0.2, limit=0.05))
    assert what(put(valued("host|local|fs_free_ratio", 0.1), HOST, forewarned(room.series), others=(room,))) == ("Join", "INC-1")
    assert what(put(valued("host|local|fs_free_ratio", 0.04), HOST, forewarned(room.series), others=(room,))) == ("Breach", "INC-1")


def test_what_users_feel_before_the_limit_is_its_own_incident_and_linked() -> None:
    forecast = ahead(LATE, evidence=Figures(value=0.3, limit=0.5))
    placed = put(valued(LATE, 0.45, 0.4), SHOP, forewarned(LATE), others=(forecast,))
    assert isinstance(placed, Open) and (placed.state, placed.linked) == ("open", ("INC-1",))
    assert what(put(valued(LATE, 0.6, 0.4), SHOP, forewarned(LATE), others=(forecast,))) == ("Breach", "INC-1")


def test_a_probe_without_a_service_has_one_incident() -> None:
    first, second = down("a", probe="lone", of=None), down("b", probe="lone", of=None)
    mine = incident("INC-2", services=(), findings=(first.id,))
    other = incident("INC-3", services=(), findings=("F-else",), minutes_ago=1)
    assert what(put(second, None, mine, other, others=(first,))) == ("Join", "INC-2")


def test_a_child_joins_its_parents_incident_one_hop() -> None:
    child = probe("pages", of="search", depends_on=("edge",))
    parent = down("lb", probe="edge", of=None)
    theirs = incident("INC-4", services=(), findings=(parent.id,))
    fallen = finding("pages|local|up", "down", "down", of="search")
    held = Finding(**{**{name: getattr(parent, name) for name in parent.__slots__}, "incident": "INC-4"})
    placed = put(fallen, child, theirs, others=(held,))
    assert isinstance(placed, Join) and (placed.incident, placed.parent) == ("INC-4", "edge")
    assert what(put(fallen, probe("pages", of="search"), theirs, others=(held,))) == ("Open", "open")


def test_linked_are_the_same_and_needed_services() -> None:
    incidents = [
        incident("INC-1", IncidentState.AHEAD),
        incident("INC-2", services=("payments",)),
        incident("INC-3", services=("search",)),
        incident("INC-4", IncidentState.RESOLVED),
        incident("INC-5", services=("mail",)),
    ]
    assert linked(("checkout",), incidents, SHOP_MAP) == ("INC-1", "INC-2", "INC-3")
    assert linked(("checkout",), incidents, SHOP_MAP, but="INC-2") == ("INC-1", "INC-3")


def test_things_without_labels_are_the_same_only_as_series() -> None:
    assert same_thing(FULL, FULL)
    assert not same_thing(FULL, "volume|local|orders_per_min")
    assert not same_thing(ROOT, 'host|other|fs_used_ratio{mount="/"}')


def test_tasks_and_blindness_carry_no_incident() -> None:
    assert isinstance(put(finding("host|local|swap_ratio"), HOST), Task)
    assert isinstance(put(finding("host|local|up", kind="cannot-see"), HOST), Nothing)
