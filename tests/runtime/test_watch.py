from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import nan

import pytest

from forewarn.core.detect.cannot_see import INTERVALS
from forewarn.core.detect.forecast import ForecastOptions
from forewarn.core.detect.pattern import PatternOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.finding import Finding, FindingState
from forewarn.model.inputs import Moved
from forewarn.model.level import Colour
from forewarn.model.probe import Probe, Rule, Source, Target
from forewarn.model.series import Column, Outcome, ProbeRun, SeriesId, Window
from forewarn.runtime.lines import MOST_SERIES
from forewarn.runtime.watch import Watch

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SOURCE = Source("probes/x.yaml", 3)
USED: Column = ("used_ratio", (("mount", "/srv"),))
ROOT: Column = ("used_ratio", (("mount", "/"),))
DOWN = Rule(name="down", kind="down", metric="up", options=None, colour=Colour.RED, source=SOURCE)
BLIND = Rule(name="cannot-see", kind="cannot-see", metric="up", options=None, source=SOURCE)


def rule(name: str, options: object, metric: str = "used_ratio", **more) -> Rule:
    kind = type(options).__name__.removesuffix("Options").lower()
    return Rule(name=name, kind=kind, metric=metric, options=options, source=SOURCE, **more)


HIGH = rule("high", ThresholdOptions(op=">", limit=0.9))


def probe(*rules: Rule, targets: int = 1, every: float = 10.0) -> Probe:
    names = tuple(Target(f"t{i}", f"t{i}") for i in range(targets))
    return Probe(
        name="disk",
        kind="made-up",
        every_s=every,
        timeout_s=3.0,
        targets=names,
        options=None,
        rules=(*rules, DOWN, BLIND),
        source=SOURCE,
    )


class Player:
    """A watch and a clock that goes on by one interval with each run."""

    def __init__(self, watch: Watch, at: datetime = START) -> None:
        self.watch, self.now = watch, at
        self.every = timedelta(seconds=watch.probe.every_s)

    def run(self, outcome=Outcome.UP, values: dict[Column, float] | None = None, target="t0", **more) -> list[Moved]:
        values = values or {}
        made = ProbeRun("disk", target, self.now.timestamp(), outcome, tuple(values), tuple(values.values()), **more)
        moves = self.watch.take(made, self.now)
        self.stored = self.watch.samples(made)
        self.now += self.every
        return moves

    def used(self, *values: float, column: Column = USED) -> list[Moved]:
        return [moved for value in values for moved in self.run(values={column: value})]


def told(moves: list[Moved]) -> list[str]:
    return [
        f"{m.rule} {'gone' if m.unwatched else 'ends' if m.claim is None else 'fires' if m.claim.confirmed else 'may fire'}"
        for m in moves
    ]


def finding(moved: Moved, state=FindingState.OPEN, **more) -> Finding:
    """What the owner makes of a transition."""
    claim = moved.claim
    assert claim
    made = Finding(
        id="F-1", state=state, series=str(moved.series), target=moved.series.target, labels=moved.series.labels, metric=moved.series.metric,
        rule=moved.rule, kind="", probe=moved.probe, service=None, colour=Colour.YELLOW, effect=None, opened_at=START, why=claim.why,
        evidence=claim.evidence, forecast=claim.forecast, confirmed=claim.confirmed, config="c", source="s", seq=moved.seq,
    )  # fmt: skip
    return replace(made, **more)


def test_only_transitions_come_out():
    player = Player(Watch(probe(HIGH)))
    assert told(player.used(0.5, 0.95, 0.95, 0.95, 0.95, 0.5, 0.5)) == ["high may fire", "high fires", "high ends"]


def test_sequences_grow_also_within_one_moment():
    watch = Watch(probe(HIGH))
    seqs = []
    for i, value in enumerate((0.95, 0.5, 0.95, 0.5)):
        seqs += [
            m.seq for m in watch.take(ProbeRun("disk", "t0", START.timestamp() + i * 1e-4, Outcome.UP, (USED,), (value,)), START)
        ]
    assert len(seqs) == 4 and seqs == sorted(set(seqs))
    assert seqs[0] == int(START.timestamp() * 1000)


