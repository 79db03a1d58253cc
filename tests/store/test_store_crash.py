"""A process that writes is killed in the middle, again and again; what is left is whole transactions, and all that it reported."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from ledger_things import at

from forewarn.model.series import SeriesId
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples

ROUNDS = 6
EACH = 12  # messages, actions and timeline entries with each incident: wide enough for a kill to fall inside

LEDGER_WRITER = f"""
    from ledger_things import at, entry, incident, message, send
    from forewarn.store.ledger_sqlite import SqliteLedger

    ledger = SqliteLedger(folder / "ledger.db")
    n = ledger.load().counters.get("INC", 0)
    while True:
        n += 1
        these = range(n * {EACH}, (n + 1) * {EACH})
        things = [incident(n), *(message(i, incident=f"INC-{{n}}") for i in these)]
        ledger.commit(things, [entry(incident=f"INC-{{n}}") for i in these], [send(i, again=False) for i in these], {{"INC": n}})
        report("stored", n)
        for action in ledger.claim("writer", at(), at(60), 3):
            report("claimed", action.id)
            ledger.commit([message(int(action.id[2:]), "sent", incident=f"INC-{{n}}")], (), (), {{}}, done=(action.id, at(1)))
            report("done", action.id)
"""

SAMPLES_WRITER = """
    from forewarn.model.series import SeriesId
    from forewarn.store import samples, seal
    samples.SEAL_ROWS, seal.SEAL_RUNS, seal.FULL = 100, 7, 20

    store = samples.SqliteSamples(folder / "samples.db")
    n = (store.cursor("log") or {"n": 0})["n"]
    plans = [tuple(SeriesId("http", str(k), metric) for metric in ("total_s", "up")) for k in range(10)]
    while True:
        n += 1
        cursor = {"log": {"n": n}}
        if n % 2:
            store.append([(SeriesId("log", str(k), "errors"), float(n), float(n)) for k in range(40)], cursor)
        else:
            runs = [((SeriesId("log", str(k), "errors"),), float(n), (float(n),)) for k in range(40)]
            store.append_runs(runs + [(plan, float(n), (n / 1e6, 1.0)) for plan in plans], cursor)
        report("stored", n)
        if n % 50 == 0:
            store.prune(10.0)
"""

HEAD = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    folder = Path(sys.argv[1])

    def report(what, n):
        sys.stdout.write(f"{what} {n}\\n")
        sys.stdout.flush()
"""


def killed(writer: str, folder: Path, after_s: float) -> list[list[str]]:
    """Run `writer` until it has reported once, then `after_s` longer; what it had reported when it was killed."""
    script = textwrap.dedent(HEAD) + textwrap.dedent(writer)
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(folder), str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    return [line.split() for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]


def test_a_killed_ledger_holds_whole_decisions_and_all_that_were_reported(tmp_path, request):
    moments = random.Random(request.node.name)
    claimed: set[str] = set()
    for _ in range(ROUNDS):
        reports = killed(LEDGER_WRITER, tmp_path, moments.uniform(0, 0.15))
        stored = [int(n) for what, n in reports if what == "stored"]
        fresh = [id for what, id in reports if what == "claimed"]
        assert not claimed & set(fresh), "an action that must not be repeated was handed out twice"
        claimed |= set(fresh)

        ledger = SqliteLedger(tmp_path / "ledger.db")
        state = ledger.load()
        last = state.counters["INC"]
        assert last >= max(stored)
        assert ledger.counts("incident") == {"open": last}
        assert sum(ledger.counts("message").values()) == last * EACH
        assert sum(len(ledger.timeline(f"INC-{n}")) for n in range(1, last + 1)) == last * EACH
        actions = {action.id for action in ledger.actions([f"A-{i}" for i in range(EACH, (last + 1) * EACH)])}
        assert len(actions) == last * EACH
        done = {f"A-{m.id[2:]}" for m in ledger.find("message", states=["sent"], limit=99_999)}
        assert {id for what, id in reports if what == "done"} <= done
        assert not done & set(state.in_flight), "a result was kept and its action was not ended"
        assert claimed <= done | set(state.in_flight)
        ledger.close()
    ledger = SqliteLedger(tmp_path / "ledger.db")
    assert not claimed & {action.id for action in ledger.claim("next", at(1e9), at(2e9), 99_999)}
    ledger.close()


def test_killed_samples_agree_with_their_cursor(tmp_path, request):
    moments, sealed = random.Random(request.node.name), 0
    for _ in range(ROUNDS):
        reports = killed(SAMPLES_WRITER, tmp_path, moments.uniform(0, 0.3))
        store = SqliteSamples(tmp_path / "samples.db")
        last = (store.cursor("log") or {})["n"]
        assert last >= max(int(n) for _, n in reports)
        for k in range(40):
            assert list(store.read(SeriesId("log", str(k), "errors"), 10, 1e9).times_s) == list(range(10, last + 1))
        for k in range(10):
            window = store.read(SeriesId("http", str(k), "total_s"), 10, 1e9)
            assert list(window.times_s) == list(range(10, last + 1, 2))
            assert list(window.values) == [n / 1e6 for n in range(10, last + 1, 2)]
        store.close()
        with sqlite3.connect(tmp_path / "samples.db") as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("SELECT count(*) FROM chunk").fetchone() == db.execute("SELECT count(*) FROM body").fetchone()
            sealed += db.execute("SELECT max(id) FROM chunk").fetchone()[0] or 0
        db.close()
    assert sealed > 100, "nothing was sealed while it was killed"
