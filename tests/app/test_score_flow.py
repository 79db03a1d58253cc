"""Verdicts reach the scorecard through decide(), and the scorecard reaches pages and notices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from forewarn.app.rehearsal.watching import Timed, watched
from forewarn.config.load import load
from forewarn.core.engine import decide
from forewarn.core.work import State
from forewarn.model.inputs import Command, TimePassed
from forewarn.model.message import Message, MessageKind
from forewarn.model.scorecard import Score
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.probers import PROBERS
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples_memory import MemorySamples

BEGIN = datetime(2026, 9, 21, tzinfo=UTC)
DAYS = 4
PROBE = """probe: db
kind: host
every: 60s
service: shop
rules:
  - {name: fills, forecast: {metric: fs_used_ratio, above: 80%, within: 3d}}
"""


def settings(folder: Path) -> Settings:
    for part in ("probes", "config"):
        (folder / part).mkdir()
    (folder / "probes" / "db.yaml").write_text(PROBE)
    (folder / "config" / "services.yaml").write_text("services:\n  shop: {criticality: core}\n")
    return load(folder, PROBERS, BEGIN)


def moves(given: Settings) -> list[Timed]:
    """A file system that fills 0.1 a day, and reaches its limit on the last day."""
    samples = MemorySamples()
    at_s = [BEGIN.timestamp() + 60 * n for n in range(DAYS * 1440)]
    samples.fill(SeriesId("db", "local", "fs_used_ratio"), [(at, 0.45 + 0.1 * n / 1440) for n, at in enumerate(at_s)])
    return list(watched(given.probes["db"], samples, at_s[0], at_s[-1] + 1).moves)


def played(state: State, given: list[Timed]) -> tuple[State, dict[str, Message]]:
    """The state after all of it, and every message that was written."""
    messages: dict[str, Message] = {}

    def take(state: State, what: object, at: datetime) -> State:
        decision = decide(state, what, at)  # type: ignore[arg-type]
        messages.update({thing.id: thing for thing in decision.entities if isinstance(thing, Message)})
        return state.after(decision)

    for timed in [*given, Timed(BEGIN + timedelta(days=DAYS), None)]:  # type: ignore[arg-type]
        while state.next_at and state.next_at < timed.at:
            state = take(state, TimePassed(), state.next_at)
        if timed.moved:
            state = take(state, timed.moved, timed.at)
    return state, messages


def test_a_forecast_that_came_true_is_scored_and_kept(tmp_path: Path) -> None:
    own = settings(tmp_path)
    state, _ = played(State(settings=own), moves(own))
    (incident,) = state.incidents.values()
    assert incident.breached_at and incident.foretold and not state.scores
    at = BEGIN + timedelta(days=DAYS)
    decision = decide(state, Command(verb="resolve", id=incident.id, by="on-call-1"), at)
    (score,) = [thing for thing in decision.entities if isinstance(thing, Score)]
    assert (score.probe, score.rule, score.kind, score.counts) == ("db", "fills", "forecast", {"came_true": 1})
    assert score.calls[0].lead_s == (incident.breached_at - incident.foretold.at).total_seconds()
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.commit(decision.entities, decision.entries, [], decision.counters)
    assert ledger.load().scores == (score,)
    ledger.close()


def test_a_rule_that_calls_in_vain_calls_nobody_and_says_so(tmp_path: Path) -> None:
    own = settings(tmp_path)
    given = moves(own)
    _, messages = played(State(settings=own), given)
    assert [one.shadow for one in messages.values() if one.kind is MessageKind.PAGE].count(False)
    vain = Score(probe="db", rule="fills", kind="forecast", needless=6)
    _, messages = played(State(settings=own, scores={"score/db/fills": vain}), given)
    pages = [one for one in messages.values() if one.kind is MessageKind.PAGE]
    ahead = [one for one in pages if one.subkind == "act-by"] or pages[:1]
    assert ahead and all(one.shadow for one in ahead)
    assert {one.ended.key for one in ahead if one.ended} == {"shadow.vain"}


def test_false_alarms_count_against_the_rule(tmp_path: Path) -> None:
    own = settings(tmp_path)
    given = moves(own)
    state, _ = played(State(settings=own), given[:1])
    (incident,) = state.incidents.values()
    decision = decide(state, Command(verb="false-alarm", id=incident.id, by="on-call-1"), given[0].at + timedelta(hours=1))
    (score,) = [thing for thing in decision.entities if isinstance(thing, Score)]
    assert score.counts == {"false": 1}