def test_each_label_set_is_judged_by_itself_and_globs_choose():
    watch = Watch(probe(rule("high", HIGH.options, labels=(("mount", "/s*"),))))
    player = Player(watch)
    moves = player.run(values={USED: 0.95, ROOT: 0.95})
    assert [str(m.series) for m in moves] == ['disk|t0|used_ratio{mount="/srv"}']
    assert [s.series.label("mount") for s in watch.view(START)[0].series] == [None, "/srv", "/"]


def test_a_claim_is_told_again_when_its_value_moved_much_but_once_a_minute():
    player = Player(Watch(probe(rule("high", ThresholdOptions(op=">", limit=1.0)))))
    moves = player.used(2, 2, *[2.5] * 12)
    assert [m.claim.evidence.value for m in moves] == [2, 2, 2.5]
    assert (moves[2].claim.evidence.last_at - moves[1].claim.evidence.last_at).total_seconds() >= 60


def test_a_forecast_is_told_again_when_its_date_moved():
    player = Player(Watch(probe(rule("full", ForecastOptions(above=0.95)), every=60.0)))
    moves = player.used(*(0.5 + 0.45 * i / 600 for i in range(601)))
    assert 2 <= len(moves) <= 8
    assert moves[-1].claim.forecast.crossed and not any(m.claim.forecast.crossed for m in moves[:-1])
    assert told(moves[:1]) == ["full fires"]


def test_down_shows_the_detail_and_unknown_changes_nothing():
    player = Player(Watch(probe()))
    moves = player.run() + player.run(Outcome.DOWN, detail="503")
    assert moves == []
    assert player.run(Outcome.UNKNOWN, reason="no_network") == [] and player.stored == []
    (moved,) = player.run(Outcome.DOWN, detail="504")
    assert moved.claim.why.facts["detail"] == "504" and player.stored[0][2] == 0.0
    assert told(player.run(Outcome.UNKNOWN) + player.run() + player.run()) == ["down ends"]


def test_cannot_see_after_five_intervals_of_unknown_or_of_silence():
    for look in (True, False):
        player = Player(Watch(probe()))
        player.run()
        moves, calls = [], 0
        while not moves and calls < 20:
            calls += 1
            if look:
                moves = player.run(Outcome.UNKNOWN, reason="permission", detail="/dev/sda: permission denied")
            else:
                moves = player.watch.tick(player.now)
                player.now += player.every
        assert told(moves) == ["cannot-see fires"] and INTERVALS <= calls <= INTERVALS + 1
        key, reason = ("why.cannot_see", "/dev/sda: permission denied") if look else ("why.cannot_see_silent", None)
        assert (moves[0].claim.why.key, moves[0].claim.why.facts.get("reason")) == (key, reason)
        assert told(player.run()) == ["cannot-see ends"]


def test_an_unknown_target_has_an_outcome_and_no_value():
    player = Player(Watch(probe(HIGH, targets=2)))
    player.run(Outcome.UNKNOWN, reason="permission", detail="no")
    first, second = player.watch.view(player.now)
    assert (first.outcome, first.reason, first.series) == ("unknown", "permission", ())
    assert (second.outcome, second.at) == ("unknown", None)


def test_what_is_no_number_is_neither_judged_nor_stored():
    player = Player(Watch(probe(HIGH)))
    player.used(0.5)
    assert player.run(values={USED: nan, ROOT: 0.1}) == []
    assert [(id.metric, id.label("mount"), value) for id, _, value in player.stored] == [
        ("up", None, 1.0),
        ("used_ratio", "/", 0.1),
    ]


def test_too_many_series_are_left_out_and_said():
    watch = Watch(probe(HIGH))
    columns = tuple(("n", (("tenant", str(i)),)) for i in range(MOST_SERIES + 200))
    player = Player(watch)
    for _ in range(3):
        player.run(values=dict.fromkeys(columns, 1.0))
    assert watch.view(START)[0].dropped_series == 201  # `up` is a series too
    assert len(player.stored) == MOST_SERIES


def test_rings_hold_no_more_than_the_rules_need():
    player = Player(Watch(probe(rule("mean", ThresholdOptions(op=">", limit=9, stat="mean", window_s=600)))))
    player.used(*[1.0] * 5000)
    assert all(len(line.times) <= 2 * 60 + 2 for line in player.watch._lines.values())


