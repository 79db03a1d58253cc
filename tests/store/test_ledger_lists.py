"""The ledger's lists, counts and search: what is in them and in which order, whatever the store was written by."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from math import nan

import pytest
from ledger_things import T0, at, due, entry, finding, incident, message

from forewarn.model.finding import Evidence
from forewarn.model.level import Level
from forewarn.model.text import say
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.sqlite import migrations, queries, statements
from forewarn.store.words import asked, spelled


def text_of(thing) -> str:
    return f"{thing.id}\n{thing.subject}\n{thing.text}" if hasattr(thing, "subject") else f"{thing.id}\n{thing.title.facts}"


@pytest.fixture
def ledger(tmp_path):
    made = SqliteLedger(tmp_path / "ledger.db", T0, texts=text_of)
    yield made
    made.close()


def put(ledger, *things) -> None:
    ledger.commit(things, (), (), {})


def leveled(n, level, state="open", opened=0.0, earliest=None):
    return replace(incident(n, state), level=Level(level), opened_at=at(opened), earliest=earliest)


def ids(things) -> list[str]:
    return [thing.id for thing in things]


def test_live_incidents_come_gravest_first_then_oldest_page_by_page(ledger):
    put(
        ledger, leveled(1, "P2", opened=9), leveled(2, "P0", "mitigated", opened=9), leveled(3, "P2", "acknowledged", opened=3),
        leveled(4, "P4"), leveled(5, "P0", opened=1), leveled(6, "P0", "resolved"), leveled(7, "P1", "ahead"), leveled(8, "P2", opened=3),
    )  # fmt: skip
    whole = ["INC-5", "INC-2", "INC-3", "INC-8", "INC-1", "INC-4"]
    assert ids(ledger.live(10)) == whole
    pages, after = [], None
    while batch := ids(ledger.live(2, after)):
        pages += batch
        after = batch[-1]
    assert pages == whole
    put(ledger, leveled(3, "P2", "resolved", opened=3))
    assert ids(ledger.live(10, "INC-3")) == ["INC-8", "INC-1", "INC-4"], (
        "a page goes on where the last one ended, though that is over"
    )
    assert ledger.live(10, "INC-99") == []


def test_forewarnings_come_soonest_first_and_those_without_a_date_last(ledger):
    put(
        ledger, leveled(1, "P2", "ahead", opened=5), leveled(2, "P2", "ahead", earliest=at(99)), leveled(3, "P2", "ahead", earliest=at(7)),
        leveled(4, "P2", "ahead", opened=2), leveled(5, "P2"),
    )  # fmt: skip
    assert ids(ledger.ahead(10)) == ["INC-3", "INC-2", "INC-4", "INC-1"]
    assert ids(ledger.ahead(10, "INC-2")) == ["INC-4", "INC-1"]
    assert ids(ledger.ahead(1)) == ["INC-3"]


def test_what_is_open_is_counted(ledger):
    blind = replace(finding(3), kind="cannot-see")
    put(
        ledger, leveled(1, "P2"), leveled(2, "P2", "ahead"), leveled(3, "P2"), leveled(4, "P0", "closed"),
        finding(1), finding(2, incident="INC-1"), blind, finding(4, state="cleared", cleared=9),
    )  # fmt: skip
    standing = ledger.standing()
    assert standing.unresolved == {("open", "P2"): 2, ("ahead", "P2"): 1}
    assert (standing.findings, standing.tasks, standing.blind) == (3, 1, 1)
    assert ids(ledger.tasks(9)) == ["F-1"]
    assert ledger.counts("incident", ("open", "closed")) == {"open": 2, "closed": 1}


def test_a_probes_findings_and_how_often_its_rules_fired(ledger):
    other = replace(finding(4), probe="other")
    put(
        ledger, finding(1, opened=10), finding(2, opened=50), finding(3, state="cleared", opened=60, cleared=70, rule="down"), other
    )
    assert ids(ledger.findings_of("shop", 9)) == ["F-2", "F-1"]
    assert {rule: count for (rule, _), count in ledger.fired("shop", at(20)).items()} == {"slow": 1, "down": 1}
    assert set(ledger.fired("shop", at(0)).values()) == {1, 2}
    assert {series for _, series in ledger.fired("shop", at(0))} == {finding(1).series}
    assert ledger.fired("nobody", at(0)) == {}


def test_what_belongs_to_many_is_one_question(ledger):
    put(
        ledger, due(1), due(2, incident="INC-2", ended="met"), replace(due(3), what="retry"), due(4, incident=None),
        replace(due(5), what="update.customer", due_at=at(40)), replace(due(6), what="update.customer", due_at=at(20)),
        replace(due(7, ended="met"), what="update.customer", due_at=at(1)), finding(1), incident(1), message(1),
    )  # fmt: skip
    assert ids(ledger.dues_of(["INC-1", "INC-2"], ("retry",))) == ["D-1", "D-2", "D-5", "D-6", "D-7"]
    assert ids(ledger.open_dues_of(["F-1", "INC-2"])) == ["D-4"]
    assert ledger.next_updates(["INC-1", "INC-2"]) == {"INC-1": at(20)}
    assert set(ledger.get_all(["F-1", "INC-1", "M-1", "M-9", "nonsense"])) == {"F-1", "INC-1", "M-1"}
    assert ids(ledger.find("due", hidden=("retry", "ack"), newest=False)) == ["D-5", "D-6", "D-7"]
    assert ids(ledger.find("message", of="page")) == ["M-1"]
    assert ledger.find("message", of="notice") == []


@pytest.mark.parametrize(
    "name", ["live", "live_after", "ahead", "ahead_after", "tasks", "findings_of_probe", "fired", "next_updates", "open_dues_of"]
)
def test_no_list_reads_a_table_from_end_to_end_or_sorts_it(ledger, name):
    given = dict.fromkeys(("limit", "after", "probe", "since", "incidents", "ids"), 1)
    with ledger._file.reading() as db:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {queries('ledger')[name]}", given)]
    for line in plan:
        assert "USING INDEX" in line or "json_each" in line or "SUBQUERY" in line or "TEMP B-TREE" in line, plan
    if name.startswith(("live", "ahead", "tasks")):
        assert not any("TEMP B-TREE" in line for line in plan), plan


# --- finding by words -------------------------------------------------------------------------------------------------

TEXTS = ("订单数据库磁盘将满", "结账变慢", "Orders DB full on db-primary", "磁 盘 坏", "ÉCOLE résumé")


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("磁盘", [1]), ("数据库", [1]), ("满", [1]), ("变慢", [2]), ("慢", [2]), ("盘磁", []), ("单据", []), ("磁", [4, 1]),
        ("orders", [3]), ("ORDERS db", [3]), ("ord", [3]), ("db-primary", [3]), ("primary-db", []), ("ecole", [5]), ("resume", [5]),
        ("msg-3", [3]), ("orders 磁盘", []), ("磁盘 订单", [1]), ("订单磁盘", []), ('"', []), ('* OR " -', [3]), ("  ", []),
    ],
)  # fmt: skip
def test_two_chinese_signs_are_found_as_well_as_an_english_word(ledger, sought, found):
    put(ledger, *(replace(message(n), subject=text, text=f"msg-{n}") for n, text in enumerate(TEXTS, 1)))
    assert ids(ledger.search("message", sought, 10)) == [f"M-{n}" for n in found]


def test_what_is_found_is_what_stands_there_now(ledger):
    before = replace(incident(1), title=say("title.declared", text="磁盘将满"))
    put(ledger, before, replace(incident(2), title=before.title), replace(incident(3), title=before.title))
    put(ledger, replace(before, title=say("title.declared", text="网络中断")))
    assert ids(ledger.search("incident", "磁盘", 10)) == ["INC-3", "INC-2"]
    assert ids(ledger.search("incident", "网络", 10)) == ["INC-1"]
    assert ids(ledger.search("incident", "磁盘", 1)) == ["INC-3"]
    assert ids(ledger.search("incident", "磁盘", 1, "INC-3")) == ["INC-2"]
    assert ledger.search("due", "磁盘", 1) == []


def test_spelling():
    assert spelled("客户甲 A1").split() == ["客户", "户甲", "甲", "A1"]
    assert asked("客户甲a-1") == '"客户 户甲" "a 1"*'
    assert asked("甲") == '"甲"*'
    assert asked("!?") is None


def test_what_an_earlier_version_stored_is_listed_and_found(tmp_path):
    """A ledger as it was before these columns: the migration fills them, the daemon indexes the words in pieces."""
    now, old = SqliteLedger(tmp_path / "now.db", T0), tmp_path / "ledger.db"
    odd = replace(finding(1), evidence=Evidence(value=nan))
    soon = leveled(1, "P1", "ahead", earliest=T0 + timedelta(seconds=5))
    put(now, odd, soon, leveled(2, "P0"), *(message(n) for n in range(1, 6)), replace(due(1), what="update.customer"))
    now.close()
    with sqlite3.connect(tmp_path / "now.db") as new, sqlite3.connect(old) as db:
        db.execute("CREATE TABLE schema_version (version INTEGER PRIMARY KEY, file TEXT NOT NULL) STRICT")
        for number, name, text in migrations("ledger")[:3]:
            for statement in statements(text):
                db.execute(statement)
            db.execute("INSERT INTO schema_version VALUES (?, ?)", (number, name))
        for table, extra in (
            ("incident", ""),
            ("message", ""),
            ("due", ", next_at"),
            ("finding", ", probe, rule, series, moved_at"),
        ):
            rows = new.execute(f"SELECT n, id, state, incident, body{extra} FROM {table}").fetchall()
            marks = ", ".join("?" * len(rows[0]))
            db.executemany(f"INSERT INTO {table} (n, id, state, incident, body{extra}) VALUES ({marks})", rows)
    new.close()
    db.close()
    ledger = SqliteLedger(old, T0, texts=text_of)
    assert ids(ledger.live(9)) == ["INC-2"]
    assert [one.earliest for one in ledger.ahead(9)] == [soon.earliest]
    assert ledger.standing().tasks == 1
    assert ledger.next_updates(["INC-1"]) == {"INC-1": at(300)}
    assert ids(ledger.find("message", of="page", limit=2)) == ["M-5", "M-4"]
    assert ledger.search("message", "结账", 9) == []
    assert [ledger.index(4), ledger.index(4), ledger.index(4)] == [4, 3, 0]
    assert ids(ledger.search("message", "结账", 9)) == ["M-5", "M-4", "M-3", "M-2", "M-1"]
    ledger.close()


def test_a_line_of_the_story_keeps_its_versions(ledger):
    line = replace(entry(), versions={"INC-1": 4, "M-1": 2})
    ledger.commit((), (line,), (), {})
    assert ledger.timeline("INC-1") == [line]


def test_what_has_not_changed_is_the_same_thing_when_it_is_read_again(ledger) -> None:
    """Pages read hundreds of things, most of them again: their text is taken apart once."""
    put(ledger, incident(1), incident(2))
    first = {it.id: it for it in ledger.live(10)}
    assert ledger.get("INC-1") is first["INC-1"]
    assert ledger.find("incident")[0] is first["INC-2"]
    put(ledger, replace(incident(1), owner="on-call-1"))
    again = {it.id: it for it in ledger.live(10)}
    assert (again["INC-1"].owner, first["INC-1"].owner) == ("on-call-1", None)
    assert again["INC-2"] is first["INC-2"]
