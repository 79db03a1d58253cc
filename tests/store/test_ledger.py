"""What every ledger must do. A new backend is a line in BACKENDS."""

from __future__ import annotations

import sqlite3
import threading
from datetime import timedelta

import pytest
from ledger_things import T0, at, change, due, entry, finding, hold, incident, measure, message, run, send, step

from forewarn.core.work import state_of
from forewarn.model.errors import StoreError
from forewarn.model.text import say
from forewarn.ports import Ledger
from forewarn.store.ledger_sqlite import SqliteLedger


class Backend:
    """Opens the same ledger again and again, as restarts would."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.opened: list[Ledger] = []

    def open(self) -> Ledger:
        self.opened.append(SqliteLedger(self.folder / "ledger.db", T0))
        return self.opened[-1]


BACKENDS = {"sqlite": Backend}


@pytest.fixture(params=BACKENDS)
def backend(request, tmp_path):
    made = BACKENDS[request.param](tmp_path)
    yield made
    for ledger in made.opened:
        ledger.close()


@pytest.fixture
def ledger(backend):
    return backend.open()


def put(ledger: Ledger, *things) -> None:
    ledger.commit(things, (), (), {})


EVERYTHING = (finding(1), incident(1), due(1), hold(1), message(1), run(1), measure(), change(1))


@pytest.mark.parametrize("thing", EVERYTHING, ids=lambda thing: type(thing).__name__)
def test_what_was_committed_is_there_after_a_restart(backend, thing):
    put(backend.open(), thing)
    backend.opened[0].close()
    assert backend.open().get(getattr(thing, "id", "shop/drop")) == thing


@pytest.mark.parametrize("id", ["F-9", "INC-9", "M-9", "R-9", "D-9", "H-9", "A-1", "shop/users_share", "nonsense", "", "X-1"])
def test_what_is_not_there_is_none(ledger, id):
    ledger.commit(EVERYTHING, (), [send(1)], {})
    assert ledger.get(id) is None


def test_a_new_version_replaces_the_old_one(ledger):
    put(ledger, message(1, "queued"), message(1, "sending"))
    assert ledger.get("M-1").state == "sending"
    put(ledger, message(1, "sent"))
    assert ledger.get("M-1").state == "sent"
    assert ledger.counts("message") == {"sent": 1}


def test_a_commit_that_fails_leaves_nothing_of_it(ledger):
    ledger.commit([incident(1)], [entry()], [send(1)], {"INC": 1})
    with pytest.raises(StoreError):
        ledger.commit(
            [incident(1, "acknowledged"), message(2)], [entry("note.other")], [send(2), send(1)], {"INC": 2}, done=("A-1", at())
        )
    assert ledger.get("INC-1").state == "open"
    assert ledger.get("M-2") is None
    assert [line.say.key for line in ledger.timeline("INC-1")] == ["note.opened"]
    assert ledger.load().counters == {"INC": 1}
    assert [action.id for action in ledger.claim("me", at(), at(60), 10)] == ["A-1"]


def test_an_entity_that_has_no_form_leaves_nothing_either(ledger):
    broken = message(2)
    object.__setattr__(broken, "at", broken.at.replace(tzinfo=None))
    with pytest.raises(StoreError, match=r"Message M-2 can't be stored: .* no time zone"):
        put(ledger, message(1), broken)
    assert ledger.find("message") == []


def test_an_id_of_another_form_is_refused(ledger):
    broken = message(1)
    object.__setattr__(broken, "id", "F-1")
    with pytest.raises(StoreError, match='"F-1" is not an id of this kind; it would be M-1'):
        put(ledger, broken)


def test_a_broken_log_line_does_not_keep_a_finding_out(ledger):
    broken = finding(1, series='app|local|errors{tenant="\udce4"}')
    put(ledger, broken)
    assert ledger.get("F-1").series == 'app|local|errors{tenant="?"}'


# --- load: the owner must be able to go on exactly


UNENDED = ["ahead", "open", "acknowledged", "mitigated", "resolved"]
OVER = ["closed", "averted", "withdrawn", "false_alarm", "merged"]


def test_load_of_an_empty_ledger(ledger):
    stored = ledger.load()
    assert (stored.findings, stored.incidents, stored.counters, stored.in_flight) == ((), (), {}, ())
    assert stored.first_start == T0


def test_the_first_start_stays(backend):
    backend.open().close()
    later = SqliteLedger(backend.folder / "ledger.db", T0 + timedelta(days=40))
    backend.opened.append(later)
    assert later.load().first_start == T0


@pytest.mark.parametrize(("state", "loaded"), [*((state, True) for state in UNENDED), *((state, False) for state in OVER)])
def test_incidents_that_are_not_over_are_loaded_with_all_that_is_theirs(ledger, state, loaded):
    theirs = (
        finding(1, state="cleared", incident="INC-1", opened=-9 * 86400, cleared=-8 * 86400),
        message(1, "sent"),
        run(1, "done", ended=True),
    )
    put(ledger, incident(1, state), finding(2, opened=0, series="other|a|b"), *theirs)
    stored = ledger.load()
    assert [x.id for x in stored.incidents] == (["INC-1"] if loaded else [])
    assert [x.id for x in stored.findings] == (["F-1", "F-2"] if loaded else ["F-2"])
    assert [x.id for x in stored.messages] == (["M-1"] if loaded else [])
    assert [x.id for x in stored.runs] == (["R-1"] if loaded else [])


@pytest.mark.parametrize(
    ("left", "loaded"),
    [
        (message(1, "waiting_approval"), True),
        (message(1, "unknown"), True),
        (due(1), True),
        (message(1, "sent"), False),
        (message(1, "dropped"), False),
        (due(1, ended="late"), False),
    ],
)
def test_an_ended_incident_stays_while_it_has_something_to_do(ledger, left, loaded):
    put(ledger, incident(1, "withdrawn"), left)
    assert [x.id for x in ledger.load().incidents] == (["INC-1"] if loaded else [])


def test_what_belongs_to_no_incident_is_loaded_while_it_is_at_work(ledger):
    put(ledger, message(1, "queued", incident=None), message(2, "sent", incident=None), message(3, "held", incident=None))
    put(ledger, run(1, "waiting", incident="INC-9"), run(2, "done", incident="INC-9", ended=True))
    put(ledger, due(1, incident=None), due(2, incident=None, ended="met"), hold(1), hold(2, ended=True), measure())
    stored = ledger.load()
    assert [x.id for x in stored.messages] == ["M-1", "M-3"]
    assert [x.id for x in stored.runs] == ["R-1"]
    assert [x.id for x in stored.dues] == ["D-1"]
    assert [x.id for x in stored.holds] == ["H-1"]
    assert stored.measures == (measure(),)


def test_the_latest_finding_of_each_key_is_loaded_for_a_day(ledger):
    put(
        ledger,
        finding(1, state="cleared", opened=-200_000, cleared=-190_000, rule="old"),
        finding(2, state="cleared", opened=-9_000, cleared=-8_000),
        finding(3, state="cleared", opened=-7_000, cleared=-6_000),
        finding(4, state="open", opened=-300_000, rule="long"),
        finding(5, state="cleared", opened=-100, cleared=0, rule="now"),
    )
    assert [x.id for x in ledger.load().findings] == ["F-3", "F-4", "F-5"]


def test_things_come_in_the_order_of_their_numbers_not_of_their_texts(ledger):
    put(ledger, *(incident(n) for n in (10, 2, 1)), *(due(n) for n in (11, 9)))
    stored = ledger.load()
    assert [x.id for x in stored.incidents] == ["INC-1", "INC-2", "INC-10"]
    assert [x.id for x in stored.dues] == ["D-9", "D-11"]


def test_counters_never_go_back(ledger):
    ledger.commit((), (), (), {"F": 4, "A": 9})
    ledger.commit((), (), (), {"F": 3, "INC": 1})
    assert ledger.load().counters == {"F": 4, "A": 9, "INC": 1}


def test_the_state_made_from_a_load_is_the_state_before_the_stop(ledger, settings):
    """Decisions applied one after another in memory, against the same ones read back."""
    rounds = (
        [finding(1, incident="INC-1"), incident(1), due(1), message(1)],
        [message(1, "sent"), due(1, ended="met"), incident(1, "acknowledged"), run(1), due(2)],
        [
            incident(2, "ahead"),
            finding(2, incident="INC-2", rule="fills"),
            message(2, "waiting_approval", incident="INC-2"),
            hold(1),
        ],
        [finding(2, state="cleared", incident="INC-2", rule="fills", cleared=3600), incident(2, "withdrawn"), hold(1, ended=True)],
        [measure(), incident(3), finding(3, incident="INC-3", rule="down"), due(3, incident="INC-3")],
        [incident(3, "false_alarm"), finding(3, state="cleared", incident="INC-3", rule="down", cleared=4000)],
        [due(3, incident="INC-3", ended="dropped")],
    )
    counters: dict[str, int] = {}
    state = state_of(settings, [], counters)
    for n, things in enumerate(rounds):
        counters = {"F": n}
        ledger.commit(things, (), (), counters)
        state = state.after(decision(things, counters))
    stored = ledger.load()
    parts = (stored.findings, stored.incidents, stored.dues, stored.holds, stored.messages, stored.runs, stored.measures)
    again = state_of(settings, [thing for part in parts for thing in part], stored.counters)
    for name in ("incidents", "dues", "holds", "messages", "runs", "measures", "agenda", "counters"):
        assert getattr(again, name) == getattr(state, name), name
    assert {key: again.findings[id].seq for key, id in again.latest.items()} == {
        ("shop", "slow", "shop|web-1|total_s"): 1,
        ("shop", "fills", "shop|web-1|total_s"): 2,
        ("shop", "down", "shop|web-1|total_s"): 3,
    }


def decision(things, counters):
    from forewarn.core.work import Decision

    return Decision(entities=tuple(things), counters=counters)


@pytest.fixture
def settings():
    from forewarn.model.settings import Daemon, Settings

    return Settings(id="3fa9c1", folder=".", loaded_at=T0, files=1, daemon=Daemon(zone=T0.tzinfo))


# --- the outbox


def claimed(ledger, now=0.0, until=60.0, most=10, me="me"):
    return [action.id for action in ledger.claim(me, at(now), at(until), most)]


def test_an_action_is_handed_out_whole_once_and_when_its_time_has_come(ledger):
    ledger.commit((), (), [send(1), step(2), send(3, when=30)], {})
    assert ledger.claim("me", at(), at(60), 10) == [send(1), step(2)]
    assert claimed(ledger) == []
    assert claimed(ledger, now=30) == ["A-3"]


def test_oldest_first_and_no_more_than_asked_for(ledger):
    ledger.commit((), (), [send(1, when=-1), send(2, when=-9), send(3, when=-5), send(4, when=-9)], {})
    assert claimed(ledger, most=3) == ["A-2", "A-4", "A-3"]
    assert claimed(ledger, most=3) == ["A-1"]


def test_the_most_urgent_first_however_much_waits(ledger):
    ledger.commit((), (), [send(n, when=-99, urgency=10) for n in range(1, 301)], {})
    ledger.commit(
        (), (), [send(301, when=-1, urgency=2), send(302, urgency=0), step(303, when=-50), send(304, when=9, urgency=0)], {}
    )
    assert claimed(ledger, most=4) == ["A-302", "A-301", "A-303", "A-1"]


def test_what_was_done_long_ago_is_forgotten(ledger, monkeypatch):
    monkeypatch.setattr("forewarn.store.ledger_sqlite.PIECE", 10)
    ledger.commit((), (), [send(n) for n in range(1, 41)], {"A": 40})
    claimed(ledger, most=39)
    for n in range(1, 39):
        ledger.done(f"A-{n}", at(n))
    assert ledger.forget_done(at(31)) == 30
    assert [action.id for action in ledger.actions([f"A-{n}" for n in range(1, 41)])] == [f"A-{n}" for n in range(31, 41)]
    assert ledger.load().in_flight == ("A-39",)  # begun and not done, however old
    assert ledger.next_action_at() == at(0)  # A-40 still waits
    assert ledger.forget_done(at(31)) == 0


def test_a_lease_that_is_over_frees_only_what_may_be_repeated(ledger):
    ledger.commit((), (), [send(1, again=True), send(2, again=False)], {})
    assert claimed(ledger, until=60) == ["A-1", "A-2"]
    assert claimed(ledger, now=59.9) == []
    assert claimed(ledger, now=60, until=120) == ["A-1"]
    assert ledger.load().in_flight == ("A-1", "A-2")


def test_released_means_free_at_once(ledger):
    ledger.commit((), (), [send(1, again=False), send(2)], {})
    claimed(ledger)
    ledger.release(["A-1"])
    assert ledger.load().in_flight == ("A-2",)
    assert claimed(ledger, me="other") == ["A-1"]


def test_done_is_for_good(ledger):
    ledger.commit((), (), [send(1), send(2)], {})
    claimed(ledger)
    ledger.done("A-1", at(1))
    ledger.done("A-1", at(2))
    ledger.release(["A-1"])
    ledger.commit([message(2, "sent")], (), (), {}, done=("A-2", at(3)))
    assert claimed(ledger, now=9999) == []
    assert ledger.load().in_flight == ()
    assert ledger.next_action_at() is None


def test_what_was_in_flight_survives_a_restart(backend):
    first = backend.open()
    first.commit((), (), [send(1), step(2), send(3)], {})
    first.claim("me", at(), at(60), 2)
    first.close()
    second = backend.open()
    assert second.load().in_flight == ("A-1", "A-2")
    assert second.actions(second.load().in_flight) == [send(1), step(2)]


def test_leased_names_the_messages_that_are_on_their_way(ledger):
    ledger.commit((), (), [send(1, message="M-7"), step(2), send(3, message="M-8", when=99)], {})
    assert ledger.leased() == {}
    claimed(ledger)
    assert ledger.leased() == {"M-7": "A-1"}
    ledger.done("A-1", at())
    assert ledger.leased() == {}


def test_the_next_action(ledger):
    assert ledger.next_action_at() is None
    ledger.commit((), (), [send(1, when=30), send(2, when=10), step(3, when=5)], {})
    assert ledger.next_action_at() == at(5)
    claimed(ledger, now=10, until=20)  # only A-2 comes back when the lease is over
    assert ledger.next_action_at() == at(20)
    ledger.done("A-2", at(11))
    assert ledger.next_action_at() == at(30)


def test_many_workers_never_get_the_same_action(ledger):
    ledger.commit((), (), [send(n) for n in range(1, 61)], {})
    got: list[str] = []

    def work(me: str) -> None:
        while ids := claimed(ledger, most=3, me=me):
            got.extend(ids)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(f"A-{n}" for n in range(1, 61))


# --- finding things again


def ids(things) -> list[str]:
    return [thing.id for thing in things]


@pytest.fixture
def many(ledger):
    put(
        ledger,
        *(message(n, "sent" if n % 2 else "queued", incident=f"INC-{n % 3}") for n in range(1, 13)),
        finding(1),
        finding(2, state="cleared"),
        due(1),
        due(2, ended="late"),
        hold(1, matcher={"incident": "INC-2"}),
        hold(2, ended=True),
        measure("a"),
        measure("b", None),
    )
    return ledger


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"limit": 3}, ["M-12", "M-11", "M-10"]),
        ({"limit": 3, "newest": False}, ["M-1", "M-2", "M-3"]),
        ({"limit": 2, "after": "M-11"}, ["M-10", "M-9"]),
        ({"limit": 2, "after": "M-9", "newest": False}, ["M-10", "M-11"]),
        ({"after": "M-1"}, []),
        ({"limit": 3, "states": ["sent"]}, ["M-11", "M-9", "M-7"]),
        ({"limit": 3, "states": ["sent", "queued"]}, ["M-12", "M-11", "M-10"]),
        ({"states": ["failed"]}, []),
        ({"incident": "INC-0"}, ["M-12", "M-9", "M-6", "M-3"]),
        ({"incident": "INC-0", "states": ["queued"], "after": "M-12"}, ["M-6"]),
    ],
)
def test_find(many, given, found):
    assert ids(many.find("message", **given)) == found


def test_find_and_counts_know_every_kind(many):
    assert ids(many.find("finding", states=["open"])) == ["F-1"]
    assert ids(many.find("due", states=["open"])) == ["D-1"]
    assert ids(many.find("due", states=["late"])) == ["D-2"]
    assert ids(many.find("hold", incident="INC-2")) == ["H-1"]
    assert [x.service for x in many.find("measure", newest=False)] == ["a", "b"]
    assert [x.service for x in many.find("measure", after="b/drop")] == ["a"]
    assert many.find("incident") == many.find("run") == []
    assert many.counts("message") == {"queued": 6, "sent": 6}
    assert many.counts("hold") == {"open": 1, "ended": 1}
    assert many.counts("run") == {}


def test_an_unknown_kind_and_a_wrong_cursor_say_so(many):
    with pytest.raises(StoreError, match='no "alert"; it has finding, incident'):
        many.find("alert")
    with pytest.raises(StoreError, match='no "alert"'):
        many.counts("alert")
    with pytest.raises(StoreError, match='"F-3" is not an id of this kind; it would be M-1'):
        many.find("message", after="F-3")


def test_a_timeline_keeps_its_order_and_its_incident(ledger):
    ledger.commit((), [entry("a"), entry("b", refs=("M-1",)), entry("c", incident="INC-2")], (), {})
    ledger.commit((), [entry("d")], (), {})
    assert [line.say for line in ledger.timeline("INC-1")] == [say("a", n=1), say("b", n=1), say("d", n=1)]
    assert ledger.timeline("INC-1")[1].refs == ("M-1",)
    assert ledger.timeline("INC-3") == []


def test_readers_do_not_wait_for_a_writer(backend):
    """Another connection is in the middle of a transaction; what was there before is read, at once."""
    ledger = backend.open()
    put(ledger, incident(1))
    other = sqlite3.connect(backend.folder / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM incident")
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(ledger.get("INC-1")))
    thread.start()
    thread.join(timeout=3)
    other.execute("ROLLBACK")
    other.close()
    assert found == [incident(1)]


def test_closed_is_closed(ledger):
    ledger.close()
    ledger.close()
    for call in (lambda: ledger.get("INC-1"), lambda: put(ledger, incident(1))):
        with pytest.raises(StoreError, match="closed"):
            call()


def test_the_newest_changes_come_along_at_a_start_in_their_order(backend):
    put(backend.open(), *(change(n, what="package") for n in range(1, 306)))
    loaded = backend.open().load().changes
    assert (len(loaded), loaded[0].id, loaded[-1].id) == (300, "C-6", "C-305")
    assert len(backend.opened[0].find("change", states=["package"], limit=1000)) == 305