def test_a_burst_ends_by_the_clock_alone():
    player = Player(Watch(probe(rule("errors", PatternOptions(within_s=30, clear_after_s=60), metric="errors_total"))))
    column = ("errors_total", ())
    player.run(values={column: 5})
    moves = player.run(values={column: 9}, lines=("ERROR a",))
    assert told(moves) == ["errors fires"] and moves[0].claim.evidence.lines == ("ERROR a",)
    later = []
    while not later:
        later = [m for m in player.watch.tick(player.now) if m.rule == "errors"]
        player.now += timedelta(seconds=5)
    assert told(later) == ["errors ends"]
    assert 60 <= (player.now - START).total_seconds() <= 130


def test_what_could_not_be_looked_at_is_not_gone():
    player = Player(Watch(probe(HIGH)))
    player.used(0.95, 0.95)
    for hidden in ((("mount", "/srv"),), (("mount", "/s*"),)):
        for _ in range(100):
            assert told(player.run(values={ROOT: 0.1}, hidden=hidden) + player.watch.tick(player.now)) == []
    moves = [moved for _ in range(100) for moved in player.run(values={ROOT: 0.1}) + player.watch.tick(player.now)]
    assert told(moves) == ["high gone"]


def test_what_could_not_be_looked_at_after_a_restart_is_not_gone():
    before = Player(Watch(probe(HIGH)))
    began = before.used(0.95, 0.95)
    after = Player(Watch(probe(HIGH)), before.now)
    after.watch.resume([finding(began[-1])])
    for _ in range(100):
        assert told(after.run(values={ROOT: 0.1}, hidden=(("mount", "*"),)) + after.watch.tick(after.now)) == []
    moves = [moved for _ in range(100) for moved in after.run(values={ROOT: 0.1}) + after.watch.tick(after.now)]
    assert told(moves) == ["high gone"]


def test_a_file_system_that_is_gone_is_watched_no_more():
    player = Player(Watch(probe(HIGH)))
    player.run(values={USED: 0.95, ROOT: 0.1})
    moves = []
    for _ in range(70):
        moves += player.run(values={ROOT: 0.1}) + player.watch.tick(player.now)
    assert told(moves) == ["high gone"]
    assert [s.series.label("mount") for s in player.watch.view(player.now)[0].series] == [None, "/"]
    assert told(player.run(values={USED: 0.95, ROOT: 0.1})) == ["high may fire"]


def test_a_target_that_is_down_loses_no_series():
    player = Player(Watch(probe(HIGH)))
    player.used(0.95, 0.95)
    moves = []
    for _ in range(100):
        moves += player.run(Outcome.DOWN) + player.watch.tick(player.now)
    assert told(moves) == ["down fires"]


def restarted(watch: Watch, at: datetime, moves: list[Moved], history: list[tuple[float, float]] = (), **more) -> Player:
    """A new process: the ledger has findings, the store has samples."""
    fresh = Watch(watch.probe)
    if history:
        fresh.warm(SeriesId("disk", "t0", *USED), Window.of(list(history)))
    fresh.resume([finding(moves[-1], **more)])
    return Player(fresh, at)


def test_after_a_restart_only_differences_are_told():
    before = Player(Watch(probe(HIGH)))
    moves = before.used(0.5, 0.95, 0.95)
    same = restarted(before.watch, before.now, moves)
    assert same.used(0.95, 0.96) == []
    (ended,) = same.used(0.5)
    assert ended.claim is None and ended.seq > moves[-1].seq
    over = restarted(before.watch, before.now, moves)
    assert told(over.used(0.5, 0.5)) == ["high ends"]


def test_after_a_restart_with_a_slow_clock_the_sequence_still_grows():
    before = Player(Watch(probe(HIGH)))
    moves = before.used(0.95, 0.95)
    after = restarted(before.watch, START - timedelta(days=1), moves)
    assert after.used(0.5)[0].seq == moves[-1].seq + 1


def test_a_transition_that_a_crash_lost_is_told_then():
    history = [(START.timestamp() + 60.0 * i, 0.5 + 0.45 * i / 600) for i in range(300)]
    watch = Watch(probe(rule("full", ForecastOptions(above=0.95)), every=60.0))
    watch.warm(SeriesId("disk", "t0", *USED), Window.of(history))
    player = Player(watch, START + timedelta(minutes=300))
    assert told(player.used(0.5 + 0.45 * 300 / 600)) == ["full fires"]


def test_a_forecast_without_history_holds_its_claim_until_it_knows():
    first = Player(Watch(probe(rule("full", ForecastOptions(above=0.95)), every=60.0)))
    moves = first.used(*(0.5 + 0.45 * i / 600 for i in range(300)))
    after = restarted(first.watch, first.now, moves)
    assert after.used(*[0.725] * 20) == []
    assert told(after.used(*[0.725] * 120)) == ["full ends"]


def test_a_cleared_finding_gives_only_its_sequence():
    before = Player(Watch(probe(HIGH)))
    moves = before.used(0.95, 0.95)
    after = restarted(before.watch, START - timedelta(days=1), moves, state=FindingState.CLEARED)
    (began,) = after.used(0.95)
    assert began.claim and began.seq == moves[-1].seq + 1


def test_a_claim_whose_series_never_came_back_is_watched_no_more():
    before = Player(Watch(probe(HIGH)))
    moves = before.used(0.95, 0.95)
    after = restarted(before.watch, before.now, moves)
    gone = []
    for _ in range(70):
        gone += after.run(values={ROOT: 0.1}) + after.watch.tick(after.now)
    assert told(gone) == ["high gone"] and gone[0].seq > moves[-1].seq


def test_claims_of_rules_and_targets_that_are_no_more_end_at_once():
    before = Player(Watch(probe(HIGH, targets=2)))
    moves = before.used(0.95, 0.95)
    for probe_now in (
        probe(),
        replace(probe(HIGH), targets=(Target("other", "other"),)),
        probe(replace(HIGH, labels=(("mount", "/x"),))),
    ):
        watch = Watch(probe_now)
        watch.resume([finding(moves[-1])])
        assert told(watch.forget_strangers(before.now)) == ["high gone"]
        assert watch.forget_strangers(before.now) == []


def reloaded(player: Player, after: Probe) -> tuple[Player, list[Moved]]:
    watch = Watch(after)
    return Player(watch, player.now), watch.adopt(player.watch, player.now)


def test_a_reload_leaves_rules_that_did_not_change_alone():
    player = Player(Watch(probe(HIGH)))
    player.used(0.95, 0.95)
    after, moves = reloaded(player, replace(probe(HIGH), timeout_s=9.0))
    assert moves == []
    assert after.used(0.95) == []
    assert told(after.used(0.5)) == ["high ends"]


@pytest.mark.parametrize(
    "rules", [(), (replace(HIGH, options=ThresholdOptions(op=">", limit=0.99)),), (replace(HIGH, labels=(("mount", "/x"),)),)]
)
def test_a_reload_ends_what_was_removed_or_changed(rules):
    player = Player(Watch(probe(HIGH)))
    began = player.used(0.95, 0.95)
    after, moves = reloaded(player, probe(*rules))
    assert told(moves) == ["high gone"] and moves[0].seq > began[-1].seq
    assert after.used(0.95) == []


def test_a_reload_may_move_a_rule_in_its_file():
    player = Player(Watch(probe(HIGH)))
    player.used(0.95, 0.95)
    _, moves = reloaded(player, probe(replace(HIGH, source=Source("probes/x.yaml", 99))))
    assert moves == []


def test_unwatch_ends_everything_that_is_open():
    player = Player(Watch(probe(HIGH)))
    player.used(0.95, 0.95)
    player.run(Outcome.DOWN)
    player.run(Outcome.DOWN)
    assert sorted(told(player.watch.unwatch(player.now))) == ["down gone", "high gone"]
    assert player.watch.unwatch(player.now) == []


def test_costly_judgements_are_spread_over_calls():
    columns = tuple(("used_ratio", (("mount", f"/{i}"),)) for i in range(40))
    player = Player(Watch(probe(rule("full", ForecastOptions(above=0.95)), every=60.0)))
    calls: list[list[Moved]] = []
    for i in range(90):
        calls.append(player.run(values=dict.fromkeys(columns, 0.5 + 0.45 * i / 600)))
        calls += [player.watch.tick(player.now - timedelta(seconds=30)) for _ in range(5)]
    assert sorted(m.series.label("mount") for moves in calls for m in moves[:4]) == sorted(f"/{i}" for i in range(40))
